#pragma once
// A look at every host for one request: what speaks against each, and which of those that fit are
// best. This is the truth about a choice; the index (indexed_fleet.h) finds the same host without
// looking at all of them.
//
// Costs some tens of nanoseconds a host: for refusals, and for when somebody asks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/placement/cell_fleet.h"

namespace berth::placement {

// The best hosts for a request as they stood, the chosen one first, one row a host. Empty hosts
// that wait for when nothing else fits are there only when one was chosen, and then alone.
struct ScoreTable {
  static constexpr std::size_t kRowsMax = 3;
  std::array<Candidate, kRowsMax> rows{};
  std::size_t size = 0;

  // Takes the candidate in if it is among the best; its host must not be there yet.
  void add(Candidate const& candidate);
  bool operator==(ScoreTable const&) const = default;
};

struct Survey {
  NoSeat refusal;            // hosts that do not fit; with `fitting`, they sum to hosts_considered
  std::int64_t fitting = 0;  // hosts that fit, the chosen one among them
  ScoreTable table;          // empty: no host fits
};

[[nodiscard]] Survey survey(CellFleet const& fleet, Request const& request, Policy const& policy,
                            FleetTables const& tables);
// Of the hosts of one rack alone.
[[nodiscard]] Survey survey_rack(CellFleet const& fleet, RackIndex rack, Request const& request,
                                 Policy const& policy, FleetTables const& tables);

}  // namespace berth::placement
