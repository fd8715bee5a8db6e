#pragma once
// What an operator may tune; read from flags once, then constant for the run.

#include <cstdint>
#include <string>

#include "berth/base/units.h"
#include "berth/model/limits.h"
#include "berth/model/tenant.h"

namespace berth::core {

struct Policy {
  std::string region = "us-east-1";
  // vCPUs sold per hardware thread, in thousandths.
  std::int64_t cpu_overcommit_permille = 4'000;
  // Of each host, never sold: the hypervisor, the agent, the kernel.
  Mebibytes host_memory_reserve{512};
  std::int64_t host_disk_reserve_gib = 2;
  // Of each zone so many hosts may fail and what runs still finds room: that much is not sold.
  std::int32_t reserve_hosts = 0;
  // In larger regions the note of an accepted placement has no counts of hosts: for these each host
  // is looked at. A refusal always has them.
  std::size_t explained_hosts_max = 1'024;
  Quota default_quota;
  Duration terminated_retention = limits::kTerminatedRetention;
  Duration client_token_retention = limits::kClientTokenRetention;
  Duration lease = limits::kLease;
  Duration lost_after = limits::kLostAfter;

  bool operator==(Policy const&) const = default;
};

}  // namespace berth::core
