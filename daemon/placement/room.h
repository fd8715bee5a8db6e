#pragma once
// Room: CPUs and memory, of a cell or of what is asked for. Small on purpose: a fleet of a hundred
// thousand hosts keeps two of them for each of its cells.

#include <compare>
#include <cstdint>

namespace berth::placement {

// Of one cell; what arithmetic on scores relies on.
inline constexpr std::int32_t kCellVcpusMax = 4'096;
inline constexpr std::int32_t kCellMemoryMibMax = 1 << 26;  // 64 TiB

struct Room {
  std::int32_t vcpus = 0;
  std::int32_t memory_mib = 0;

  auto operator<=>(Room const&) const = default;

  Room& operator+=(Room const& other) {
    vcpus += other.vcpus;
    memory_mib += other.memory_mib;
    return *this;
  }
  Room& operator-=(Room const& other) {
    vcpus -= other.vcpus;
    memory_mib -= other.memory_mib;
    return *this;
  }
  friend Room operator+(Room a, Room const& b) { return a += b; }
  friend Room operator-(Room a, Room const& b) { return a -= b; }
};

// Of many cells together.
struct Totals {
  std::int64_t vcpus = 0;
  std::int64_t memory_mib = 0;

  bool operator==(Totals const&) const = default;
};

// Whether `need` fits into `free`, in both dimensions.
[[nodiscard]] constexpr bool fits(Room const& need, Room const& free) {
  return need.vcpus <= free.vcpus && need.memory_mib <= free.memory_mib;
}

// What each of `parts` cells takes of `need`: an even share, rounded up to whole vCPUs and MiB.
[[nodiscard]] constexpr Room part_of(Room const& need, std::int32_t parts) {
  return {.vcpus = (need.vcpus + parts - 1) / parts,
          .memory_mib = (need.memory_mib + parts - 1) / parts};
}

// One size of cells in a fleet.
struct CellKind {
  Room capacity;
  std::int32_t cells_per_host = 1;  // the most that a host with such a cell has
};

}  // namespace berth::placement
