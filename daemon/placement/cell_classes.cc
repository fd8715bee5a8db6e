#include "daemon/placement/cell_classes.h"

#include <algorithm>

#include "berth/base/ensure.h"

namespace berth::placement {
namespace {

constexpr std::size_t kLogMin = 4'096;
// Classes that are empty are kept, as most fill again soon; not more than these and one for each
// that is not empty.
constexpr std::size_t kEmptyClassesMin = 4'096;

}  // namespace

ClassIndex CellClasses::number_of(CellClass const& what) {
  ClassIndex i = numbers_.find(what);
  if (i != kNoClass) return i;
  if (empty_classes_ > kEmptyClassesMin && empty_classes_ * 2 > classes_.size())
    drop_empty_classes();
  i = static_cast<ClassIndex>(classes_.size());
  classes_.push_back({.what = what, .members = {}});
  numbers_.insert(what, i);
  ++empty_classes_;
  return i;
}

ClassIndex CellClasses::insert(Member m, CellClass const& what) {
  ClassIndex const i = number_of(what);
  insert(m, i);
  return i;
}

void CellClasses::list_first(ClassIndex i, std::size_t wanted, std::vector<Member>& out) {
  std::vector<Member> const& heap = classes_[i].members;
  // Most of them: then all in one go.
  if (heap.size() / 2 <= wanted) {
    out.insert(out.end(), heap.begin(), heap.end());
    auto const begin = out.end() - static_cast<std::ptrdiff_t>(heap.size());
    if (!std::is_sorted(begin, out.end())) std::sort(begin, out.end());
    return;
  }
  // Places in the heap not listed yet whose parents were: the first of all is among them.
  auto const is_behind = [&](std::uint32_t a, std::uint32_t b) { return heap[a] > heap[b]; };
  frontier_.assign(1, 0);
  for (; wanted > 0; --wanted) {
    std::uint32_t const at = frontier_.front();
    std::ranges::pop_heap(frontier_, is_behind);
    frontier_.pop_back();
    out.push_back(heap[at]);
    for (std::uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap.size(); ++child) {
      frontier_.push_back(child);
      std::ranges::push_heap(frontier_, is_behind);
    }
  }
}

// Members in order are a heap already.
void CellClasses::assign(ClassIndex i, std::span<Member const> sorted) {
  std::vector<Member>& members = classes_[i].members;
  bool const was_empty = members.empty();
  members.assign(sorted.begin(), sorted.end());
  for (std::uint32_t at = 0; at < sorted.size(); ++at)
    places_[cell_of(sorted[at])] = {.number = i, .at = at};
  if (was_empty == members.empty()) return;
  empty_classes_ += members.empty() ? 1U : 0U;
  empty_classes_ -= was_empty ? 1U : 0U;
  turned(i);
}

void CellClasses::move_first(ClassIndex from, std::span<Member const> listed, std::size_t count,
                             ClassIndex to) {
  ENSURE(from != to && count <= listed.size());
  std::span<Member const> const moved = listed.first(count);
  bool const is_all = listed.size() == classes_[from].members.size();
  if (is_all && is_empty(to)) {
    assign(from, listed.subspan(count));
    assign(to, moved);
    return;
  }
  if (!is_all) {
    for (Member const m : moved) erase(cell_of(m));
  } else {
    for (Member const m : moved) places_[cell_of(m)].number = kNoClass;
    assign(from, listed.subspan(count));
  }
  for (Member const m : moved) insert(m, to);
}

// Puts the member into the heap at `at`, which is free, or as far up or down from there as its
// order wants.
void CellClasses::settle(Class& in, std::size_t at, Member m) {
  std::vector<Member>& heap = in.members;
  auto const put = [&](std::size_t to, Member which) {
    heap[to] = which;
    places_[cell_of(which)].at = static_cast<std::uint32_t>(to);
  };
  while (at > 0 && m < heap[(at - 1) / 2]) {
    put(at, heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  for (std::size_t child = 2 * at + 1; child < heap.size(); child = 2 * at + 1) {
    if (child + 1 < heap.size() && heap[child + 1] < heap[child]) ++child;
    if (m < heap[child]) break;
    put(at, heap[child]);
    at = child;
  }
  put(at, m);
}

void CellClasses::insert(Member m, ClassIndex i) {
  CellIndex const cell = cell_of(m);
  if (places_.size() <= cell) places_.resize(cell + std::size_t{1});
  ENSURE(places_[cell].number == kNoClass);
  places_[cell].number = i;
  Class& to = classes_[i];
  to.members.push_back(m);
  settle(to, to.members.size() - 1, m);
  if (to.members.size() > 1) return;
  --empty_classes_;
  turned(i);
}

void CellClasses::erase(CellIndex cell) {
  Place& place = places_[cell];
  ENSURE(place.number != kNoClass);
  ClassIndex const i = place.number;
  Class& from = classes_[i];
  Member const last = from.members.back();
  from.members.pop_back();
  if (cell_of(last) != cell) settle(from, place.at, last);
  place.number = kNoClass;
  if (!from.members.empty()) return;
  ++empty_classes_;
  turned(i);
}

void CellClasses::turned(ClassIndex i) {
  if (log_.size() >= std::max(kLogMin, classes_.size())) {
    log_begin_ += log_.size();
    log_.clear();
  }
  log_.push_back(i);
}

void CellClasses::drop_empty_classes() {
  std::size_t kept = 0;
  numbers_.clear();
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (classes_[i].members.empty()) continue;
    if (kept != i) classes_[kept] = std::move(classes_[i]);
    auto const number = static_cast<ClassIndex>(kept++);
    for (Member const m : classes_[number].members) places_[cell_of(m)].number = number;
    numbers_.insert(classes_[number].what, number);
  }
  classes_.resize(kept);
  empty_classes_ = 0;
  log_begin_ += log_.size();
  log_.clear();
  ++generation_;
}

}  // namespace berth::placement
