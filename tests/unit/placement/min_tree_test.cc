#include "daemon/placement/min_tree.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "berth/base/entropy.h"

namespace berth::placement {
namespace {

TEST(MinTree, agrees_with_a_plain_list_after_any_changes) {
  SeededEntropy entropy(3);
  for (std::size_t const size : {1U, 7U, 8U, 9U, 64U, 65U, 1'000U}) {
    std::vector<std::int64_t> plain(size, MinTree::kNone);
    MinTree tree;
    tree.assign(plain);
    EXPECT_EQ(tree.least(), MinTree::kNone);
    // Now few, now many values of each kind, so that places tie and the least are few.
    std::int64_t const most = entropy.below(2) == 0 ? 9 : 100'000;
    for (int step = 0; step < 2'000; ++step) {
      std::size_t const i = entropy.below(size);
      plain[i] = entropy.below(4) == 0 ? MinTree::kNone : entropy.between(0, most);
      tree.set(i, plain[i]);
      auto const least = std::ranges::min_element(plain);
      ASSERT_EQ(tree.least(), *least);
      if (*least == MinTree::kNone) continue;
      ASSERT_EQ(tree.first_least(), static_cast<std::size_t>(least - plain.begin()));
      std::vector<std::size_t> all;
      tree.each_least([&](std::size_t place) { all.push_back(place); });
      ASSERT_EQ(static_cast<std::ptrdiff_t>(all.size()), std::ranges::count(plain, *least));
      ASSERT_TRUE(std::ranges::is_sorted(all));
      std::size_t const wanted = entropy.below(MinTree::kFrontMax + 1);
      std::vector<std::pair<std::int64_t, std::size_t>> sorted;
      for (std::size_t place = 0; place < size; ++place) {
        if (plain[place] != MinTree::kNone) sorted.emplace_back(plain[place], place);
      }
      std::ranges::sort(sorted);
      std::span<MinTree::Step const> const front = tree.front(wanted);
      ASSERT_GE(front.size(), std::min(wanted, sorted.size()));
      for (std::size_t k = 0; k < front.size(); ++k)
        ASSERT_EQ(std::pair(front[k].value, front[k].place), sorted[k]);
    }
    std::vector<std::pair<std::int64_t, std::size_t>> expected, walked;
    for (std::size_t i = 0; i < size; ++i) {
      if (plain[i] != MinTree::kNone) expected.emplace_back(plain[i], i);
    }
    std::ranges::sort(expected);
    MinTree::Walk walk(tree);
    for (auto step = walk.next(); step.value != MinTree::kNone; step = walk.next())
      walked.emplace_back(step.value, step.place);
    EXPECT_EQ(walked, expected);
  }
}

}  // namespace
}  // namespace berth::placement
