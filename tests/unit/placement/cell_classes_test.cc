#include "daemon/placement/cell_classes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ranges>
#include <set>

#include "berth/base/entropy.h"

namespace berth::placement {
namespace {

constexpr Room kCell{.vcpus = 8, .memory_mib = 8'192};
CellClass with_left(std::int32_t vcpus) {
  return {.kind = 0, .capacity = kCell, .free = {.vcpus = vcpus, .memory_mib = 1'024}};
}

// Against plain sets, with classes from none to thousands of members, ordered by cell alone or by
// an order above it.
TEST(CellClasses, members_come_in_order_and_move_as_they_are_told) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededEntropy entropy(seed);
    CellClasses classes;
    std::set<Member> plain[2];
    ClassIndex const numbers[2] = {classes.number_of(with_left(1)),
                                   classes.number_of(with_left(2))};
    std::vector<Member> out;  // members in neither
    std::uint32_t const orders = seed % 3 == 0 ? 1 : 1U << entropy.below(20);
    for (CellIndex cell = 0; cell < 3'000; ++cell)
      out.push_back(member(static_cast<std::uint32_t>(entropy.below(orders)), cell));
    for (int step = 0; step < 400; ++step) {
      std::size_t const which = entropy.below(2);
      std::set<Member>& members = plain[which];
      if (entropy.below(3) > 0) {
        for (std::size_t n = entropy.below(100); n > 0 && !out.empty(); --n) {
          std::swap(out[entropy.below(out.size())], out.back());
          classes.insert(out.back(), with_left(static_cast<std::int32_t>(which) + 1));
          members.insert(out.back());
          out.pop_back();
        }
      } else {
        for (std::size_t n = entropy.below(100); n > 0 && !members.empty(); --n) {
          Member const gone = *std::next(
              members.begin(), static_cast<std::ptrdiff_t>(entropy.below(members.size())));
          classes.erase(cell_of(gone));
          out.push_back(gone);
          members.erase(gone);
        }
      }
      ASSERT_EQ(classes.is_empty(numbers[which]), members.empty());
      if (members.empty()) continue;
      ASSERT_EQ(classes.first_member(numbers[which]), *members.begin());
      std::size_t const wanted = entropy.below(members.size() * 2);
      std::vector<Member> listed;
      classes.list_first(numbers[which], wanted, listed);
      ASSERT_GE(listed.size(), std::min(wanted, members.size()));
      ASSERT_TRUE(std::ranges::equal(listed, members | std::views::take(listed.size())));
      CellIndex const least = static_cast<CellIndex>(entropy.below(3'000));
      auto const is_open = [&](CellIndex cell) { return cell >= least; };
      auto const open =
          std::ranges::find_if(members, [&](Member m) { return is_open(cell_of(m)); });
      ASSERT_EQ(classes.first_member(numbers[which], is_open),
                open == members.end() ? kNoMember : *open);
      if (listed.empty() || entropy.below(4) > 0) continue;
      std::size_t const moved = 1 + entropy.below(listed.size());
      classes.move_first(numbers[which], listed, moved, numbers[1 - which]);
      plain[1 - which].insert(listed.begin(), listed.begin() + static_cast<std::ptrdiff_t>(moved));
      for (std::size_t i = 0; i < moved; ++i) members.erase(listed[i]);
    }
  }
}

}  // namespace
}  // namespace berth::placement
