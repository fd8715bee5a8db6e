#pragma once
// IdleHosts: the listed hosts with nothing on them, by kind, lowest first.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "daemon/placement/cell_fleet.h"

namespace berth::placement {

class IdleHosts {
 public:
  // Whether the host is idle now. Called after every change of it; cheap when nothing changed.
  void follow(HostIndex host, CellFleet const& fleet) {
    if (is_noted_.size() <= host) is_noted_.resize(host + std::size_t{1}, false);
    if (is_noted_[host] || !is_idle(host, fleet)) return;
    std::uint32_t const kind = fleet.host(host).kind;
    if (by_kind_.size() <= kind) by_kind_.resize(kind + std::size_t{1});
    is_noted_[host] = true;
    by_kind_[kind].push_back(host);
    std::ranges::push_heap(by_kind_[kind], std::greater<>());
  }

  // Before the host's index is given to another one.
  void forget(HostIndex host, std::uint32_t kind) {
    if (host >= is_noted_.size() || !is_noted_[host]) return;
    is_noted_[host] = false;
    std::erase(by_kind_[kind], host);
    std::ranges::make_heap(by_kind_[kind], std::greater<>());
  }

  // The lowest of a kind that `is_open` agrees to; absent: none.
  template <class IsOpen>
  std::optional<HostIndex> lowest(std::uint32_t kind, CellFleet const& fleet, IsOpen is_open) {
    if (kind >= by_kind_.size()) return std::nullopt;
    std::vector<HostIndex>& heap = by_kind_[kind];
    while (!heap.empty() && !is_idle(heap.front(), fleet)) {
      is_noted_[heap.front()] = false;
      std::ranges::pop_heap(heap, std::greater<>());
      heap.pop_back();
    }
    if (heap.empty() || is_open(heap.front()))
      return heap.empty() ? std::nullopt : std::optional(heap.front());
    std::optional<HostIndex> out;
    auto const is_taken = [&](HostIndex h) { return is_idle(h, fleet) && is_open(h); };
    first_taken(heap, 0, is_taken, out);
    return out;
  }

 private:
  // Of the part of the heap below `at`, what lies below one that is taken cannot be lower.
  template <class IsTaken>
  static void first_taken(std::vector<HostIndex> const& heap, std::size_t at, IsTaken& is_taken,
                          std::optional<HostIndex>& out) {
    if (at >= heap.size() || (out && *out <= heap[at])) return;
    if (is_taken(heap[at])) {
      out = heap[at];
      return;
    }
    first_taken(heap, 2 * at + 1, is_taken, out);
    first_taken(heap, 2 * at + 2, is_taken, out);
  }
  static bool is_idle(HostIndex host, CellFleet const& fleet) {
    return fleet.host(host).instances == 0 && fleet.host(host).is_listed();
  }

  std::vector<std::vector<HostIndex>> by_kind_;  // heaps; some that are idle no more among them
  std::vector<bool> is_noted_;                   // by host: it is in its kind's heap
};

}  // namespace berth::placement
