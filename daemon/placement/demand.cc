#include "daemon/placement/demand.h"

#include <algorithm>
#include <optional>

#include "berth/base/ensure.h"

namespace berth::placement {
namespace {

// The constants of the default policy, tuned together on several shapes of hosts and on parts of a
// trace; a change of one is a change of the policy. Percentages are of hosts in use; rho is in
// 2^-12 parts.
constexpr std::int64_t kRequestsPerRefresh = 512;
constexpr std::int64_t kRecentRequests = 65'536;  // a shape asked for within so many counts
constexpr std::int64_t kMainShare = 50;           // a main shape holds 1/50 of what is in use
constexpr std::int64_t kLumpyBelow = 121'897;     // of 2 · 65536: 0.93 of both shares
constexpr std::int64_t kRoomyBelowPercent = 65, kRoomyBelowPercentWithMoves = 70;
constexpr std::int64_t kRoomyBelowRho = 2'867, kRoomyAboveRho = 5'120;
constexpr std::int64_t kTightFromPercent = 75;
constexpr std::int64_t kTightnessBelow = 205, kTightness = 102;
constexpr std::int64_t kFullFromPercent = 90, kFullFromRho = 3'072;  // then memory counts for more
constexpr std::int64_t kWeights = 32;  // weights are whole 32nds, so that they change seldom
constexpr std::int64_t kRhoMin = 256, kRhoMax = 65'536;

// Steps of a table, so that it is written in a moment: at most so many states times shapes.
constexpr std::int32_t kVcpuStepsMax = 512;
constexpr std::int32_t kMemoryStepsMax = 1'024;
constexpr int kMemoryShiftMin = 8;
constexpr std::size_t kShapesInTableMax = 128;
constexpr std::size_t kShapesCountedMax = 4'096;

__extension__ using Wide = __int128;

CellTables tables_for(CellKind const& kind) {
  Room const& capacity = kind.capacity;
  CellTables out;
  out.capacity = capacity;
  out.cells_per_host = kind.cells_per_host;
  out.memory_shift = kMemoryShiftMin;
  while ((capacity.vcpus >> out.vcpu_shift) > kVcpuStepsMax) ++out.vcpu_shift;
  while ((capacity.memory_mib >> out.memory_shift) > kMemoryStepsMax) ++out.memory_shift;
  while (out.memory_shift > 0 && (capacity.memory_mib >> out.memory_shift) == 0) --out.memory_shift;
  out.vcpu_steps = capacity.vcpus >> out.vcpu_shift;
  out.memory_steps = capacity.memory_mib >> out.memory_shift;
  return out;
}

// What one cell takes of the shape, split or not; absent: the host is too small for it.
std::optional<Room> steps_in_cell(Room const& need, CellTables const& cells) {
  for (std::int32_t parts = 1; parts <= cells.cells_per_host; ++parts) {
    Room const steps = cells.steps_needed(part_of(need, parts));
    if (steps.vcpus <= cells.vcpu_steps && steps.memory_mib <= cells.memory_steps) return steps;
  }
  return std::nullopt;
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

// By state: how often each shape still fits, times its value and weight.
template <class Value>
std::vector<std::int32_t> all_choices(CellTables const& cells, std::vector<Room> const& shapes,
                                      std::vector<std::int64_t> const& weights, Value value) {
  auto const width = static_cast<std::size_t>(cells.memory_steps) + 1;
  auto const rows = static_cast<std::size_t>(cells.vcpu_steps) + 1;
  std::vector<std::int32_t> out(rows * width, 0);
  std::vector<std::int32_t> by_memory(width);  // how often memory alone would do
  for (std::size_t s = 0; s < shapes.size(); ++s) {
    if (weights[s] == 0) continue;
    auto const worth = static_cast<std::int32_t>(weights[s] * value(shapes[s]));
    for (std::size_t j = 0; j < width; ++j)
      by_memory[j] = static_cast<std::int32_t>(j) / shapes[s].memory_mib;
    for (std::size_t i = 0; i < rows; ++i) {
      std::int32_t const by_vcpus = static_cast<std::int32_t>(i) / shapes[s].vcpus;
      std::int32_t* const to = out.data() + i * width;
      for (std::size_t j = 0; j < width; ++j) to[j] += worth * std::min(by_vcpus, by_memory[j]);
    }
  }
  return out;
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
  is_changed = is_due ? refresh(facts) : cover(reads, facts);
  if (Shape* const shape = shape_of(need)) shape->asked_at = requests_;
  ++requests_;
  return is_changed;
}

bool Demand::cover(TablesRead reads, FleetFacts const& facts) {
  return reads == TablesRead::regimes && tables_.cells.size() < facts.cells.size() &&
         refresh(facts);
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
    bool const is_main =
        shape.running > 0 &&
        (kMainShare * shape.running * shape.need.vcpus >= facts.used.vcpus ||
         kMainShare * shape.running * shape.need.memory_mib >= facts.used.memory_mib);
    if (!is_main) continue;
    if (std::optional<Room> const steps = steps_in_cell(shape.need, cells)) out.push_back(*steps);
  }
  std::ranges::sort(out);
  auto const twice = std::ranges::unique(out);
  out.erase(twice.begin(), twice.end());
  return out;
}

Demand::Recent Demand::recent_shapes(CellTables const& cells) const {
  std::vector<std::pair<Room, std::int64_t>> recent;  // and how many run
  for (Shape const& shape : shapes_) {
    if (requests_ - shape.asked_at >= kRecentRequests) continue;
    if (std::optional<Room> const steps = steps_in_cell(shape.need, cells))
      recent.emplace_back(*steps, shape.running);
  }
  if (recent.size() > kShapesInTableMax) {
    std::ranges::sort(recent, [](auto const& a, auto const& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    recent.resize(kShapesInTableMax);
  }
  std::ranges::sort(recent);
  Recent out;
  std::vector<std::int64_t> use;
  std::int64_t all = 0;
  for (auto const& [steps, running] : recent) {
    if (out.shapes.empty() || out.shapes.back() != steps) {
      out.shapes.push_back(steps);
      use.push_back(0);
    }
    std::int64_t const held =
        running * (cells.vcpu_share(steps.vcpus) + cells.memory_share(steps.memory_mib));
    use.back() += held;
    all += held;
  }
  for (std::int64_t const held : use)
    out.weights.push_back(all > 0 ? (held * kWeights + all / 2) / all : 0);
  return out;
}

// True: the scores it gives have changed. So of all functions here.
bool Demand::refresh_tight(CellTables& cells, std::size_t index, FleetFacts const& facts) {
  Sources& from = sources_[index];
  auto const is_from = [&](std::int64_t percent) {
    return facts.hosts_in_use * 100 >= percent * facts.hosts;
  };
  std::int64_t const tightness = is_from(kTightFromPercent) ? kTightness : kTightnessBelow;
  bool is_changed = tightness != cells.tightness;
  cells.tightness = tightness;
  Wide const cpu = Wide{facts.used.vcpus} * cells.capacity.memory_mib;
  Wide const both = cpu + Wide{facts.used.memory_mib} * cells.capacity.vcpus;
  std::int64_t weight =
      both > 0 ? static_cast<std::int64_t>((cpu * kWeights + both / 2) / both) : kWeights / 2;
  if (is_from(kFullFromPercent) && cells.rho >= kFullFromRho) weight /= 2;
  cells.wc = weight * (1'024 / kWeights);
  Recent recent = recent_shapes(cells);
  auto const value = [&](Room const& steps) { return cells.value_of(steps); };
  bool const is_other_weight = cells.wc != from.wc;
  bool const is_other_set = is_other_weight || recent.shapes != from.recent.shapes;
  if (is_other_set) cells.worth = most_value(cells, recent.shapes, value);
  bool const is_other_use = is_other_set || recent.weights != from.recent.weights;
  if (is_other_use) cells.choices = all_choices(cells, recent.shapes, recent.weights, value);
  from.recent = std::move(recent);
  from.wc = cells.wc;
  is_changed = is_changed || is_other_use;
  return is_changed;
}

bool Demand::refresh_cells(CellTables& cells, std::size_t index, FleetFacts const& facts) {
  Sources& from = sources_[index];
  Regime const regime = cells.regime;
  std::int64_t const rho = cells.rho;
  Wide const cpu = Wide{facts.used.vcpus} * cells.capacity.memory_mib;
  Wide const memory = Wide{facts.used.memory_mib} * cells.capacity.vcpus;
  cells.rho = 4'096;
  if (cpu > 0 && memory > 0)
    cells.rho = static_cast<std::int64_t>(std::clamp<Wide>(memory * 4'096 / cpu, kRhoMin, kRhoMax));
  Steps main = main_shapes(cells, facts);
  if (main != from.main || from.filling == 0) {
    from.filling = filling_of(cells, main);
    from.main = std::move(main);
  }
  std::int64_t const roomy_below = has_moves_ ? kRoomyBelowPercentWithMoves : kRoomyBelowPercent;
  if (from.filling < kLumpyBelow)
    cells.regime = Regime::lumpy;
  else if (facts.hosts_in_use * 100 < roomy_below * facts.hosts || cells.rho < kRoomyBelowRho ||
           cells.rho > kRoomyAboveRho)
    cells.regime = Regime::roomy;
  else
    cells.regime = Regime::tight;
  if (cells.regime != Regime::tight) return regime != cells.regime || rho != cells.rho;
  return refresh_tight(cells, index, facts) || regime != cells.regime;
}

bool Demand::refresh(FleetFacts const& facts) {
  bool is_changed = false;
  for (std::size_t i = tables_.cells.size(); i < facts.cells.size(); ++i) {
    tables_.cells.push_back(tables_for(facts.cells[i]));
    sources_.emplace_back();
    is_changed = true;
  }
  for (std::size_t i = 0; i < tables_.cells.size(); ++i) {
    if (tables_.cells[i].cells_per_host != facts.cells[i].cells_per_host) {
      tables_.cells[i].cells_per_host = facts.cells[i].cells_per_host;
      sources_[i] = {};
    }
    bool const is_other = refresh_cells(tables_.cells[i], i, facts);
    is_changed = is_changed || is_other;
  }
  return is_changed;
}

}  // namespace berth::placement
