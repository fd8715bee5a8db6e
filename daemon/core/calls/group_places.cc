#include "daemon/core/calls/group_places.h"

#include <algorithm>
#include <utility>

#include "berth/base/plant.h"

namespace berth::core {

namespace {

using Places = std::vector<MemberPlace>;

bool is_full(Places const& places, std::int64_t count) {
  return static_cast<std::int64_t>(places.size()) >= count;
}

// Places one after the other, on what has been placed before.
class Filler {
 public:
  Filler(State const& state, Notes notes)
      : draft_(state.derived.placer),
        counted_hosts_max_(state.policy.explained_hosts_max),
        notes_(notes) {}

  std::optional<MemberPlace> place(placement::Ask const& ask) {
    PlacementNote note;
    std::optional<placement::Place> found = notes_ == Notes::none
                                                ? draft_.place(ask)
                                                : draft_.place_noted(ask, counted_hosts_max_, note);
    if (!found) return std::nullopt;
    return MemberPlace{.place = std::move(*found),
                       .partition = ask.need.partition,
                       .note = notes_ == Notes::none ? SharedNote() : SharedNote(std::move(note))};
  }

 private:
  placement::Draft draft_;
  std::size_t counted_hosts_max_;
  Notes notes_;
};

Places filled(State const& state, placement::Ask const& ask, std::int64_t count, Notes notes) {
  Places out;
  Filler filler(state, notes);
  while (!is_full(out, count)) {
    std::optional<MemberPlace> place = filler.place(ask);
    if (!place) break;
    out.push_back(std::move(*place));
  }
  return out;
}

// All in one rack: the one that placement likes best for the first, if it holds them all; else the
// one that holds most, first by name.
Places in_cluster(State const& state, PlacementGroup const& group, placement::Ask ask,
                  std::int64_t count, Notes notes) {
  Places best = filled(state, ask, count, notes);
  for (std::string const& rack : cluster_racks(state, group, *ask.zone)) {
    if (is_full(best, count)) break;
    ask.rack = rack;
    Places other = filled(state, ask, count, notes);
    if (other.size() > best.size()) best = std::move(other);
  }
  return best;
}

// Each to the partition with fewest members that has room for it.
Places in_partitions(State const& state, PlacementGroup const& group, placement::Ask ask,
                     std::int64_t count, Notes notes) {
  Places out;
  std::vector<std::int64_t> members = members_by_partition(state, group, *ask.zone);
  Filler filler(state, notes);
  bool is_placed = true;
  while (is_placed && !is_full(out, count)) {
    is_placed = false;
    for (std::int32_t const number : partition_order(members)) {
      ask.need.partition = number;
      std::optional<MemberPlace> place = filler.place(ask);
      if (!place) continue;
      ++members[static_cast<std::size_t>(number) - 1];
      out.push_back(std::move(*place));
      is_placed = true;
      break;
    }
  }
  return out;
}

}  // namespace

std::vector<MemberPlace> places_in(State const& state, ZoneName const& zone,
                                   placement::Need const& need, GroupAsk const& asked,
                                   std::int64_t count, Notes notes) {
  placement::Ask ask{.zone = zone, .need = need};
  if (asked.group == nullptr) return filled(state, ask, count, notes);
  PlacementGroup const& group = *asked.group;
  bool const is_torn = PLANTED(group_cluster_torn) && group.strategy == PlacementStrategy::cluster;
  bool const is_mixed = PLANTED(group_partitions_mixed) && group.partition_count > 0;
  bool const is_rule_kept = !PLANTED(group_rule_ignored) && !is_torn && !is_mixed;
  if (is_rule_kept) ask.need.group = group.id;
  ask.need.partition = asked.partition;
  std::int64_t const most = std::min(count, members_left(state, group, zone));
  switch (group.strategy) {
    case PlacementStrategy::cluster: return in_cluster(state, group, std::move(ask), most, notes);
    case PlacementStrategy::spread: return filled(state, ask, most, notes);
    case PlacementStrategy::partition: break;
  }
  if (asked.partition > 0) return filled(state, ask, most, notes);
  return in_partitions(state, group, std::move(ask), most, notes);
}

}  // namespace berth::core
