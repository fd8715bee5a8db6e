// What a host's report makes of an instance's record.

#include <gtest/gtest.h>

#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using testing::TestRegion;

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    region.host_comes();
    id = region.launch();
  }
  void report(InstanceStatus line) { ASSERT_TRUE(region.report({std::move(line)})); }
  void run() { report(region.line(id, Seen::running)); }

  TestRegion region;
  InstanceId id;
};

TEST_F(ReportTest, PendingBecomesRunningWhenItsHostSaysSo) {
  EXPECT_EQ(region.state_of(id), InstanceState::pending);
  run();
  EXPECT_EQ(region.state_of(id), InstanceState::running);
}

TEST_F(ReportTest, ARunningInstanceNeverGoesBackToPending) {
  run();
  report(region.line(id, Seen::preparing));
  EXPECT_EQ(region.state_of(id), InstanceState::running);
  report(region.line(id, Seen::stopped));  // found off after a power cut, about to be started
  EXPECT_EQ(region.state_of(id), InstanceState::running);
}

TEST_F(ReportTest, AReportOfAnEarlierStartDoesNotMakeANewStartRunning) {
  run();
  ASSERT_TRUE(region.call(StopInstances{{id.value}}));
  report(region.line(id, Seen::stopped));
  ASSERT_TRUE(region.call(StartInstances{{id.value}}));
  run();  // still of the first start
  EXPECT_EQ(region.state_of(id), InstanceState::pending);
  report(region.line(id, Seen::running, 2));
  EXPECT_EQ(region.state_of(id), InstanceState::running);
}

TEST_F(ReportTest, AGuestThatEndedByItselfIsStopped) {
  run();
  InstanceStatus line = region.line(id, Seen::stopped);
  line.ended_by_itself = true;
  report(line);
  EXPECT_EQ(region.state_of(id), InstanceState::stopped);
  EXPECT_EQ(region.state.instances.at(id).state_reason.code, "Client.InstanceInitiatedShutdown");
}

TEST_F(ReportTest, AnOldSelfShutdownDoesNotUndoANewStart) {
  run();
  InstanceStatus line = region.line(id, Seen::stopped);
  line.ended_by_itself = true;
  report(line);
  ASSERT_TRUE(region.call(StartInstances{{id.value}}));
  report(line);
  EXPECT_EQ(region.state_of(id), InstanceState::pending);
}

TEST_F(ReportTest, ALaunchThatFailsEndsWithItsReason) {
  InstanceStatus line = region.line(id, Seen::failed, 0);
  line.reason = "no such image";
  report(line);
  EXPECT_EQ(region.state_of(id), InstanceState::shutting_down);
  EXPECT_EQ(region.state.instances.at(id).state_reason.code, "Server.InternalError");
}

TEST_F(ReportTest, WhatWasStoppedIsNotChargedAgainWhileItIsRemoved) {
  run();
  ASSERT_TRUE(region.call(StopInstances{{id.value}}));
  report(region.line(id, Seen::stopped));
  EXPECT_EQ(region.used().vcpus, 0);
  ASSERT_TRUE(region.call(TerminateInstances{{id.value}}));
  report(region.line(id, Seen::preparing));
  EXPECT_EQ(region.used().vcpus, 0);
  EXPECT_EQ(region.used().disk_gib, 1);
}

TEST_F(ReportTest, WhatIsStoppedStaysStoppedWhenAStartOfAnOlderSpecFails) {
  run();
  InstanceStatus line = region.line(id, Seen::stopped);
  line.ended_by_itself = true;
  report(line);
  placement::Usage const before = region.used();
  line = region.line(id, Seen::failed);  // its host came back without its disk, and knew no better
  line.reason = "the root disk of the instance is gone from its host";
  report(line);
  EXPECT_EQ(region.state_of(id), InstanceState::stopped);
  EXPECT_EQ(region.used(), before);
}

TEST_F(ReportTest, EverythingIsGivenBackWhenNothingIsLeft) {
  ASSERT_TRUE(region.call(TerminateInstances{{id.value}}));
  EXPECT_EQ(region.state_of(id), InstanceState::shutting_down);
  EXPECT_EQ(region.used().instances, 1);
  report(region.line(id, Seen::absent));
  EXPECT_EQ(region.state_of(id), InstanceState::terminated);
  EXPECT_EQ(region.used(), placement::Usage{});
}

TEST_F(ReportTest, AbsentWithoutATombstoneEndsNothing) {
  report(region.line(id, Seen::absent));
  EXPECT_EQ(region.state_of(id), InstanceState::pending);
}

TEST_F(ReportTest, AnInstanceWithoutARecordIsNamedAndNothingElse) {
  InstanceId const stranger("i-0123456789abcdef0");
  report(region.line(stranger, Seen::running));
  EXPECT_EQ(region.state.seen.at(region.host).unknown, std::vector<InstanceId>{stranger});
  EXPECT_FALSE(region.state.instances.contains(stranger));
}

}  // namespace
}  // namespace berth::core
