#pragma once
// MinTree: the least of many values, kept while single values change. A tree of eight-way minima,
// one cache line a node: a change climbs only as far as it changes a minimum, which is seldom more
// than a level or two, so that keeping it costs little however many values there are.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "berth/base/ensure.h"

namespace berth::placement {

class MinTree {
 public:
  // The value of a place that must not be chosen; larger than every other.
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

  // All of `values`, in one pass.
  void assign(std::vector<std::int64_t> const& values) {
    front_size_ = 0;
    is_front_all_ = false;
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
    if (front_size_ > 0 || is_front_all_) keep_front({levels_[0][i], i}, {value, i});
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

  struct Step {
    std::int64_t value = kNone;
    std::size_t place = 0;

    [[nodiscard]] bool is_before(Step const& other) const {
      return value != other.value ? value < other.value : place < other.place;
    }
  };

  // The first places in ascending order of (value, place): `wanted` of them or more, or all that
  // there are. Kept while values change, so that it costs next to nothing to ask again.
  static constexpr std::size_t kFrontMax = 8;
  std::span<Step const> front(std::size_t wanted) {
    ENSURE(wanted <= kFrontMax);
    if (front_size_ < wanted && !is_front_all_ && !levels_.empty()) {
      front_size_ = first(front_);
      is_front_all_ = front_size_ < kFrontMax;
    }
    return {front_.data(), front_size_};
  }

  // Whether there are no other places than those last got from `front`.
  [[nodiscard]] bool is_front_all() const { return is_front_all_; }

  // Calls `visit(place)` for every place that holds the least value, in order.
  template <class Visit>
  void each_least(Visit visit) {
    std::int64_t const value = least();
    if (value == kNone) return;
    std::span<Step const> const known = front(1);
    if (known.back().value == value && !is_front_all_) {
      visit_least(levels_.size() - 1, 0, value, visit);
      return;
    }
    for (Step const& step : known) {
      if (step.value != value) return;
      visit(step.place);
    }
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
    struct Item {
      std::int64_t value;
      std::size_t level;
      std::size_t index;
    };
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
  static constexpr std::size_t kWaysBits = 3, kWays = 1 << kWaysBits;

  // The first places, exactly and in order; returns how many.
  std::size_t first(std::array<Step, kFrontMax>& out) const {
    // Nodes and places known so far, ascending, each by the first place that it can stand for, and
    // never more than wanted: what comes behind cannot be.
    struct Node {
      Step least;  // the place: the first one below it
      std::size_t level;
    };
    std::array<Node, kFrontMax> nodes;
    std::size_t size = 0;
    auto const add = [&](Node const& node) {
      if (node.least.value == kNone) return;
      if (size == kFrontMax && !node.least.is_before(nodes[size - 1].least)) return;
      std::size_t at = size < kFrontMax ? size++ : kFrontMax - 1;
      for (; at > 0 && node.least.is_before(nodes[at - 1].least); --at) nodes[at] = nodes[at - 1];
      nodes[at] = node;
    };
    add({{least(), 0}, levels_.size() - 1});
    for (std::size_t i = 0; i < size;) {
      Node const node = nodes[i];
      if (node.level == 0) {
        out[i++] = node.least;
        continue;
      }
      for (std::size_t k = i + 1; k < size; ++k) nodes[k - 1] = nodes[k];
      --size;
      std::size_t const below = node.level - 1, width = places_below(below);
      std::size_t const from = node.least.place / width;
      for (std::size_t k = from; k < from + kWays; ++k)
        add({{levels_[below][k], k * width}, below});
    }
    return size;
  }
  // How many places a node of that level stands for.
  static std::size_t places_below(std::size_t level) {
    return std::size_t{1} << (kWaysBits * level);
  }

  // What is known of the first places, after one changed from `before` to `now`.
  void keep_front(Step const& before, Step const& now) {
    bool const is_beyond = !is_front_all_ && front_[front_size_ - 1].is_before(before) &&
                           front_[front_size_ - 1].is_before(now);
    if (is_beyond) return;
    std::size_t at = 0;
    while (at < front_size_ && front_[at].place != now.place) ++at;
    if (at < front_size_) {
      for (--front_size_; at < front_size_; ++at) front_[at] = front_[at + 1];
    }
    if (now.value == kNone) return;
    at = front_size_;
    while (at > 0 && now.is_before(front_[at - 1])) --at;
    // What comes last is known to be next only when there is nothing else.
    if (at == front_size_ && (!is_front_all_ || at == kFrontMax)) {
      is_front_all_ = false;
      return;
    }
    if (front_size_ == kFrontMax)
      is_front_all_ = false;
    else
      ++front_size_;
    for (std::size_t i = front_size_ - 1; i > at; --i) front_[i] = front_[i - 1];
    front_[at] = now;
  }

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

  // The first places of all, in order; with is_front_all_ there are no others that are not kNone.
  std::array<Step, kFrontMax> front_{};
  std::size_t front_size_ = 0;
  bool is_front_all_ = false;
  std::vector<std::vector<std::int64_t>> levels_;  // from the values up to the one least of all
};

}  // namespace berth::placement
