#pragma once
// Live migration in a replay: empties hosts that hold little, a few instances an hour, so that
// fewer are in use. What it knows is what an operator knows then: who runs where and since when.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "ctl/trace.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::ctl {

class Mover {
 public:
  using Seats = std::vector<std::optional<placement::Seat>>;  // by instance; absent: not there
  using OnMove =
      std::function<void(std::int64_t time_s, std::uint32_t instance, placement::Seat const& to)>;

  // Never more than `moves_per_hour` in any 3600 seconds; 0: none at all. `on_move` may be empty.
  Mover(Trace const& trace, std::int64_t moves_per_hour, std::int64_t hosts, OnMove on_move);

  void placed(std::uint32_t instance, placement::Seat const& seat);
  void gone(std::uint32_t instance, placement::Seat const& seat);
  // Moves what is worth it now, if anything. A host is emptied whole or not at all, and none is
  // opened for it. An instance has room at both ends while it moves.
  void advance(std::int64_t now_s, placement::IndexedFleet& fleet, Seats& seats);

  [[nodiscard]] std::int64_t moves() const { return moves_; }

 private:
  // Hosts that may be emptied with `left` moves, the best first.
  [[nodiscard]] std::vector<placement::HostIndex> candidates(
      std::size_t left, placement::IndexedFleet const& fleet) const;
  bool empty_host(placement::HostIndex host, placement::IndexedFleet& fleet, Seats& seats,
                  std::int64_t now_s);

  Trace const& trace_;
  std::size_t moves_per_hour_;
  OnMove on_move_;
  std::vector<std::vector<std::uint32_t>> on_host_;  // by host: its instances
  std::deque<std::int64_t> moved_at_;                // within the last hour
  std::int64_t next_round_s_ = 0;
  std::int64_t moves_ = 0;
};

}  // namespace berth::ctl
