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

 private:
  void every(Duration mean, std::function<void()> fault);
  [[nodiscard]] SimHost& any_host();
  void crash_in_action(SimHost& host, Duration patience);
  [[nodiscard]] Duration outage();
  void partition(std::size_t host, bool up, bool down);

  Cluster& cluster_;
  World& world_;
  bool is_on_ = false;
};

}  // namespace berth::sim
