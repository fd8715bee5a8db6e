// What operators are told of placements: why here, why not, how many more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/region.h"

namespace berth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Region;

core::PlacementView explained(Region& region, std::string id) {
  return std::get<core::PlacementView>(region.admin(core::ExplainPlacement{.id = std::move(id)}));
}

std::int64_t sum(core::PlacementView const& view) {
  std::int64_t out = view.note.scored_worse + (view.is_placed ? 1 : 0);
  for (PlacementNote::Removed const& one : view.note.removed) out += one.hosts;
  return out;
}

TEST(Explain, AnAcceptedPlacementCountsEveryHostOnceAndNamesTheRunnersUp) {
  Region region(3);
  region.admin(core::CordonHost{.host = "h0", .cordon = true});
  std::string const id = region.run(region.launch())[0];
  core::PlacementView const view = explained(region, id);
  EXPECT_TRUE(view.is_placed);
  EXPECT_EQ(view.note.policy, "default");
  EXPECT_EQ(view.note.hosts, 3);
  EXPECT_EQ(sum(view), 3);
  EXPECT_THAT(view.note.removed, ElementsAre(PlacementNote::Removed{"cordoned", 1}));
  ASSERT_FALSE(view.rows.empty());
  EXPECT_EQ(view.rows[0].host, region.instance(id).placement->host);
  EXPECT_EQ(view.rows[0].host_name, region.state.hosts.at(view.rows[0].host).name);
}

TEST(Explain, ARefusalIsFoundByItsRequestWithWhatWouldHelpNow) {
  Region region;  // three m5.large by memory
  core::RunInstances ask = region.launch();
  ask.type = "m5.large";
  ask.zone = "us-east-1a";
  ask.min_count = ask.max_count = 5;
  ASSERT_FALSE(region.call(ask).has_value());
  core::PlacementView const view = explained(region, "r");
  EXPECT_FALSE(view.is_placed);
  EXPECT_EQ(view.wanted, 5);
  EXPECT_EQ(view.found, 3);
  EXPECT_EQ(view.note.hosts, 1);
  EXPECT_EQ(sum(view), 1);
  EXPECT_THAT(view.note.removed, ElementsAre(PlacementNote::Removed{"memory", 1}));
  EXPECT_EQ(view.note.tightest, "memory");
  EXPECT_THAT(view.remedies, ElementsAre("3 of the 5", "as t3.nano"));
  ask.min_count = ask.max_count = 3;
  region.run(ask);
  EXPECT_THAT(explained(region, "r").remedies, ElementsAre("as t3.nano")) << "as it is now";
}

TEST(Explain, WhatIsNeitherAnInstanceNorARefusalIsNotFound) {
  Region region;
  Result<core::Reply> const reply =
      region.input(core::AdminCall{.actor = "root",
                                   .action_name = "placement.explain",
                                   .action = core::ExplainPlacement{"i-nothing"}});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Code::not_found);
}

TEST(Explain, RefusalsAreForgottenOldestFirst) {
  Region region;
  for (std::size_t i = 0; i <= core::kRefusalsKept; ++i)
    core::note_refusal(region.state, {.request_id = std::to_string(i)});
  EXPECT_EQ(region.state.refusals.size(), core::kRefusalsKept);
  EXPECT_FALSE(region.state.refusals.contains("0"));
  EXPECT_TRUE(region.state.refusals.contains("1"));
}

TEST(Explain, InALargeRegionHostsAreNotCountedAndTheScoresAreKept) {
  Region region(3, {.explained_hosts_max = 2});
  core::PlacementView const view = explained(region, region.run(region.launch())[0]);
  EXPECT_EQ(view.note.hosts, 0);
  EXPECT_THAT(view.note.removed, IsEmpty());
  EXPECT_EQ(view.rows.size(), 1u);
}

TEST(Capacity, IsHowManyMoreCanBeLaunched) {
  Region region(2);
  auto const more = [&](std::string type) {
    auto const list =
        std::get<core::CapacityList>(region.admin(core::ShowCapacity{std::move(type)}));
    EXPECT_EQ(list.items.size(), 2u);
    EXPECT_EQ(list.items[1].instances, 0) << "a zone without hosts";
    return list.items[0].instances;
  };
  EXPECT_EQ(more("m5.large"), 6);
  core::RunInstances ask = region.launch();
  ask.type = "m5.large";
  ask.max_count = 4;
  region.run(ask);
  EXPECT_EQ(more("m5.large"), 2);
  ask.max_count = 10;
  EXPECT_EQ(region.run(ask).size(), 2u);
  EXPECT_EQ(more("m5.large"), 0);
}

TEST(Capacity, TheReserveOfAZoneIsNotSold) {
  Region region(2, {.reserve_hosts = 1});
  auto const list = std::get<core::CapacityList>(region.admin(core::ShowCapacity{"m5.large"}));
  EXPECT_EQ(list.items[0].instances, 3);
  core::RunInstances ask = region.launch();
  ask.type = "m5.large";
  ask.max_count = 10;
  EXPECT_EQ(region.run(ask).size(), 3u);
  ASSERT_FALSE(region.call(ask).has_value());
  EXPECT_THAT(explained(region, "r").note.removed,
              ElementsAre(PlacementNote::Removed{"zone's reserve", 2}));
}

TEST(Cores, AnInstanceOfADedicatedTypeGetsWholeCoresAndTheOthersTheRest) {
  Region region;  // four cores of two threads in one cell
  region.admin(core::PutTypes{{{.name = TypeName("c5.large"),
                                .vcpus = 2,
                                .memory = Mebibytes(1024),
                                .threads_per_core = 2,
                                .is_cpu_dedicated = true}}});
  core::RunInstances ask = region.launch();
  ask.type = "c5.large";
  ask.max_count = 3;
  std::vector<std::string> const ids = region.run(ask);
  EXPECT_THAT(region.instance(ids[0]).placement->cpus, ElementsAre(0, 1));
  EXPECT_THAT(region.instance(ids[2]).placement->cpus, ElementsAre(4, 5));
  EXPECT_THAT(region.instance(ids[0]).placement->cells, ElementsAre(0));
  HostSpec const spec = core::host_spec(region.state, region.hosts[0]);
  ASSERT_EQ(spec.shared_cpus.size(), 1u);
  EXPECT_THAT(spec.shared_cpus[0].cpus, ElementsAre(6, 7));
  ask = region.launch();
  ask.max_count = 10;
  EXPECT_EQ(region.run(ask).size(), 4u) << "two threads are left to share, at 4 to 1";
  ask.type = "c5.large";
  EXPECT_FALSE(region.call(ask).has_value());
  // Its cores are free again once its host says that it is stopped.
  region.report(ids[1], Seen::running);
  ASSERT_TRUE(region.call(core::StopInstances{{ids[1]}}));
  region.report(ids[1], Seen::stopped);
  ask.max_count = 1;
  EXPECT_THAT(region.instance(region.run(ask)[0]).placement->cpus, ElementsAre(2, 3));
  EXPECT_FALSE(region.call(core::StartInstances{{ids[1]}}).has_value());
}

}  // namespace
}  // namespace berth
