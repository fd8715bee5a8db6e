#include "daemon/placement/demand.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "berth/base/entropy.h"
#include "daemon/placement/policy.h"

namespace berth::placement {
namespace {

constexpr Room kCell{.vcpus = 48, .memory_mib = 128 * 1'024};
constexpr CellKind kCells[] = {{.capacity = kCell}};
constexpr Room kSmall{.vcpus = 3, .memory_mib = 8'192};
constexpr Room kHalf{.vcpus = 24, .memory_mib = 64 * 1'024};
constexpr Room kUneven{.vcpus = 30, .memory_mib = 64 * 1'024};

// Of a fleet of so many hosts of one such cell, each in use half full.
FleetFacts facts_of(std::int64_t hosts, std::int64_t hosts_in_use) {
  return {.used = {.vcpus = hosts_in_use * 24, .memory_mib = hosts_in_use * 64 * 1'024},
          .capacity = {.vcpus = hosts * 48, .memory_mib = hosts * 128 * 1'024},
          .hosts = hosts,
          .hosts_in_use = hosts_in_use,
          .cells = kCells};
}
// The tables after one refresh, with `running` of each shape.
CellTables tables_of(FleetFacts const& facts, std::vector<Room> const& shapes,
                     std::int64_t running) {
  Demand demand;
  for (Room const& shape : shapes) {
    for (std::int64_t i = 0; i < running; ++i) {
      demand.asked(shape, TablesRead::regimes, facts);
      demand.placed(shape, TablesRead::regimes);
    }
  }
  for (int i = 0; i < 512; ++i) demand.asked(shapes.front(), TablesRead::regimes, facts);
  return demand.tables().of(kCell);
}

TEST(Demand, the_regime_is_roomy_until_two_thirds_of_the_hosts_are_in_use_and_then_tight) {
  EXPECT_EQ(tables_of(facts_of(100, 64), {kSmall}, 600).regime, Regime::roomy);
  CellTables const tight = tables_of(facts_of(100, 65), {kSmall}, 600);
  EXPECT_EQ(tight.regime, Regime::tight);
  CellTables const very_tight = tables_of(facts_of(100, 75), {kSmall}, 600);
  EXPECT_EQ(very_tight.regime, Regime::tight);
  EXPECT_LT(very_tight.tightness, tight.tightness);
}

TEST(Demand, shapes_that_leave_a_hole_nothing_fills_make_it_lumpy) {
  EXPECT_EQ(tables_of(facts_of(100, 90), {kHalf}, 100).regime, Regime::tight)
      << "two of them fill a cell";
  EXPECT_EQ(tables_of(facts_of(100, 90), {kUneven}, 100).regime, Regime::lumpy)
      << "18 vCPUs are left";
  EXPECT_EQ(tables_of(facts_of(100, 90), {kUneven, kSmall}, 600).regime, Regime::tight)
      << "small ones fill what is left";
}

TEST(Demand, the_worth_of_a_state_is_what_recent_shapes_can_fill_of_it) {
  CellTables const tables = tables_of(facts_of(100, 90), {kHalf}, 100);
  auto const worth = [&](std::int32_t vcpus, std::int32_t gib) {
    return tables
        .worth[tables.state(tables.steps_free({.vcpus = vcpus, .memory_mib = gib * 1'024}))];
  };
  EXPECT_EQ(worth(0, 0), 0);
  EXPECT_EQ(worth(23, 128), 0);
  EXPECT_EQ(worth(24, 64), 1 << 15) << "half of the cell";
  EXPECT_EQ(worth(47, 127), 1 << 15);
  EXPECT_EQ(worth(48, 128), 1 << 16) << "all of it";
}

TEST(Demand, a_shape_that_nobody_asks_for_any_more_is_forgotten) {
  Demand demand;
  FleetFacts const facts = facts_of(100, 90);
  constexpr Room kTiny{.vcpus = 1, .memory_mib = 1'024};
  demand.asked(kTiny, TablesRead::regimes, facts);
  for (int i = 0; i < 1'024; ++i) demand.asked(kSmall, TablesRead::regimes, facts);
  auto const worth = [&] {
    CellTables const& tables = demand.tables().of(kCell);
    return tables.worth[tables.state(tables.steps_free(kTiny))];
  };
  EXPECT_GT(worth(), 0);
  for (int i = 0; i < 66'000; ++i) demand.asked(kSmall, TablesRead::regimes, facts);
  EXPECT_EQ(worth(), 0);
}

TEST(Demand, tables_change_only_at_fixed_points_and_only_for_a_policy_that_reads_them) {
  Demand demand;
  EXPECT_FALSE(demand.asked(kSmall, TablesRead::nothing, facts_of(100, 10)));
  EXPECT_TRUE(demand.asked(kSmall, TablesRead::regimes, facts_of(100, 10)));
  for (int i = 1; i < 512; ++i)
    EXPECT_FALSE(demand.asked(kSmall, TablesRead::regimes, facts_of(100, 90))) << i;
  EXPECT_TRUE(demand.asked(kSmall, TablesRead::regimes, facts_of(100, 90)));
  Demand scarcity;
  FleetFacts facts = facts_of(100, 10);
  EXPECT_FALSE(scarcity.asked(kSmall, TablesRead::scarcity, facts));
  ++facts.used.memory_mib;
  EXPECT_TRUE(scarcity.asked(kSmall, TablesRead::scarcity, facts));
  EXPECT_TRUE(scarcity.tables().is_memory_scarce);
}

TEST(Demand, scores_of_the_default_policy_stay_in_their_range_for_cells_of_every_size) {
  SeededEntropy entropy(5);
  auto const draw = [&](std::int32_t low, std::int32_t high) {
    return static_cast<std::int32_t>(entropy.between(low, std::max(low, high)));
  };
  Policy const& policy = *find_policy("default");
  for (int round = 0; round < 40; ++round) {
    bool const is_extreme = round % 8 == 0;
    Room const capacity{.vcpus = is_extreme ? kCellVcpusMax : draw(1, 600),
                        .memory_mib = is_extreme ? kCellMemoryMibMax : draw(1, 1 << 19)};
    CellKind const capacities[] = {{.capacity = capacity}};
    std::int64_t const in_use = draw(0, 10);
    FleetFacts const facts{.used = {.vcpus = in_use * draw(0, capacity.vcpus),
                                    .memory_mib = in_use * draw(0, capacity.memory_mib)},
                           .capacity = {.vcpus = 10 * std::int64_t{capacity.vcpus},
                                        .memory_mib = 10 * std::int64_t{capacity.memory_mib}},
                           .hosts = 10,
                           .hosts_in_use = in_use,
                           .cells = capacities};
    Demand demand;
    std::vector<Room> shapes;
    for (int i = 0; i < 5; ++i)
      shapes.push_back(
          {.vcpus = draw(1, capacity.vcpus), .memory_mib = draw(1, capacity.memory_mib)});
    for (int i = 0; i <= 512; ++i) {
      demand.asked(shapes[entropy.below(5)], TablesRead::regimes, facts);
      demand.placed(shapes[0], TablesRead::regimes);
    }
    for (int i = 0; i < 200; ++i) {
      Room const part = i % 2 == 0 ? shapes[entropy.below(5)]
                                   : Room{.vcpus = draw(1, capacity.vcpus),
                                          .memory_mib = draw(1, capacity.memory_mib)};
      Room const most = capacity - part;
      Fit const fit{.capacity = capacity,
                    .left = {.vcpus = draw(0, most.vcpus), .memory_mib = draw(0, most.memory_mib)},
                    .part = part};
      std::int64_t const score = policy.score(fit, demand.tables());
      ASSERT_GE(score, 0);
      ASSERT_LE(score, kScoreMax);
    }
  }
}

}  // namespace
}  // namespace berth::placement
