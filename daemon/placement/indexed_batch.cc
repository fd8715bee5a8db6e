// IndexedFleet::place_batch. While the best classes stay the best, their members are filled one
// after the other in their order: nothing that happens to them can make another class better,
// because another's score has not changed, and a filled member is worse than what is still to be
// filled. So neither the orderings nor the choice are asked again until the best classes are used
// up; and a class whose members are all filled alike becomes another class as a whole.
#include <algorithm>
#include <functional>

#include "berth/base/ensure.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {

bool IndexedFleet::can_fill_classes(Slot const& slot, Request const& request) const {
  return slot.has_single && !slot.has_split && !policy_->is_by_order &&
         policy_->empty_hosts == EmptyHosts::last && request.group == 0 && request.disk_gib == 0 &&
         !request.rack;
}

// Tells the demand what it has not heard yet of the batch.
void IndexedFleet::count_batch(Batch& batch) {
  demand_.asked_quietly(batch.request.need, policy_->reads, batch.uncounted_asked);
  demand_.placed(batch.request.need, policy_->reads, batch.uncounted_placed);
  batch.uncounted_asked = 0;
  batch.uncounted_placed = 0;
  batch.quiet = demand_.quiet_requests(policy_->reads);
}

// Up to `most` on one cell; says how many came to sit there. Stops before the one for which the
// tables or the zones' reserve changed the question.
std::int64_t IndexedFleet::fill_cell(CellIndex cell, std::int64_t most, Batch& batch) {
  HostIndex const index = fleet_.host_of(cell);
  CellFleet::Host const& host = fleet_.host(index);
  Seat const seat{.host = index,
                  .cells = fleet_.bit_of(cell),
                  .need = batch.request.need,
                  .disk_gib = 0,
                  .group = 0,
                  .partition = 0};
  std::int64_t placed = 0;
  while (placed < most && batch.seats.size() < batch.end) {
    if (fleet_.zones_open_to(batch.request.need) != batch.zones) break;
    if (!batch.is_counted && batch.quiet == 0) {
      count_batch(batch);
      batch.is_counted = true;
      if (asked(batch.request)) break;
      batch.quiet = demand_.quiet_requests(policy_->reads);
    }
    // The last instance a host may hold takes it out of the index: not done here.
    std::int64_t count =
        std::min<std::int64_t>({host.instances_max - host.instances - 1, most - placed,
                                static_cast<std::int64_t>(batch.end - batch.seats.size())});
    if (fleet_.has_reserve()) count = std::min<std::int64_t>(count, 1);
    if (count <= 0) break;
    std::int64_t const counted = batch.is_counted ? 1 : 0;
    std::int64_t const asked = std::min(count - counted, batch.quiet);
    count = counted + asked;
    batch.is_counted = false;
    batch.quiet -= asked;
    batch.uncounted_asked += asked;
    batch.uncounted_placed += count;
    fleet_.take(seat, static_cast<std::int32_t>(count));
    for (std::int64_t i = 0; i < count; ++i) batch.seats.push_back(seat);
    placed += count;
  }
  return placed;
}

// How many in a row one member of the class takes until the next one is better: it has the least
// score, and comes first of those that have.
IndexedFleet::Filling IndexedFleet::filling_of(ClassIndex number, std::int64_t score,
                                               Room const& need) const {
  Filling out{.from = number, .most = 0, .what = classes_.at(number)};
  CellClass& what = out.what;
  do {
    what.free -= need;
    ++out.most;
  } while (fits(need, what.free) &&
           policy_->score({.capacity = what.capacity, .left = what.free - need, .part = need},
                         demand_.tables()) <= score);
  return out;
}

// Lists the best classes with what becomes of their members, and as many members of each as the
// batch can use. False: there is none, or classes were given new numbers meanwhile.
bool IndexedFleet::list_best_classes(Slot& slot, Batch const& batch) {
  MinTree& tree = slot.classes.refreshed(scene(), classes_);
  fillings_.clear();
  listed_.clear();
  if (tree.least() == MinTree::kNone) return false;
  tree.each_least([&](std::size_t place) {
    fillings_.push_back(
        filling_of(static_cast<ClassIndex>(place), tree.least(), batch.request.need));
  });
  std::uint64_t const generation = classes_.generation();
  for (Filling& filling : fillings_) filling.to = classes_.number_of(filling.what);
  if (classes_.generation() != generation) return false;
  std::size_t const wanted = batch.end - batch.seats.size();
  for (Filling& filling : fillings_) {
    filling.begin = filling.next = listed_.size();
    auto const most = static_cast<std::size_t>(filling.most);
    classes_.list_first(filling.from, (wanted + most - 1) / most, listed_);
    filling.end = listed_.size();
  }
  return true;
}

// Which class's next member comes first of all; absent: all are used up. The others wait in
// `fronts_`, a heap.
std::optional<IndexedFleet::Front> IndexedFleet::next_front() {
  if (fronts_.empty()) return std::nullopt;
  Front const out = fronts_.front();
  Filling& filling = fillings_[out.filling];
  Front next{.member = 0, .filling = out.filling};
  if (++filling.next < filling.end) {
    next.member = listed_[filling.next];
  } else {
    next = fronts_.back();
    fronts_.pop_back();
    if (fronts_.empty()) return out;
  }
  std::size_t at = 0;
  for (std::size_t child = 1; child < fronts_.size(); child = 2 * at + 1) {
    if (child + 1 < fronts_.size() && fronts_[child + 1].member < fronts_[child].member) ++child;
    if (next.member < fronts_[child].member) break;
    fronts_[at] = fronts_[child];
    at = child;
  }
  fronts_[at] = next;
  return out;
}

// False: nothing was placed this way, the choice is to be made as for a single one.
bool IndexedFleet::fill_best_classes(Slot& slot, Batch& batch) {
  if (!list_best_classes(slot, batch)) return false;
  fronts_.clear();
  for (std::size_t i = 0; i < fillings_.size(); ++i)
    fronts_.push_back({.member = listed_[fillings_[i].begin], .filling = i});
  std::ranges::make_heap(fronts_, std::greater<>(), &Front::member);
  std::uint64_t const epoch = epoch_;
  batch.quiet = demand_.quiet_requests(policy_->reads);
  std::optional<Front> last;  // the first that could not take all
  std::int64_t in_last = 0;
  while (epoch_ == epoch) {
    std::optional<Front> const front = next_front();
    if (!front) break;
    std::int64_t const most = fillings_[front->filling].most;
    std::int64_t const placed = fill_cell(cell_of(front->member), most, batch);
    if (placed == most) continue;
    --fillings_[front->filling].next;
    last = front;
    in_last = placed;
    break;
  }
  count_batch(batch);
  bool is_any_placed = in_last > 0;
  for (Filling const& filling : fillings_) {
    std::span<Member const> const listed(listed_.data() + filling.begin,
                                         filling.end - filling.begin);
    std::size_t const filled = filling.next - filling.begin;
    if (filled == 0) continue;
    is_any_placed = true;
    classes_.move_first(filling.from, listed, filled, filling.to);
    for (Member const m : listed.first(filled)) note_host(fleet_.host_of(cell_of(m)));
  }
  if (in_last > 0) {
    CellIndex const cell = cell_of(last->member);
    classes_.erase(cell);
    classes_.insert(last->member, class_of(cell));
    note_host(fleet_.host_of(cell));
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
