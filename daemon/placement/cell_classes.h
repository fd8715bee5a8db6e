#pragma once
// CellClasses: the cells of listed hosts in use, sorted into classes of cells that look alike: same
// kind of host, same capacity, same room left. Every score is the same within a class, so a choice
// looks at classes, of which there are few thousands however many hosts there are.
//
// A class keeps its members lowest first, in a heap from which those that left are dropped when
// they come to the top. Classes that became empty or stopped being empty are written to a log, for
// the orderings (orderings.h) to catch up with when they are next asked.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "daemon/placement/cell_fleet.h"
#include "daemon/placement/slot_map.h"

namespace berth::placement {

using ClassIndex = std::uint32_t;

// A member of a class: its host's order among equals (Candidate::order) above, the cell below.
using Member = std::uint64_t;
inline constexpr Member kNoMember = UINT64_MAX;  // behind all others
[[nodiscard]] constexpr Member member(std::uint32_t order, CellIndex cell) {
  return (Member{order} << 32) | cell;
}
[[nodiscard]] constexpr CellIndex cell_of(Member m) {
  return static_cast<CellIndex>(m & UINT32_MAX);
}
[[nodiscard]] constexpr std::uint32_t order_of(Member m) {
  return static_cast<std::uint32_t>(m >> 32);
}

struct CellClass {
  std::uint32_t kind = 0;  // of the host, CellFleet::kinds()
  Room capacity;
  Room free;

  bool operator==(CellClass const&) const = default;
  [[nodiscard]] std::uint64_t hash() const {
    auto const part = [](std::int32_t n) { return static_cast<std::uint64_t>(n); };
    std::uint64_t h = (part(free.memory_mib) << 32) ^ (part(free.vcpus) << 16) ^ kind;
    h *= 0xff51afd7ed558ccdULL;
    return h ^ (h >> 31) ^ (part(capacity.memory_mib) << 20) ^ part(capacity.vcpus);
  }
};

class CellClasses {
 public:
  // Puts the cell, which must be in no class, where it belongs; says which class that is. Classes
  // may be given new numbers first: see generation().
  ClassIndex insert(Member m, CellClass const& what);
  void insert(Member m, ClassIndex i);
  // The class of such cells, which may be new and empty. Classes may be given new numbers first.
  ClassIndex number_of(CellClass const& what);
  // Appends the first members in order: `wanted` of them or more, or all that there are.
  void list_first(ClassIndex i, std::size_t wanted, std::vector<Member>& out);
  // The first `count` of those that list_first gave move to another class; nothing else may have
  // changed in the class meanwhile.
  void move_first(ClassIndex from, std::span<Member const> listed, std::size_t count,
                  ClassIndex to);
  void erase(CellIndex cell);

  [[nodiscard]] std::size_t size() const { return classes_.size(); }  // empty ones too
  [[nodiscard]] CellClass const& at(ClassIndex i) const { return classes_[i].what; }
  [[nodiscard]] bool is_empty(ClassIndex i) const { return classes_[i].members.empty(); }
  // The first member; the class must not be empty.
  [[nodiscard]] Member first_member(ClassIndex i) const { return classes_[i].members.front(); }
  // The first member whose cell `is_open` agrees to; kNoMember: none. Costs little while few of the
  // first are closed.
  template <class IsOpen>
  [[nodiscard]] Member first_member(ClassIndex i, IsOpen is_open) const {
    Member out = kNoMember;
    first_open(classes_[i].members, 0, is_open, out);
    return out;
  }

  // Grows whenever classes were given new numbers: nothing known of the old ones holds.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  // Classes that turned empty or not, from the log's position `from` on; absent: so far back the
  // log is not kept.
  [[nodiscard]] std::uint64_t log_end() const { return log_begin_ + log_.size(); }
  [[nodiscard]] std::uint64_t log_begin() const { return log_begin_; }
  [[nodiscard]] ClassIndex log_at(std::uint64_t position) const {
    return log_[position - log_begin_];
  }

 private:
  static constexpr ClassIndex kNoClass = SlotMap<CellClass>::kAbsent;
  struct Class {
    CellClass what;
    std::vector<Member> members;  // a heap, the first on top
  };
  struct Place {
    ClassIndex number = kNoClass;  // kNoClass: not in the index
    std::uint32_t at = 0;          // in the class's heap
  };
  // Of the part of the heap below `at`: a closed one's children may be open, an open one's cannot
  // come before it.
  template <class IsOpen>
  static void first_open(std::vector<Member> const& heap, std::size_t at, IsOpen& is_open,
                         Member& out) {
    if (at >= heap.size() || out <= heap[at]) return;
    if (is_open(cell_of(heap[at]))) {
      out = heap[at];
      return;
    }
    first_open(heap, 2 * at + 1, is_open, out);
    first_open(heap, 2 * at + 2, is_open, out);
  }
  void assign(ClassIndex i, std::span<Member const> sorted);
  void settle(Class& in, std::size_t at, Member m);
  void turned(ClassIndex i);
  void drop_empty_classes();

  // list_first's; kept for their memory alone.
  std::vector<std::uint32_t> frontier_;
  std::vector<Member> scratch_;
  std::vector<Class> classes_;
  SlotMap<CellClass> numbers_;
  std::vector<Place> places_;  // by cell
  std::size_t empty_classes_ = 0;
  std::vector<ClassIndex> log_;
  std::uint64_t log_begin_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace berth::placement
