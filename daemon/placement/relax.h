#pragma once
// What would help a request that was refused: the smallest changes, one at a time, with which it
// would have been placed. Each was tried: the instances were seated on the fleet and taken off
// again, and nothing of it can be seen afterwards (IndexedFleet::try_seat).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {

enum class RelaxationKind {
  other_zone,     // `number`: the zone to ask for; the rack asked for, if any, is dropped too
  any_rack,       // no rack asked for
  without_group,  // in no group
  fewer,          // `number`: how many of them there is room for, as asked; at least one
  other_shape,    // `number`: which of Question::shapes
  uncordon,       // `number`: the host
};
[[nodiscard]] std::string_view name(RelaxationKind kind);

struct Relaxation {
  RelaxationKind kind = RelaxationKind::fewer;
  std::int64_t number = 0;

  bool operator==(Relaxation const&) const = default;
};

inline constexpr std::int64_t kRelaxCountMax = 10'000;
inline constexpr std::size_t kRelaxShapesMax = 64;

// Cordoned hosts with room for one of them that are tried with all, the lowest first.
inline constexpr int kUncordonTriesMax = 8;

struct Question {
  Request request;
  std::int64_t count = 1;  // all of them or none; from 1 to kRelaxCountMax
  // Others that would do instead, nearest first; the first that can be placed is named. At most
  // kRelaxShapesMax, each > 0 in both.
  std::span<Room const> shapes;
};

// Ascending by kind; zones ascending. Empty: no single change helps, or it could be placed as it
// is. Of cordoned hosts the lowest one that helps, found among the first kUncordonTriesMax. Costs
// at most as many placements as there are zones, shapes and some ten more, times `count`, and a
// look at every host.
[[nodiscard]] std::vector<Relaxation> relaxations(IndexedFleet& fleet, Question const& question);

}  // namespace berth::placement
