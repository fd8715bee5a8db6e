// IndexedFleet::place_batch. While the best classes stay the best, their members are filled one
// after the other in their order: nothing that happens to them can make another class better,
// because another's score has not changed, and a filled member is worse than what is still to be
// filled. So neither the orderings nor the choice are asked again until the best classes are used
// up; and a class whose members are all filled alike becomes another class as a whole.
#include <algorithm>
#include <bit>
#include <functional>

#include "berth/base/ensure.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {
namespace {

// How many cells before one is filled it is fetched from memory.
constexpr std::size_t kAhead = 4;

}  // namespace

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
    if (fleet_.has_reserve() && fleet_.zones_open_to(batch.request.need) != batch.zones) break;
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
    // Written in place: a copy would wait for what was only just put together.
    for (std::int64_t i = 0; i < count; ++i)
      batch.seats.push_back({.host = index,
                             .cells = seat.cells,
                             .need = seat.need,
                             .disk_gib = 0,
                             .group = 0,
                             .partition = 0});
    placed += count;
  }
  return placed;
}

// How many in a row one member of the class takes until the next one is better: it has the least
// score, and comes first of those that have.
IndexedFleet::Filling IndexedFleet::filling_of(CellClass const& now, std::int64_t score,
                                               Room const& need) const {
  Filling out{.what = now};
  CellClass& what = out.what;
  do {
    what.free -= need;
    ++out.most;
    out.next_score = MinTree::kNone;
    if (fits(need, what.free))
      out.next_score = policy_->score(
          {.capacity = what.capacity, .left = what.free - need, .part = need}, demand_.tables());
  } while (out.next_score <= score);
  return out;
}

// Lists as many members of the class as the batch can use, and what becomes of them.
void IndexedFleet::list_class(ClassIndex number, std::int64_t score, Batch const& batch) {
  Filling filling = filling_of(classes_.at(number), score, batch.request.need);
  filling.from = number;
  auto const most = static_cast<std::size_t>(filling.most);
  filling.begin = filling.next = listed_.size();
  classes_.list_first(number, (batch.end - batch.seats.size() + most - 1) / most, listed_);
  filling.end = listed_.size();
  for (std::size_t i = filling.begin; i < std::min(filling.begin + kAhead, filling.end); ++i)
    fleet_.expect_cell(cell_of(listed_[i]));
  fillings_.push_back(filling);
}

// The next member of all classes in `fronts_`, a heap of those that have one.
IndexedFleet::Front IndexedFleet::next_front() {
  Front const out = fronts_.front();
  Filling& filling = fillings_[out.filling];
  if (filling.next + kAhead < filling.end)
    fleet_.expect_cell(cell_of(listed_[filling.next + kAhead]));
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

// Fills the members of the classes from `first` in fillings_ on, which have one score, in order.
// Absent: all are full. Else the first that is not, and what came to sit there.
std::optional<IndexedFleet::Stop> IndexedFleet::fill_level(std::size_t first, Batch& batch) {
  fronts_.clear();
  for (std::size_t i = first; i < fillings_.size(); ++i)
    fronts_.push_back({.member = listed_[fillings_[i].begin], .filling = i});
  std::ranges::make_heap(fronts_, std::greater<>(), &Front::member);
  while (!fronts_.empty()) {
    Front const front = next_front();
    Filling& filling = fillings_[front.filling];
    std::int64_t const placed = fill_cell(cell_of(front.member), filling.most, batch);
    if (placed < filling.most) {
      --filling.next;
      return Stop{.member = front.member, .placed = placed};
    }
  }
  return std::nullopt;
}

// Moves the cells that were filled to the classes where they belong now.
void IndexedFleet::follow_fillings() {
  std::uint64_t const generation = classes_.generation();
  for (Filling& filling : fillings_) {
    if (filling.next > filling.begin) filling.to = classes_.number_of(filling.what);
  }
  bool const is_numbered = classes_.generation() == generation;
  for (Filling const& filling : fillings_) {
    std::span<Member const> const listed(listed_.data() + filling.begin,
                                         filling.end - filling.begin);
    std::span<Member const> const filled = listed.first(filling.next - filling.begin);
    if (is_numbered && !filled.empty())
      classes_.move_first(filling.from, listed, filled.size(), filling.to);
    for (Member const m : filled) {
      note_host(fleet_.host_of(cell_of(m)));
      if (is_numbered) continue;
      classes_.erase(cell_of(m));
      classes_.insert(m, filling.what);
    }
  }
}

// No host in use has room: opens an empty one, and goes on there while it has room, as nothing else
// has. False as below.
bool IndexedFleet::fill_idle_host(Slot const& slot, Batch& batch) {
  if (fleet_.has_reserve()) return false;
  std::optional<Candidate> chosen = best_idle(batch.request, slot);
  if (!chosen) return false;
  HostIndex const index = chosen->host;
  CellFleet::Host const& host = fleet_.host(index);
  Room const& need = batch.request.need;
  batch.quiet = demand_.quiet_requests(policy_->reads);
  while (chosen) {
    CellIndex const cell =
        host.first_cell + static_cast<CellIndex>(std::countr_zero(unsigned{chosen->cells}));
    std::int64_t const most = filling_of(class_of(cell), chosen->score, need).most;
    if (fill_cell(cell, most, batch) < most) break;
    chosen = fleet_.best_cells(index, need, 1, *policy_, demand_.tables());
  }
  count_batch(batch);
  if (host.instances == 0) return false;
  follow(index, 0, false);
  return true;
}

// False: nothing was placed this way, the choice is to be made as for a single one.
bool IndexedFleet::fill_best_classes(Slot& slot, Batch& batch) {
  MinTree& tree = slot.classes.refreshed(scene(), classes_);
  if (tree.least() == MinTree::kNone) return fill_idle_host(slot, batch);
  fillings_.clear();
  listed_.clear();
  batch.quiet = demand_.quiet_requests(policy_->reads);
  std::size_t const before = batch.seats.size();
  std::span<MinTree::Step const> const best = tree.front(1);
  std::size_t at = 0;  // in `best`
  auto const list_level = [&](std::int64_t score) {
    for (; at < best.size() && best[at].value == score; ++at)
      list_class(static_cast<ClassIndex>(best[at].place), score, batch);
  };
  // As long as all is known that has the next score, and nothing filled before competes with it.
  std::optional<Stop> stop;
  std::int64_t next_score = MinTree::kNone;
  for (std::size_t first = 0; batch.seats.size() < batch.end; first = fillings_.size()) {
    if (at == best.size()) break;
    std::int64_t const score = best[at].value;
    if (score >= next_score) break;
    bool const is_known = tree.is_front_all() || best.back().value != score;
    if (is_known) {
      list_level(score);
    } else if (at == 0) {
      tree.each_least([&](std::size_t i) { list_class(static_cast<ClassIndex>(i), score, batch); });
      at = best.size();
    } else {
      break;
    }
    for (std::size_t i = first; i < fillings_.size(); ++i)
      next_score = std::min(next_score, fillings_[i].next_score);
    stop = fill_level(first, batch);
    if (stop) break;
  }
  count_batch(batch);
  follow_fillings();
  if (stop && stop->placed > 0) {
    CellIndex const cell = cell_of(stop->member);
    classes_.erase(cell);
    classes_.insert(stop->member, class_of(cell));
    note_host(fleet_.host_of(cell));
  }
  return batch.seats.size() > before;
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
