#include "tests/sim/faults.h"

#include <utility>

namespace berth::sim {

Faults::Faults(Cluster& cluster) : cluster_(cluster), world_(cluster.world) {}

void Faults::every(Duration mean, Kind kind) {
  if (mean.ns == 0) return;
  kinds_.push_back(kind);
  again(mean, std::move(kind));
}

void Faults::again(Duration mean, Kind kind) {
  world_.after(world_.about(mean), [this, mean, kind = std::move(kind)] {
    if (!is_on_) return;
    kind({any_host(), std::nullopt});
    again(mean, kind);
  });
}

// Things break when they are moved: something that is armed strikes at what was just begun there.
void Faults::aim(InstanceId const& id) {
  strike(id, world_.between({}, world_.entropy().below(2) == 0 ? milliseconds(500) : seconds(15)));
}

void Faults::strike(InstanceId const& id, Duration soon) {
  if (kinds_.empty() || !world_.chance(cluster_.options.ppm.fault_aimed)) return;
  std::size_t const kind = world_.entropy().below(kinds_.size());
  world_.after(soon, [this, id, kind] {
    if (!is_on_) return;
    for (auto const& host : cluster_.hosts) {
      if (host->machine().id() == cluster_.checkers.host_of(id)) kinds_[kind]({*host, id});
    }
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
  cluster_.hit_host(up && down ? Fault::partition : Fault::one_way, id_of(host));
  if (up) cluster_.network.block(host, Way::up);
  if (down) cluster_.network.block(host, Way::down);
  world_.after(outage(), [this, host, up, down] {
    if (up) cluster_.network.unblock(host, Way::up);
    if (down) cluster_.network.unblock(host, Way::down);
  });
}

void Faults::clog(std::size_t host, Way way, Duration length, Fault fault) {
  world_.note("clog", {}, {}, host);
  cluster_.hit_host(fault, id_of(host));
  cluster_.network.clog(host, way);
  world_.after(length, [this, host, way] { cluster_.network.unclog(host, way); });
}

// A random few are clogged one by one, and freed in another order.
void Faults::swizzle() {
  Duration at{};
  for (std::size_t i = 0; i < cluster_.hosts.size(); ++i) {
    if (world_.entropy().below(3) != 0) continue;
    at = at + world_.between({}, seconds(20));
    Way const way = world_.entropy().below(2) == 0 ? Way::up : Way::down;
    Duration const length = world_.between(seconds(5), minutes(3));
    world_.after(at, [this, i, way, length] {
      if (is_on_) clog(i, way, length, Fault::swizzle);
    });
  }
}

HostId const& Faults::id_of(std::size_t host) const {
  return cluster_.hosts[host]->machine().id();
}

void Faults::kill_agent(SimHost& host) {
  cluster_.hit_host(Fault::agent_crash, host.machine().id());
  host.kill_agent(false);
  world_.after(world_.between(cluster_.options.restart.low, cluster_.options.restart.high),
               [&host] { host.start_agent(); });
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
    kill_agent(host);
  });
}

void Faults::start() {
  is_on_ = true;
  start_daemon_faults(cluster_.options.every);
  start_agent_faults(cluster_.options.every);
  start_host_faults(cluster_.options.every);
  start_network_faults(cluster_.options.every);
}

void Faults::start_daemon_faults(FaultRates const& f) {
  every(f.daemon_crash, [this](Target const&) {
    SimStore* const store = cluster_.daemon.store();
    if (store != nullptr && world_.entropy().below(4) != 0) {
      store->crash_in_next([this] {
        if (is_on_) cluster_.daemon.crash();
      });
    } else {
      cluster_.daemon.crash();
    }
  });
  every(f.store_failure, [this](Target const&) {
    cluster_.hit_all(Fault::store_failure);
    if (SimStore* store = cluster_.daemon.store()) store->fail_next();
  });
  every(f.store_stall, [this](Target const&) {
    world_.note("store stalls");
    cluster_.hit_all(Fault::store_stall);
    if (SimStore* store = cluster_.daemon.store())
      store->stall(world_.between(seconds(1), seconds(60)));
  });
  every(f.store_full, [this](Target const&) {
    world_.note("store is full");
    cluster_.hit_all(Fault::store_full);
    Duration const length = world_.between(seconds(1), minutes(5));
    cluster_.daemon.fill_store(length);
    if (on_store_full) on_store_full(world_.now() + length);
  });
  every(f.wall_step, [this](Target const& at) {
    Duration const most = cluster_.options.wall_step_most;
    Duration const step = world_.between({-most.ns}, most);
    if (world_.entropy().below(4) == 0) {
      at.host.clock().step_wall(step);
      return;
    }
    world_.note("wall steps", {}, {}, static_cast<std::uint64_t>(step.ns));
    cluster_.hit_all(Fault::wall_step);
    cluster_.checkers.on_wall(cluster_.daemon.wall());
    cluster_.daemon.clock().step_wall(step);
    cluster_.checkers.on_wall(cluster_.daemon.wall());
    if (on_wall_step) on_wall_step();
  });
}

void Faults::start_agent_faults(FaultRates const& f) {
  every(f.agent_crash, [this](Target const& at) {
    SimHost& host = at.host;
    if (world_.entropy().below(2) == 0)
      crash_in_action(host, minutes(2));
    else
      kill_agent(host);
  });
  every(f.agent_stall, [this](Target const& at) {
    SimHost& host = at.host;
    cluster_.hit_host(Fault::agent_stall, host.machine().id());
    host.stall_agent(world_.between(seconds(1), minutes(2)));
  });
  every(f.agent_slow, [this](Target const& at) {
    SimHost& host = at.host;
    cluster_.hit_host(Fault::agent_slow, host.machine().id());
    host.slow_agent(world_.between(seconds(10), minutes(5)));
  });
  every(f.files_lost, [this](Target const& at) {
    SimHost& host = at.host;
    host.kill_agent(false);
    world_.note("files lost", host.machine().id().value);
    cluster_.hit_host(Fault::spec_file_lost, host.machine().id());
    host.lose_files();
    cluster_.network.lose_late(host.index());
    cluster_.checkers.on_files_lost(host.machine().id());
    world_.after(world_.between(cluster_.options.restart.low, cluster_.options.restart.high),
                 [&host] { host.start_agent(); });
  });
  every(f.impostor, [this](Target const& at) {
    cluster_.begin_impostor(at.host.index());
    cluster_.hit_host(Fault::impostor, cluster_.impostor->machine().id());
    world_.after(world_.between(seconds(1), minutes(3)), [this] { cluster_.end_impostor(); });
  });
}

void Faults::start_host_faults(FaultRates const& f) {
  Entropy& e = world_.entropy();
  every(f.host_power_cut, [this](Target const& at) {
    SimHost& host = at.host;
    cluster_.hit_host(Fault::power_cut, host.machine().id());
    host.power_cut();
    world_.after(outage(), [&host] { host.power_on(); });
  });
  every(f.disk_wiped, [this](Target const& at) {
    SimHost& host = at.host;
    cluster_.hit_host(Fault::disk_wiped, host.machine().id());
    host.power_cut();
    host.machine().wipe();
    world_.after(outage(), [&host] { host.power_on(); });
  });
  every(f.domain_lost, [this, &e](Target const& at) {
    SimHost& host = at.host;
    auto const& domains = host.machine().domains;
    if (domains.empty()) return;
    auto it = domains.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(e.below(domains.size())));
    InstanceId const id = at.instance.value_or(it->first);
    if (!host.machine().can_lose_domain(id)) return;
    cluster_.hit_instance(Fault::domain_lost, id);
    host.machine().lose_domain(id);
    cluster_.checkers.on_domain_lost(id);
  });
  every(f.leftover, [&e](Target const& at) {
    SimHost& host = at.host;
    if (host.is_powered() && host.machine().leftovers.size() < 3)
      host.machine().add_leftover(InstanceId("i-" + e.hex(17)));
  });
  every(f.guest_vanishes, [this, &e](Target const& at) {
    SimHost& host = at.host;
    auto const id = at.instance ? at.instance : host.machine().any_running(e);
    if (!id || !host.machine().is_running(*id)) return;
    cluster_.hit_instance(Fault::guest_vanishes, *id);
    host.machine().kill_guest(*id);
  });
  every(f.guest_powers_off, [this, &e](Target const& at) {
    SimHost& host = at.host;
    auto const id = at.instance ? at.instance : host.machine().any_running(e);
    if (!id || !host.machine().is_running(*id)) return;
    cluster_.hit_instance(Fault::guest_powers_off, *id);
    host.machine().end_guest(*id);
  });
}

void Faults::start_network_faults(FaultRates const& f) {
  Entropy& e = world_.entropy();
  every(f.partition, [this](Target const& at) { partition(at.host.index(), true, true); });
  every(f.one_way, [this, &e](Target const& at) {
    bool const is_up = e.below(2) == 0;
    partition(at.host.index(), is_up, !is_up);
  });
  every(f.big_partition, [this, &e](Target const&) {
    for (std::size_t i = 0; i < cluster_.hosts.size(); ++i) {
      if (e.below(3) == 0) partition(i, true, true);
    }
  });
  every(f.clog, [this, &e](Target const& at) {
    Way const way = e.below(2) == 0 ? Way::up : Way::down;
    clog(at.host.index(), way, world_.between(milliseconds(100), minutes(10)), Fault::clog);
  });
  every(f.swizzle, [this](Target const&) { swizzle(); });
  every(f.link_cut, [this](Target const& at) {
    cluster_.hit_host(Fault::link_cut, at.host.machine().id());
    cluster_.network.cut(at.host.index());
  });
}

void Faults::stop() {
  is_on_ = false;
  cluster_.options = calmed(cluster_.options);
  cluster_.end_impostor();
  for (std::size_t i = 0; i < cluster_.hosts.size(); ++i) {
    cluster_.network.unblock(i, Way::up);
    cluster_.network.unblock(i, Way::down);
    cluster_.hosts[i]->power_on();
    cluster_.hosts[i]->start_agent();
  }
  cluster_.daemon.start();
  if (SimStore* store = cluster_.daemon.store()) store->mend();
}

}  // namespace berth::sim
