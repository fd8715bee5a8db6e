#pragma once
// The policies by name, in one table: which of the hosts that fit is taken.
//
// A policy is one integer function, smaller is better, of a cell, what is asked for, and tables
// about the whole fleet that change slowly. It knows neither the host's number nor the time, so all
// cells that look alike get one score: that is what lets the index (indexed_fleet.h) compute a
// score once for a class of cells instead of once for a cell. Ties go to the lowest host, then the
// lowest cell. An instance that is split over cells has the sum of its cells' scores.

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/placement/demand.h"
#include "daemon/placement/room.h"

namespace berth::placement {

struct Fit {
  Room capacity;  // of the cell
  Room left;      // of the cell, with the part placed
  Room part;      // what the cell would take: all that is asked for, or an even share of it
};

// Scores lie in [0, kScoreMax], so that the sum over a host's cells cannot overflow.
inline constexpr std::int64_t kScoreMax = std::int64_t{1} << 59;

using ScoreFunction = std::int64_t (*)(Fit const& fit, FleetTables const& tables);

enum class EmptyHosts {
  last,   // opened only when no host in use fits; then the lowest, whatever its score
  alike,  // judged like every other host
};

// Which of two hosts with the same score comes first.
enum class TieOrder {
  by_index,  // the one that was added first
  by_age,    // the one that has been in use longest
};

struct Policy {
  std::string_view name;
  std::string_view about;
  ScoreFunction score;
  EmptyHosts empty_hosts = EmptyHosts::last;
  // Every fitting cell has the same score, so that only the order of the hosts decides.
  bool is_by_order = false;
  TablesRead reads = TablesRead::nothing;
  TieOrder ties = TieOrder::by_index;
  // For each part of what is split over cells; absent: `score`.
  ScoreFunction split_score = nullptr;

  // Whether it decides otherwise in a larger fleet, even where that has room to spare.
  [[nodiscard]] bool reads_fleet_size() const { return reads == TablesRead::regimes; }
};

[[nodiscard]] std::span<Policy const> policies();
// Absent: there is no such policy.
[[nodiscard]] Policy const* find_policy(std::string_view name);

}  // namespace berth::placement
