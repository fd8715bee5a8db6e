// absorb: one function per kind of change. Each keeps the records and the index in step; none
// decides.

#include <algorithm>

#include "berth/base/ensure.h"
#include "berth/base/overloaded.h"
#include "berth/base/plant.h"
#include "daemon/core/decision.h"
#include "daemon/core/state.h"

namespace berth::core {

namespace {

bool is_over(Instance const& instance) {
  return !instance.placement.has_value();
}

template <class Key>
void subtract(std::map<Key, placement::Usage>& sums, Key const& key, placement::Usage const& what) {
  auto const it = sums.find(key);
  ENSURE(it != sums.end());
  it->second -= what;
  if (it->second == placement::Usage{}) sums.erase(it);
}

template <class Key, class Value>
void remove_from(std::map<Key, std::set<Value>>& sets, Key const& key, Value const& value) {
  auto const it = sets.find(key);
  ENSURE(it != sets.end() && it->second.erase(value) == 1);
  if (it->second.empty()) sets.erase(it);
}

void touch_spec(Derived& derived, HostId const& host) {
  if (!PLANTED(generation_not_raised)) ++derived.spec_generation[host].value;
  derived.touched_specs.insert(host);
}

// Host records and signs of life both decide whether a host may be given more.
void refresh_room(State& state, HostId const& id) {
  Host const* host = find(state.hosts, id);
  ENSURE(host != nullptr);
  placement::HostRoom& room = state.derived.fleet[id];
  SeeHost const* seen = find(state.seen, id);
  room.zone = host->zone;
  room.is_cordoned = host->is_cordoned;
  room.is_up = seen != nullptr && seen->announced == HostHealth::up && seen->is_connected &&
               host->inventory.has_value();
  room.capacity = capacity(*host, state.policy);
}

void index_instance(State& state, Instance const& instance) {
  Derived& d = state.derived;
  d.instances_of_tenant[instance.tenant].insert(instance.id);
  if (is_over(instance)) {
    d.ended.insert({instance.ended, instance.id});
    return;
  }
  ++d.instances_of_image[instance.image];
  placement::Usage const what = held(instance);
  d.used_by_tenant[instance.tenant] += what;
  d.instances_of_host[instance.placement->host].insert(instance.id);
  if (!instance.placement_group.value.empty()) {
    d.instances_of_group[instance.placement_group].insert(instance.id);
  }
  d.fleet[instance.placement->host].used += what;
}

void unindex_instance(State& state, Instance const& instance) {
  Derived& d = state.derived;
  remove_from(d.instances_of_tenant, instance.tenant, instance.id);
  if (is_over(instance)) {
    d.ended.erase({instance.ended, instance.id});
    return;
  }
  auto const image = d.instances_of_image.find(instance.image);
  ENSURE(image != d.instances_of_image.end());
  if (--image->second == 0) d.instances_of_image.erase(image);
  placement::Usage const what = held(instance);
  subtract(d.used_by_tenant, instance.tenant, what);
  remove_from(d.instances_of_host, instance.placement->host, instance.id);
  if (!instance.placement_group.value.empty()) {
    remove_from(d.instances_of_group, instance.placement_group, instance.id);
  }
  if (PLANTED(released_twice)) d.fleet[instance.placement->host].used -= what;
  d.fleet[PLANTED(released_on_wrong_host) ? d.fleet.begin()->first : instance.placement->host]
      .used -= what;
}

// Whether the two records look different in their host's spec.
bool differs_in_spec(Instance const& a, Instance const& b) {
  return a.wanted != b.wanted || a.placement != b.placement ||
         (a.reboots_wanted != b.reboots_wanted && !PLANTED(reboot_not_in_spec)) ||
         a.starts_wanted != b.starts_wanted || a.vcpus != b.vcpus || a.memory != b.memory ||
         a.user_data != b.user_data || a.type != b.type;
}

void put_instance(State& state, Instance const& instance) {
  auto const [it, is_new] = state.instances.try_emplace(instance.id);
  if (!is_new) {
    Instance const& old = it->second;
    unindex_instance(state, old);
    if (differs_in_spec(old, instance)) {
      if (old.placement) touch_spec(state.derived, old.placement->host);
      if (instance.placement && instance.placement != old.placement) {
        touch_spec(state.derived, instance.placement->host);
      }
    }
  } else if (instance.placement) {
    touch_spec(state.derived, instance.placement->host);
  }
  it->second = instance;
  index_instance(state, instance);
}

void put_host(State& state, Host const& host) {
  auto const [it, is_new] = state.hosts.try_emplace(host.id);
  if (!is_new && it->second.name != host.name) state.derived.host_by_name.erase(it->second.name);
  it->second = host;
  state.derived.host_by_name[host.name] = host.id;
  refresh_room(state, host.id);
}

void put_region(State& state, Region const& region) {
  // Each host is told of a quarantine, of its end, and of a term that obeys to no other.
  bool const is_told = state.region.quarantine.has_value() != region.quarantine.has_value() ||
                       (region.quarantine && state.region.term != region.term);
  state.region = region;
  if (!is_told) return;
  for (auto const& [id, host] : state.hosts) touch_spec(state.derived, id);
}

void erase_host(State& state, HostId const& id) {
  auto const it = state.hosts.find(id);
  ENSURE(it != state.hosts.end() && !state.derived.instances_of_host.contains(id));
  state.derived.host_by_name.erase(it->second.name);
  state.derived.fleet.erase(id);
  state.derived.spec_generation.erase(id);
  state.derived.touched_specs.erase(id);
  state.seen.erase(id);
  state.hosts.erase(it);
}

void put_key_pair(State& state, KeyPair const& key) {
  state.key_pairs[key.id] = key;
  state.derived.key_pair_by_name[{key.tenant, key.name}] = key.id;
}

void erase_key_pair(State& state, KeyPairId const& id) {
  auto const it = state.key_pairs.find(id);
  ENSURE(it != state.key_pairs.end());
  state.derived.key_pair_by_name.erase({it->second.tenant, it->second.name});
  state.key_pairs.erase(it);
}

void put_launch_template(State& state, LaunchTemplate const& made) {
  state.launch_templates[made.id] = made;
  state.derived.launch_template_by_name[{made.tenant, made.name}] = made.id;
}

void erase_launch_template(State& state, LaunchTemplateId const& id) {
  auto const it = state.launch_templates.find(id);
  ENSURE(it != state.launch_templates.end());
  state.derived.launch_template_by_name.erase({it->second.tenant, it->second.name});
  state.launch_templates.erase(it);
}

void put_launch_template_version(State& state, LaunchTemplateVersion const& made) {
  bool const is_new =
      state.launch_template_versions.insert_or_assign({made.launch_template, made.number}, made)
          .second;
  if (is_new) ++state.derived.launch_template_versions[made.tenant];
}

void erase_launch_template_version(State& state, EraseLaunchTemplateVersion const& gone) {
  auto const it = state.launch_template_versions.find({gone.id, gone.number});
  ENSURE(it != state.launch_template_versions.end());
  auto const count = state.derived.launch_template_versions.find(it->second.tenant);
  ENSURE(count != state.derived.launch_template_versions.end());
  if (--count->second == 0) state.derived.launch_template_versions.erase(count);
  state.launch_template_versions.erase(it);
}

void put_placement_group(State& state, PlacementGroup const& group) {
  state.placement_groups[group.id] = group;
  state.derived.placement_group_by_name[{group.tenant, group.name}] = group.id;
}

void erase_placement_group(State& state, PlacementGroupId const& id) {
  auto const it = state.placement_groups.find(id);
  ENSURE(it != state.placement_groups.end());
  state.derived.placement_group_by_name.erase({it->second.tenant, it->second.name});
  state.placement_groups.erase(it);
}

void put_token(State& state, TokenRow const& row) {
  std::pair const key{row.tenant, row.token};
  if (TokenRow const* old = find(state.tokens, key); old != nullptr && old->expires.ms != 0) {
    state.derived.expiring_tokens.erase({old->expires, key});
  }
  state.tokens[key] = row;
  if (row.expires.ms != 0) state.derived.expiring_tokens.insert({row.expires, key});
}

void erase_token(State& state, std::pair<TenantId, std::string> const& key) {
  auto const it = state.tokens.find(key);
  ENSURE(it != state.tokens.end());
  state.derived.expiring_tokens.erase({it->second.expires, key});
  state.tokens.erase(it);
}

}  // namespace

void absorb(State& state, Change const& change) {
  std::visit(
      overloaded{
          [&](PutRegion const& c) { put_region(state, c.region); },
          [&](PutZone const& c) { state.zones[c.zone.name] = c.zone; },
          [&](PutTenant const& c) { state.tenants[c.tenant.id] = c.tenant; },
          [&](PutAccessKey const& c) {
            state.access_keys[c.key.id] = c.key;
            state.derived.access_keys_of_tenant[c.key.tenant].insert(c.key.id);
          },
          [&](EraseAccessKey const& c) {
            auto const it = state.access_keys.find(c.id);
            ENSURE(it != state.access_keys.end());
            remove_from(state.derived.access_keys_of_tenant, it->second.tenant, c.id);
            state.access_keys.erase(it);
          },
          [&](PutInstanceType const& c) { state.types[c.type.name] = c.type; },
          [&](EraseInstanceType const& c) { state.types.erase(c.name); },
          [&](PutImage const& c) { state.images[c.image.id] = c.image; },
          [&](EraseImage const& c) { state.images.erase(c.id); },
          [&](PutKeyPair const& c) { put_key_pair(state, c.key); },
          [&](EraseKeyPair const& c) { erase_key_pair(state, c.id); },
          [&](PutHost const& c) { put_host(state, c.host); },
          [&](EraseHost const& c) { erase_host(state, c.id); },
          [&](PutInstance const& c) { put_instance(state, c.instance); },
          [&](EraseInstance const& c) {
            auto const it = state.instances.find(c.id);
            ENSURE(it != state.instances.end() && is_over(it->second));
            unindex_instance(state, it->second);
            state.instances.erase(it);
          },
          [&](PutToken const& c) { put_token(state, c.row); },
          [&](EraseToken const& c) { erase_token(state, {c.tenant, c.token}); },
          [&](PutLaunchTemplate const& c) { put_launch_template(state, c.launch_template); },
          [&](EraseLaunchTemplate const& c) { erase_launch_template(state, c.id); },
          [&](PutLaunchTemplateVersion const& c) { put_launch_template_version(state, c.version); },
          [&](EraseLaunchTemplateVersion const& c) { erase_launch_template_version(state, c); },
          [&](PutPlacementGroup const& c) { put_placement_group(state, c.group); },
          [&](ErasePlacementGroup const& c) { erase_placement_group(state, c.id); },
          [&](AppendAudit const& c) {
            state.region.audit_count = c.record.number;
            state.region.audit_digest = c.record.digest;
          },
          [&](SeeHost const& c) {
            if (!state.hosts.contains(c.id)) return;  // removed meanwhile
            state.seen[c.id] = c;
            refresh_room(state, c.id);
          },
      },
      change);
}

placement::Usage capacity(Host const& host, Policy const& policy) {
  if (!host.inventory) return {};
  std::int64_t const disk = (host.inventory->disk_total.value >> 30) - policy.host_disk_reserve_gib;
  Mebibytes const memory = berth::memory(*host.inventory) - policy.host_memory_reserve;
  return {.vcpus = cpu_count(*host.inventory) * policy.cpu_overcommit_permille / 1000,
          .memory = std::max(memory, Mebibytes(0)),
          .disk_gib = std::max(disk, std::int64_t{0}),
          .instances = static_cast<std::int64_t>(limits::kInstancesPerHostMax)};
}

placement::Usage held(Instance const& instance) {
  if (!instance.placement) return {};
  placement::Usage what{.disk_gib = instance.disk_gib, .instances = 1};
  bool const is_known_stopped = instance.wanted != Wanted::running &&
                                (instance.seen == Seen::stopped || PLANTED(stopping_released));
  if (!is_known_stopped) {
    what.vcpus = instance.vcpus;
    what.memory = instance.memory;
  }
  return what;
}

HostHealth health(SeeHost const* seen, Instant now, Policy const& policy) {
  if (seen == nullptr) return HostHealth::never_seen;
  Duration const age = now - seen->at;
  if (age > policy.lost_after) return HostHealth::lost;
  return age > policy.lease || !seen->is_connected ? HostHealth::suspect : HostHealth::up;
}

}  // namespace berth::core
