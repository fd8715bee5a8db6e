#pragma once
// What an agent sees on its host: the whole of it, each time, from the agent to the daemon.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "berth/base/time.h"
#include "berth/model/host.h"
#include "berth/model/host_spec.h"
#include "berth/model/ids.h"
#include "berth/model/instance.h"

namespace berth {

struct InstanceStatus {
  InstanceId id;
  PlacementGeneration generation;
  Seen seen = Seen::nothing;  // never `nothing` in a report
  std::uint64_t reboots = 0;  // done so far at this generation
  std::uint64_t starts = 0;   // done so far at this generation
  // Only with stopped: the guest ended by itself (power off inside, or its process died) while the
  // spec wanted it running and the agent did not stop it.
  bool ended_by_itself = false;
  std::string reason;      // with failed: why, for people
  std::string private_ip;  // empty: not known
  // Of a guest that runs, as libvirt now has it: the NUMA cells that its memory is bound to,
  // ascending, and the host CPU of each vCPU. Empty: bound to none; its vCPUs float.
  std::vector<std::int32_t> cells;
  std::vector<std::int32_t> cpus;
  // Why the guest, which runs, does not sit where the spec says; for people. Empty: it does.
  std::string unpinned;

  bool operator==(InstanceStatus const&) const = default;
};

struct HostStatus {
  HostId host;
  std::string host_uuid;  // libvirt's; identifies the machine
  std::string boot_id;    // the kernel's; changes with each boot of the host
  // The spec this report is about. Zero: the agent has none yet (new, or lost its files).
  Term term;
  Generation generation;
  std::vector<InstanceStatus> instances;  // by id, ascending: those of the spec, and those found
                                          // with our metadata though no spec names them
  std::vector<std::string> foreign;       // names of domains that are not ours; never touched
  std::vector<std::string> images;        // digests in the cache, ascending
  HostInventory inventory;
  // Only in quarantine: of the spec before it, what the present spec does not know, or knows
  // otherwise (HostSpec::earlier). By id, ascending, unique; bounded, the rest follows when these
  // are decided.
  std::vector<InstanceSpec> earlier;

  bool operator==(HostStatus const&) const = default;
};

}  // namespace berth
