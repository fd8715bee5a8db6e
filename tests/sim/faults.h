#pragma once
// Faults: what goes wrong in a storm, each kind at its own rate, and all of it mended at its end.

#include "tests/sim/cluster.h"

namespace berth::sim {

class Faults {
 public:
  explicit Faults(Cluster& cluster);

  void start();
  // Everything heals: what was cut is joined, what was off is on, nothing new breaks.
  void stop();

  // A client's call about this instance has just succeeded.
  void aim(InstanceId const& id);
  // Perhaps something breaks where it is, that much later.
  void strike(InstanceId const& id, Duration soon);

  // What the auditor wants to know: a step of the daemon's clock; the store has no room until then.
  std::function<void()> on_wall_step;
  std::function<void(Instant)> on_store_full;

 private:
  struct Target {
    SimHost& host;
    std::optional<InstanceId> instance;  // absent: whichever
  };
  using Kind = std::function<void(Target const&)>;

  // One of the kinds that this seed has.
  void every(Duration mean, Kind kind);
  void again(Duration mean, Kind kind);
  [[nodiscard]] SimHost& any_host();
  void crash_in_action(SimHost& host, Duration patience);
  [[nodiscard]] Duration outage();
  void partition(std::size_t host, bool up, bool down);
  void clog(std::size_t host, Way way, Duration length, Fault fault);
  void swizzle();
  void kill_agent(SimHost& host);
  [[nodiscard]] HostId const& id_of(std::size_t host) const;
  void start_daemon_faults(FaultRates const& rates);
  void start_agent_faults(FaultRates const& rates);
  void start_host_faults(FaultRates const& rates);
  void start_network_faults(FaultRates const& rates);

  Cluster& cluster_;
  World& world_;
  std::vector<Kind> kinds_;
  bool is_on_ = false;
};

}  // namespace berth::sim
