#include "tests/sim/faults.h"

#include <utility>

namespace berth::sim {

Faults::Faults(Cluster& cluster) : cluster_(cluster), world_(cluster.world) {}

void Faults::every(Duration mean, std::function<void()> fault) {
  if (mean.ns == 0) return;
  world_.after(world_.about(mean), [this, mean, fault = std::move(fault)] {
    if (!is_on_) return;
    fault();
    every(mean, fault);
  });
}

// Mostly one where something can go wrong: with work under way, or at least with guests.
SimHost& Faults::any_host() {
  std::vector<SimHost*> busy;
  std::vector<SimHost*> used;
  for (auto const& host : cluster_.hosts) {
    agent::Driver const* const driver = host->driver();
    if (driver != nullptr && driver->actions_under_way() > 0) busy.push_back(host.get());
    if (!host->machine().domains.empty()) used.push_back(host.get());
  }
  std::uint64_t const choice = world_.entropy().below(4);
  if (choice < 2 && !busy.empty()) return *busy[world_.entropy().below(busy.size())];
  if (choice < 3 && !used.empty()) return *used[world_.entropy().below(used.size())];
  return *cluster_.hosts[world_.entropy().below(cluster_.hosts.size())];
}

Duration Faults::outage() {
  return world_.between(cluster_.options.outage.low, cluster_.options.outage.high);
}

void Faults::partition(std::size_t host, bool up, bool down) {
  world_.note(up && down ? "partition" : "one-way partition", {}, {}, host);
  world_.met("partition", up && down ? "both ways" : (up ? "up" : "down"));
  if (up) cluster_.network.block(host, Way::up);
  if (down) cluster_.network.block(host, Way::down);
  world_.after(outage(), [this, host, up, down] {
    if (up) cluster_.network.unblock(host, Way::up);
    if (down) cluster_.network.unblock(host, Way::down);
  });
}

// Looks until an action is under way, then kills its agent at some moment of it.
void Faults::crash_in_action(SimHost& host, Duration patience) {
  if (!is_on_ || patience.ns <= 0 || !host.is_agent_up()) return;
  if (host.driver()->actions_under_way() == 0) {
    world_.after(milliseconds(100),
                 [this, &host, patience] { crash_in_action(host, patience - milliseconds(100)); });
    return;
  }
  world_.after(world_.between({}, cluster_.options.action.high * 2), [this, &host] {
    if (!is_on_) return;
    host.kill_agent(false);
    world_.after(world_.between(cluster_.options.restart.low, cluster_.options.restart.high),
                 [&host] { host.start_agent(); });
  });
}

void Faults::start() {
  is_on_ = true;
  FaultRates const& f = cluster_.options.every;
  Entropy& e = world_.entropy();
  every(f.daemon_crash, [this, &e] {
    SimStore* const store = cluster_.daemon.store();
    if (store != nullptr && e.below(4) != 0) {
      store->crash_in_next([this] {
        if (is_on_) cluster_.daemon.crash();
      });
    } else {
      cluster_.daemon.crash();
    }
  });
  every(f.store_failure, [this] {
    if (SimStore* store = cluster_.daemon.store()) store->fail_next();
  });
  every(f.store_stall, [this] {
    world_.note("store stalls");
    if (SimStore* store = cluster_.daemon.store())
      store->stall(world_.between(seconds(1), seconds(60)));
  });
  every(f.agent_crash, [this] {
    SimHost& host = any_host();
    if (world_.entropy().below(2) == 0) {
      crash_in_action(host, minutes(2));
      return;
    }
    host.kill_agent(false);
    world_.after(world_.between(cluster_.options.restart.low, cluster_.options.restart.high),
                 [&host] { host.start_agent(); });
  });
  every(f.agent_stall, [this] { any_host().stall_agent(world_.between(seconds(1), minutes(2))); });
  every(f.host_power_cut, [this] {
    SimHost& host = any_host();
    world_.met("power cut", host.machine().domains.empty() ? "empty host" : "host with instances");
    host.power_cut();
    world_.after(outage(), [&host] { host.power_on(); });
  });
  every(f.files_lost, [this] {
    SimHost& host = any_host();
    host.kill_agent(false);
    world_.note("files lost", host.machine().id().value);
    host.lose_files();
    cluster_.checkers.on_files_lost(host.machine().id());
    world_.after(world_.between(cluster_.options.restart.low, cluster_.options.restart.high),
                 [&host] { host.start_agent(); });
  });
  every(f.partition, [this, &e] { partition(e.below(cluster_.hosts.size()), true, true); });
  every(f.one_way, [this, &e] {
    bool const is_up = e.below(2) == 0;
    partition(e.below(cluster_.hosts.size()), is_up, !is_up);
  });
  every(f.big_partition, [this, &e] {
    for (std::size_t i = 0; i < cluster_.hosts.size(); ++i) {
      if (e.below(3) == 0) partition(i, true, true);
    }
  });
  every(f.link_cut, [this, &e] { cluster_.network.cut(e.below(cluster_.hosts.size())); });
  every(f.guest_vanishes, [this, &e] {
    SimHost& host = any_host();
    if (auto const id = host.machine().any_running(e)) host.machine().kill_guest(*id);
  });
  every(f.guest_powers_off, [this, &e] {
    SimHost& host = any_host();
    if (auto const id = host.machine().any_running(e)) host.machine().end_guest(*id);
  });
  every(f.wall_step,
        [this] { cluster_.daemon.clock().step_wall(world_.between(seconds(-60), seconds(60))); });
}

void Faults::stop() {
  is_on_ = false;
  cluster_.options = calmed(cluster_.options);
  for (std::size_t i = 0; i < cluster_.hosts.size(); ++i) {
    cluster_.network.unblock(i, Way::up);
    cluster_.network.unblock(i, Way::down);
    cluster_.hosts[i]->power_on();
    cluster_.hosts[i]->start_agent();
  }
  cluster_.daemon.start();
}

}  // namespace berth::sim
