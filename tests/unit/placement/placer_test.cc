#include "daemon/placement/placer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::placement {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ZoneName const kA("r1-a"), kB("r1-b");
HostId const kFirst("host-1"), kSecond("host-2");

HostOffer offer(ZoneName const& zone, std::vector<CellOffer> cells) {
  return {.zone = zone, .rack = "", .cells = std::move(cells), .disk_gib = 100, .instances_max = 3};
}
HostOffer two_cells() {
  return offer(kA, {{.id = 0, .room = {8, 8'192}}, {.id = 4, .room = {8, 8'192}}});
}
Ask of(std::int32_t vcpus, std::int32_t memory_mib, std::optional<ZoneName> zone = std::nullopt) {
  return {.zone = std::move(zone), .need = {.room = {vcpus, memory_mib}, .disk_gib = 10}};
}
Placer with(HostId const& id, HostOffer const& what) {
  Placer placer;
  placer.put_host(id, what);
  placer.set_open(id, true, false);
  return placer;
}

TEST(PlacerTest, APlaceNamesTheHostAndItsCells) {
  Placer const placer = with(kFirst, two_cells());
  Draft draft(placer);
  EXPECT_EQ(draft.place(of(8, 1'024)), (Place{kFirst, {0}}));
  EXPECT_EQ(draft.place(of(8, 1'024)), (Place{kFirst, {4}}));
  EXPECT_EQ(draft.place(of(1, 1'024)), std::nullopt);
}

TEST(PlacerTest, WhatDoesNotFitOneCellIsSplitOverTwo) {
  Placer const placer = with(kFirst, two_cells());
  EXPECT_EQ(Draft(placer).place(of(10, 1'024)), (Place{kFirst, {0, 4}}));
}

TEST(PlacerTest, ADraftLeavesNothingBehind) {
  Placer const placer = with(kFirst, two_cells());
  {
    Draft draft(placer);
    ASSERT_TRUE(draft.place(of(8, 8'192)));
    EXPECT_EQ(placer.free(kFirst)[0].room, (Room{0, 0}));
    std::size_t const mark = draft.mark();
    ASSERT_TRUE(draft.place(of(8, 8'192)));
    draft.undo(mark);
    EXPECT_EQ(placer.free(kFirst)[1].room, (Room{8, 8'192}));
  }
  EXPECT_EQ(placer.free(kFirst), two_cells().cells);
}

TEST(PlacerTest, AHostThatIsDownCordonedOrElsewhereIsNamedInTheRefusal) {
  Placer placer = with(kFirst, two_cells());
  placer.put_host(kSecond, offer(kB, {{.id = 0, .room = {8, 8'192}}}));
  placer.put_host(HostId("host-3"), offer(kA, {}));
  placer.set_open(kFirst, true, true);
  EXPECT_EQ(Draft(placer).place(of(1, 1)), std::nullopt);
  EXPECT_EQ(Draft(placer).why_not(of(1, 1)).text(), "3 hosts: 2 not up, 1 cordoned");
  EXPECT_EQ(Draft(placer).why_not(of(1, 1, kB)).text(), "3 hosts: 2 other zone, 1 not up");
  EXPECT_EQ(Draft(placer).why_not(of(1, 1, ZoneName("r1-c"))).text(), "3 hosts: 3 other zone");
}

TEST(PlacerTest, ACordonKeepsNewOnesAwayAndNotThoseThatLiveThere) {
  Placer placer = with(kFirst, two_cells());
  placer.set_open(kFirst, true, true);
  EXPECT_EQ(Draft(placer).place_on(kFirst, {8, 1'024}), (Place{kFirst, {0}}));
  placer.set_open(kFirst, false, true);
  EXPECT_EQ(Draft(placer).place_on(kFirst, {8, 1'024}), std::nullopt);
}

TEST(PlacerTest, AStoppedInstanceHoldsItsDiskAndItsPlaceInTheCount) {
  Placer placer = with(kFirst, two_cells());
  placer.take({.place = {kFirst, {0}}, .need = {.room = {}, .disk_gib = 95}});
  EXPECT_EQ(placer.free(kFirst), two_cells().cells);
  EXPECT_EQ(Draft(placer).why_not(of(1, 1)).text(), "1 host: 1 disk");
  for (int i = 0; i < 2; ++i)
    placer.take({.place = {kFirst, {0}}, .need = {.room = {}, .disk_gib = 0}});
  EXPECT_EQ(Draft(placer).why_not(of(1, 1)).text(), "1 host: 1 instances per host");
}

TEST(PlacerTest, AHostThatShrankHoldsMoreThanItHasAndGetsNoMore) {
  Placer placer = with(kFirst, two_cells());
  Holding const big{.place = {kFirst, {0, 4}}, .need = {.room = {16, 16'384}, .disk_gib = 0}};
  placer.take(big);
  HostOffer const smaller = offer(kA, {{.id = 0, .room = {8, 8'192}}});
  ASSERT_TRUE(placer.is_resettled(kFirst, smaller));
  placer.give_back(big);
  placer.put_host(kFirst, smaller);
  placer.take(big);
  EXPECT_EQ(placer.free(kFirst)[0].room, (Room{-8, -8'192}));
  EXPECT_EQ(Draft(placer).why_not(of(1, 1)).text(), "1 host: 1 cpu");
  placer.give_back(big);
  EXPECT_EQ(Draft(placer).place(of(8, 8'192)), (Place{kFirst, {0}}));
}

TEST(PlacerTest, ARemovedHostMakesRoomForAnotherOfAnotherKind) {
  Placer placer = with(kFirst, two_cells());
  placer.erase_host(kFirst);
  EXPECT_EQ(Draft(placer).place(of(1, 1)), std::nullopt);
  EXPECT_THAT(placer.free(kFirst), IsEmpty());
  placer.put_host(kSecond, offer(kB, {{.id = 0, .room = {2, 64}}, {.id = 1, .room = {2, 64}}}));
  placer.set_open(kSecond, true, false);
  EXPECT_EQ(Draft(placer).place(of(1, 1)), (Place{kSecond, {0}}));
  EXPECT_EQ(Draft(placer).why_not(of(8, 1)).text(), "1 host: 1 larger than the host");
}

TEST(PlacerTest, TheReserveOfAZoneIsKept) {
  Placer placer = with(kFirst, two_cells());
  placer.put_host(kSecond, two_cells());
  placer.set_open(kSecond, true, false);
  placer.reserve_hosts(1);
  Draft draft(placer);
  EXPECT_TRUE(draft.place(of(8, 64)));
  EXPECT_TRUE(draft.place(of(8, 64)));
  EXPECT_EQ(draft.place(of(1, 64)), std::nullopt);
  EXPECT_EQ(draft.why_not(of(1, 64)).text(), "2 hosts: 2 zone's reserve");
}

TEST(PlacerTest, AGroupKeepsItsRuleOverRacksAndItsNumberIsGivenAgain) {
  PlacementGroupId const group("pg-1");
  Placer placer;
  for (int i = 0; i < 3; ++i) {
    HostId const id("host-" + std::to_string(i));
    HostOffer what = two_cells();
    what.rack = i < 2 ? "r1" : "r2";
    placer.put_host(id, what);
    placer.set_open(id, true, false);
  }
  auto const member = [&] {
    Ask out = of(1, 64, kA);
    out.need.group = group;
    return out;
  };
  placer.put_group(group, {GroupKind::spread_racks});
  {
    Draft draft(placer);
    ASSERT_TRUE(draft.place(member()));
    ASSERT_TRUE(draft.place(member()));
    EXPECT_EQ(draft.place(member()), std::nullopt);
    EXPECT_EQ(draft.why_not(member()).hosts_removed[static_cast<std::size_t>(Obstacle::group)], 3);
  }
  placer.erase_group(group);
  placer.put_group(group, {GroupKind::one_rack});
  Draft draft(placer);
  Ask second = member();
  second.rack = "r2";
  EXPECT_EQ(draft.place(second)->host, HostId("host-2"));
  EXPECT_EQ(draft.place(member())->host, HostId("host-2"));
  second.rack = "r3";
  EXPECT_EQ(draft.place(second), std::nullopt);
  EXPECT_EQ(draft.why_not(second).text(), "3 hosts: 3 other rack") << "as no host is in it";
}

}  // namespace
}  // namespace berth::placement
