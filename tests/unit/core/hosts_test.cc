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
  placement::HostOffer const offer = host_offer(region.state.hosts.at(region.host), region.policy);
  EXPECT_EQ(capacity(offer), placement::Usage{});
}

HostCell cell(std::int32_t id, std::int32_t cpus, std::int64_t memory_mib) {
  HostCell out{.id = id, .memory = Mebibytes(memory_mib), .cpus = {}, .huge_pages = {}};
  for (std::int32_t i = 0; i < cpus; ++i)
    out.cpus.push_back({.id = i, .core = i / 2, .siblings = {}});
  return out;
}

TEST(CapacityTest, EachCellSellsItsOwnLessItsShareOfTheReserve) {
  Host host{.zone = ZoneName("z"), .rack = "r1"};
  host.inventory = HostInventory{};
  host.inventory->cells = {cell(0, 3, 1'025), cell(1, 0, 4'096), cell(2, 2, 100'001)};
  placement::HostOffer const offer = host_offer(host, {.host_memory_reserve = Mebibytes(3)});
  ASSERT_EQ(offer.cells.size(), 2) << "memory without CPUs is not sold";
  EXPECT_EQ(offer.cells[0], (placement::CellOffer{.id = 0, .room = {12, 1'024}}));
  EXPECT_EQ(offer.cells[1], (placement::CellOffer{.id = 2, .room = {8, 99'840}}))
      << "a large cell in steps of 256 MiB";
}

TEST(HeldTest, WholeCoresCountForAllThatCouldHaveBeenSoldOfThem) {
  Policy const policy{.cpu_overcommit_permille = 1'500};
  Instance i{.vcpus = 3, .memory = Mebibytes(512), .is_cpu_dedicated = true};
  i.placement = Placement{HostId("h"), PlacementGeneration(1)};
  EXPECT_EQ(held(i).vcpus, 3) << "of the tenant's quota";
  EXPECT_EQ(held_on_host(i, policy).vcpus, 6) << "two cores of two threads, at 1.5";
  EXPECT_EQ(need_of(3, i.memory, 1, true, policy).room, (placement::Room{6, 512}));
  i.is_cpu_dedicated = false;
  EXPECT_EQ(held_on_host(i, policy).vcpus, 3);
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
