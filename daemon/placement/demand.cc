#include "daemon/placement/demand.h"

#include <algorithm>
#include <tuple>

#include "berth/base/ensure.h"

namespace berth::placement {
namespace {

// The constants of the default policy, tuned together on several shapes of hosts and on parts of a
// trace; a change of one is a change of the policy.
constexpr std::int64_t kRequestsPerRefresh = 512;
constexpr std::int64_t kRecentRequests = 65'536;    // a shape asked for within so many counts
constexpr std::int64_t kMainShare = 50;             // a main shape holds 1/50 of what is in use
constexpr std::int64_t kLumpyBelow = 121'897;       // of 2 · 65536: 0.93 of both shares
constexpr std::int64_t kRoomyBelowPercent = 65;     // of hosts in use
constexpr std::int64_t kVeryTightFromPercent = 85;  // of hosts in use
constexpr std::int64_t kTightness = 205;
constexpr std::int64_t kVeryTightness = 102;
constexpr std::int64_t kRhoMin = 256, kRhoMax = 65'536;

// Steps of a table, so that it is written in a moment: at most so many states times shapes.
constexpr std::int32_t kVcpuStepsMax = 512;
constexpr std::int32_t kMemoryStepsMax = 1'024;
constexpr int kMemoryShiftMin = 8;
constexpr std::size_t kShapesInTableMax = 128;
constexpr std::size_t kShapesCountedMax = 4'096;

__extension__ using Wide = __int128;

CellTables tables_for(Room const& capacity) {
  CellTables out;
  out.capacity = capacity;
  out.memory_shift = kMemoryShiftMin;
  while ((capacity.vcpus >> out.vcpu_shift) > kVcpuStepsMax) ++out.vcpu_shift;
  while ((capacity.memory_mib >> out.memory_shift) > kMemoryStepsMax) ++out.memory_shift;
  while (out.memory_shift > 0 && (capacity.memory_mib >> out.memory_shift) == 0) --out.memory_shift;
  out.vcpu_steps = capacity.vcpus >> out.vcpu_shift;
  out.memory_steps = capacity.memory_mib >> out.memory_shift;
  return out;
}

bool fits_empty(Room const& steps, CellTables const& cells) {
  return steps.vcpus <= cells.vcpu_steps && steps.memory_mib <= cells.memory_steps;
}

// By state: the most value of `shapes`, each as often as it fits. Row by row of CPU: a row needs
// only rows before it, as every shape takes at least one step.
template <class Value>
std::vector<std::int32_t> most_value(CellTables const& cells, std::vector<Room> const& shapes,
                                     Value value) {
  auto const width = static_cast<std::size_t>(cells.memory_steps) + 1;
  auto const rows = static_cast<std::size_t>(cells.vcpu_steps) + 1;
  std::vector<std::int32_t> out(rows * width, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    for (Room const& shape : shapes) {
      auto const c = static_cast<std::size_t>(shape.vcpus);
      auto const m = static_cast<std::size_t>(shape.memory_mib);
      if (c > i) continue;
      auto const worth = static_cast<std::int32_t>(value(shape));
      std::int32_t* const to = out.data() + i * width;
      std::int32_t const* const from = out.data() + (i - c) * width;
      for (std::size_t j = m; j < width; ++j) to[j] = std::max(to[j], from[j - m] + worth);
    }
  }
  return out;
}

// How full a cell can become around each of the main shapes, the least full one.
std::int64_t filling_of(CellTables const& cells, std::vector<Room> const& main) {
  std::int64_t out = 2 * CellTables::kWhole;
  if (main.empty()) return out;
  auto const both = [&](Room const& s) {
    return cells.vcpu_share(s.vcpus) + cells.memory_share(s.memory_mib);
  };
  std::vector<std::int32_t> const most = most_value(cells, main, both);
  auto const width = static_cast<std::size_t>(cells.memory_steps) + 1;
  for (Room const& s : main) {
    auto const row = static_cast<std::size_t>(cells.vcpu_steps - s.vcpus);
    auto const column = static_cast<std::size_t>(cells.memory_steps - s.memory_mib);
    out = std::min(out, both(s) + most[row * width + column]);
  }
  return out;
}

void sort_once(std::vector<Room>& steps) {
  std::ranges::sort(steps);
  auto const twice = std::ranges::unique(steps);
  steps.erase(twice.begin(), twice.end());
}

}  // namespace

CellTables const& FleetTables::of(Room const& capacity) const {
  auto const at = std::ranges::find(cells, capacity, &CellTables::capacity);
  ENSURE(at != cells.end());
  return *at;
}

Demand::Shape* Demand::shape_of(Room const& need) {
  std::uint32_t number = shape_numbers_.find({need});
  if (number == SlotMap<ShapeKey>::kAbsent) {
    if (shapes_.size() >= kShapesCountedMax) return nullptr;
    number = static_cast<std::uint32_t>(shapes_.size());
    shapes_.push_back({.need = need, .running = 0, .asked_at = -kRecentRequests});
    shape_numbers_.insert({need}, number);
  }
  return &shapes_[number];
}

bool Demand::asked(Room const& need, TablesRead reads, FleetFacts const& facts) {
  if (reads == TablesRead::nothing) return false;
  bool is_changed = false;
  if (reads == TablesRead::scarcity) {
    bool const is_memory_scarce = Wide{facts.used.memory_mib} * facts.capacity.vcpus >
                                  Wide{facts.used.vcpus} * facts.capacity.memory_mib;
    is_changed = is_memory_scarce != tables_.is_memory_scarce;
    tables_.is_memory_scarce = is_memory_scarce;
    return is_changed;
  }
  bool const is_due = requests_ % kRequestsPerRefresh == 0;
  if (is_due || tables_.cells.size() < facts.cell_capacities.size()) is_changed = refresh(facts);
  if (Shape* const shape = shape_of(need)) shape->asked_at = requests_;
  ++requests_;
  return is_changed;
}

std::int64_t Demand::quiet_requests(TablesRead reads) const {
  switch (reads) {
    case TablesRead::nothing: return INT64_MAX;
    case TablesRead::scarcity: return 0;
    case TablesRead::regimes: break;
  }
  std::int64_t const past = requests_ % kRequestsPerRefresh;
  return past == 0 ? 0 : kRequestsPerRefresh - past;
}

void Demand::asked_quietly(Room const& need, TablesRead reads, std::int64_t count) {
  if (reads != TablesRead::regimes || count == 0) return;
  requests_ += count;
  if (Shape* const shape = shape_of(need)) shape->asked_at = requests_ - 1;
}

void Demand::placed(Room const& need, TablesRead reads, std::int64_t count) {
  if (reads != TablesRead::regimes) return;
  if (Shape* const shape = shape_of(need)) shape->running += count;
}

void Demand::released(Room const& need, TablesRead reads) {
  if (reads != TablesRead::regimes) return;
  if (Shape* const shape = shape_of(need)) --shape->running;
}

Demand::Steps Demand::main_shapes(CellTables const& cells, FleetFacts const& facts) const {
  Steps out;
  for (Shape const& shape : shapes_) {
    Room const steps = cells.steps_needed(shape.need);
    bool const is_main =
        shape.running > 0 &&
        (kMainShare * shape.running * shape.need.vcpus >= facts.used.vcpus ||
         kMainShare * shape.running * shape.need.memory_mib >= facts.used.memory_mib);
    if (is_main && fits_empty(steps, cells)) out.push_back(steps);
  }
  sort_once(out);
  return out;
}

Demand::Steps Demand::recent_shapes(CellTables const& cells) const {
  std::vector<Shape const*> recent;
  for (Shape const& shape : shapes_) {
    if (requests_ - shape.asked_at < kRecentRequests &&
        fits_empty(cells.steps_needed(shape.need), cells))
      recent.push_back(&shape);
  }
  if (recent.size() > kShapesInTableMax) {
    std::ranges::stable_sort(recent, std::ranges::greater(), &Shape::running);
    recent.resize(kShapesInTableMax);
  }
  Steps out;
  for (Shape const* shape : recent) out.push_back(cells.steps_needed(shape->need));
  sort_once(out);
  return out;
}

void Demand::refresh_cells(CellTables& cells, std::size_t index, FleetFacts const& facts) {
  Sources& from = sources_[index];
  Wide const cpu = Wide{facts.used.vcpus} * cells.capacity.memory_mib;
  Wide const memory = Wide{facts.used.memory_mib} * cells.capacity.vcpus;
  Steps main = main_shapes(cells, facts);
  if (main != from.main || from.filling == 0) {
    from.filling = filling_of(cells, main);
    from.main = std::move(main);
  }
  cells.rho = 4'096;
  cells.tightness = 0;
  cells.regime = Regime::tight;
  if (from.filling < kLumpyBelow)
    cells.regime = Regime::lumpy;
  else if (facts.hosts_in_use * 100 < kRoomyBelowPercent * facts.hosts)
    cells.regime = Regime::roomy;
  if (cells.regime != Regime::tight) {
    if (cpu > 0 && memory > 0)
      cells.rho =
          static_cast<std::int64_t>(std::clamp<Wide>(memory * 4'096 / cpu, kRhoMin, kRhoMax));
    return;
  }
  cells.tightness =
      facts.hosts_in_use * 100 >= kVeryTightFromPercent * facts.hosts ? kVeryTightness : kTightness;
  Wide const both = cpu + memory;
  cells.wc = both == 0 ? 512 : 32 * static_cast<std::int64_t>((cpu * 32 + both / 2) / both);
  Steps recent = recent_shapes(cells);
  if (recent == from.recent && cells.wc == from.recent_wc) return;
  from.recent = std::move(recent);
  from.recent_wc = cells.wc;
  cells.worth =
      most_value(cells, from.recent, [&](Room const& steps) { return cells.value_of(steps); });
}

bool Demand::refresh(FleetFacts const& facts) {
  bool is_changed = false;
  for (std::size_t i = tables_.cells.size(); i < facts.cell_capacities.size(); ++i) {
    tables_.cells.push_back(tables_for(facts.cell_capacities[i]));
    sources_.emplace_back();
    is_changed = true;
  }
  for (std::size_t i = 0; i < tables_.cells.size(); ++i) {
    CellTables& cells = tables_.cells[i];
    auto const mark = [&] {
      return std::tuple(cells.regime, cells.rho, cells.wc, cells.tightness);
    };
    auto const before = mark();
    Steps const recent = sources_[i].recent;
    refresh_cells(cells, i, facts);
    is_changed = is_changed || before != mark() || recent != sources_[i].recent;
  }
  return is_changed;
}

}  // namespace berth::placement
