#pragma once
// A physical server: what the operator said of it, and what its agent found on it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "berth/base/time.h"
#include "berth/base/units.h"
#include "berth/model/ids.h"
#include "berth/model/tenant.h"

namespace berth {

enum class VirtType { kvm, qemu };  // qemu: emulation (TCG); no isolation boundary

struct HostCpu {
  std::int32_t id = 0;  // the kernel's number
  std::int32_t core = 0;
  std::vector<std::int32_t>
      siblings;  // ids of the threads of this core, itself included, ascending

  bool operator==(HostCpu const&) const = default;
};

struct HugePages {
  std::int64_t size_kib = 0;
  std::int64_t count = 0;

  bool operator==(HugePages const&) const = default;
};

// A NUMA cell.
struct HostCell {
  std::int32_t id = 0;
  Mebibytes memory;
  std::vector<HostCpu> cpus;
  std::vector<HugePages> huge_pages;

  bool operator==(HostCell const&) const = default;
};

// Written by the agent, from libvirt's capabilities and its own probes.
struct HostInventory {
  std::vector<HostCell> cells;  // never empty once an agent has reported
  std::string cpu_model;        // libvirt's name, "Skylake-Server"; empty: unknown
  std::string cpu_vendor;       // "Intel", "AMD"
  VirtType virt_type = VirtType::qemu;
  bool is_confined = false;  // AppArmor or SELinux confines each guest
  Bytes disk_total;          // of the file system that holds images and disks
  Bytes disk_free;
  std::string hostname;
  std::string libvirt_version;
  std::string qemu_version;
  std::string agent_version;

  bool operator==(HostInventory const&) const = default;
};

[[nodiscard]] inline std::int64_t cpu_count(HostInventory const& inventory) {
  std::int64_t n = 0;
  for (HostCell const& cell : inventory.cells) n += static_cast<std::int64_t>(cell.cpus.size());
  return n;
}
[[nodiscard]] inline Mebibytes memory(HostInventory const& inventory) {
  Mebibytes sum;
  for (HostCell const& cell : inventory.cells) sum += cell.memory;
  return sum;
}

struct Host {
  HostId id;
  std::string name;  // unique in the region; given at enrolment
  ZoneName zone;
  std::string rack;          // empty: not stated
  Tags tags;                 // the operator's
  bool is_cordoned = false;  // an operator's wish: nothing new is placed here
  // SHA-256 (hex) of the one-time join token; empty once it was used. Written at enrolment.
  std::string join_token_digest;
  WallTime join_token_expires;
  // The host's own identity (libvirt's host UUID), bound at the first join; empty before. A second
  // machine that shows another UUID under this name is refused.
  std::string host_uuid;
  std::optional<HostInventory> inventory;  // absent: no agent has reported yet
  WallTime created;

  bool operator==(Host const&) const = default;
};

// Derived by the core from leases; never stored.
enum class HostHealth { never_seen, up, suspect, lost };

}  // namespace berth
