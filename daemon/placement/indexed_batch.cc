// IndexedFleet::place_batch. While the best class stays the best, its members are filled lowest
// first: nothing that happens to them can make another class better, because another's score has
// not changed, and a filled member comes into a class that was looked at when the first one did. So
// neither the orderings nor the choice are asked again until the class is used up.
#include <algorithm>

#include "berth/base/ensure.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {

bool IndexedFleet::can_fill_classes(Slot const& slot, Request const& request) const {
  return slot.has_single && !slot.has_split && !policy_.is_by_order &&
         policy_.empty_hosts == EmptyHosts::last && request.group == 0 && request.disk_gib == 0;
}

// Up to `most` on one cell; says how many came to sit there. Stops before the one for which the
// tables or the zones' reserve changed the question.
std::size_t IndexedFleet::fill_cell(CellIndex cell, std::size_t most, Batch& batch) {
  HostIndex const index = fleet_.host_of(cell);
  CellFleet::Host const& host = fleet_.host(index);
  Seat const seat{.host = index,
                  .cells = static_cast<std::uint8_t>(1U << (cell - host.first_cell)),
                  .need = batch.request.need,
                  .disk_gib = 0,
                  .group = 0};
  std::size_t placed = 0;
  while (placed < most && batch.seats.size() < batch.end) {
    // The last instance a host may hold takes it out of the index: not done here.
    if (host.instances + 1 >= host.instances_max) break;
    if (fleet_.zones_open_to(batch.request.need) != batch.zones) break;
    if (!batch.is_counted && count_demand(batch.request)) {
      batch.is_counted = true;
      break;
    }
    batch.is_counted = false;
    fleet_.take(seat);
    demand_.placed(seat.need, policy_.reads);
    batch.seats.push_back(seat);
    ++placed;
  }
  return placed;
}

// False: nothing was placed this way, the choice is to be made as for a single one.
bool IndexedFleet::fill_best_class(Slot& slot, Batch& batch) {
  MinTree const& tree = slot.classes.refreshed(scene(), classes_);
  std::int64_t const score = tree.least();
  if (score == MinTree::kNone) return false;
  std::size_t ties = 0;
  tree.each_least([&](std::size_t) { ++ties; });
  if (ties > 1) return false;
  auto const from = static_cast<ClassIndex>(tree.first_least());
  CellClass const what = classes_.at(from);
  Room const need = batch.request.need;
  // How many go to each member until the next member is better.
  std::size_t most = 0;
  CellClass full = what;
  do {
    full.free -= need;
    ++most;
  } while (fits(need, full.free) &&
           policy_.score({.capacity = what.capacity, .left = full.free - need, .part = need},
                         demand_.tables()) <= score);
  std::span<Member const> const members = classes_.members(from);
  members_.assign(members.begin(), members.end());
  std::optional<ClassIndex> to;
  std::uint64_t const epoch = epoch_;
  bool is_any_placed = false;
  for (Member const m : members_) {
    CellIndex const cell = cell_of(m);
    std::size_t const placed = fill_cell(cell, most, batch);
    if (placed > 0) {
      is_any_placed = true;
      classes_.erase(cell);
      if (placed == most && to)
        classes_.insert(m, *to);
      else if (ClassIndex const into = classes_.insert(m, class_of(cell)); placed == most)
        to = into;
      note_host(fleet_.host_of(cell));
    }
    if (placed < most || epoch_ != epoch) break;
  }
  return is_any_placed;
}

void IndexedFleet::place_batch(Request const& request, std::size_t count,
                               std::vector<Seat>& seats) {
  ENSURE(request.need.vcpus > 0 && request.need.memory_mib > 0);
  Batch batch{.request = request, .end = seats.size() + count, .seats = seats};
  while (seats.size() < batch.end) {
    if (!batch.is_counted) count_demand(request);
    batch.is_counted = true;
    Slot* const slot = slot_of(request);
    if (slot == nullptr) return;
    batch.zones = fleet_.zones_open_to(request.need);
    if (can_fill_classes(*slot, request) && fill_best_class(*slot, batch)) continue;
    batch.is_counted = false;
    std::optional<Candidate> const found = best(slot, request);
    if (!found) return;
    Seat const seat = CellFleet::seat(*found, request);
    take(seat);
    seats.push_back(seat);
  }
}

}  // namespace berth::placement
