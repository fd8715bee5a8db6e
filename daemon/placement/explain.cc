#include "daemon/placement/explain.h"

#include <bit>

namespace berth::placement {
namespace {

// Of the cells taken together, as they would be with the seat taken.
Dimension tightest_of(CellFleet const& fleet, Seat const& seat) {
  CellFleet::Host const& host = fleet.host(seat.host);
  Totals left, built;
  for (unsigned bits = seat.cells; bits != 0; bits &= bits - 1) {
    auto const i = static_cast<CellIndex>(std::countr_zero(bits));
    Room const free = fleet.free(host.first_cell + i) - seat.part();
    left.vcpus += free.vcpus;
    left.memory_mib += free.memory_mib;
    Room const& cell = fleet.kinds()[host.kind].cells[i];
    built.vcpus += cell.vcpus;
    built.memory_mib += cell.memory_mib;
  }
  // Shares of what was built, over a common denominator.
  return left.vcpus * built.memory_mib <= left.memory_mib * built.vcpus ? Dimension::cpu
                                                                        : Dimension::memory;
}

}  // namespace

std::string_view name(Dimension dimension) {
  return dimension == Dimension::cpu ? "cpu" : "memory";
}

std::optional<Dimension> scarcest(NoSeat const& removed) {
  auto const hosts = [&](Obstacle why) {
    return removed.hosts_removed[static_cast<std::size_t>(why)];
  };
  std::int64_t const short_of_cpu = hosts(Obstacle::cpu), short_of_memory = hosts(Obstacle::memory);
  if (short_of_cpu + short_of_memory == 0) return std::nullopt;
  return short_of_cpu >= short_of_memory ? Dimension::cpu : Dimension::memory;
}

std::string Explanation::text() const {
  std::string out = removed.text();
  if (scored_worse > 0) {
    bool const is_first = scored_worse + (chosen ? 1 : 0) == removed.hosts_considered;
    out += (is_first ? ": " : ", ") + std::to_string(scored_worse) + " fit and scored worse";
  }
  if (tightest) out += "; tightest: " + std::string(name(*tightest));
  return out;
}

Explanation explain(IndexedFleet const& fleet, Request const& request) {
  Survey const all = survey(fleet.fleet(), request, fleet.policy(), fleet.tables());
  Explanation out{.removed = all.refusal,
                  .scored_worse = all.fitting,
                  .chosen = std::nullopt,
                  .table = all.table,
                  .tightest = std::nullopt};
  if (all.table.size > 0) {
    --out.scored_worse;
    out.chosen = CellFleet::seat(all.table.rows[0], request);
  }
  out.tightest = scarcest(all.refusal);
  if (!out.tightest && out.chosen) out.tightest = tightest_of(fleet.fleet(), *out.chosen);
  return out;
}

}  // namespace berth::placement
