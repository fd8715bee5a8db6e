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

ClassIndex CellClasses::insert(CellIndex cell, CellClass const& what) {
  ClassIndex i = numbers_.find(what);
  if (i == kNoClass) {
    if (empty_classes_ > kEmptyClassesMin && empty_classes_ * 2 > classes_.size())
      drop_empty_classes();
    i = static_cast<ClassIndex>(classes_.size());
    classes_.push_back({.what = what, .count = 0, .members = {}});
    numbers_.insert(what, i);
    ++empty_classes_;
  }
  insert(cell, i);
  return i;
}

void CellClasses::insert(CellIndex cell, ClassIndex i) {
  if (class_of_.size() <= cell) class_of_.resize(cell + std::size_t{1}, kNoClass);
  ENSURE(class_of_[cell] == kNoClass);
  Class& to = classes_[i];
  class_of_[cell] = i;
  to.members.push_back(cell);
  std::ranges::push_heap(to.members, std::greater<>());
  if (++to.count == 1) {
    --empty_classes_;
    turned(i);
  }
  if (to.members.size() > 3 * std::size_t{to.count} + 32) tidy_members(i);
}

void CellClasses::erase(CellIndex cell) {
  ClassIndex const i = class_of_[cell];
  ENSURE(i != kNoClass);
  class_of_[cell] = kNoClass;
  if (--classes_[i].count > 0) return;
  classes_[i].members.clear();
  ++empty_classes_;
  turned(i);
}

CellIndex CellClasses::lowest(ClassIndex i) {
  Class& from = classes_[i];
  ENSURE(from.count > 0);
  while (class_of_[from.members.front()] != i) {
    std::ranges::pop_heap(from.members, std::greater<>());
    from.members.pop_back();
  }
  return from.members.front();
}

std::span<CellIndex const> CellClasses::members(ClassIndex i) {
  tidy_members(i);
  return classes_[i].members;
}

std::optional<CellIndex> CellClasses::lowest(ClassIndex i,
                                             std::function<bool(CellIndex)> const& is_open) {
  CellIndex const first = lowest(i);
  if (is_open(first)) return first;
  std::optional<CellIndex> out;
  for (CellIndex const cell : classes_[i].members) {
    if ((!out || cell < *out) && class_of_[cell] == i && is_open(cell)) out = cell;
  }
  return out;
}

void CellClasses::turned(ClassIndex i) {
  if (log_.size() >= std::max(kLogMin, classes_.size())) {
    log_begin_ += log_.size();
    log_.clear();
  }
  log_.push_back(i);
}

void CellClasses::tidy_members(ClassIndex i) {
  std::vector<CellIndex>& members = classes_[i].members;
  std::erase_if(members, [&](CellIndex cell) { return class_of_[cell] != i; });
  std::ranges::sort(members);
  auto const twice = std::ranges::unique(members);
  members.erase(twice.begin(), twice.end());  // ascending, and so a heap
}

void CellClasses::drop_empty_classes() {
  std::vector<ClassIndex> renamed(classes_.size(), kNoClass);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (classes_[i].count == 0) continue;
    renamed[i] = static_cast<ClassIndex>(kept);
    if (kept != i) classes_[kept] = std::move(classes_[i]);
    ++kept;
  }
  for (ClassIndex& i : class_of_) {
    if (i != kNoClass) i = renamed[i];
  }
  classes_.resize(kept);
  for (ClassIndex i = 0; i < kept; ++i) tidy_members(i);
  numbers_.clear();
  for (ClassIndex i = 0; i < kept; ++i) numbers_.insert(classes_[i].what, i);
  empty_classes_ = 0;
  log_begin_ += log_.size();
  log_.clear();
  ++generation_;
}

}  // namespace berth::placement
