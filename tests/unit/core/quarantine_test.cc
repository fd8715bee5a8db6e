// A region whose records are older than what runs: nothing is touched, everything is listed, what
// has no record can be adopted.

#include <gtest/gtest.h>

#include "tests/support/region.h"

namespace berth {
namespace {

using core::RegionView;
using testing::kAccount;
using testing::Region;

// A region of before and its copy of some time ago: the agent has the specs of the first and speaks
// to the second.
class QuarantineTest : public ::testing::Test {
 protected:
  QuarantineTest() { host = later.hosts[0]; }

  // The records of now are what a backup has.
  void back_up() { backup.emplace(later.state); }
  // A daemon starts on the backup; the agent has obeyed the later one. Its own counters are behind.
  void restore() {
    obeyed = core::host_spec(later.state, host);
    later.state = *backup;
    begin();
  }
  void begin() {
    core::Decision const decision = core::begin(later.state, later.context());
    for (core::Change const& change : decision.changes) core::absorb(later.state, change);
    (void)later.input(core::AgentHello{.host = host, .host_uuid = "uuid-h0", .boot_id = "boot"});
  }

  HostStatus status(HostSpec const& spec, std::vector<InstanceStatus> lines) {
    return {.host = host,
            .host_uuid = "uuid-h0",
            .boot_id = "boot",
            .term = spec.term,
            .generation = spec.generation,
            .instances = std::move(lines),
            .inventory = Region::inventory()};
  }
  // What the agent says under the spec it had, and then under the one it gets, with all that the
  // earlier one wanted.
  void say(std::vector<InstanceStatus> const& lines) {
    ASSERT_TRUE(later.input(core::AgentReport{status(obeyed, lines)}).has_value());
    HostSpec const now = core::host_spec(later.state, host);
    HostStatus next = status(now, lines);
    next.earlier = obeyed.instances;
    ASSERT_TRUE(later.input(core::AgentReport{next}).has_value());
  }
  static InstanceStatus line(InstanceSpec const& spec, Seen seen) {
    return {.id = spec.id,
            .generation = spec.generation,
            .seen = seen,
            .reboots = spec.reboots,
            .starts = spec.starts};
  }
  InstanceSpec const& of(std::string const& id) const {
    for (InstanceSpec const& spec : obeyed.instances) {
      if (spec.id.value == id) return spec;
    }
    ADD_FAILURE() << "no " << id;
    return obeyed.instances.front();
  }
  RegionView view() { return std::get<RegionView>(later.admin(core::ShowRegion{})); }
  Result<core::Reply> admin(core::AdminAction action) {
    return later.input(core::AdminCall{.actor = "root",
                                       .role = core::Role::admin,
                                       .action_name = "test",
                                       .action = std::move(action)});
  }

  Region later{1};
  HostId host;
  std::optional<core::State> backup;
  HostSpec obeyed;
};

TEST_F(QuarantineTest, AReportOfALaterTermPutsTheRegionInQuarantine) {
  back_up();
  begin();  // the lost daemon's later start
  std::string const id = later.run(later.launch())[0];
  begin();
  restore();
  ASSERT_FALSE(later.state.region.quarantine);
  Term const lost = obeyed.term;
  say({line(of(id), Seen::running)});
  ASSERT_TRUE(later.state.region.quarantine);
  EXPECT_GT(later.state.region.term, lost);
  EXPECT_TRUE(core::host_spec(later.state, host).adopt_only);
  ASSERT_EQ(view().unknown.size(), 1U);
  EXPECT_EQ(view().unknown[0].id.value, id);
  EXPECT_EQ(view().unknown[0].tenant, kAccount);
  EXPECT_EQ(view().unknown[0].obstacle, "");
}

TEST_F(QuarantineTest, ALaterSpecOfTheSameTermIsEnough) {
  back_up();
  begin();
  std::string const id = later.run(later.launch())[0];
  restore();
  ASSERT_EQ(obeyed.term, later.state.region.term);
  say({line(of(id), Seen::running)});
  EXPECT_TRUE(later.state.region.quarantine);
}

TEST_F(QuarantineTest, ReportsOfThisDaemonsOwnSpecsPutNothingInQuarantine) {
  std::string const id = later.run(later.launch())[0];
  obeyed = core::host_spec(later.state, host);
  ASSERT_TRUE(later.input(core::AgentReport{status(obeyed, {line(of(id), Seen::running)})}));
  begin();
  ASSERT_TRUE(later.input(core::AgentReport{status(obeyed, {line(of(id), Seen::running)})}));
  EXPECT_FALSE(later.state.region.quarantine);
}

TEST_F(QuarantineTest, ATermThatNoDaemonCanHaveReachedIsRefused) {
  HostSpec absurd = core::host_spec(later.state, host);
  absurd.term = Term(~std::uint64_t{0});
  EXPECT_FALSE(later.input(core::AgentReport{status(absurd, {})}).has_value());
  EXPECT_FALSE(later.state.region.quarantine);
}

TEST_F(QuarantineTest, TenantsReadOnAndChangeNothing) {
  std::string const id = later.run(later.launch())[0];
  later.state.region.quarantine = core::Quarantine{.since = {1}, .reason = "test"};
  EXPECT_TRUE(later.call(core::DescribeInstances{}).has_value());
  for (core::ApiAction const& action :
       {core::ApiAction(later.launch()), core::ApiAction(core::TerminateInstances{{id}}),
        core::ApiAction(core::StopInstances{{id}}), core::ApiAction(core::StartInstances{{id}}),
        core::ApiAction(core::CreateTags{{id}, {{"a", "b"}}})}) {
    Result<core::Reply> const reply = later.call(action);
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().code, Code::unavailable);
  }
  EXPECT_FALSE(admin(core::RemoveHost{host.value}).has_value());
  EXPECT_FALSE(admin(core::DeleteImage{later.image}).has_value());
}

TEST_F(QuarantineTest, WhatIsLeftUndecidedKeepsTheRegionInQuarantine) {
  back_up();
  std::string const id = later.run(later.launch())[0];
  begin();
  restore();
  say({line(of(id), Seen::running)});
  EXPECT_FALSE(admin(core::ReleaseRegion{}).has_value());
  EXPECT_TRUE(admin(core::ReleaseRegion{.keep_unknown = true}).has_value());
  EXPECT_FALSE(later.state.region.quarantine);
  EXPECT_FALSE(core::host_spec(later.state, host).adopt_only);
}

TEST_F(QuarantineTest, AHostThatHasNotSpokenKeepsTheRegionInQuarantine) {
  later.state.region.quarantine = core::Quarantine{.since = {1}, .reason = "test"};
  begin();
  EXPECT_EQ(view().silent, std::vector<std::string>{"h0"});
  EXPECT_FALSE(admin(core::ReleaseRegion{}).has_value());
  EXPECT_TRUE(admin(core::ReleaseRegion{.without_hosts = true}).has_value());
}

TEST_F(QuarantineTest, AnAdoptedInstanceIsItsTenantsAgain) {
  back_up();
  std::string const id = later.run(later.launch())[0];
  Instance const before = later.instance(id);
  begin();
  restore();
  say({line(of(id), Seen::running)});
  later.admin(core::AdoptInstances{});
  EXPECT_TRUE(view().unknown.empty());
  ASSERT_TRUE(admin(core::ReleaseRegion{}).has_value());
  later.report(id, Seen::running);
  Instance const& after = later.instance(id);
  EXPECT_EQ(after.tenant, before.tenant);
  EXPECT_EQ(after.placement, before.placement);
  EXPECT_EQ(after.uuid, before.uuid);
  EXPECT_EQ(after.image, before.image);
  EXPECT_EQ(after.vcpus, before.vcpus);
  EXPECT_EQ(later.state_of(id), core::InstanceState::running);
  EXPECT_TRUE(later.call(core::TerminateInstances{{id}}).has_value());
}

TEST_F(QuarantineTest, WithoutItsTenantAnInstanceIsNotAdopted) {
  back_up();
  std::string const id = later.run(later.launch())[0];
  begin();
  restore();
  later.state.tenants.erase(TenantId(kAccount));
  say({line(of(id), Seen::running)});
  Result<core::Reply> const reply = admin(core::AdoptInstances{id});
  ASSERT_FALSE(reply.has_value());
  EXPECT_NE(reply.error().message.find("tenant"), std::string::npos);
}

TEST_F(QuarantineTest, WhatTheLostRecordsWantedOfAKnownInstanceStands) {
  std::string const stopped = later.run(later.launch())[0];
  std::string const restarted = later.run(later.launch())[0];
  later.report(stopped, Seen::running);
  later.report(restarted, Seen::running);
  ASSERT_TRUE(later.call(core::StopInstances{{restarted}}).has_value());
  later.report(restarted, Seen::stopped);
  back_up();
  begin();
  ASSERT_TRUE(later.call(core::StopInstances{{stopped}}).has_value());
  ASSERT_TRUE(later.call(core::StartInstances{{restarted}}).has_value());
  restore();
  later.state.region.term = Term(obeyed.term.value - 1);
  say({line(of(std::min(stopped, restarted)), stopped < restarted ? Seen::stopped : Seen::running),
       line(of(std::max(stopped, restarted)),
            stopped < restarted ? Seen::running : Seen::stopped)});
  EXPECT_EQ(later.instance(stopped).wanted, Wanted::stopped);
  EXPECT_EQ(later.instance(restarted).wanted, Wanted::running);
  EXPECT_EQ(later.instance(restarted).starts_wanted, of(restarted).starts);
}

TEST_F(QuarantineTest, WhatWasTerminatedAfterTheBackupDoesNotComeBack) {
  std::string const id = later.run(later.launch())[0];
  later.report(id, Seen::running);
  back_up();
  begin();
  ASSERT_TRUE(later.call(core::TerminateInstances{{id}}).has_value());
  later.report(id, Seen::absent);
  restore();
  InstanceStatus const gone{.id = InstanceId(id),
                            .generation = later.instance(id).placement->generation,
                            .seen = Seen::absent};
  say({gone});
  EXPECT_EQ(view().gone, std::vector<InstanceId>{InstanceId(id)});
  EXPECT_TRUE(later.instance(id).placement.has_value());
  ASSERT_TRUE(admin(core::ReleaseRegion{}).has_value());
  EXPECT_EQ(later.state_of(id), core::InstanceState::terminated);
  EXPECT_TRUE(core::host_spec(later.state, host).instances.empty());
}

TEST_F(QuarantineTest, AnEndedInstanceIsNeverAdopted) {
  std::string const id = later.run(later.launch())[0];
  later.report(id, Seen::running);
  obeyed = core::host_spec(later.state, host);
  InstanceSpec const was = of(id);
  ASSERT_TRUE(later.call(core::TerminateInstances{{id}}).has_value());
  later.report(id, Seen::absent);
  later.state.region.quarantine = core::Quarantine{.since = {1}, .reason = "test"};
  say({line(was, Seen::running)});
  ASSERT_EQ(view().unknown.size(), 1U);
  EXPECT_NE(view().unknown[0].obstacle, "");
  EXPECT_FALSE(admin(core::AdoptInstances{id}).has_value());
}

}  // namespace
}  // namespace berth
