#include "daemon/placement/policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "berth/base/entropy.h"

namespace berth::placement {
namespace {

std::int64_t score(std::string_view policy, Fit const& fit, FleetTables const& tables = {}) {
  return find_policy(policy)->score(fit, tables);
}
Fit left(std::int32_t vcpus, std::int32_t memory_mib) {
  return {.capacity = {.vcpus = 48, .memory_mib = 131'072},
          .left = {.vcpus = vcpus, .memory_mib = memory_mib},
          .part = {.vcpus = 1, .memory_mib = 1'024}};
}

TEST(Policy, names_are_unique_and_an_unknown_one_is_absent) {
  std::set<std::string_view> names;
  for (Policy const& policy : policies()) EXPECT_TRUE(names.insert(policy.name).second);
  EXPECT_EQ(find_policy("best"), nullptr);
  EXPECT_EQ(find_policy("default")->name, "default");
}

TEST(Policy, every_score_of_every_cell_stays_in_its_range) {
  SeededEntropy entropy(11);
  auto const draw = [&](std::int32_t low, std::int32_t high) {
    return static_cast<std::int32_t>(entropy.between(low, high));
  };
  for (int i = 0; i < 20'000; ++i) {
    Fit fit;
    bool const is_extreme = i % 10 == 0;
    fit.capacity = {.vcpus = is_extreme ? kCellVcpusMax : draw(1, kCellVcpusMax),
                    .memory_mib = is_extreme ? kCellMemoryMibMax : draw(1, kCellMemoryMibMax)};
    fit.part = {.vcpus = draw(1, fit.capacity.vcpus),
                .memory_mib = draw(1, fit.capacity.memory_mib)};
    Room const most = fit.capacity - fit.part;
    fit.left = i % 7 == 0
                   ? most
                   : Room{.vcpus = draw(0, most.vcpus), .memory_mib = draw(0, most.memory_mib)};
    for (Policy const& policy : policies()) {
      if (policy.reads == TablesRead::regimes) continue;  // demand_test.cc
      for (bool const is_memory_scarce : {false, true}) {
        std::int64_t const found =
            policy.score(fit, {.is_memory_scarce = is_memory_scarce, .cells = {}});
        ASSERT_GE(found, 0) << policy.name;
        ASSERT_LE(found, kScoreMax) << policy.name;
      }
    }
  }
}

TEST(Policy, the_sum_of_shares_is_exact_among_cells_of_one_capacity) {
  // cpu_left·M + mem_left·C: one MiB decides, and equal sums tie.
  EXPECT_LT(score("best-fit-sum", left(5, 1'000)), score("best-fit-sum", left(5, 1'001)));
  EXPECT_EQ(score("best-fit-sum", left(3, 0)), score("best-fit-sum", left(0, 8'192)));
  EXPECT_LT(score("best-fit-sum", left(3, 0)), score("best-fit-sum", left(0, 8'193)));
  EXPECT_GT(score("spread", left(3, 0)), score("spread", left(4, 0)));
}

TEST(Policy, each_named_best_fit_prefers_what_its_name_says) {
  EXPECT_LT(score("best-fit-tightest", left(0, 100'000)),
            score("best-fit-tightest", left(10, 30'000)));
  EXPECT_LT(score("best-fit-l2", left(10, 30'000)), score("best-fit-l2", left(0, 100'000)));
  FleetTables const memory_scarce{.is_memory_scarce = true, .cells = {}};
  EXPECT_LT(score("best-fit-scarcest", left(10, 50)), score("best-fit-scarcest", left(20, 40)));
  EXPECT_GT(score("best-fit-scarcest", left(10, 50'000), memory_scarce),
            score("best-fit-scarcest", left(20, 40'000), memory_scarce));
}

}  // namespace
}  // namespace berth::placement
