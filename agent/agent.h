#pragma once
// The process: every long-lived object of berth-agent, and the one thread that the driver runs on.

#include <memory>

#include "agent/settings.h"

namespace berth::agent {

class Agent {
 public:
  // Running when it returns: it goes on trying for its libvirt and its daemon.
  static Result<std::unique_ptr<Agent>> start(Settings settings);
  ~Agent();  // stop()
  // Leaves every guest as it is.
  void stop();

 private:
  struct Parts;
  explicit Agent(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace berth::agent
