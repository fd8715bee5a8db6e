// Whose CPUs are whose: the checks of NUMA cells and of CPUs that instances have to themselves.

#include <algorithm>

#include "tests/sim/checkers.h"

namespace berth::sim {

namespace {

using CpuSet = std::set<std::int32_t>;

struct SimCell {
  std::int32_t id = 0;
  CpuSet left;  // not taken by anybody
};

CpuSet all_of(std::vector<SimCell> const& cells, std::vector<std::int32_t> const& ids) {
  CpuSet out;
  for (SimCell const& cell : cells) {
    if (ids.empty() || std::ranges::count(ids, cell.id) > 0)
      out.insert(cell.left.begin(), cell.left.end());
  }
  return out;
}

// Each vCPU within `wanted`, and all of it used by some.
bool float_over(agent::Pins const& pins, std::int64_t vcpus, CpuSet const& wanted,
                CpuSet const& every) {
  CpuSet used;
  for (std::size_t i = 0; i < static_cast<std::size_t>(vcpus); ++i) {
    bool const is_pinned = i < pins.vcpus.size() && !pins.vcpus[i].empty();
    CpuSet const one = is_pinned ? CpuSet(pins.vcpus[i].begin(), pins.vcpus[i].end()) : every;
    if (!std::ranges::includes(wanted, one)) return false;
    used.insert(one.begin(), one.end());
  }
  return used == wanted;
}

}  // namespace

std::string Checkers::misplaced(core::State const& state, Machine const& machine) {
  Host const* host = core::find(state.hosts, machine.id());
  if (host == nullptr || !host->inventory) return "";
  std::vector<Instance const*> running;
  CpuSet taken;
  for (auto const& [id, domain] : machine.domains) {
    Instance const* i = core::find(state.instances, id);
    if (i == nullptr || !i->placement || domain.process != SimDomain::Process::running) continue;
    running.push_back(i);
    if (i->is_cpu_dedicated) taken.insert(i->placement->cpus.begin(), i->placement->cpus.end());
  }
  std::vector<SimCell> cells;
  CpuSet every;
  for (HostCell const& cell : host->inventory->cells) {
    SimCell& one = cells.emplace_back(SimCell{.id = cell.id, .left = {}});
    for (HostCpu const& cpu : cell.cpus) {
      every.insert(cpu.id);
      bool const is_taken = std::ranges::any_of(
          cpu.siblings, [&](std::int32_t thread) { return taken.contains(thread); });
      if (!is_taken) one.left.insert(cpu.id);
    }
  }
  for (Instance const* i : running) {
    agent::Pins const& pins = machine.domains.at(i->id).pins;
    std::string const is = i->id.value + " on " + machine.id().value;
    if (!i->placement->cells.empty() && pins.cells != i->placement->cells)
      return "I4: the memory of " + is + " is not from its cells";
    if (i->is_cpu_dedicated && !i->placement->cpus.empty()) {
      for (std::size_t v = 0; v < i->placement->cpus.size(); ++v) {
        bool const is_there =
            v < pins.vcpus.size() && pins.vcpus[v] == std::vector{i->placement->cpus[v]};
        if (!is_there) return "I4: vCPU " + std::to_string(v) + " of " + is + " is not on its CPU";
      }
      continue;
    }
    CpuSet const wanted = all_of(cells, i->placement->cells);
    if (!wanted.empty() && !float_over(pins, i->vcpus, wanted, every))
      return "I4: " + is + " does not run on what its cells share";
  }
  return "";
}

// I4: a CPU that somebody has to himself is nobody else's, and he keeps it while he may run.
void Checkers::check_own_cpus(InstanceId const& id, Durable const& now, Durable const& before) {
  if (!now.placement || now.is_known_stopped || returned_.contains(id)) return;
  bool const may_have_run = before.placement && !before.is_known_stopped;
  if (may_have_run && before.own_cpus != now.own_cpus) {
    world_.violated("I4: " + id.value + " was given other CPUs while it may run");
  }
  if (now.own_cpus.empty()) return;
  std::set<std::int32_t> const own(now.own_cpus.begin(), now.own_cpus.end());
  for (auto const& [other_id, other] : durable_) {
    if (other_id == id || !other.placement || other.placement->host != now.placement->host ||
        other.is_known_stopped || returned_.contains(other_id)) {
      continue;
    }
    for (std::int32_t const cpu : other.own_cpus) {
      if (!own.contains(cpu)) continue;
      world_.violated("I4: CPU " + std::to_string(cpu) + " of " + now.placement->host.value +
                      " is " + id.value + "'s own and " + other_id.value + "'s");
    }
  }
}

}  // namespace berth::sim
