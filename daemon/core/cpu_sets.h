#pragma once
// Which of a host's CPUs an instance has to itself, and what is left for the others. Pure.
//
// A dedicated CPU is given with its whole core: a neighbour on a sibling thread would take half of
// it and could watch it through the caches they share. CPUs are given from admission until the
// instance is known to be stopped or gone (`held`), as its memory is.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "berth/model/host.h"
#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"
#include "daemon/core/state.h"

namespace berth::core {

using CpuSet = std::set<std::int32_t>;  // the kernel's numbers

// A host CPU for each of `vcpus`, in their order: an even share from each of `cells` (the first
// ones have one more where it does not divide), of whole free cores, the lowest first; neighbouring
// vCPUs are siblings. What an odd count leaves of a core stays idle. `given`: with whole cores, as
// given_cpus has them. Absent: a cell is not there, or has too few whole cores free; or there is
// nothing to choose from or for.
[[nodiscard]] std::optional<std::vector<std::int32_t>> choose_cpus(
    HostInventory const& inventory, std::vector<std::int32_t> const& cells, CpuSet const& given,
    std::int64_t vcpus);

// The same for several instances of one decision: what it gave to one is not free to the next.
class CpuDraft {
 public:
  explicit CpuDraft(State const& state) : state_(state) {}

  [[nodiscard]] std::optional<std::vector<std::int32_t>> choose(
      HostId const& host, std::vector<std::int32_t> const& cells, std::int64_t vcpus);

 private:
  State const& state_;
  std::map<HostId, CpuSet> given_;  // of the hosts that were asked for
};

// What the instance has to itself now: none unless its CPUs are dedicated and it holds CPUs.
[[nodiscard]] std::vector<std::int32_t> const& own_cpus(Instance const& instance);

// The whole cores that instances of the host have to themselves, idle siblings included. A CPU that
// the inventory no longer has is still given: it may come back.
[[nodiscard]] CpuSet given_cpus(State const& state, HostId const& host);

// What each cell has left, by cell. Empty: the host's inventory is not known.
[[nodiscard]] std::vector<SharedCpus> shared_cpus(State const& state, HostId const& host);

// Why a guest that runs does not sit where its record says, for people; empty: it does. `line` is
// of a report about the newest spec of its host.
[[nodiscard]] std::string unpinned(Instance const& instance, InstanceStatus const& line);

}  // namespace berth::core
