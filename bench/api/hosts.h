#pragma once
// Hosts that run whatever they are told to, a moment later, on one thread for all of them.

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/core/gate.h"
#include "daemon/driver/agent_link.h"

namespace berth::bench {

class Hosts final : public driver::AgentLink {
 public:
  Hosts() = default;
  ~Hosts() override { stop(); }

  // Joins this many hosts of 128 threads and 1 TiB, and keeps them alive from then on.
  void start(core::Gate& gate, std::vector<HostId> ids);
  void stop();

  void send(HostSpec const& spec) override;
  void grant_lease(HostId const&, std::uint64_t) override {}
  void drop(HostId const&) override {}
  void read_console(HostId const&, InstanceId const& id, ConsoleDone done) override {
    done("console of " + id.value);
  }

 private:
  void run(std::stop_token const& stop);
  [[nodiscard]] HostStatus status(HostSpec const& spec) const;

  core::Gate* gate_ = nullptr;
  std::vector<HostId> ids_;
  std::mutex mutex_;
  std::map<HostId, HostSpec> specs_;  // the newest of each
  // Hosts whose spec changed since they last reported, and when each will: not all at once.
  std::map<HostId, std::chrono::steady_clock::time_point> due_;
  std::jthread thread_;
};

}  // namespace berth::bench
