#pragma once
// Placement groups as requests name them, and where the rule of a group lets a launch go. A member
// is an instance that holds something on its host: a stopped one keeps its host, and so its place.

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/core/input.h"
#include "daemon/core/state.h"

namespace berth::core {

// All groups of a tenant, by name.
template <class Visit>
void visit_own_groups(State const& state, TenantId const& tenant, Visit visit) {
  auto const& index = state.derived.placement_group_by_name;
  for (auto it = index.lower_bound({tenant, ""}); it != index.end() && it->first.first == tenant;
       ++it) {
    visit(state.placement_groups.at(it->second));
  }
}

// Of the group that the instance is a member of; empty: of none.
[[nodiscard]] std::string group_name_of(State const& state, Instance const& instance);

// What a launch asks of its group.
struct GroupAsk {
  PlacementGroup const* group = nullptr;  // nullptr: it names none
  std::int32_t partition = 0;             // 0: none was named
};
// Errors: (not_found, "placement-group"); (conflict, "placement-group") for a cluster group that is
// in another zone than the launch names; (quota, "instance") for a rack-level spread group that has
// no place left for the minimum in the named zone, or in any; (invalid, …) for a partition that the
// group does not have.
[[nodiscard]] Result<GroupAsk> asked_group(State const& state, TenantId const& tenant,
                                           RunInstances const& ask);

// Where in a zone members may go. The functions are about one group and one zone; none changes
// anything, and the same state gives the same answer.

// How many members each partition has in the zone: [0] of partition 1.
[[nodiscard]] std::vector<std::int64_t> members_by_partition(State const& state,
                                                             PlacementGroup const& group,
                                                             ZoneName const& zone);
// The order in which partitions are tried for one more: fewest members first, then lowest number.
[[nodiscard]] std::vector<std::int32_t> partition_order(std::vector<std::int64_t> const& members);

// The racks that a cluster group may use in the zone, each for a whole launch: the one that it is
// in; with no member anywhere, all of the zone by name (as Host::rack; "" for hosts that state
// none); none when its members are in another zone.
[[nodiscard]] std::vector<std::string> cluster_racks(State const& state,
                                                     PlacementGroup const& group,
                                                     ZoneName const& zone);

// How many more members the zone may have; limits::kInstancesPerRequestMax when there is no limit.
[[nodiscard]] std::int64_t members_left(State const& state, PlacementGroup const& group,
                                        ZoneName const& zone);

}  // namespace berth::core
