#pragma once
// What a score may know of the whole fleet: the tables, and what they are written from. They change
// slowly: a change makes every score computed before it stale, so they are written at fixed points
// only, which the number of requests alone decides. Two runs over the same requests see the same
// tables.

#include <cstdint>
#include <span>
#include <vector>

#include "daemon/placement/room.h"
#include "daemon/placement/slot_map.h"

namespace berth::placement {

// Which tables a policy reads; what it does not read never makes its scores stale.
enum class TablesRead {
  nothing,
  scarcity,  // is_memory_scarce
  regimes,   // regimes
};

// How full the fleet is, and how well what it runs can fill a cell.
enum class Regime {
  lumpy,  // some of what runs leaves a part of a cell that nothing else fills
  roomy,  // hosts enough
  tight,  // few hosts left
};

// Of one capacity of cells. Units: CPU and memory are counted in steps, so that a table over every
// state of a cell stays small: a step is one vCPU and 256 MiB up to cells of 512 vCPUs and 256 GiB,
// and a power of two of that beyond. What is asked for is rounded up, what is free down.
struct CellTables {
  // Shares of a dimension are in 2^-16 parts of the capacity.
  static constexpr std::int64_t kWhole = std::int64_t{1} << 16;

  Room capacity;
  std::int32_t cells_per_host = 1;
  int vcpu_shift = 0;    // a step of CPU is 2^vcpu_shift vCPUs
  int memory_shift = 8;  // a step of memory is 2^memory_shift MiB
  std::int32_t vcpu_steps = 0;
  std::int32_t memory_steps = 0;

  Regime regime = Regime::roomy;
  std::int64_t rho = 4'096;    // memory's share in use per CPU's share in use, in 2^-12 parts
  std::int64_t wc = 512;       // weight of CPU's share, out of 1024; memory's is the rest
  std::int64_t tightness = 0;  // in the tight regime: weight of what is left as such
  // In the tight regime, by state (CPU steps × (memory_steps + 1) + memory steps).
  std::vector<std::int32_t> worth;    // the most value of recent shapes that the state can take
  std::vector<std::int32_t> choices;  // how often each shape in use still fits, weighed by its use

  [[nodiscard]] Room steps_free(Room const& free) const {
    return {.vcpus = free.vcpus >> vcpu_shift, .memory_mib = free.memory_mib >> memory_shift};
  }
  [[nodiscard]] Room steps_needed(Room const& need) const {
    return {.vcpus = ((need.vcpus - 1) >> vcpu_shift) + 1,
            .memory_mib = ((need.memory_mib - 1) >> memory_shift) + 1};
  }
  [[nodiscard]] std::int64_t vcpu_share(std::int64_t steps) const {
    return (steps << 16) / vcpu_steps;
  }
  [[nodiscard]] std::int64_t memory_share(std::int64_t steps) const {
    return (steps << 16) / memory_steps;
  }
  // The place of a state in the tables above.
  [[nodiscard]] std::size_t state(Room const& steps) const {
    return static_cast<std::size_t>(steps.vcpus) * (static_cast<std::size_t>(memory_steps) + 1) +
           static_cast<std::size_t>(steps.memory_mib);
  }
  // Of one request, both shares weighed.
  [[nodiscard]] std::int64_t value_of(Room const& steps) const {
    return (wc * vcpu_share(steps.vcpus) + (1'024 - wc) * memory_share(steps.memory_mib)) >> 10;
  }

  bool operator==(CellTables const&) const = default;
};

struct FleetTables {
  // More of the fleet's memory than of its CPUs is in use.
  bool is_memory_scarce = false;
  std::vector<CellTables> cells;  // one for each capacity in the fleet; empty: not read

  // There must be one.
  [[nodiscard]] CellTables const& of(Room const& capacity) const;
};

// What the tables are written from, beside what was asked for.
struct FleetFacts {
  Totals used;
  Totals capacity;
  std::int64_t hosts = 0;
  std::int64_t hosts_in_use = 0;
  std::span<CellKind const> cells;  // each capacity once
};

class Demand {
 public:
  // Once per request, placed or not, before its scores are computed. True: the tables that a reader
  // of `reads` sees have changed.
  bool asked(Room const& need, TablesRead reads, FleetFacts const& facts);
  // When a host was added: writes tables for a capacity that is new, so that scores can be computed
  // at once. True: the tables that a reader of `reads` sees have changed.
  bool cover(TablesRead reads, FleetFacts const& facts);
  // How many requests may follow before one can change the tables of a reader of `reads`.
  [[nodiscard]] std::int64_t quiet_requests(TablesRead reads) const;
  // So many requests for one shape at once, at most quiet_requests: nothing changes.
  void asked_quietly(Room const& need, TablesRead reads, std::int64_t count);
  void placed(Room const& need, TablesRead reads, std::int64_t count = 1);
  void released(Room const& need, TablesRead reads);

  // Live migration empties hosts meanwhile: the fleet is tight only when fuller.
  void expect_moves() { has_moves_ = true; }

  [[nodiscard]] FleetTables const& tables() const { return tables_; }

 private:
  struct ShapeKey {
    Room need;
    bool operator==(ShapeKey const&) const = default;
    [[nodiscard]] std::uint64_t hash() const {
      return (static_cast<std::uint64_t>(need.memory_mib) << 16) ^
             static_cast<std::uint64_t>(need.vcpus);
    }
  };
  struct Shape {
    Room need;
    std::int64_t running = 0;
    std::int64_t asked_at = 0;  // number of the last request for it
  };
  // Shapes as what one cell of a capacity takes of them, in steps; ascending, each once.
  using Steps = std::vector<Room>;
  struct Recent {
    Steps shapes;
    std::vector<std::int64_t> weights;  // beside them: of what is in use, out of 32
  };

  Shape* shape_of(Room const& need);
  bool refresh(FleetFacts const& facts);
  bool refresh_cells(CellTables& cells, std::size_t index, FleetFacts const& facts);
  bool refresh_tight(CellTables& cells, std::size_t index, FleetFacts const& facts);
  [[nodiscard]] Steps main_shapes(CellTables const& cells, FleetFacts const& facts) const;
  [[nodiscard]] Recent recent_shapes(CellTables const& cells) const;

  struct Sources {  // what a capacity's tables were last written from
    Steps main;
    std::int64_t filling = 0;  // how full a cell can become around each main shape, both shares
    Recent recent;
    std::int64_t wc = -1;
  };

  FleetTables tables_;
  std::vector<Sources> sources_;  // beside tables_.cells
  std::vector<Shape> shapes_;     // in the order in which they were first asked for
  SlotMap<ShapeKey> shape_numbers_;
  std::int64_t requests_ = 0;
  bool has_moves_ = false;
};

}  // namespace berth::placement
