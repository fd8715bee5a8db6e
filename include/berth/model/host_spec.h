#pragma once
// What a host should run: the whole of it, each time, from the daemon to the agent.

#include <cstdint>
#include <string>
#include <vector>

#include "berth/base/units.h"
#include "berth/model/ids.h"
#include "berth/model/image.h"

namespace berth {

enum class Power {
  running,
  stopped,  // no process; disk kept
  absent,   // a tombstone: the only thing that lets an agent destroy a domain or a disk. It names
            // exactly (id, uuid, generation) and stays until the host has confirmed.
};

struct InstanceSpec {
  InstanceId id;
  PlacementGeneration generation;
  Power power = Power::running;
  std::uint64_t reboots = 0;  // the agent reboots until its own count has caught up
  std::uint64_t starts = 0;   // the agent starts a guest that powered itself off only when its own
                              // count is below this

  std::string uuid;  // the domain's
  std::int64_t vcpus = 1;
  Mebibytes memory;
  std::int64_t disk_gib = 1;
  std::string image_digest;
  ImageFormat image_format = ImageFormat::qcow2;
  Bytes image_size;
  std::string mac;
  // As Placement says: NUMA cells (empty: any), and a host CPU for each vCPU (empty: floats over
  // the shared CPUs of its cells, HostSpec::shared_cpus).
  std::vector<std::int32_t> cells;
  std::vector<std::int32_t> cpus;

  // What the guest is told (NoCloud seed).
  std::string hostname;    // "ip-…" or from the instance id
  std::string public_key;  // empty: none
  std::string user_data;   // empty: none
  std::string tenant;
  std::string type;
  std::string zone;
  std::string region;

  bool operator==(InstanceSpec const&) const = default;
};

// What a NUMA cell has left for guests without CPUs of their own.
struct SharedCpus {
  std::int32_t cell = 0;
  std::vector<std::int32_t> cpus;  // the kernel's numbers, ascending

  bool operator==(SharedCpus const&) const = default;
};

struct HostSpec {
  HostId host;
  // Libvirt's, of the machine that joined as this host. Any other machine with the host's identity
  // (a clone of its disks) must not act on this spec: its guests would run twice. Empty: not said,
  // by a daemon that did not know this field.
  std::string host_uuid;
  Term term;
  Generation generation;
  std::vector<InstanceSpec> instances;  // by id, ascending, unique
  // By cell, ascending; written by the core from the inventory and what it has given away. Empty:
  // nothing is pinned on this host.
  std::vector<SharedCpus> shared_cpus;
  // The region is in quarantine: its records may be older than what runs. The agent starts, stops
  // and removes nothing at all, tombstones included, and reports what it sees.
  bool adopt_only = false;
  // Written by the agent alone, never by the daemon: while `adopt_only`, what the last spec before
  // the quarantine wanted. By id, ascending, unique.
  std::vector<InstanceSpec> earlier;

  bool operator==(HostSpec const&) const = default;
};

// The order in which an agent may go: never to a lower one.
[[nodiscard]] inline bool is_newer(HostSpec const& a, HostSpec const& b) {
  return a.term != b.term ? a.term > b.term : a.generation > b.generation;
}

}  // namespace berth
