#include "daemon/placement/policy.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace berth::placement {
namespace {

// Shares of a capacity, in 2^-29 parts: the sum of two squares stays below kScoreMax.
constexpr std::int64_t kShare = std::int64_t{1} << 29;

struct Shares {
  std::int64_t vcpus;
  std::int64_t memory;
};
Shares shares_left(Fit const& fit) {
  return {.vcpus = fit.left.vcpus * kShare / fit.capacity.vcpus,
          .memory = fit.left.memory_mib * kShare / fit.capacity.memory_mib};
}

// The first decides, then the second.
std::int64_t ordered(std::int64_t first, std::int64_t second) {
  return first * (kShare + 1) + second;
}

std::int64_t nothing(Fit const& /*fit*/, FleetTables const& /*tables*/) {
  return 0;
}

// The sum of the two shares: the numerator over the common denominator C·M, brought to one scale so
// that cells of different capacities compare as well. The scale is no coarser than 1/(C·M) of the
// largest cell allowed, so among cells of one capacity the order is exact.
std::int64_t sum_left(Fit const& fit, FleetTables const& /*tables*/) {
  __extension__ using Wide = unsigned __int128;
  constexpr int kScaleBits = 38;
  static_assert(std::int64_t{kCellVcpusMax} * kCellMemoryMibMax <= std::int64_t{1} << kScaleBits);
  auto const vcpus = static_cast<std::uint64_t>(fit.capacity.vcpus);
  auto const memory = static_cast<std::uint64_t>(fit.capacity.memory_mib);
  auto const numerator = static_cast<std::uint64_t>(fit.left.vcpus) * memory +
                         static_cast<std::uint64_t>(fit.left.memory_mib) * vcpus;
  return static_cast<std::int64_t>((static_cast<Wide>(numerator) << kScaleBits) / (vcpus * memory));
}

std::int64_t room_sold(Fit const& fit, FleetTables const& tables) {
  constexpr std::int64_t kBoth = std::int64_t{1} << 39;
  return kBoth - sum_left(fit, tables);
}

std::int64_t squares_left(Fit const& fit, FleetTables const& /*tables*/) {
  Shares const left = shares_left(fit);
  return left.vcpus * left.vcpus + left.memory * left.memory;
}

std::int64_t tightest_left(Fit const& fit, FleetTables const& /*tables*/) {
  Shares const left = shares_left(fit);
  return ordered(std::min(left.vcpus, left.memory), std::max(left.vcpus, left.memory));
}

std::int64_t scarcest_left(Fit const& fit, FleetTables const& tables) {
  Shares const left = shares_left(fit);
  return tables.is_memory_scarce ? ordered(left.memory, left.vcpus)
                                 : ordered(left.vcpus, left.memory);
}

// Berth's own. Which score serves best depends on what runs and on how full the fleet is; the
// tables say which regime a fleet is in (demand.cc has the constants that tell them apart).
//  lumpy: hosts cannot be filled well whatever one does; memory decides, and the balance of the
//  rest. roomy: hosts are not short; leave what is left in balance, and let the oldest fill. tight:
//  lose as little as possible of what the cell could still take of today's mix.
std::int64_t own(Fit const& fit, FleetTables const& tables) {
  // Scores of the first two in coarse steps, so that within a step the oldest host wins.
  constexpr std::int64_t kLumpyStep = 40'000, kRoomyStep = 39'322;
  constexpr std::int64_t kAboveZero = std::int64_t{1}
                                      << 28;  // a new shape can be worth more than known
  CellTables const& cells = tables.of(fit.capacity);
  Room const part = cells.steps_needed(fit.part);
  Room const free = cells.steps_free(fit.left + fit.part);
  // Rounding may find a step too few for what fits to the MiB.
  Room const left{.vcpus = std::max(free.vcpus - part.vcpus, 0),
                  .memory_mib = std::max(free.memory_mib - part.memory_mib, 0)};
  std::int64_t const x = cells.vcpu_share(left.vcpus);
  std::int64_t const y = cells.memory_share(left.memory_mib);
  std::int64_t const off_balance = std::abs(((x * cells.rho) >> 12) - y);
  switch (cells.regime) {
    case Regime::lumpy: return (8 * y + 2 * off_balance) / kLumpyStep;
    case Regime::roomy: return (x + y + 2 * off_balance) / kRoomyStep;
    case Regime::tight: break;
  }
  std::size_t const before = cells.state(free), after = cells.state(left);
  std::int64_t const lost_worth = cells.worth[before] - cells.worth[after] - cells.value_of(part);
  std::int64_t const lost_choices = cells.choices[before] - cells.choices[after];
  return kAboveZero + 1'024 * lost_worth + 6 * lost_choices +
         cells.tightness * cells.value_of(left);
}

constexpr auto kPolicies = std::to_array<Policy>({
    {.name = "default",
     .about = "Berth's own: by what runs, what is asked for, and how full the fleet is",
     .score = own,
     .reads = TablesRead::regimes,
     .ties = TieOrder::by_age,
     .split_score = sum_left},
    {.name = "first-fit",
     .about = "the lowest host that fits, in use or not",
     .score = nothing,
     .empty_hosts = EmptyHosts::alike,
     .is_by_order = true},
    {.name = "best-fit-sum",
     .about = "least CPU and memory left, as the sum of the cell's shares",
     .score = sum_left},
    {.name = "best-fit-l2",
     .about = "least left, as the sum of the squared shares",
     .score = squares_left},
    {.name = "best-fit-tightest",
     .about = "least of the smaller share left, then of the larger",
     .score = tightest_left},
    {.name = "best-fit-scarcest",
     .about = "least left of what the fleet has sold more of, CPUs or memory",
     .score = scarcest_left,
     .reads = TablesRead::scarcity},
    {.name = "spread",
     .about = "most CPU and memory left, empty hosts first",
     .score = room_sold,
     .empty_hosts = EmptyHosts::alike},
});

}  // namespace

std::span<Policy const> policies() {
  return kPolicies;
}

Policy const* find_policy(std::string_view name) {
  auto const at = std::ranges::find(kPolicies, name, &Policy::name);
  return at == kPolicies.end() ? nullptr : &*at;
}

}  // namespace berth::placement
