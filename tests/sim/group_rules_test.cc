// A check that cannot fail proves nothing: each rule of placement groups is shown a world that
// breaks it.

#include "tests/sim/group_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::sim {
namespace {

using ::testing::HasSubstr;

class GroupRulesTest : public ::testing::Test {
 protected:
  GroupRulesTest() {
    // Two hosts in a rack, one in another, one in the first rack's namesake of another zone.
    put_host("a", "z1", "r1");
    put_host("b", "z1", "r1");
    put_host("c", "z1", "r2");
    put_host("d", "z2", "r1");
  }
  void put_host(std::string const& id, std::string const& zone, std::string const& rack) {
    rules.on_committed(
        {core::PutHost{Host{.id = HostId(id), .name = id, .zone = ZoneName(zone), .rack = rack}}});
    zone_of[id] = zone;
  }
  void put_group(PlacementStrategy strategy, SpreadLevel level = SpreadLevel::rack) {
    rules.on_committed({core::PutPlacementGroup{
        {.id = group,
         .tenant = tenant,
         .name = "g",
         .strategy = strategy,
         .spread_level = level,
         .partition_count = strategy == PlacementStrategy::partition ? 3 : 0}}});
  }
  Instance member(int number, std::string const& host, std::int32_t partition = 0) {
    Instance i{.id = InstanceId("i-" + std::to_string(number)), .tenant = tenant};
    i.placement_group = group;
    i.partition = partition;
    i.zone = ZoneName(zone_of.at(host));
    i.placement = Placement{.host = HostId(host), .generation = PlacementGeneration(1)};
    return i;
  }
  void place(int number, std::string const& host, std::int32_t partition = 0) {
    rules.on_committed({core::PutInstance{member(number, host, partition)}});
  }
  void end(int number) {
    Instance i = member(number, "a");
    i.placement.reset();
    rules.on_committed({core::PutInstance{i}});
  }
  void expect(char const* complaint) {
    ASSERT_TRUE(world.violation()) << "nothing was said";
    EXPECT_THAT(*world.violation(), HasSubstr(complaint));
  }
  void expect_nothing() { EXPECT_FALSE(world.violation()) << *world.violation(); }

  inline static PlacementGroupId const group{"pg-1"};
  inline static TenantId const tenant{"111111111111"};
  std::map<std::string, std::string> zone_of;
  World world{1, nullptr};
  GroupRules rules{world};
};

TEST_F(GroupRulesTest, ASpreadGroupTwiceInARackIsFoundAndInTwoZonesIsNot) {
  put_group(PlacementStrategy::spread);
  place(1, "a");
  place(2, "c");
  place(3, "d");
  expect_nothing();
  place(4, "b");
  expect("a second time in the rack 'r1' of z1");
}

TEST_F(GroupRulesTest, AHostLevelSpreadGroupMayShareARackButNoHost) {
  put_group(PlacementStrategy::spread, SpreadLevel::host);
  place(1, "a");
  place(2, "b");
  expect_nothing();
  place(3, "b");
  expect("a second time on b");
}

TEST_F(GroupRulesTest, AnEighthOfASpreadGroupInAZoneIsFound) {
  put_group(PlacementStrategy::spread);
  for (int i = 1; i <= 8; ++i) put_host("h" + std::to_string(i), "z1", "s" + std::to_string(i));
  for (int i = 1; i <= 7; ++i) place(i, "h" + std::to_string(i));
  place(9, "d");
  expect_nothing();
  place(8, "h8");
  expect("more than seven times in a zone");
}

TEST_F(GroupRulesTest, AClusterGroupInTwoRacksIsFound) {
  put_group(PlacementStrategy::cluster);
  place(1, "a");
  place(2, "b");
  expect_nothing();
  place(3, "d");
  expect("is placed in two racks");
}

TEST_F(GroupRulesTest, PartitionsThatShareARackAreFound) {
  put_group(PlacementStrategy::partition);
  place(1, "a", 1);
  place(2, "b", 1);
  place(3, "c", 2);
  place(4, "d", 2);
  expect_nothing();
  place(5, "a", 2);
  expect("two partitions in the rack 'r1' of z1");
}

TEST_F(GroupRulesTest, APartitionThatTheGroupDoesNotHaveIsFound) {
  put_group(PlacementStrategy::partition);
  place(1, "a", 4);
  expect("in partition 4 of 3");
}

TEST_F(GroupRulesTest, WhatHasEndedLeavesItsPlace) {
  put_group(PlacementStrategy::spread);
  place(1, "a");
  end(1);
  place(2, "b");
  rules.on_committed({core::EraseInstance{InstanceId("i-1")}});
  expect_nothing();
}

TEST_F(GroupRulesTest, WhatRunsIsJudgedWhereItRuns) {
  put_group(PlacementStrategy::spread, SpreadLevel::host);
  place(1, "a");
  place(2, "c");
  rules.on_process_began(HostId("a"), InstanceId("i-1"));
  rules.on_process_began(HostId("c"), InstanceId("i-2"));
  rules.on_process_ended(InstanceId("i-2"));
  expect_nothing();
  rules.on_process_began(HostId("a"), InstanceId("i-2"));
  expect("runs a second time on a");
}

TEST_F(GroupRulesTest, AGroupThatIsDeletedUnderItsMembersIsFound) {
  put_group(PlacementStrategy::spread);
  place(1, "a");
  rules.on_committed({core::ErasePlacementGroup{group}});
  expect("was deleted and has members");
}

TEST_F(GroupRulesTest, AMemberOfAGroupThatIsNotThereIsFound) {
  place(1, "a");
  expect("is of no group of its tenant");
}

TEST_F(GroupRulesTest, AMemberInAnotherZoneThanItsHostIsFound) {
  put_group(PlacementStrategy::spread);
  Instance i = member(1, "a");
  i.zone = ZoneName("z2");
  rules.on_committed({core::PutInstance{i}});
  expect("on a host of another zone");
}

TEST_F(GroupRulesTest, AMemberThatChangesItsGroupIsFound) {
  put_group(PlacementStrategy::spread);
  place(1, "a");
  Instance i = member(1, "a");
  i.placement_group = PlacementGroupId("pg-2");
  rules.on_committed({core::PutInstance{i}});
  expect("changed its group");
}

TEST_F(GroupRulesTest, WhatWasStoredIsJudgedWhenADaemonStarts) {
  core::State state{core::Policy{}};
  for (auto const& [id, zone] : zone_of) {
    state.hosts[HostId(id)] = Host{.id = HostId(id), .name = id, .zone = ZoneName(zone)};
  }
  state.placement_groups[group] = {
      .id = group, .tenant = tenant, .name = "g", .strategy = PlacementStrategy::spread};
  for (int i : {1, 2}) {
    Instance const one = member(i, "a");
    state.instances[one.id] = one;
  }
  rules.on_loaded(state);
  expect("a second time on a");
}

}  // namespace
}  // namespace berth::sim
