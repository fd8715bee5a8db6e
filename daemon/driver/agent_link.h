#pragma once
// The seam from the daemon to its agents. Messages are whole states, so a lost, doubled, late or
// reordered one is harmless; nothing here waits, retries or acknowledges.

#include <functional>
#include <string>

#include "berth/base/result.h"
#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"

namespace berth::driver {

class AgentLink {
 public:
  using ConsoleDone = std::function<void(Result<std::string>)>;

  virtual ~AgentLink() = default;

  // To a host that is not connected: dropped. A newer spec replaces one still waiting to be sent.
  virtual void send(HostSpec const& spec) = 0;

  // The answer to a heartbeat: the agent counts its lease from when it *sent* that heartbeat.
  virtual void grant_lease(HostId const& host, std::uint64_t heartbeat) = 0;

  // Cuts the connection, if there is one (removed host, refused identity).
  virtual void drop(HostId const& host) = 0;

  // The last bytes of an instance's serial console. `done` is called once, from any thread:
  // unavailable when the host is not connected, timeout after some seconds.
  virtual void read_console(HostId const& host, InstanceId const& instance, ConsoleDone done) = 0;
};

}  // namespace berth::driver
