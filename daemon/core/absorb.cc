// absorb: one function per kind of change. Each keeps the records and the index in step; none
// decides.

#include <algorithm>

#include "berth/base/ensure.h"
#include "berth/base/overloaded.h"
#include "berth/base/plant.h"
#include "daemon/core/cpu_sets.h"
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

placement::Holding holding(Instance const& instance, Policy const& policy) {
  placement::Usage const what = held_on_host(instance, policy);
  return {.place = {.host = instance.placement->host, .cells = instance.placement->cells},
          .need = {.room = {.vcpus = static_cast<std::int32_t>(what.vcpus),
                            .memory_mib = static_cast<std::int32_t>(what.memory.value)},
                   .disk_gib = what.disk_gib,
                   .group = instance.placement_group,
                   .partition = instance.partition}};
}

// Signs of life decide whether a host may be given more.
void refresh_fitness(State& state, Host const& host) {
  SeeHost const* seen = find(state.seen, host.id);
  bool const is_up = seen != nullptr && seen->announced == HostHealth::up && seen->is_connected &&
                     host.inventory.has_value();
  HostRoom& room = state.derived.fleet[host.id];
  room.is_up = is_up;
  room.is_cordoned = host.is_cordoned;
  state.derived.placer.set_open(host.id, is_up, host.is_cordoned);
}

void refresh_room(State& state, Host const& host) {
  placement::HostOffer const offer = host_offer(host, state.policy);
  HostRoom& room = state.derived.fleet[host.id];
  room.zone = host.zone;
  room.capacity = capacity(offer);
  placement::Placer& placer = state.derived.placer;
  auto const* ids = find(state.derived.instances_of_host, host.id);
  bool const is_resettled = ids != nullptr && placer.is_resettled(host.id, offer);
  if (is_resettled)
    for (InstanceId const& id : *ids)
      placer.give_back(holding(state.instances.at(id), state.policy));
  placer.put_host(host.id, offer);
  if (is_resettled)
    for (InstanceId const& id : *ids) placer.take(holding(state.instances.at(id), state.policy));
  refresh_fitness(state, host);
}

void index_instance(State& state, Instance const& instance) {
  Derived& d = state.derived;
  d.instances_of_tenant[instance.tenant].insert(instance.id);
  if (is_over(instance)) {
    d.ended.insert({instance.ended, instance.id});
    return;
  }
  ++d.instances_of_image[instance.image];
  d.used_by_tenant[instance.tenant] += held(instance);
  d.instances_of_host[instance.placement->host].insert(instance.id);
  if (!instance.placement_group.value.empty()) {
    d.instances_of_group[instance.placement_group].insert(instance.id);
  }
  d.fleet[instance.placement->host].used += held_on_host(instance, state.policy);
  d.placer.take(holding(instance, state.policy));
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
  subtract(d.used_by_tenant, instance.tenant, held(instance));
  remove_from(d.instances_of_host, instance.placement->host, instance.id);
  if (!instance.placement_group.value.empty()) {
    remove_from(d.instances_of_group, instance.placement_group, instance.id);
  }
  d.placer.give_back(holding(instance, state.policy));
  placement::Usage const what = held_on_host(instance, state.policy);
  if (PLANTED(released_twice)) d.fleet[instance.placement->host].used -= what;
  d.fleet[PLANTED(released_on_wrong_host) ? d.fleet.begin()->first : instance.placement->host]
      .used -= what;
}

// Whether the two records look different in their host's spec.
bool differs_in_spec(Instance const& a, Instance const& b) {
  return a.wanted != b.wanted || a.placement != b.placement ||
         (a.reboots_wanted != b.reboots_wanted && !PLANTED(reboot_not_in_spec)) ||
         a.starts_wanted != b.starts_wanted || a.vcpus != b.vcpus || a.memory != b.memory ||
         a.user_data != b.user_data || a.type != b.type ||
         (own_cpus(a) != own_cpus(b) && !PLANTED(shared_cpus_untold));
}

void put_instance(State& state, Instance const& instance) {
  auto const [it, is_new] = state.instances.try_emplace(instance.id);
  if (!is_new) {
    Instance const& old = it->second;
    unindex_instance(state, old);
    if (differs_in_spec(old, instance)) {
      if (old.placement) touch_spec(state.derived, old.placement->host);
      bool const is_elsewhere =
          instance.placement && (!old.placement || old.placement->host != instance.placement->host);
      if (is_elsewhere) { touch_spec(state.derived, instance.placement->host); }
    }
  } else if (instance.placement) {
    touch_spec(state.derived, instance.placement->host);
    if (instance.wanted == Wanted::running)
      state.derived.placer.count_demand(need_of(instance.vcpus, instance.memory, instance.disk_gib,
                                                instance.is_cpu_dedicated, state.policy));
  }
  it->second = instance;
  index_instance(state, instance);
}

void put_host(State& state, Host const& host) {
  auto const [it, is_new] = state.hosts.try_emplace(host.id);
  if (!is_new && it->second.name != host.name) state.derived.host_by_name.erase(it->second.name);
  std::vector<SharedCpus> const shared_before = shared_cpus(state, host.id);
  it->second = host;
  if (shared_cpus(state, host.id) != shared_before) touch_spec(state.derived, host.id);
  state.derived.host_by_name[host.name] = host.id;
  refresh_room(state, host);
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
  state.derived.placer.erase_host(id);
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

placement::GroupRule rule_of(PlacementGroup const& group) {
  switch (group.strategy) {
    case PlacementStrategy::cluster: return {placement::GroupKind::one_rack};
    case PlacementStrategy::partition: return {placement::GroupKind::partitions};
    case PlacementStrategy::spread: break;
  }
  bool const is_on_hosts =
      group.spread_level == SpreadLevel::host || PLANTED(group_spread_over_hosts);
  return {is_on_hosts ? placement::GroupKind::spread_hosts : placement::GroupKind::spread_racks};
}

void put_placement_group(State& state, PlacementGroup const& group) {
  bool const is_new = state.placement_groups.insert_or_assign(group.id, group).second;
  if (!is_new) return;  // its name and its rule do not change
  state.derived.placement_group_by_name[{group.tenant, group.name}] = group.id;
  placement::Placer& placer = state.derived.placer;
  // A start reads members before their groups: until now they were held as of none.
  auto const* members = find(state.derived.instances_of_group, group.id);
  auto const for_each = [&](auto change) {
    if (members == nullptr) return;
    for (InstanceId const& id : *members) change(holding(state.instances.at(id), state.policy));
  };
  for_each([&](placement::Holding const& held) { placer.give_back(held); });
  placer.put_group(group.id, rule_of(group));
  for_each([&](placement::Holding const& held) { placer.take(held); });
}

void erase_placement_group(State& state, PlacementGroupId const& id) {
  auto const it = state.placement_groups.find(id);
  ENSURE(it != state.placement_groups.end());
  state.derived.placement_group_by_name.erase({it->second.tenant, it->second.name});
  state.derived.placer.erase_group(id);
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
            auto const host = state.hosts.find(c.id);
            if (host == state.hosts.end()) return;  // removed meanwhile
            state.seen[c.id] = c;
            refresh_fitness(state, host->second);
          },
      },
      change);
}

HostHealth health(SeeHost const* seen, Instant now, Policy const& policy) {
  if (seen == nullptr) return HostHealth::never_seen;
  Duration const age = now - seen->at;
  if (age > policy.lost_after) return HostHealth::lost;
  return age > policy.lease || !seen->is_connected ? HostHealth::suspect : HostHealth::up;
}

void note_refusal(State& state, Refusal const& refusal) {
  bool const is_new = state.refusals.insert_or_assign(refusal.request_id, refusal).second;
  if (is_new) state.refusals_in_order.push_back(refusal.request_id);
  if (state.refusals_in_order.size() <= kRefusalsKept) return;
  state.refusals.erase(state.refusals_in_order.front());
  state.refusals_in_order.pop_front();
}

}  // namespace berth::core
