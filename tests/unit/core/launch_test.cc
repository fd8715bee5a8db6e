#include <gtest/gtest.h>

#include <set>

#include "tests/support/region.h"

namespace berth {
namespace {

using core::InstanceState;
using testing::Region;

TEST(Launch, PlacesAsManyAsFitAboveTheMinimum) {
  Region region;  // 8 threads at 4 to 1: 32 vCPUs, 31.5 GiB: three m5.large by memory
  core::RunInstances ask = region.launch();
  ask.type = "m5.large";
  ask.min_count = 2;
  ask.max_count = 10;
  EXPECT_EQ(region.run(ask).size(), 3u);
}

TEST(Launch, BelowTheMinimumNothingIsLaunchedAndTheSentenceIsEc2s) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.type = "m5.large";
  ask.min_count = ask.max_count = 4;
  ask.zone = "us-east-1b";
  Result<core::Reply> const reply = region.call(ask);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Code::no_capacity);
  EXPECT_EQ(reply.error().message,
            "We currently do not have sufficient m5.large capacity in the Availability Zone you requested "
            "(us-east-1b). Our system will be working on provisioning additional capacity.");
  EXPECT_TRUE(region.state.instances.empty());
}

TEST(Launch, ARefusalNamesTheZonesThatHaveRoom) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.zone = "us-east-1b";
  Result<core::Reply> const reply = region.call(ask);
  ASSERT_FALSE(reply.has_value());
  EXPECT_NE(reply.error().message.find("choosing us-east-1a."), std::string::npos) << reply.error().message;
}

TEST(Launch, TheSameTokenGivesTheSameInstances) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.client_token = "once";
  ask.parameters_digest = "d1";
  ask.max_count = 3;
  std::vector<std::string> const first = region.run(ask);
  EXPECT_EQ(region.run(ask), first);
  EXPECT_EQ(region.state.instances.size(), 3u);
}

TEST(Launch, TheSameTokenWithOtherParametersIsRefused) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.client_token = "once";
  ask.parameters_digest = "d1";
  region.run(ask);
  ask.parameters_digest = "d2";
  Result<core::Reply> const reply = region.call(ask);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().subject, "client-token");
}

TEST(Launch, OneTenantsTokenIsNotAnothers) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.client_token = "once";
  ask.parameters_digest = "d1";
  std::vector<std::string> const mine = region.run(ask);
  Result<core::Reply> const theirs = region.call_as(testing::kOtherAccount, testing::kOtherKey, ask);
  ASSERT_TRUE(theirs.has_value());
  EXPECT_NE(std::get<core::Launched>(*theirs).reservation.instances[0].instance.id.value, mine[0]);
}

TEST(Launch, ATokenIsKeptForADayAfterItsLastInstanceEnded) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.client_token = "once";
  ask.parameters_digest = "d1";
  ask.max_count = 2;
  std::vector<std::string> const ids = region.run(ask);
  ASSERT_TRUE(region.call(core::TerminateInstances{ids}).has_value());
  region.report(ids[0], Seen::absent);
  region.report(ids[1], Seen::absent);
  region.pass(hours(23));
  region.tick();
  EXPECT_TRUE(region.state.instances.empty()) << "visible for an hour";
  EXPECT_EQ(region.state.tokens.size(), 1u);
  region.pass(hours(2));
  region.tick();
  EXPECT_TRUE(region.state.tokens.empty());
}

TEST(Launch, AQuotaIsAnUpperBoundForTheMaximum) {
  Region region;
  Quota quota;
  quota.instances = 2;
  region.admin(core::SetTenant{.id = testing::kAccount, .quota = quota});
  core::RunInstances ask = region.launch();
  ask.max_count = 3;
  Result<core::Reply> const reply = region.call(ask);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Code::quota);
  ask.max_count = 2;
  EXPECT_EQ(region.run(ask).size(), 2u);
}

TEST(Launch, ADryRunChangesNothing) {
  Region region;
  Result<core::Reply> const reply = region.call(region.launch(), true);
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(std::holds_alternative<core::WouldSucceed>(*reply));
  EXPECT_TRUE(region.state.instances.empty());
}

TEST(Launch, UserDataHasEc2sLimit) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.user_data = std::string(limits::kUserDataBytesMax, 'x');
  EXPECT_EQ(region.run(ask).size(), 1u);
  ask.user_data += 'x';
  EXPECT_FALSE(region.call(ask).has_value());
}

TEST(Launch, EveryInstanceHasAnIdAUuidAndAMacOfItsOwn) {
  Region region(2);
  core::RunInstances ask = region.launch();
  ask.max_count = 20;
  std::set<std::string> uuids;
  std::set<std::string> macs;
  for (std::string const& id : region.run(ask)) {
    Instance const& i = region.instance(id);
    EXPECT_TRUE(i.uuid.starts_with("ec2")) << i.uuid;
    EXPECT_TRUE(uuids.insert(i.uuid).second);
    EXPECT_TRUE(macs.insert(i.mac).second);
  }
}

TEST(Launch, ADisabledTenantIsRefusedAtOnce) {
  Region region;
  region.admin(core::SetTenant{.id = testing::kAccount, .enabled = false});
  Result<core::Reply> const reply = region.call(region.launch());
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Code::unauthenticated);
}

TEST(Life, FollowsEc2sStates) {
  Region region;
  std::string const id = region.run(region.launch())[0];
  EXPECT_EQ(region.state_of(id), InstanceState::pending);
  region.report(id, Seen::running);
  EXPECT_EQ(region.state_of(id), InstanceState::running);
  ASSERT_TRUE(region.call(core::StopInstances{{id}}).has_value());
  EXPECT_EQ(region.state_of(id), InstanceState::stopping);
  region.report(id, Seen::stopped);
  EXPECT_EQ(region.state_of(id), InstanceState::stopped);
  ASSERT_TRUE(region.call(core::StartInstances{{id}}).has_value());
  EXPECT_EQ(region.state_of(id), InstanceState::pending);
  region.report(id, Seen::running);
  ASSERT_TRUE(region.call(core::TerminateInstances{{id}}).has_value());
  EXPECT_EQ(region.state_of(id), InstanceState::shutting_down);
  region.report(id, Seen::absent);
  EXPECT_EQ(region.state_of(id), InstanceState::terminated);
}

TEST(Life, StoppingAStoppedInstanceIsANoOp) {
  Region region;
  std::string const id = region.run(region.launch())[0];
  region.report(id, Seen::running);
  ASSERT_TRUE(region.call(core::StopInstances{{id}}).has_value());
  region.report(id, Seen::stopped);
  Result<core::Reply> const reply = region.call(core::StopInstances{{id}});
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(std::get<core::StateChanges>(*reply).items[0].current, InstanceState::stopped);
}

TEST(Life, AStoppedInstanceGivesItsMemoryBackAndKeepsItsDisk) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.type = "m5.large";
  std::string const id = region.run(ask)[0];
  region.report(id, Seen::running);
  ASSERT_TRUE(region.call(core::StopInstances{{id}}).has_value());
  EXPECT_EQ(region.state.derived.fleet.at(region.hosts[0]).used.memory, Mebibytes(8192)) << "until it is seen";
  region.report(id, Seen::stopped);
  placement::Usage const& used = region.state.derived.fleet.at(region.hosts[0]).used;
  EXPECT_EQ(used.memory, Mebibytes(0));
  EXPECT_EQ(used.disk_gib, 1);
}

TEST(Life, StartingOnAFullHostIsRefusedForCapacity) {
  Region region;
  core::RunInstances ask = region.launch();
  ask.type = "m5.large";
  std::string const id = region.run(ask)[0];
  region.report(id, Seen::running);
  ASSERT_TRUE(region.call(core::StopInstances{{id}}).has_value());
  region.report(id, Seen::stopped);
  ask.max_count = 3;
  EXPECT_EQ(region.run(ask).size(), 3u);
  Result<core::Reply> const reply = region.call(core::StartInstances{{id}});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Code::no_capacity);
}

TEST(Life, AGuestThatShutsItselfDownStopsOrEndsByItsBehaviour) {
  Region region;
  core::RunInstances ask = region.launch();
  std::string const stays = region.run(ask)[0];
  ask.shutdown_behavior = ShutdownBehavior::terminate;
  std::string const ends = region.run(ask)[0];
  for (std::string const& id : {stays, ends}) region.report(id, Seen::running);
  for (std::string const& id : {stays, ends}) region.report(id, Seen::stopped, true);
  EXPECT_EQ(region.state_of(stays), InstanceState::stopped);
  EXPECT_EQ(region.state_of(ends), InstanceState::shutting_down);
  EXPECT_EQ(region.instance(stays).state_reason.code, "Client.InstanceInitiatedShutdown");
}

TEST(Life, ALaunchThatFailsEndsTerminatedWithTheReason) {
  Region region;
  std::string const id = region.run(region.launch())[0];
  region.report(id, Seen::failed);
  EXPECT_EQ(region.state_of(id), InstanceState::shutting_down);
  EXPECT_EQ(region.instance(id).state_reason.code, "Server.InternalError");
  EXPECT_NE(region.instance(id).state_reason.message.find("no such disk"), std::string::npos);
}

TEST(Life, ProtectionKeepsTheWholeBatchAlive) {
  Region region;
  core::RunInstances ask = region.launch();
  std::string const open = region.run(ask)[0];
  ask.disable_api_termination = true;
  std::string const kept = region.run(ask)[0];
  Result<core::Reply> const reply = region.call(core::TerminateInstances{{open, kept}});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().subject, "termination-protection");
  EXPECT_EQ(region.instance(open).wanted, Wanted::running);
}

TEST(Life, ATombstoneStaysInTheSpecUntilTheHostHasConfirmed) {
  Region region;
  std::string const id = region.run(region.launch())[0];
  region.report(id, Seen::running);
  ASSERT_TRUE(region.call(core::TerminateInstances{{id}}).has_value());
  HostSpec const spec = core::host_spec(region.state, region.hosts[0]);
  ASSERT_EQ(spec.instances.size(), 1u);
  EXPECT_EQ(spec.instances[0].power, Power::absent);
  region.report(id, Seen::running);  // still on its way down
  EXPECT_EQ(core::host_spec(region.state, region.hosts[0]).instances.size(), 1u);
  region.report(id, Seen::absent);
  EXPECT_TRUE(core::host_spec(region.state, region.hosts[0]).instances.empty());
}

TEST(Isolation, AForeignIdReadsAsOneThatDoesNotExist) {
  Region region;
  std::string const mine = region.run(region.launch())[0];
  std::string const absent = "i-00000000000000000";
  auto ask = [&](std::string const& id) {
    Error e = region.call_as(testing::kOtherAccount, testing::kOtherKey, core::TerminateInstances{{id}}).error();
    e.message.replace(e.message.find(id), id.size(), "ID");
    return e;
  };
  EXPECT_EQ(ask(mine), ask(absent));
  EXPECT_EQ(region.instance(mine).wanted, Wanted::running);
}

TEST(Hosts, ALeaseThatRunsOutMakesAHostSuspectThenLostAndTakesNothingNew) {
  Region region;
  region.pass(seconds(31));
  region.tick();
  EXPECT_EQ(region.state.seen.at(region.hosts[0]).announced, HostHealth::suspect);
  EXPECT_FALSE(region.call(region.launch()).has_value());
  region.pass(seconds(31));
  region.tick();
  EXPECT_EQ(region.state.seen.at(region.hosts[0]).announced, HostHealth::lost);
  (void)region.input(core::AgentHeartbeat{.host = region.hosts[0], .number = 1});
  EXPECT_TRUE(region.call(region.launch()).has_value());
}

TEST(Hosts, AJoinTokenWorksOnce) {
  Region region;
  Result<core::Reply> const again = region.input(core::AgentJoin{
      .host = region.hosts[0], .token_digest = std::string(64, 'f'), .host_uuid = "uuid-h0"});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Code::unauthenticated);
}

TEST(Hosts, AnotherMachineUnderAKnownNameIsRefused) {
  Region region;
  Result<core::Reply> const reply =
      region.input(core::AgentHello{.host = region.hosts[0], .host_uuid = "clone", .boot_id = "b"});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Code::forbidden);
}

TEST(Hosts, ACordonKeepsNewInstancesAwayButNotThoseThatLiveThere) {
  Region region;
  std::string const id = region.run(region.launch())[0];
  region.report(id, Seen::running);
  ASSERT_TRUE(region.call(core::StopInstances{{id}}).has_value());
  region.report(id, Seen::stopped);
  region.admin(core::CordonHost{.host = "h0"});
  EXPECT_FALSE(region.call(region.launch()).has_value());
  EXPECT_TRUE(region.call(core::StartInstances{{id}}).has_value());
}

TEST(Audit, EveryMutationHasOneRecordAndReadsHaveNone) {
  Region region;
  std::uint64_t const before = region.state.region.audit_count;
  std::string const id = region.run(region.launch())[0];
  ASSERT_TRUE(region.call(core::DescribeInstances{}).has_value());
  ASSERT_TRUE(region.call(core::TerminateInstances{{id}}).has_value());
  ASSERT_FALSE(region.call(core::TerminateInstances{{"i-00000000000000000"}}).has_value());
  EXPECT_EQ(region.state.region.audit_count, before + 2);
}

}  // namespace
}  // namespace berth
