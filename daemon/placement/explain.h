#pragma once
// Why a request goes where it goes, or nowhere: a survey of the fleet, put into words.
//
//   std::optional<Seat> const seat = fleet.choose(request);
//   Explanation const why = explain(fleet, request);   // before the seat is taken
//   log(why.text());   // "9 hosts: 2 other zone, 3 memory, 3 fit and scored worse; tightest:
//   memory"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/placement/indexed_fleet.h"
#include "daemon/placement/survey.h"

namespace berth::placement {

enum class Dimension { cpu, memory };
[[nodiscard]] std::string_view name(Dimension dimension);
// What most of the hosts that lack room lack; absent: none lacks any.
[[nodiscard]] std::optional<Dimension> scarcest(NoSeat const& removed);

struct Explanation {
  NoSeat removed;                 // by obstacle; hosts_considered are all hosts of the fleet
  std::int64_t scored_worse = 0;  // hosts that fit too; with `removed` and the chosen: all hosts
  std::optional<Seat> chosen;     // absent: no host fits
  ScoreTable table;               // the chosen host and those that came next
  // What ran out first: on most of the hosts that lack room, or else in the chosen cells with the
  // request in them. Absent: no host is short of either, and none was chosen.
  std::optional<Dimension> tightest;

  [[nodiscard]] std::string text() const;
};

// Of the choice that `choose` makes now, or has made and that is not taken yet. Looks at every
// host.
[[nodiscard]] Explanation explain(IndexedFleet const& fleet, Request const& request);

}  // namespace berth::placement
