#pragma once
// MinTree: the least of many values, kept while single values change. A tree of eight-way minima,
// one cache line a node: a change climbs only as far as it changes a minimum, which is seldom more
// than a level or two, so that keeping it costs little however many values there are.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "berth/base/ensure.h"

namespace berth::placement {

class MinTree {
 private:
  struct Item {
    std::int64_t value;
    std::size_t level;
    std::size_t index;
  };

 public:
  // The value of a place that must not be chosen; larger than every other.
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

  // All of `values`, in one pass.
  void assign(std::vector<std::int64_t> const& values) {
    levels_.clear();
    levels_.push_back(values);
    while (true) {
      std::vector<std::int64_t>& below = levels_.back();
      below.resize(std::max<std::size_t>((below.size() + kWays - 1) / kWays, 1) * kWays, kNone);
      std::vector<std::int64_t> above(below.size() / kWays);
      for (std::size_t i = 0; i < above.size(); ++i) above[i] = least_of(below, i);
      bool const is_root = above.size() == 1;
      levels_.push_back(std::move(above));
      if (is_root) return;
    }
  }

  [[nodiscard]] std::size_t size() const { return levels_.empty() ? 0 : levels_.front().size(); }
  [[nodiscard]] std::int64_t at(std::size_t i) const { return levels_.front()[i]; }
  [[nodiscard]] std::int64_t least() const { return levels_.empty() ? kNone : levels_.back()[0]; }

  void set(std::size_t i, std::int64_t value) {
    for (std::size_t level = 0;; ++level) {
      std::int64_t const before = levels_[level][i];
      if (before == value) return;
      levels_[level][i] = value;
      if (level + 1 == levels_.size()) return;
      std::int64_t const least = levels_[level + 1][i / kWays];
      if (value > least && before > least) return;
      i /= kWays;
      if (value > least) value = least_of(levels_[level], i);
    }
  }

  // The lowest place that holds the least value; least() must not be kNone.
  [[nodiscard]] std::size_t first_least() const {
    std::int64_t const least = levels_.back()[0];
    std::size_t i = 0;
    for (std::size_t level = levels_.size() - 1; level-- > 0;) {
      i *= kWays;
      while (levels_[level][i] != least) ++i;
    }
    return i;
  }

  // Calls `visit(place)` for every place that holds the least value, in order.
  template <class Visit>
  void each_least(Visit visit) const {
    if (least() != kNone) visit_least(levels_.size() - 1, 0, least(), visit);
  }

  struct Step {
    std::int64_t value = kNone;
    std::size_t place = 0;
  };

  // The K places with the least values, ascending by value; less if there are less. Returns how
  // many.
  template <std::size_t K>
  std::size_t first(std::array<Step, K>& out) const {
    // What is known so far, ascending, and never more than K: what comes behind cannot be wanted.
    std::array<Item, K> items;
    std::size_t size = 0;
    std::int64_t bound = kNone;
    auto const add = [&](std::int64_t value, std::size_t level, std::size_t index) {
      if (value >= bound) return;
      std::size_t at = size < K ? size++ : K - 1;
      for (; at > 0 && value < items[at - 1].value; --at) items[at] = items[at - 1];
      items[at] = {value, level, index};
      if (size == K) bound = items[K - 1].value;
    };
    add(least(), levels_.size() - 1, 0);
    for (std::size_t i = 0; i < size;) {
      if (items[i].level == 0) {
        out[i] = {items[i].value, items[i].index};
        ++i;
        continue;
      }
      Item const node = items[i];
      for (std::size_t k = i + 1; k < size; ++k) items[k - 1] = items[k];
      --size;
      bound = kNone;
      for (std::size_t k = node.index * kWays; k < (node.index + 1) * kWays; ++k)
        add(levels_[node.level - 1][k], node.level - 1, k);
    }
    return size;
  }

  // Places in ascending order of (value, place), one by one; what is kNone never comes. The tree
  // must not change meanwhile.
  class Walk {
   public:
    explicit Walk(MinTree const& tree) : tree_(tree) {
      if (tree.least() != kNone) items_.push_back({tree.least(), tree.levels_.size() - 1, 0});
    }
    // kNone: there are no more.
    Step next() {
      while (!items_.empty()) {
        std::ranges::pop_heap(items_, After{});
        Item const item = items_.back();
        items_.pop_back();
        if (item.level == 0) return {item.value, item.index};
        for (std::size_t i = item.index * kWays; i < (item.index + 1) * kWays; ++i) {
          std::int64_t const value = tree_.levels_[item.level - 1][i];
          if (value == kNone) continue;
          items_.push_back({value, item.level - 1, i});
          std::ranges::push_heap(items_, After{});
        }
      }
      return {};
    }

   private:
    // Inner nodes before places of the same value, and so places in their order.
    struct After {
      bool operator()(Item const& a, Item const& b) const {
        if (a.value != b.value) return a.value > b.value;
        if (a.level != b.level) return a.level < b.level;
        return a.index > b.index;
      }
    };
    MinTree const& tree_;
    std::vector<Item> items_;
  };

 private:
  static constexpr std::size_t kWays = 8;

  static std::int64_t least_of(std::vector<std::int64_t> const& level, std::size_t block) {
    std::int64_t const* const at = level.data() + block * kWays;
    std::int64_t least = at[0];
    for (std::size_t i = 1; i < kWays; ++i) least = std::min(least, at[i]);
    return least;
  }

  template <class Visit>
  void visit_least(std::size_t level, std::size_t i, std::int64_t least, Visit& visit) const {
    if (level == 0) {
      visit(i);
      return;
    }
    for (std::size_t k = i * kWays; k < (i + 1) * kWays; ++k) {
      if (levels_[level - 1][k] == least) visit_least(level - 1, k, least, visit);
    }
  }

  std::vector<std::vector<std::int64_t>> levels_;  // from the values up to the one least of all
};

}  // namespace berth::placement
