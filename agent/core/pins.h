#pragma once
// Where a guest is to sit, and whether it does. Pure.
//
//   CPUs of its own    each vCPU on its one CPU; its other threads on the shared CPUs of its cells,
//                      or on its own CPUs where its cells share none
//   none               each vCPU on the shared CPUs of its cell, or of its cells, or of any cell:
//                      the first of these that has one
//   memory             from its cells, strictly
//
// Of a guest that is shown several NUMA cells each vCPU stays in its own cell, so that what the
// guest sees is true. What this host has not (a CPU that was taken out) is left out and said, and
// the rest is done: a guest that runs in the wrong place is better than one that does not run. CPUs
// that others have to themselves are never used for that.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/action.h"
#include "berth/model/host.h"
#include "berth/model/host_spec.h"

namespace berth::agent {

struct WantedPins {
  Pins pins;            // without lists: nothing is pinned on this host
  std::string lacking;  // for people: what of the spec this host cannot do; empty: nothing
};
// `here` without cells: not known, and every CPU and cell is taken to be there.
[[nodiscard]] WantedPins pins_of(HostSpec const& spec, InstanceSpec const& instance,
                                 HostInventory const& here);

// Whether the CPUs are as wanted. A list that is not wanted is met by any; pinned to every CPU of
// the host is not pinned.
[[nodiscard]] bool is_in_place(Pins const& wanted, Pins const& live, HostInventory const& here);

// That its memory is not bound as wanted, for people; empty: it is.
[[nodiscard]] std::string memory_elsewhere(Pins const& wanted, Pins const& live);

// The host CPU of each vCPU, when each has exactly one; else empty.
[[nodiscard]] std::vector<std::int32_t> one_cpu_each(Pins const& pins);

// "a" and "b" to "a; b"; an empty one adds nothing.
void add_sentence(std::string& text, std::string const& more);

}  // namespace berth::agent
