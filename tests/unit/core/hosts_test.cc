// What hosts offer and hold, and how their silence is read.

#include <gtest/gtest.h>

#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using testing::TestRegion;

TEST(CapacityTest, OvercommitIsForCpuOnlyAndTheReserveIsNeverSold) {
  TestRegion region;
  region.host_comes();
  placement::Usage const c = region.state.derived.fleet.at(region.host).capacity;
  EXPECT_EQ(c.vcpus, 16);  // four threads at 4:1
  EXPECT_EQ(c.memory, Mebibytes(16 * 1'024 - 512));
  EXPECT_EQ(c.disk_gib, 98);
}

TEST(CapacityTest, AHostThatNeverReportedOffersNothing) {
  TestRegion region;
  EXPECT_EQ(capacity(region.state.hosts.at(region.host), region.policy), placement::Usage{});
}

TEST(HeldTest, AStoppedInstanceGivesCpuAndMemoryBackAndKeepsItsDisk) {
  Instance i{.vcpus = 2, .memory = Mebibytes(512), .disk_gib = 8};
  i.placement = Placement{HostId("h"), PlacementGeneration(1)};
  EXPECT_EQ(held(i), (placement::Usage{2, Mebibytes(512), 8, 1}));
  i.wanted = Wanted::stopped;
  i.seen = Seen::running;
  EXPECT_EQ(held(i).vcpus, 2) << "until its host says that it is stopped";
  i.seen = Seen::stopped;
  EXPECT_EQ(held(i), (placement::Usage{0, Mebibytes(0), 8, 1}));
  i.placement.reset();
  EXPECT_EQ(held(i), placement::Usage{});
}

TEST(HealthTest, SilenceMakesAHostSuspectAndThenLost) {
  Policy const policy;
  SeeHost seen{.id = HostId("h"), .at = Instant{0}};
  EXPECT_EQ(health(nullptr, Instant{0}, policy), HostHealth::never_seen);
  EXPECT_EQ(health(&seen, Instant{} + policy.lease, policy), HostHealth::up);
  EXPECT_EQ(health(&seen, Instant{} + policy.lease + Duration{1}, policy), HostHealth::suspect);
  EXPECT_EQ(health(&seen, Instant{} + policy.lost_after, policy), HostHealth::suspect);
  EXPECT_EQ(health(&seen, Instant{} + policy.lost_after + Duration{1}, policy), HostHealth::lost);
}

TEST(HealthTest, ACutConnectionIsSuspectAtOnce) {
  Policy const policy;
  SeeHost const seen{.id = HostId("h"), .at = Instant{0}, .is_connected = false};
  EXPECT_EQ(health(&seen, Instant{1}, policy), HostHealth::suspect);
}

TEST(HealthTest, NothingIsPlacedOnAHostThatIsSuspect) {
  TestRegion region;
  region.host_comes();
  region.pass(region.policy.lease + seconds(1));
  ASSERT_TRUE(region.tell(Tick{}));
  Result<Reply> const reply =
      region.call(RunInstances{.image_id = region.image.value, .type = "t3.nano"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::no_capacity);
}

TEST(HealthTest, AMachineThatShowsAnothersUuidIsRefused) {
  TestRegion region;
  EXPECT_EQ(region.tell(AgentHello{region.host, "another", "boot"}).error().code, Code::forbidden);
}

}  // namespace
}  // namespace berth::core
