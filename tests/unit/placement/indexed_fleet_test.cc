#include "daemon/placement/indexed_fleet.h"

#include <gtest/gtest.h>

namespace berth::placement {
namespace {

constexpr Room kCell{.vcpus = 16, .memory_mib = 16'384};

IndexedFleet fleet_of(std::string_view policy, int hosts,
                      std::vector<Room> const& cells = {kCell}) {
  IndexedFleet fleet(*find_policy(policy));
  for (int i = 0; i < hosts; ++i) fleet.add_host({.cells = cells});
  return fleet;
}
Request of(std::int32_t vcpus, std::int32_t memory_mib = 1'024) {
  return {.need = {.vcpus = vcpus, .memory_mib = memory_mib}};
}
// "host.cells", "0.1" for cell 0 of host 0, "0.3" for both.
std::string placed(IndexedFleet& fleet, Request const& request) {
  std::optional<Seat> const seat = fleet.place(request);
  if (!seat) return std::get<NoSeat>(fleet.scan(request)).text();
  return std::to_string(seat->host) + "." + std::to_string(seat->cells);
}

TEST(IndexedFleet, an_empty_host_is_opened_only_when_no_host_in_use_fits) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 3);
  EXPECT_EQ(placed(fleet, of(10)), "0.1");
  EXPECT_EQ(placed(fleet, of(6)), "0.1");
  EXPECT_EQ(placed(fleet, of(1)), "1.1");
  EXPECT_EQ(placed(fleet, of(16)), "2.1");
}

TEST(IndexedFleet, first_fit_takes_the_lowest_host_and_spread_the_emptiest) {
  IndexedFleet first = fleet_of("first-fit", 3);
  EXPECT_EQ(placed(first, of(10)), "0.1");
  EXPECT_EQ(placed(first, of(10)), "1.1");
  EXPECT_EQ(placed(first, of(2)), "0.1");
  IndexedFleet spread = fleet_of("spread", 2);
  EXPECT_EQ(placed(spread, of(10)), "0.1");
  EXPECT_EQ(placed(spread, of(4)), "1.1");
  EXPECT_EQ(placed(spread, of(2)), "1.1");
}

TEST(IndexedFleet, what_fits_one_cell_sits_in_one_and_anything_larger_is_split_evenly) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 2, {kCell, kCell});
  EXPECT_EQ(placed(fleet, of(12)), "0.1");
  EXPECT_EQ(placed(fleet, of(8)), "0.2") << "not across both, though both have room for half";
  EXPECT_EQ(placed(fleet, of(20)), "1.3");
  EXPECT_EQ(placed(fleet, of(7)), "0.2");
  EXPECT_EQ(placed(fleet, of(40)), "2 hosts: 2 larger than the host");
}

TEST(IndexedFleet, a_seat_given_back_is_as_if_it_had_never_been) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 2, {kCell, kCell});
  std::optional<Seat> const seat = fleet.place(of(20));
  ASSERT_TRUE(seat);
  fleet.release(*seat);
  EXPECT_EQ(fleet.fleet().hosts_in_use(), 0);
  EXPECT_EQ(fleet.fleet().used(), Totals());
  EXPECT_EQ(placed(fleet, of(1)), "0.1");
}

TEST(IndexedFleet, a_refusal_counts_each_host_under_the_first_obstacle) {
  IndexedFleet fleet(*find_policy("best-fit-sum"));
  fleet.add_host({.cells = {kCell}, .zone = 1});
  fleet.add_host({.cells = {kCell}, .is_up = false});
  fleet.add_host({.cells = {kCell}, .is_cordoned = true});
  fleet.add_host({.cells = {kCell}, .traits = 1});
  fleet.add_host({.cells = {kCell}, .traits = 2, .disk_gib = 5});
  fleet.add_host({.cells = {kCell}, .traits = 2, .instances_max = 0});
  fleet.add_host({.cells = {{.vcpus = 2, .memory_mib = 16'384}}, .traits = 2});
  fleet.add_host({.cells = {kCell}, .traits = 2});
  Request request = of(16, 8'192);
  request.zone = 0;
  request.traits = 2;
  request.disk_gib = 10;
  request.group = 1;
  EXPECT_EQ(placed(fleet, request), "7.1");
  EXPECT_EQ(placed(fleet, request),
            "8 hosts: 1 other zone, 1 not up, 1 cordoned, 1 traits, 1 spread group, 1 instances "
            "per host, 1 disk, 1 larger than the host");
  request.group = 2;
  EXPECT_EQ(placed(fleet, request),
            "8 hosts: 1 other zone, 1 not up, 1 cordoned, 1 traits, 1 instances per host, 1 disk, "
            "1 larger than the host, 1 cpu");
}

TEST(IndexedFleet, room_that_lies_in_different_cells_is_called_that) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 1, {kCell, kCell});
  EXPECT_EQ(placed(fleet, of(1, 16'000)), "0.1");
  EXPECT_EQ(placed(fleet, of(15, 1'024)), "0.2");
  EXPECT_EQ(placed(fleet, of(5, 5'000)), "1 host: 1 cpu and memory in different cells");
  EXPECT_EQ(placed(fleet, of(1, 16'000)), "1 host: 1 memory");
}

TEST(IndexedFleet, members_of_a_spread_group_never_share_a_host) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 3);
  Request request = of(1);
  request.group = 4;
  EXPECT_EQ(placed(fleet, request), "0.1");
  EXPECT_EQ(placed(fleet, request), "1.1");
  EXPECT_EQ(placed(fleet, of(1)), "0.1") << "what is in no group goes where it fits best";
  EXPECT_EQ(placed(fleet, request), "2.1");
  EXPECT_EQ(placed(fleet, request), "3 hosts: 3 spread group");
}

// Two hosts in each rack, for one instance of 16 vCPUs each.
IndexedFleet racks_of_two(int racks) {
  IndexedFleet fleet(*find_policy("best-fit-sum"));
  for (int i = 0; i < 2 * racks; ++i)
    fleet.add_host({.cells = {kCell}, .rack = static_cast<RackIndex>(i / 2)});
  return fleet;
}

TEST(IndexedFleet, members_of_a_rack_spread_group_never_share_a_rack) {
  IndexedFleet fleet = racks_of_two(3);
  fleet.set_group(1, {.kind = GroupKind::spread_racks});
  Request request = of(1);
  request.group = 1;
  EXPECT_EQ(placed(fleet, request), "0.1");
  EXPECT_EQ(placed(fleet, request), "2.1");
  EXPECT_EQ(placed(fleet, request), "4.1");
  EXPECT_EQ(placed(fleet, request), "6 hosts: 6 rack spread group");
}

TEST(IndexedFleet, members_of_a_one_rack_group_follow_the_first_and_go_nowhere_else) {
  IndexedFleet fleet = racks_of_two(3);
  fleet.set_group(1, {.kind = GroupKind::one_rack});
  EXPECT_EQ(placed(fleet, of(16)), "0.1");
  EXPECT_EQ(placed(fleet, of(16)), "1.1");
  Request request = of(16);
  request.group = 1;
  std::optional<Seat> const first = fleet.place(request);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->host, 2U);
  EXPECT_EQ(placed(fleet, request), "3.1");
  EXPECT_EQ(placed(fleet, request), "6 hosts: 4 one-rack group, 2 cpu");
  fleet.release(*first);
  EXPECT_EQ(placed(fleet, request), "2.1") << "one member is left, and holds the group to its rack";
}

TEST(IndexedFleet, a_rack_holds_members_of_one_partition_of_a_group_only) {
  IndexedFleet fleet = racks_of_two(3);
  fleet.set_group(1, {.kind = GroupKind::partitions});
  auto const in_partition = [](std::int32_t partition) {
    Request out = of(8);
    out.group = 1;
    out.partition = partition;
    return out;
  };
  EXPECT_EQ(placed(fleet, in_partition(1)), "0.1");
  EXPECT_EQ(placed(fleet, in_partition(2)), "2.1");
  EXPECT_EQ(placed(fleet, in_partition(1)), "0.1") << "members of one partition may share a host";
  EXPECT_EQ(placed(fleet, in_partition(2)), "2.1");
  EXPECT_EQ(placed(fleet, in_partition(7)), "4.1");
  EXPECT_EQ(placed(fleet, in_partition(3)), "6 hosts: 6 partition group");
  EXPECT_EQ(placed(fleet, in_partition(1)), "1.1") << "4 is another partition's";
}

TEST(IndexedFleet, a_request_for_a_rack_goes_there_or_nowhere) {
  IndexedFleet fleet = racks_of_two(5);
  Request request = of(9);
  request.rack = 3;
  EXPECT_EQ(placed(fleet, request), "6.1");
  EXPECT_EQ(placed(fleet, request), "7.1");
  EXPECT_EQ(placed(fleet, request), "10 hosts: 8 other rack, 2 cpu");
  request.rack = 77;
  EXPECT_EQ(placed(fleet, request), "10 hosts: 10 other rack");
}

TEST(IndexedFleet, the_rule_of_a_group_stands_while_it_has_members) {
  IndexedFleet fleet = racks_of_two(2);
  Request request = of(1);
  request.group = 1;
  std::optional<Seat> const seat = fleet.place(request);
  ASSERT_TRUE(seat);
  EXPECT_DEATH(fleet.set_group(1, {.kind = GroupKind::one_rack}), "is_empty");
  fleet.release(*seat);
  fleet.set_group(1, {.kind = GroupKind::one_rack});
  EXPECT_EQ(fleet.fleet().rule_of(1).kind, GroupKind::one_rack);
}

TEST(IndexedFleet, a_zone_keeps_what_its_largest_hosts_would_need) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 3);
  fleet.reserve_hosts(1);
  EXPECT_EQ(placed(fleet, of(16)), "0.1");
  EXPECT_EQ(placed(fleet, of(15)), "1.1");
  EXPECT_EQ(placed(fleet, of(2)), "3 hosts: 3 zone's reserve");
  EXPECT_EQ(placed(fleet, of(1)), "1.1");
  fleet.reserve_hosts(0);
  EXPECT_EQ(placed(fleet, of(16)), "2.1");
}

TEST(IndexedFleet, a_host_that_goes_down_or_is_cordoned_takes_nothing_until_it_is_back) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 2);
  EXPECT_EQ(placed(fleet, of(8)), "0.1");
  fleet.set_cordoned(0, true);
  EXPECT_EQ(placed(fleet, of(4)), "1.1");
  fleet.set_up(1, false);
  EXPECT_EQ(placed(fleet, of(1)), "2 hosts: 1 not up, 1 cordoned");
  fleet.set_cordoned(0, false);
  EXPECT_EQ(placed(fleet, of(1)), "0.1");
}

TEST(IndexedFleet, the_table_of_scores_begins_with_the_chosen_host_and_goes_on_in_order) {
  IndexedFleet fleet = fleet_of("best-fit-sum", 4);
  EXPECT_EQ(placed(fleet, of(12)), "0.1");
  EXPECT_EQ(placed(fleet, of(9)), "1.1");
  EXPECT_EQ(placed(fleet, of(8)), "2.1");
  ScoreTable table;
  std::optional<Seat> const seat = fleet.place_explained(of(4), table);
  ASSERT_TRUE(seat);
  EXPECT_EQ(seat->host, 0U);
  ASSERT_EQ(table.size, 3U);
  EXPECT_EQ(table.rows[0].host, 0U);
  EXPECT_EQ(table.rows[1].host, 1U);
  EXPECT_EQ(table.rows[2].host, 2U);
  EXPECT_LT(table.rows[0].score, table.rows[1].score);
}

}  // namespace
}  // namespace berth::placement
