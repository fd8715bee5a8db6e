#include "daemon/core/instance_state.h"

#include <algorithm>

namespace berth::core {

std::string_view name(InstanceState state) {
  switch (state) {
    case InstanceState::pending: return "pending";
    case InstanceState::running: return "running";
    case InstanceState::shutting_down: return "shutting-down";
    case InstanceState::terminated: return "terminated";
    case InstanceState::stopping: return "stopping";
    case InstanceState::stopped: return "stopped";
  }
  return "unknown";
}

InstanceState instance_state(Instance const& instance) {
  switch (instance.wanted) {
    case Wanted::running:
      return instance.seen == Seen::running ? InstanceState::running : InstanceState::pending;
    case Wanted::stopped:
      return instance.seen == Seen::stopped ? InstanceState::stopped : InstanceState::stopping;
    case Wanted::terminated:
      return instance.placement ? InstanceState::shutting_down : InstanceState::terminated;
  }
  return InstanceState::pending;
}

// EC2: "ip-10-0-0-5.ec2.internal" in us-east-1, "ip-10-0-0-5.REGION.compute.internal" elsewhere.
std::string private_dns_name(Instance const& instance, std::string_view region) {
  if (instance.private_ip.empty()) return "";
  std::string host = "ip-" + instance.private_ip;
  std::replace(host.begin(), host.end(), '.', '-');
  return host + (region == "us-east-1" ? ".ec2.internal"
                                       : "." + std::string(region) + ".compute.internal");
}

}  // namespace berth::core
