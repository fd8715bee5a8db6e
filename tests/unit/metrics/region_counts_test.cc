// The region's counts, kept from change to change, against a recount.

#include "daemon/metrics/region_counts.h"

#include <gtest/gtest.h>

#include <random>

#include "daemon/metrics/metrics.h"

namespace berth {
namespace {

using core::InstanceState;

// A state and the counts that are told of each of its changes.
struct Region {
  core::State state{core::Policy{}};
  RegionCounts counts;
  std::mt19937 random{7};

  void take(core::Change const& change) {
    counts.changing(state, change);
    core::absorb(state, change);
    counts.changed(state, change);
  }
  std::size_t draw(std::size_t below) { return random() % below; }

  static ZoneName zone(std::size_t n) { return ZoneName("zone-" + std::to_string(n)); }
  static HostId host(std::size_t n) { return HostId("host-" + std::to_string(100 + n)); }
  static InstanceId instance(std::size_t n) { return InstanceId("i-" + std::to_string(1'000 + n)); }

  // A host keeps its zone: the core lets it move only while nothing is on it.
  Host a_host(std::size_t n) {
    Host h{.id = host(n), .name = host(n).value, .zone = zone(n % 3)};
    h.is_cordoned = draw(3) == 0;
    if (draw(4) != 0) {
      HostCell cell{.memory = Mebibytes(static_cast<std::int64_t>(1 + draw(64)) * 1'024)};
      for (std::int32_t i = 0; i < 8; ++i) cell.cpus.push_back({.id = i, .core = i});
      h.inventory.emplace();
      h.inventory->cells = {cell};
      h.inventory->disk_total = bytes(Gibibytes(100));
    }
    return h;
  }
  Instance an_instance(std::size_t n) {
    std::size_t const on = n % 5;
    Instance i{.id = instance(n), .tenant = TenantId("1"), .vcpus = 2, .memory = Mebibytes(512)};
    i.disk_gib = 8;
    i.zone = zone(on % 3);
    i.wanted = std::array{Wanted::running, Wanted::stopped, Wanted::terminated}[draw(3)];
    i.seen = std::array{Seen::nothing, Seen::preparing, Seen::running, Seen::stopped,
                        Seen::failed}[draw(5)];
    if (i.wanted != Wanted::terminated || draw(2) == 0)
      i.placement = Placement{host(on), PlacementGeneration(1)};
    return i;
  }
  void step() {
    switch (draw(6)) {
      case 0: return take(core::PutHost{a_host(draw(5))});
      case 1: {
        std::size_t const n = draw(5);
        return take(core::SeeHost{.id = host(n),
                                  .is_connected = draw(2) == 0,
                                  .announced = std::array{HostHealth::up, HostHealth::suspect,
                                                          HostHealth::lost}[draw(3)]});
      }
      case 2: {
        InstanceId const id = instance(draw(40));
        Instance const* found = core::find(state.instances, id);
        if (found != nullptr && !found->placement) take(core::EraseInstance{id});
        return;
      }
      default: return take(core::PutInstance{an_instance(draw(40))});
    }
  }
};

TEST(RegionCounts, AreWhatARecountSaysAfterEveryChange) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Region region;
    region.random.seed(seed);
    for (std::size_t z = 0; z < 3; ++z) region.take(core::PutZone{Zone{.name = Region::zone(z)}});
    for (std::size_t h = 0; h < 5; ++h) region.take(core::PutHost{region.a_host(h)});
    for (int i = 0; i < 2'000; ++i) {
      region.step();
      ASSERT_EQ(region.counts.zones(), RegionCounts::recounted(region.state))
          << "seed " << seed << ", step " << i;
    }
  }
}

TEST(RegionCounts, BeginWithWhatWasThereBefore) {
  Region before;
  before.take(core::PutHost{before.a_host(0)});
  before.take(core::PutInstance{before.an_instance(0)});
  RegionCounts counts;
  counts.ticked(before.state, Instant{seconds(5).ns});
  EXPECT_EQ(counts.zones(), RegionCounts::recounted(before.state));
}

TEST(RegionCounts, AnEmptyZoneIsCountedToo) {
  Region region;
  region.take(core::PutZone{Zone{.name = Region::zone(0)}});
  EXPECT_EQ(region.counts.zones().count(Region::zone(0)), 1U);
}

TEST(RegionCounts, TellHowLongTheOldestInstanceHasBeenPassing) {
  Region region;
  Instant now{seconds(100).ns};
  region.take(core::PutHost{region.a_host(0)});
  region.counts.ticked(region.state, now);
  Instance first = region.an_instance(0);
  first.placement = Placement{Region::host(0), PlacementGeneration(1)};
  first.wanted = Wanted::running;
  first.seen = Seen::nothing;
  region.take(core::PutInstance{first});
  region.counts.ticked(region.state, now = now + seconds(10));
  Instance second = first;
  second.id = Region::instance(5);
  region.take(core::PutInstance{second});
  first.seen = Seen::preparing;  // still pending: the same wait goes on
  region.take(core::PutInstance{first});
  region.counts.ticked(region.state, now = now + seconds(10));
  EXPECT_EQ(region.counts.oldest(InstanceState::pending), seconds(20));
  first.seen = Seen::running;
  region.take(core::PutInstance{first});
  EXPECT_EQ(region.counts.oldest(InstanceState::pending), seconds(10));
  second.wanted = Wanted::stopped;
  region.take(core::PutInstance{second});
  EXPECT_EQ(region.counts.oldest(InstanceState::pending), Duration{});
  region.counts.ticked(region.state, now = now + seconds(3));
  EXPECT_EQ(region.counts.oldest(InstanceState::stopping), seconds(3));
}

TEST(RegionCounts, CountHostsThatActOnAnOlderSpec) {
  Region region;
  Instant now{seconds(100).ns};
  Host host = region.a_host(0);
  host.inventory.emplace();
  region.take(core::PutHost{host});
  Instance instance = region.an_instance(0);
  instance.wanted = Wanted::running;
  instance.placement = Placement{host.id, PlacementGeneration(1)};
  region.take(core::PutInstance{instance});
  region.take(core::SeeHost{.id = host.id, .announced = HostHealth::up});
  region.counts.ticked(region.state, now);
  EXPECT_EQ(region.counts.swept().behind.at(host.zone), 1);
  region.counts.ticked(region.state, now = now + seconds(7));
  EXPECT_EQ(region.counts.swept().behind_oldest, seconds(7));
  // A host that is away has another alert of its own.
  region.take(core::SeeHost{.id = host.id, .announced = HostHealth::lost});
  region.counts.ticked(region.state, now);
  EXPECT_TRUE(region.counts.swept().behind.empty());
  region.take(core::SeeHost{.id = host.id, .announced = HostHealth::up});
  region.counts.ticked(region.state, now);
  EXPECT_EQ(region.counts.swept().behind_oldest, Duration{});
  region.take(core::SeeHost{.id = host.id,
                            .spec_term = region.state.region.term,
                            .spec_generation = region.state.derived.spec_generation.at(host.id),
                            .announced = HostHealth::up});
  region.counts.ticked(region.state, now);
  EXPECT_TRUE(region.counts.swept().behind.empty());
  EXPECT_EQ(region.counts.swept().behind_oldest, Duration{});
}

TEST(RegionCounts, CountInstancesThatNoRecordKnows) {
  Region region;
  Host const host = region.a_host(0);
  region.take(core::PutHost{host});
  region.take(core::SeeHost{.id = host.id, .unknown = {Region::instance(1), Region::instance(2)}});
  region.counts.ticked(region.state, Instant{1'000});
  EXPECT_EQ(region.counts.swept().unknown.at(host.zone), 2);
  region.take(core::SeeHost{.id = host.id});
  region.counts.ticked(region.state, Instant{2'000});
  EXPECT_TRUE(region.counts.swept().unknown.empty());
}

TEST(RegionCounts, TheSweepOverManyHostsTakesSeveralTicks) {
  Region region;
  std::size_t const many = RegionCounts::kHostsPerTick + 1;
  for (std::size_t n = 0; n < many; ++n) {
    Host host = region.a_host(n);
    host.inventory.emplace();
    region.take(core::PutHost{host});
    region.take(core::SeeHost{.id = host.id, .announced = HostHealth::up});
    Instance i = region.an_instance(0);
    i.id = Region::instance(n);
    i.placement = Placement{host.id, PlacementGeneration(1)};
    region.take(core::PutInstance{i});
  }
  auto behind = [&] {
    std::int64_t sum = 0;
    for (auto const& [zone, count] : region.counts.swept().behind) sum += count;
    return static_cast<std::size_t>(sum);
  };
  region.counts.ticked(region.state, Instant{1'000});
  EXPECT_EQ(behind(), 0U) << "the sweep is not through";
  region.counts.ticked(region.state, Instant{2'000});
  EXPECT_EQ(behind(), many);
}

}  // namespace
}  // namespace berth
