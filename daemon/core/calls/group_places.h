#pragma once
// Where in one zone the instances of a launch go: one after the other, by the rule of their group.

#include <cstdint>
#include <vector>

#include "daemon/core/calls/placement_group_lookup.h"
#include "daemon/core/state.h"

namespace berth::core {

struct MemberPlace {
  placement::Place place;
  std::int32_t partition = 0;  // 0: of no partition group
  SharedNote note;             // why there; only with Notes::kept
};

// Notes cost a look at every host for each instance: not for what only asks whether there is room.
enum class Notes { kept, none };

// For up to `count` instances in the zone; fewer when no more fit, or the group's rule allows no
// more. Nothing stays taken.
[[nodiscard]] std::vector<MemberPlace> places_in(State const& state, ZoneName const& zone,
                                                 placement::Need const& need, GroupAsk const& group,
                                                 std::int64_t count, Notes notes);

}  // namespace berth::core
