#pragma once
// SlotMap: from a small key to the number it was given, by open addressing. Keys are never taken
// out singly and never walked over: no order of a hash can show.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "berth/base/ensure.h"

namespace berth::placement {

// Key: comparable, with `std::uint64_t hash() const`.
template <class Key>
class SlotMap {
 public:
  static constexpr std::uint32_t kAbsent = UINT32_MAX;

  void clear() {
    slots_.clear();
    count_ = 0;
  }

  [[nodiscard]] std::uint32_t find(Key const& key) const {
    if (slots_.empty()) return kAbsent;
    std::size_t at = place_of(key);
    for (; slots_[at].value != kAbsent; at = next(at)) {
      if (slots_[at].key == key) return slots_[at].value;
    }
    return kAbsent;
  }

  // The key must not be there yet.
  void insert(Key const& key, std::uint32_t value) {
    ENSURE(value != kAbsent);
    if ((count_ + 1) * 2 > slots_.size()) grow();
    put(key, value);
    ++count_;
  }

 private:
  struct Slot {
    Key key{};
    std::uint32_t value = kAbsent;
  };
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
  [[nodiscard]] std::size_t place_of(Key const& key) const {
    // Multiplied once more and taken from the top: the low bits of a hash may be poor.
    return static_cast<std::size_t>((key.hash() * 0x9e3779b97f4a7c15ULL) >> 32) &
           (slots_.size() - 1);
  }
  void put(Key const& key, std::uint32_t value) {
    std::size_t at = place_of(key);
    while (slots_[at].value != kAbsent) at = next(at);
    slots_[at] = {.key = key, .value = value};
  }
  void grow() {
    std::vector<Slot> const before =
        std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 64 : slots_.size() * 2));
    for (Slot const& slot : before) {
      if (slot.value != kAbsent) put(slot.key, slot.value);
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t count_ = 0;
};

}  // namespace berth::placement
