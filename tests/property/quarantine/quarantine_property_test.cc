// I12 over random histories: a region lives, is backed up, lives on, loses its records and wakes up
// on the backup. Real core, real plans of the agents; a host is what its plans made of it. Until
// the region is released no agent does anything at all, every guest without a record is listed, and
// after adoption and release every guest that was wanted runs on as if nothing had been.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "agent/core/plan.h"
#include "tests/support/region.h"

namespace berth {
namespace {

using agent::DomainSeen;
using agent::DomainState;

struct Host {
  HostId id;
  std::string uuid;
  std::optional<HostSpec> spec = std::nullopt;
  agent::Attempts attempts = {};
  std::map<InstanceId, DomainSeen> domains = {};
  std::map<InstanceId, int> boots = {};
  std::set<std::string> images = {};
  int actions = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed) : draw_(seed) {
    for (HostId const& id : region.hosts) {
      hosts.push_back({.id = id, .uuid = "uuid-" + region.state.hosts.at(id).name});
    }
  }

  std::int64_t draw(std::int64_t most) {
    return static_cast<std::int64_t>(draw_.next() % (static_cast<std::uint64_t>(most) + 1));
  }

  void input(core::Input const& what) {
    Result<core::Decision> decided = core::decide(region.state, what, region.context());
    if (!decided) return;
    for (core::Change const& change : decided->changes) core::absorb(region.state, change);
    for (std::string const& broken : core::broken_invariants(region.state)) ADD_FAILURE() << broken;
  }
  void call(core::ApiAction action) {
    input(core::ApiCall{
        .caller = {TenantId(testing::kAccount), AccessKeyId(testing::kKey), "127.0.0.1", "r"},
        .action_name = "Test",
        .dry_run = false,
        .action = std::move(action)});
  }
  void admin(core::AdminAction action) {
    input(core::AdminCall{.actor = "root",
                          .role = core::Role::admin,
                          .action_name = "test",
                          .action = std::move(action)});
  }

  // One turn of an agent: its spec, what it does, what it says.
  void turn(Host& host) {
    HostSpec const given = core::host_spec(region.state, host.id);
    if (!host.spec || is_newer(given, *host.spec)) {
      host.spec = agent::accepted(host.spec, given);
      agent::forget_stale(host.attempts, *host.spec);
    }
    agent::Observed const observed = seen(host);
    std::set<std::string> const idle;
    static HostInventory const here = testing::Region::inventory();
    agent::Plan const plan = agent::plan({.spec = host.spec,
                                          .observed = observed,
                                          .attempts = host.attempts,
                                          .busy = idle,
                                          .now = region.context().now.monotonic,
                                          .inventory = &here});
    HostStatus status{.host = host.id,
                      .host_uuid = host.uuid,
                      .boot_id = "boot",
                      .term = host.spec->term,
                      .generation = host.spec->generation,
                      .instances = plan.statuses,
                      .inventory = testing::Region::inventory()};
    if (host.spec->adopt_only) status.earlier = agent::earlier_to_report(*host.spec);
    input(core::AgentReport{status});
    for (agent::Action const& action : plan.actions) {
      ++host.actions;
      agent::remember_begun(host.attempts, action, observed, region.context().now.monotonic);
      perform(host, action);
    }
    region.pass(seconds(1));
  }
  void settle(int turns) {
    for (int i = 0; i < turns; ++i) {
      for (Host& host : hosts) turn(host);
    }
  }

  // What tenants and guests do.
  void live(int steps) {
    for (int i = 0; i < steps; ++i) {
      std::string const id = some_instance();
      switch (draw(6)) {
        case 0:
        case 1: {
          core::RunInstances ask = region.launch();
          ask.max_count = 1 + draw(2);
          call(ask);
          break;
        }
        case 2: call(core::TerminateInstances{{id}}); break;
        case 3: call(core::StopInstances{{id}}); break;
        case 4: call(core::StartInstances{{id}}); break;
        case 5: call(core::RebootInstances{{id}}); break;
        default: power_off_inside(InstanceId(id)); break;
      }
      turn(hosts[static_cast<std::size_t>(draw(std::ssize(hosts) - 1))]);
    }
    settle(4);
  }

  void start_daemon() {
    core::Decision const decision = core::begin(region.state, region.context());
    for (core::Change const& change : decision.changes) core::absorb(region.state, change);
    for (Host const& host : hosts)
      input(core::AgentHello{.host = host.id, .host_uuid = host.uuid, .boot_id = "boot"});
  }

  testing::Region region{3};
  std::vector<Host> hosts;

 private:
  static agent::Observed seen(Host const& host) {
    agent::Observed out;
    for (auto const& [id, domain] : host.domains) {
      out.domains.push_back(domain);
      out.disks.push_back({id, domain.generation});
    }
    out.images.assign(host.images.begin(), host.images.end());
    return out;
  }
  static void perform(Host& host, agent::Action const& action) {
    if (auto const* fetch = std::get_if<agent::FetchImage>(&action)) {
      host.images.insert(fetch->digest);
    } else if (auto const* start = std::get_if<agent::StartInstance>(&action)) {
      DomainSeen& domain = host.domains[start->spec.id];
      if (domain.state != DomainState::running || domain.uuid.empty()) ++host.boots[start->spec.id];
      domain = {.id = start->spec.id,
                .generation = start->spec.generation,
                .uuid = start->spec.uuid,
                .state = DomainState::running,
                .reboots = start->spec.reboots,
                .starts = start->spec.starts,
                .pins = start->pins};
    } else if (auto const* pin = std::get_if<agent::PinInstance>(&action)) {
      host.domains[pin->id].pins = pin->pins;
    } else if (auto const* stop = std::get_if<agent::ShutDownInstance>(&action)) {
      host.domains[stop->id].state = DomainState::off;
      host.domains[stop->id].stopped_by_us = true;
    } else if (auto const* reboot = std::get_if<agent::RebootInstance>(&action)) {
      host.domains[reboot->id].reboots = reboot->reboots;
      ++host.boots[reboot->id];
    } else if (auto const* remove = std::get_if<agent::RemoveInstance>(&action)) {
      host.domains.erase(remove->id);
    }
  }
  std::string some_instance() {
    if (region.state.instances.empty()) return "i-00000000000000000";
    auto it = region.state.instances.begin();
    std::advance(it, draw(std::ssize(region.state.instances) - 1));
    return it->first.value;
  }
  void power_off_inside(InstanceId const& id) {
    for (Host& host : hosts) {
      auto const it = host.domains.find(id);
      if (it != host.domains.end() && it->second.state == DomainState::running)
        it->second.state = DomainState::off;
    }
  }

  SeededEntropy draw_;
};

struct Ground {
  std::map<InstanceId, DomainSeen> domains;
  std::map<InstanceId, int> boots;

  bool operator==(Ground const&) const = default;
};

Ground ground(World const& world) {
  Ground out;
  for (Host const& host : world.hosts) {
    out.domains.insert(host.domains.begin(), host.domains.end());
    out.boots.insert(host.boots.begin(), host.boots.end());
  }
  return out;
}

void lose_records(World& world, core::State const& backup, bool by_hand) {
  Term const lost = world.region.state.region.term;
  world.region.state = backup;
  core::Region& region = world.region.state.region;
  if (!by_hand) {
    region.term.value = lost.value + (1U << 20U);
    region.quarantine = core::Quarantine{.since = {1}, .reason = "restored"};
  }
  world.start_daemon();
}

void check_quarantine(World& world, Ground const& before) {
  int actions = 0;
  for (Host const& host : world.hosts) actions -= host.actions;
  world.settle(6);
  for (Host const& host : world.hosts) actions += host.actions;
  EXPECT_EQ(actions, 0);
  ASSERT_TRUE(world.region.state.region.quarantine);
  EXPECT_TRUE(ground(world) == before);
  std::set<InstanceId> listed;
  for (auto const& [id, seen] : world.region.state.seen)
    listed.insert(seen.unknown.begin(), seen.unknown.end());
  for (auto const& [id, domain] : before.domains) {
    EXPECT_EQ(listed.contains(id), !world.region.state.instances.contains(id)) << id.value;
  }
}

void one_history(std::uint64_t seed, bool by_hand) {
  SCOPED_TRACE("seed " + std::to_string(seed) + (by_hand ? ", by hand" : ""));
  World world(seed);
  world.settle(2);
  world.live(static_cast<int>(world.draw(40)));
  core::State const backup = world.region.state;
  world.live(static_cast<int>(world.draw(20)));
  // By hand the copy's next term must be one that the agents have left behind.
  for (std::int64_t i = by_hand ? 2 : world.draw(2); i > 0; --i) world.start_daemon();
  world.live(1 + static_cast<int>(world.draw(40)));
  world.settle(80);  // also the grace of the last shutdown is over
  Ground const before = ground(world);
  core::State const lost = world.region.state;

  lose_records(world, backup, by_hand);
  check_quarantine(world, before);
  world.admin(core::AdoptInstances{});
  world.admin(core::ReleaseRegion{});
  ASSERT_FALSE(world.region.state.region.quarantine);
  world.settle(80);
  Ground const after = ground(world);
  for (auto const& [id, instance] : lost.instances) {
    auto const was = before.domains.find(id);
    auto const is = after.domains.find(id);
    EXPECT_EQ(was == before.domains.end(), is == after.domains.end()) << id.value;
    if (was == before.domains.end() || is == after.domains.end()) continue;
    EXPECT_TRUE(was->second == is->second) << id.value;
    EXPECT_EQ(before.boots.at(id), after.boots.at(id)) << id.value;
    EXPECT_EQ(world.region.state.instances.at(id).wanted, instance.wanted) << id.value;
  }
}

TEST(Quarantine, ARestoredBackupCostsNoGuest) {
  char const* const asked = std::getenv("BERTH_SEEDS");
  std::uint64_t const seeds = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 300;
  for (std::uint64_t seed = 1; seed <= seeds && !::testing::Test::HasFailure(); ++seed) {
    one_history(seed, seed % 3 == 0);
  }
}

}  // namespace
}  // namespace berth
