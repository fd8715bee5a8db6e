#include "daemon/core/invariants.h"

#include <algorithm>
#include <map>
#include <set>

namespace berth::core {

namespace {

using Broken = std::vector<std::string>;

// Takes the instance's share off each of its cells.
void hold(std::vector<placement::CellOffer>& free, Instance const& instance, Policy const& policy) {
  std::vector<placement::CellOffer*> cells;
  for (placement::CellOffer& cell : free) {
    if (std::ranges::find(instance.placement->cells, cell.id) != instance.placement->cells.end())
      cells.push_back(&cell);
  }
  if (cells.empty() && !free.empty()) cells.push_back(&free.front());
  auto const parts = static_cast<std::int64_t>(cells.size());
  placement::Usage const used = held_on_host(instance, policy);
  for (placement::CellOffer* cell : cells) {
    cell->room.vcpus -= static_cast<std::int32_t>((used.vcpus + parts - 1) / parts);
    cell->room.memory_mib -= static_cast<std::int32_t>((used.memory.value + parts - 1) / parts);
  }
}

// I5: the index is what the records say.
void check_index(State const& state, Broken& broken) {
  std::map<HostId, placement::Usage> by_host;
  std::map<TenantId, placement::Usage> by_tenant;
  std::map<TenantId, std::set<InstanceId>> of_tenant;
  std::map<HostId, std::set<InstanceId>> of_host;
  for (auto const& [id, instance] : state.instances) {
    of_tenant[instance.tenant].insert(id);
    if (!instance.placement) continue;
    by_host[instance.placement->host] += held_on_host(instance, state.policy);
    by_tenant[instance.tenant] += held(instance);
    of_host[instance.placement->host].insert(id);
  }
  for (auto const& [id, room] : state.derived.fleet) {
    if (room.used != by_host[id])
      broken.push_back("the use of " + id.value + " differs from its recount");
  }
  if (of_tenant != state.derived.instances_of_tenant)
    broken.push_back("instances by tenant differ");
  if (of_host != state.derived.instances_of_host) broken.push_back("instances by host differ");
  if (by_tenant != state.derived.used_by_tenant) broken.push_back("use by tenant differs");
}

// I5 for the cells: what is free in each is what the records leave of it.
void check_cells(State const& state, Broken& broken) {
  for (auto const& [id, host] : state.hosts) {
    placement::HostOffer const offer = host_offer(host, state.policy);
    std::vector<placement::CellOffer> free = offer.cells;
    if (auto const* ids = find(state.derived.instances_of_host, id); ids != nullptr) {
      for (InstanceId const& instance : *ids)
        hold(free, state.instances.at(instance), state.policy);
    }
    if (free != state.derived.placer.free(id))
      broken.push_back("what is free in the cells of " + id.value + " differs from its recount");
  }
}

// I4: no host holds more than it may sell, no cell more than it has.
void check_capacity(State const& state, Broken& broken) {
  for (auto const& [id, room] : state.derived.fleet) {
    placement::Usage const& u = room.used;
    placement::Usage const& c = room.capacity;
    if (u.vcpus > c.vcpus || u.memory > c.memory || u.disk_gib > c.disk_gib ||
        u.instances > c.instances) {
      broken.push_back("host " + id.value + " holds more than its capacity");
    }
    for (placement::CellOffer const& cell : state.derived.placer.free(id)) {
      if (cell.room.vcpus < 0 || cell.room.memory_mib < 0)
        broken.push_back("cell " + std::to_string(cell.id) + " of " + id.value +
                         " holds more than it has");
    }
  }
}

// I6: no tenant holds more than its quota.
void check_quotas(State const& state, Broken& broken) {
  for (auto const& [id, used] : state.derived.used_by_tenant) {
    Tenant const* tenant = find(state.tenants, id);
    if (tenant != nullptr &&
        (used.instances > tenant->quota.instances || used.vcpus > tenant->quota.vcpus ||
         used.memory > tenant->quota.memory || used.disk_gib > tenant->quota.disk_gib)) {
      broken.push_back("tenant " + id.value + " is over its quota");
    }
  }
}

void check_references(State const& state, Broken& broken) {
  std::set<std::string> uuids;
  std::set<std::string> macs;
  for (auto const& [id, instance] : state.instances) {
    if (!uuids.insert(instance.uuid).second) broken.push_back(id.value + " shares a uuid");
    if (!macs.insert(instance.mac).second) broken.push_back(id.value + " shares a MAC");
    if (!state.tenants.contains(instance.tenant)) broken.push_back(id.value + " has no tenant");
    if (instance.placement && !state.hosts.contains(instance.placement->host)) {
      broken.push_back(id.value + " is placed on a host that has no record");
    }
    if (!instance.placement && instance.wanted != Wanted::terminated) {
      broken.push_back(id.value + " has no placement but is not terminated");
    }
  }
  // I3: each token's row names instances of its own tenant.
  for (auto const& [key, row] : state.tokens) {
    for (InstanceId const& id : row.instances) {
      Instance const* instance = find(state.instances, id);
      if (instance != nullptr &&
          (instance->tenant != row.tenant || instance->reservation != row.reservation)) {
        broken.push_back("token " + row.token + " names " + id.value + ", which is not its own");
      }
    }
  }
}

// A launch by $Default or $Latest always finds a version, and nobody's version outlives its
// template.
void check_launch_templates(State const& state, Broken& broken) {
  std::map<std::pair<TenantId, std::string>, LaunchTemplateId> by_name;
  for (auto const& [id, made] : state.launch_templates) {
    by_name[{made.tenant, made.name}] = id;
    if (!state.launch_template_versions.contains({id, made.default_version})) {
      broken.push_back(id.value + " has no default version");
    }
  }
  if (by_name != state.derived.launch_template_by_name ||
      by_name.size() != state.launch_templates.size()) {
    broken.push_back("launch templates by name differ");
  }
  std::map<TenantId, std::int64_t> counts;
  for (auto const& [key, version] : state.launch_template_versions) {
    ++counts[version.tenant];
    LaunchTemplate const* made = find(state.launch_templates, key.first);
    if (made == nullptr || made->tenant != version.tenant || made->last_version < key.second) {
      broken.push_back("version " + std::to_string(key.second) + " of " + key.first.value +
                       " is of no launch template");
    }
  }
  if (counts != state.derived.launch_template_versions) {
    broken.push_back("launch template versions by tenant differ");
  }
}

// A member's group is there, is its tenant's, and has its partition.
void check_placement_groups(State const& state, Broken& broken) {
  std::map<std::pair<TenantId, std::string>, PlacementGroupId> by_name;
  for (auto const& [id, group] : state.placement_groups) by_name[{group.tenant, group.name}] = id;
  if (by_name != state.derived.placement_group_by_name ||
      by_name.size() != state.placement_groups.size()) {
    broken.push_back("placement groups by name differ");
  }
  std::map<PlacementGroupId, std::set<InstanceId>> members;
  for (auto const& [id, instance] : state.instances) {
    if (instance.placement_group.value.empty() || !instance.placement) continue;
    members[instance.placement_group].insert(id);
    PlacementGroup const* group = find(state.placement_groups, instance.placement_group);
    if (group == nullptr || group->tenant != instance.tenant) {
      broken.push_back(id.value + " is of no placement group of its tenant");
    } else if (instance.partition > group->partition_count ||
               (instance.partition > 0) != (group->strategy == PlacementStrategy::partition)) {
      broken.push_back(id.value + " is in partition " + std::to_string(instance.partition) +
                       ", which its placement group does not have");
    }
  }
  if (members != state.derived.instances_of_group) {
    broken.push_back("instances by placement group differ");
  }
}

}  // namespace

std::vector<std::string> broken_invariants(State const& state) {
  Broken broken;
  check_index(state, broken);
  check_cells(state, broken);
  check_references(state, broken);
  check_launch_templates(state, broken);
  check_placement_groups(state, broken);
  return broken;
}

std::vector<std::string> exceeded_limits(State const& state) {
  Broken exceeded;
  check_capacity(state, exceeded);
  check_quotas(state, exceeded);
  return exceeded;
}

}  // namespace berth::core
