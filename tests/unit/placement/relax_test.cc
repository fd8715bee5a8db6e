#include "daemon/placement/relax.h"

#include <gtest/gtest.h>

#include "daemon/placement/explain.h"

namespace berth::placement {
namespace {

constexpr Room kCell{.vcpus = 16, .memory_mib = 16'384};
constexpr Room kSmall{.vcpus = 1, .memory_mib = 1'024};

Request of(std::int32_t vcpus, std::int32_t memory_mib = 1'024) {
  return {.need = {.vcpus = vcpus, .memory_mib = memory_mib}};
}
Seat placed(IndexedFleet& fleet, Request const& request) {
  std::optional<Seat> const seat = fleet.place(request);
  EXPECT_TRUE(seat);
  return seat.value_or(Seat());
}
using Found = std::vector<Relaxation>;

class Relaxing : public testing::Test {
 protected:
  // One host in each of three zones, and a rack of its own for each.
  Relaxing() {
    for (ZoneIndex zone = 0; zone < 3; ++zone)
      fleet_.add_host({.cells = {kCell}, .zone = zone, .rack = zone});
  }

  IndexedFleet fleet_{*find_policy("best-fit-sum")};
};

TEST_F(Relaxing, every_zone_that_would_do_is_named) {
  Request request = of(9);
  request.zone = 1;
  placed(fleet_, request);
  EXPECT_EQ(relaxations(fleet_, {.request = request, .shapes = {}}),
            (Found{{RelaxationKind::other_zone, 0}, {RelaxationKind::other_zone, 2}}));
  EXPECT_EQ(relaxations(fleet_, {.request = request, .count = 2, .shapes = {}}), Found())
      << "no zone has room for two";
}

TEST_F(Relaxing, a_rack_too_many_is_named_and_dropped_with_the_zone) {
  Request request = of(9);
  request.rack = 1;
  placed(fleet_, request);
  EXPECT_EQ(relaxations(fleet_, {.request = request, .shapes = {}}),
            (Found{{RelaxationKind::any_rack, 0}}));
  request.zone = 1;
  EXPECT_EQ(relaxations(fleet_, {.request = request, .shapes = {}}),
            (Found{{RelaxationKind::other_zone, 0}, {RelaxationKind::other_zone, 2}}));
}

TEST_F(Relaxing, without_its_group_and_how_many_fit_with_it) {
  Request request = of(1);
  request.group = 1;
  EXPECT_EQ(relaxations(fleet_, {.request = request, .count = 5, .shapes = {}}),
            (Found{{RelaxationKind::without_group, 0}, {RelaxationKind::fewer, 3}}));
}

TEST_F(Relaxing, of_other_shapes_the_first_that_can_be_placed) {
  std::vector<Room> const shapes{
      {.vcpus = 17, .memory_mib = 1'024}, {.vcpus = 8, .memory_mib = 1'024}, kSmall};
  EXPECT_EQ(relaxations(fleet_, {.request = of(20), .shapes = shapes}),
            (Found{{RelaxationKind::other_shape, 1}}));
  EXPECT_EQ(relaxations(fleet_, {.request = of(20), .count = 9, .shapes = shapes}),
            (Found{{RelaxationKind::other_shape, 2}}));
}

TEST_F(Relaxing, the_lowest_cordoned_host_that_would_do) {
  for (int i = 0; i < 3; ++i) placed(fleet_, of(16));
  HostIndex const small = fleet_.add_host({.cells = {kSmall}, .is_cordoned = true});
  HostIndex const down = fleet_.add_host({.cells = {kCell}, .is_up = false, .is_cordoned = true});
  HostIndex const good = fleet_.add_host({.cells = {kCell}, .is_cordoned = true});
  EXPECT_LT(small, down);
  EXPECT_EQ(relaxations(fleet_, {.request = of(16), .shapes = {}}),
            (Found{{RelaxationKind::uncordon, good}}));
  EXPECT_TRUE(fleet_.fleet().host(good).is_cordoned);
  EXPECT_EQ(relaxations(fleet_, {.request = of(16), .count = 2, .shapes = {}}), Found());
}

TEST_F(Relaxing, nothing_is_said_of_a_request_that_can_be_placed) {
  EXPECT_EQ(relaxations(fleet_, {.request = of(16), .count = 3, .shapes = {}}), Found());
  EXPECT_EQ(fleet_.fleet().used(), Totals());
}

TEST(Explain, counts_every_host_and_says_what_is_tight) {
  IndexedFleet fleet(*find_policy("best-fit-sum"));
  fleet.add_host({.cells = {kCell}, .zone = 1, .rack = 1});
  for (RackIndex rack = 2; rack < 7; ++rack) fleet.add_host({.cells = {kCell}, .rack = rack});
  Request request = of(2, 8'192);
  request.zone = 0;
  EXPECT_EQ(explain(fleet, request).text(),
            "6 hosts: 1 other zone, 4 fit and scored worse; tightest: memory")
      << "of the chosen host, half of the memory and an eighth of the CPUs";
  placed(fleet, of(1, 16'000));
  request.zone = 0;
  fleet.set_cordoned(0, true);
  placed(fleet, of(15, 9'000));
  Explanation const why = explain(fleet, request);
  EXPECT_EQ(why.text(), "6 hosts: 1 other zone, 1 cpu, 3 fit and scored worse; tightest: cpu");
  EXPECT_EQ(why.chosen, fleet.choose(request));
}

TEST(Explain, a_host_just_added_before_anything_was_asked_for) {
  IndexedFleet fleet(*find_policy("default"));
  fleet.add_host({.cells = {kCell}});
  EXPECT_EQ(explain(fleet, of(2)).text(), "1 host; tightest: cpu");
  ASSERT_TRUE(fleet.place(of(1)));
  fleet.add_host({.cells = {kCell + kSmall}});
  EXPECT_EQ(explain(fleet, of(17)).text(), "2 hosts: 1 larger than the host; tightest: cpu");
}

TEST(Explain, says_why_not) {
  IndexedFleet fleet(*find_policy("best-fit-sum"));
  fleet.add_host({.cells = {kCell}});
  Explanation const why = explain(fleet, of(20));
  EXPECT_EQ(why.text(), "1 host: 1 larger than the host");
  EXPECT_EQ(why.chosen, std::nullopt);
  EXPECT_EQ(why.table.size, 0U);
  EXPECT_EQ(explain(fleet, of(3)).text(), "1 host; tightest: cpu");
}

}  // namespace
}  // namespace berth::placement
