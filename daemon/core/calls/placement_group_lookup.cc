#include "daemon/core/calls/placement_group_lookup.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

Error unknown_group(std::string const& name_or_id) {
  return Error{
      Code::not_found, "placement-group",
      "The Placement Group '" + name_or_id.substr(0, limits::kNameCharactersMax) + "' is unknown."};
}

template <class Visit>
void visit_members(State const& state, PlacementGroupId const& group, Visit visit) {
  std::set<InstanceId> const* members = find(state.derived.instances_of_group, group);
  if (members == nullptr) return;
  for (InstanceId const& id : *members) visit(state.instances.at(id));
}

Error bad_partition(std::string const& value, std::string const& wanted) {
  return Error{Code::invalid, "parameter",
               "Value (" + value + ") for parameter partitionNumber is invalid. " + wanted};
}

Result<std::int32_t> asked_partition(PlacementGroup const& group, std::int64_t number) {
  if (group.strategy != PlacementStrategy::partition) {
    return bad_partition(std::to_string(number),
                         "The placement group '" + group.name + "' has no partitions");
  }
  if (number < 1 || number > group.partition_count) {
    return bad_partition(std::to_string(number),
                         "Expecting 1 to " + std::to_string(group.partition_count) +
                             " for the placement group '" + group.name + "'");
  }
  return static_cast<std::int32_t>(number);
}

// A cluster group is where its first member is.
Result<void> check_cluster_zone(State const& state, PlacementGroup const& group,
                                std::string const& zone) {
  std::set<InstanceId> const* members = find(state.derived.instances_of_group, group.id);
  if (members == nullptr || zone.empty()) return {};
  std::string const& used = state.instances.at(*members->begin()).zone.value;
  if (used == zone) return {};
  return Error{
      Code::conflict, "placement-group",
      "The placement group '" + group.name + "' is in use in another availability zone: " + used};
}

Result<void> check_spread_limit(State const& state, PlacementGroup const& group,
                                RunInstances const& ask) {
  std::int64_t most = 0;
  for (auto const& [name, zone] : state.zones) {
    if (!ask.zone.empty() && name.value != ask.zone) continue;
    most = std::max(most, members_left(state, group, name));
  }
  if (ask.min_count <= most || PLANTED(group_eighth_spread)) return {};
  return Error{
      Code::quota, "instance",
      "You have requested more instances (" + std::to_string(ask.min_count) + ") than the " +
          std::to_string(most) + " that the placement group '" + group.name +
          "' can still take in " +
          (ask.zone.empty() ? "one Availability Zone" : "the Availability Zone " + ask.zone) +
          ": a rack level spread placement group has at most " +
          std::to_string(limits::kSpreadPerZoneMax) + " instances in each Availability Zone"};
}

}  // namespace

Result<PlacementGroup const*> own_placement_group(State const& state, TenantId const& tenant,
                                                  PlacementGroupName const& of) {
  if (!of.id.empty() && !of.name.empty()) {
    return Error{Code::invalid, "combination",
                 "A placement group ID and a placement group name cannot both be specified in the "
                 "request"};
  }
  if (of.id.empty()) {
    PlacementGroupId const* id = find(state.derived.placement_group_by_name, {tenant, of.name});
    if (id == nullptr) return unknown_group(of.name);
    return find(state.placement_groups, *id);
  }
  if (!is_id(of.id, "pg-")) {
    return Error{Code::invalid, "placement-group-id",
                 "Invalid id: \"" + of.id + "\" (expecting \"pg-...\")"};
  }
  PlacementGroup const* found = find(state.placement_groups, PlacementGroupId(of.id));
  bool const is_foreign =
      found != nullptr && found->tenant != tenant && !PLANTED(foreign_group_visible);
  if (found == nullptr || is_foreign) return unknown_group(of.id);
  return found;
}

std::string group_name_of(State const& state, Instance const& instance) {
  if (instance.placement_group.value.empty() || !instance.placement) return {};
  PlacementGroup const* group = find(state.placement_groups, instance.placement_group);
  return group != nullptr ? group->name : std::string();
}

Result<GroupAsk> asked_group(State const& state, TenantId const& tenant, RunInstances const& ask) {
  if (ask.placement_group.empty()) {
    if (!ask.partition) return GroupAsk{};
    return bad_partition(std::to_string(*ask.partition),
                         "It needs a placement group with partitions");
  }
  GroupAsk out{.group = TRY(own_placement_group(state, tenant, ask.placement_group))};
  if (ask.partition) out.partition = TRY(asked_partition(*out.group, *ask.partition));
  if (out.group->strategy == PlacementStrategy::cluster) {
    TRY(check_cluster_zone(state, *out.group, ask.zone));
  }
  TRY(check_spread_limit(state, *out.group, ask));
  return out;
}

std::vector<std::int64_t> members_by_partition(State const& state, PlacementGroup const& group,
                                               ZoneName const& zone) {
  std::vector<std::int64_t> out(static_cast<std::size_t>(group.partition_count), 0);
  visit_members(state, group.id, [&](Instance const& i) {
    if (i.zone == zone && i.partition > 0) ++out[static_cast<std::size_t>(i.partition) - 1];
  });
  return out;
}

std::vector<std::int32_t> partition_order(std::vector<std::int64_t> const& members) {
  std::vector<std::int32_t> out(members.size());
  std::iota(out.begin(), out.end(), 1);
  std::ranges::sort(out, {}, [&](std::int32_t number) {
    return std::pair(members[static_cast<std::size_t>(number) - 1], number);
  });
  return out;
}

std::vector<std::string> cluster_racks(State const& state, PlacementGroup const& group,
                                       ZoneName const& zone) {
  std::set<InstanceId> const* members = find(state.derived.instances_of_group, group.id);
  if (members != nullptr) {
    Instance const& first = state.instances.at(*members->begin());
    if (first.zone != zone) return {};
    return {state.hosts.at(first.placement->host).rack};
  }
  std::set<std::string> racks;
  for (auto const& [id, host] : state.hosts) {
    if (host.zone == zone) racks.insert(host.rack);
  }
  return {racks.begin(), racks.end()};
}

std::int64_t members_left(State const& state, PlacementGroup const& group, ZoneName const& zone) {
  bool const is_limited = group.strategy == PlacementStrategy::spread &&
                          group.spread_level == SpreadLevel::rack && !PLANTED(group_eighth_spread);
  if (!is_limited) return limits::kInstancesPerRequestMax;
  std::int64_t members = 0;
  visit_members(state, group.id, [&](Instance const& i) { members += i.zone == zone ? 1 : 0; });
  return std::max<std::int64_t>(limits::kSpreadPerZoneMax - members, 0);
}

}  // namespace berth::core
