#pragma once
// The seam from an agent to its daemon.

#include <cstdint>

#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"

namespace berth::agent {

class DaemonLink {
 public:
  virtual ~DaemonLink() = default;

  // Not connected: dropped; the driver reports again on every connect.
  virtual void send(HostStatus const& status) = 0;
  // A small sign of life. Numbers grow, and are not those of an earlier run of the agent.
  virtual void heartbeat(std::uint64_t number) = 0;
};

}  // namespace berth::agent
