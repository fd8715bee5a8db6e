#include "daemon/core/cpu_sets.h"

#include <algorithm>
#include <map>

#include "berth/base/plant.h"

namespace berth::core {

namespace {

// Cores are told apart by their lowest sibling: a core's own number is unique in its socket only.
std::int32_t core_of(HostCpu const& cpu) {
  auto const lowest = std::ranges::min_element(cpu.siblings);
  return lowest == cpu.siblings.end() ? cpu.id : std::min(*lowest, cpu.id);
}

// A cell's cores, the lowest first, each with those of its CPUs that are there, ascending.
std::map<std::int32_t, CpuSet> cores_of(HostCell const& cell) {
  std::map<std::int32_t, CpuSet> cores;
  for (HostCpu const& cpu : cell.cpus) cores[core_of(cpu)].insert(cpu.id);
  return cores;
}

// The same CPUs and what else is of their cores.
void add_siblings(HostInventory const& inventory, CpuSet& cpus) {
  for (HostCell const& cell : inventory.cells) {
    for (auto const& [core, threads] : cores_of(cell)) {
      bool const is_given =
          std::ranges::any_of(threads, [&](std::int32_t id) { return cpus.contains(id); });
      if (is_given) cpus.insert(threads.begin(), threads.end());
    }
  }
}

bool choose_from(HostCell const& cell, CpuSet const& given, std::int64_t vcpus,
                 std::vector<std::int32_t>& chosen) {
  for (auto const& [core, cpus] : cores_of(cell)) {
    if (vcpus <= 0) break;
    bool const is_free =
        PLANTED(cpus_given_twice) ||
        std::ranges::none_of(cpus, [&](std::int32_t id) { return given.contains(id); });
    if (!is_free) continue;
    for (std::int32_t const id : cpus) {
      if (vcpus <= 0) break;
      chosen.push_back(id);
      --vcpus;
    }
  }
  return vcpus <= 0;
}

std::string text(std::vector<std::int32_t> const& numbers) {
  std::string out;
  for (std::int32_t const n : numbers) out += (out.empty() ? "" : ",") + std::to_string(n);
  return out.empty() ? "none" : out;
}

}  // namespace

std::optional<std::vector<std::int32_t>> choose_cpus(HostInventory const& inventory,
                                                     std::vector<std::int32_t> const& cells,
                                                     CpuSet const& given, std::int64_t vcpus) {
  if (cells.empty() || vcpus < 1) return std::nullopt;
  std::vector<std::int32_t> chosen;
  auto const count = static_cast<std::int64_t>(cells.size());
  std::int64_t rest = vcpus % count;
  for (std::int32_t const id : cells) {
    auto const cell = std::ranges::find(inventory.cells, id, &HostCell::id);
    if (cell == inventory.cells.end()) return std::nullopt;
    std::int64_t const share = vcpus / count + (rest-- > 0 ? 1 : 0);
    if (!choose_from(*cell, given, share, chosen)) return std::nullopt;
  }
  return chosen;
}

std::optional<std::vector<std::int32_t>> CpuDraft::choose(HostId const& host,
                                                          std::vector<std::int32_t> const& cells,
                                                          std::int64_t vcpus) {
  Host const* record = find(state_.hosts, host);
  if (record == nullptr || !record->inventory) return std::nullopt;
  auto const [it, is_first] = given_.try_emplace(host);
  CpuSet& given = it->second;
  if (is_first) given = given_cpus(state_, host);
  std::optional<std::vector<std::int32_t>> chosen =
      choose_cpus(*record->inventory, cells, given, vcpus);
  if (chosen) given.insert(chosen->begin(), chosen->end());
  if (chosen) add_siblings(*record->inventory, given);
  return chosen;
}

std::vector<std::int32_t> const& own_cpus(Instance const& instance) {
  static std::vector<std::int32_t> const none;
  bool const has_some = instance.is_cpu_dedicated && held(instance).vcpus > 0;
  return has_some ? instance.placement->cpus : none;
}

CpuSet given_cpus(State const& state, HostId const& host) {
  CpuSet given;
  if (auto const* ids = find(state.derived.instances_of_host, host)) {
    for (InstanceId const& id : *ids) {
      std::vector<std::int32_t> const& own = own_cpus(state.instances.at(id));
      given.insert(own.begin(), own.end());
    }
  }
  Host const* record = find(state.hosts, host);
  if (given.empty() || record == nullptr || !record->inventory) return given;
  add_siblings(*record->inventory, given);
  return given;
}

std::vector<SharedCpus> shared_cpus(State const& state, HostId const& host) {
  std::vector<SharedCpus> shared;
  Host const* record = find(state.hosts, host);
  if (record == nullptr || !record->inventory) return shared;
  CpuSet const given = given_cpus(state, host);
  for (HostCell const& cell : record->inventory->cells) {
    CpuSet left;
    for (HostCpu const& cpu : cell.cpus) {
      if (!given.contains(cpu.id)) left.insert(cpu.id);
    }
    shared.push_back({.cell = cell.id, .cpus = {left.begin(), left.end()}});
  }
  std::ranges::sort(shared, {}, &SharedCpus::cell);
  return shared;
}

std::string unpinned(Instance const& instance, InstanceStatus const& line) {
  constexpr std::size_t kBytesMax = 512;
  if (line.seen != Seen::running || !instance.placement) return "";
  if (!line.unpinned.empty()) return line.unpinned.substr(0, kBytesMax);
  // An agent that says nothing is believed only as far as what it sees is what was asked for: an
  // older one pins nothing and knows of nothing to say.
  std::vector<std::int32_t> const& cells = instance.placement->cells;
  if (!cells.empty() && line.cells != cells) {
    return "its memory is to come from NUMA cells " + text(cells) + "; its host says " +
           text(line.cells);
  }
  std::vector<std::int32_t> const& own = own_cpus(instance);
  if (!own.empty() && line.cpus != own) {
    return "its own CPUs are " + text(own) + "; its host says " + text(line.cpus);
  }
  return "";
}

}  // namespace berth::core
