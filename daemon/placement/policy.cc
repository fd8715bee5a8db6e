#include "daemon/placement/policy.h"

#include <algorithm>
#include <array>

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

constexpr auto kPolicies = std::to_array<Policy>({
    {.name = "default", .about = "what Berth does unless told otherwise", .score = sum_left},
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
