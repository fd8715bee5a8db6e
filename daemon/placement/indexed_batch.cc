// IndexedFleet::place_batch. While the best classes stay the best, their members are filled one
// after the other in their order: nothing that happens to them can make another class better,
// because another's score has not changed, and a filled member is worse than what is still to be
// filled. So neither the orderings nor the choice are asked again until the best classes are used
// up.
#include <algorithm>

#include "berth/base/ensure.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {

bool IndexedFleet::can_fill_classes(Slot const& slot, Request const& request) const {
  return slot.has_single && !slot.has_split && !policy_->is_by_order &&
         policy_->empty_hosts == EmptyHosts::last && request.group == 0 && request.disk_gib == 0 &&
         !request.rack;
}

// Up to `most` on one cell; says how many came to sit there. Stops before the one for which the
// tables or the zones' reserve changed the question.
std::size_t IndexedFleet::fill_cell(CellIndex cell, std::size_t most, Batch& batch) {
  HostIndex const index = fleet_.host_of(cell);
  CellFleet::Host const& host = fleet_.host(index);
  Seat const seat{.host = index,
                  .cells = fleet_.bit_of(cell),
                  .need = batch.request.need,
                  .disk_gib = 0,
                  .group = 0,
                  .partition = 0};
  std::size_t placed = 0;
  while (placed < most && batch.seats.size() < batch.end) {
    if (fleet_.zones_open_to(batch.request.need) != batch.zones) break;
    if (!batch.is_counted && demand_.quiet_requests(policy_->reads) == 0) {
      batch.is_counted = true;
      if (asked(batch.request)) break;
    }
    // The last instance a host may hold takes it out of the index: not done here.
    std::int64_t count = std::min<std::int64_t>(
        {host.instances_max - host.instances - 1, static_cast<std::int64_t>(most - placed),
         static_cast<std::int64_t>(batch.end - batch.seats.size())});
    if (fleet_.has_reserve()) count = std::min<std::int64_t>(count, 1);
    if (count <= 0) break;
    std::int64_t const counted = batch.is_counted ? 1 : 0;
    count = counted + std::min(count - counted, demand_.quiet_requests(policy_->reads));
    demand_.asked_quietly(batch.request.need, policy_->reads, count - counted);
    batch.is_counted = false;
    fleet_.take(seat, static_cast<std::int32_t>(count));
    demand_.placed(seat.need, policy_->reads, count);
    batch.seats.insert(batch.seats.end(), static_cast<std::size_t>(count), seat);
    placed += static_cast<std::size_t>(count);
  }
  return placed;
}

// How many in a row one member of the class takes until the next one is better: it has the least
// score, and comes first of those that have.
IndexedFleet::Filling IndexedFleet::filling_of(ClassIndex number, std::int64_t score,
                                               Room const& need) const {
  Filling out{.number = number, .most = 0, .to = std::nullopt};
  CellClass what = classes_.at(number);
  do {
    what.free -= need;
    ++out.most;
  } while (fits(need, what.free) &&
           policy_->score({.capacity = what.capacity, .left = what.free - need, .part = need},
                          demand_.tables()) <= score);
  return out;
}

// False: nothing was placed this way, the choice is to be made as for a single one.
bool IndexedFleet::fill_best_classes(Slot& slot, Batch& batch) {
  MinTree& tree = slot.classes.refreshed(scene(), classes_);
  if (tree.least() == MinTree::kNone) return false;
  std::uint64_t const epoch = epoch_, generation = classes_.generation();
  fillings_.clear();
  fronts_.clear();
  tree.each_least([&](std::size_t place) {
    auto const number = static_cast<ClassIndex>(place);
    fronts_.push_back({classes_.first_member(number), fillings_.size()});
    fillings_.push_back(filling_of(number, tree.least(), batch.request.need));
  });
  std::ranges::make_heap(fronts_, std::greater<>());
  bool is_any_placed = false;
  while (!fronts_.empty()) {
    std::ranges::pop_heap(fronts_, std::greater<>());
    auto const [first, which] = fronts_.back();
    fronts_.pop_back();
    Filling& filling = fillings_[which];
    CellIndex const cell = cell_of(first);
    std::size_t const placed = fill_cell(cell, filling.most, batch);
    if (placed > 0) {
      is_any_placed = true;
      classes_.erase(cell);
      if (placed == filling.most && filling.to)
        classes_.insert(first, *filling.to);
      else if (ClassIndex const into = classes_.insert(first, class_of(cell));
               placed == filling.most)
        filling.to = into;
      note_host(fleet_.host_of(cell));
    }
    if (placed < filling.most || epoch_ != epoch || classes_.generation() != generation) break;
    if (classes_.is_empty(filling.number)) continue;
    fronts_.push_back({classes_.first_member(filling.number), which});
    std::ranges::push_heap(fronts_, std::greater<>());
  }
  return is_any_placed;
}

void IndexedFleet::place_batch(Request const& request, std::size_t count,
                               std::vector<Seat>& seats) {
  ENSURE(request.need.vcpus > 0 && request.need.memory_mib > 0);
  Batch batch{.request = request, .end = seats.size() + count, .seats = seats};
  while (seats.size() < batch.end) {
    if (!batch.is_counted) asked(request);
    batch.is_counted = true;
    Slot* const slot = slot_of(request);
    if (slot == nullptr) return;
    batch.zones = fleet_.zones_open_to(request.need);
    if (can_fill_classes(*slot, request) && fill_best_classes(*slot, batch)) continue;
    batch.is_counted = false;
    std::optional<Candidate> const found = best(slot, request);
    if (!found) return;
    Seat const seat = CellFleet::seat(*found, request);
    take(seat);
    seats.push_back(seat);
  }
}

}  // namespace berth::placement
