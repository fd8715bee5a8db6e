#include "tests/sim/run.h"

#include "daemon/core/instance_state.h"
#include "tests/sim/auditor.h"
#include "tests/sim/cluster.h"
#include "tests/sim/faults.h"
#include "tests/sim/workload.h"

namespace berth::sim {

namespace {

bool is_quiet(Cluster const& cluster) {
  if (!cluster.daemon.is_up() || !cluster.daemon.driver()->is_idle()) return false;
  core::State const& state = cluster.daemon.driver()->state();
  for (auto const& host : cluster.hosts) {
    if (!host->is_agent_up() || host->driver()->actions_under_way() > 0) return false;
    core::SeeHost const* seen = core::find(state.seen, host->machine().id());
    if (seen == nullptr || seen->announced != HostHealth::up || !seen->is_connected) return false;
  }
  return true;
}

// What the agents and the daemon still disagree about; empty: nothing.
std::string unrest(Cluster const& cluster) {
  if (!cluster.daemon.is_up()) return "I14: the daemon is down";
  core::State const& state = cluster.daemon.driver()->state();
  std::vector<Machine const*> machines;
  for (auto const& host : cluster.hosts) {
    HostId const& id = host->machine().id();
    if (!host->is_agent_up()) return "I14: the agent of " + id.value + " is down";
    core::SeeHost const* seen = core::find(state.seen, id);
    if (seen == nullptr || seen->announced != HostHealth::up || !seen->is_connected) {
      return "I14: " + id.value + " is not up";
    }
    HostSpec const wanted = core::host_spec(state, id);
    if (!host->driver()->spec() || *host->driver()->spec() != wanted) {
      return "I14: the agent of " + id.value + " has not the newest spec";
    }
    machines.push_back(&host->machine());
  }
  if (std::string found = Checkers::disagreement(state, machines); !found.empty()) return found;
  return is_quiet(cluster) ? "" : "I14: work is still under way";
}

Options options_of(RunOptions const& wanted, Entropy& entropy) {
  Options out = drawn_options(entropy);
  if (wanted.hosts > 0) out.hosts = wanted.hosts;
  return out;
}

class Run {
 public:
  explicit Run(RunOptions const& options)
      : options_(options),
        world_(options.seed, options.trace),
        cluster_(world_, options_of(options, world_.entropy())),
        auditor_(world_, cluster_.options.tenants,
                 [this](std::string const& id) { return cluster_.checkers.was_reaped(id); }) {}

  Outcome make() {
    auditor_.token_retention = cluster_.options.policy.client_token_retention;
    cluster_.set_up();
    Workload workload(cluster_, auditor_);
    cluster_.daemon.on_crash = [&] { workload.on_daemon_crash(); };
    Faults faults(cluster_);
    workload.on_change = [&](InstanceId const& id) { faults.aim(id); };
    workload.on_call = [&](InstanceId const& id) { faults.strike(id, {}); };
    faults.on_wall_step = [&] { auditor_.on_wall_step(); };
    faults.on_store_full = [&](Instant until) { auditor_.store_full(until); };
    world_.note("storm");
    workload.start();
    faults.start();
    run_for(cluster_.options.storm);
    storm_events_ = world_.events();
    if (!world_.violation()) {
      world_.note("calm");
      workload.stop();
      faults.stop();
      calm(workload);
    }
    return {.seed = options_.seed,
            .hash = world_.hash(),
            .events = world_.events(),
            .calls = workload.calls(),
            .judged = auditor_.judged(),
            .simulated = world_.now() - Instant{},
            .violation = world_.violation(),
            .coverage = world_.coverage(),
            .counts = world_.counts()};
  }

 private:
  void run_for(Duration length) {
    Instant const end = world_.now() + length;
    while (!world_.violation() && world_.run_next(end)) {
      if (options_.steps_max > 0 && world_.events() >= options_.steps_max && storm_events_ == 0)
        return;
    }
  }

  void calm(Workload& workload) {
    // Grace of guests that ignore the power button, back-off of starts that failed, hanging calls.
    run_for(cluster_.options.calm);
    if (!world_.violation() && !cluster_.daemon.is_up()) world_.violated("I14: the daemon is down");
    if (world_.violation()) return;
    cluster_.checkers.on_state(cluster_.daemon.driver()->state());
    workload.look();
    run_for(minutes(2));
    // A last report may be under way just now; one more chance before it counts.
    std::string found = unrest(cluster_);
    for (int i = 0; i < 10 && !found.empty() && !world_.violation(); ++i) {
      run_for(seconds(3));
      found = unrest(cluster_);
    }
    if (!found.empty()) world_.violated(found);
  }

  RunOptions options_;
  World world_;
  Cluster cluster_;
  Auditor auditor_;
  std::uint64_t storm_events_ = 0;
};

}  // namespace

Outcome run_seed(RunOptions const& options) {
  Run run(options);
  return run.make();
}

}  // namespace berth::sim
