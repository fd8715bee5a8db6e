#include "daemon/placement/groups.h"

#include <gtest/gtest.h>

#include <vector>

#include "berth/base/entropy.h"

namespace berth::placement {
namespace {

// By the words of the rule, over a plain list of members.
bool is_open(GroupKind kind, std::vector<MemberPlace> const& members, MemberPlace const& place) {
  return std::ranges::all_of(members, [&](MemberPlace const& other) {
    switch (kind) {
      case GroupKind::spread_hosts: return other.host != place.host;
      case GroupKind::spread_racks: return other.rack != place.rack;
      case GroupKind::one_rack: return other.rack == place.rack;
      case GroupKind::partitions:
        return other.rack != place.rack || other.partition == place.partition;
    }
    return false;
  });
}

// Far more members than lie in the group itself, and hosts that hold more than the rule allows:
// what runs is told to the group as it is.
TEST(Group, is_open_where_its_rule_says_whatever_came_and_went) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededEntropy entropy(seed);
    auto const kind = static_cast<GroupKind>(seed % 4);
    Group group;
    group.set_rule({.kind = kind});
    std::vector<MemberPlace> members;
    std::uint64_t const racks = 1 + entropy.below(40);
    bool const is_crowded = entropy.below(2) == 0;
    auto const draw = [&] {
      auto const rack = static_cast<RackIndex>(entropy.below(racks));
      return MemberPlace{
          .host = rack * 4 + static_cast<HostIndex>(entropy.below(4)),
          .rack = rack,
          .partition = kind == GroupKind::partitions
                           ? static_cast<std::int32_t>(1 + entropy.below(kPartitionsMax))
                           : 0};
    };
    for (int step = 0; step < 200; ++step) {
      MemberPlace const place = draw();
      ASSERT_EQ(group.is_open(place), is_open(kind, members, place)) << "seed " << seed;
      ASSERT_EQ(group.is_empty(), members.empty());
      if (entropy.below(3) > 0 && (is_crowded || entropy.below(8) == 0 || group.is_open(place))) {
        group.insert(place);
        members.push_back(place);
      } else if (!members.empty()) {
        std::size_t const i = entropy.below(members.size());
        group.erase(members[i]);
        members[i] = members.back();
        members.pop_back();
      }
    }
  }
}

TEST(Group, of_one_rack_names_it_as_soon_as_it_has_a_member) {
  Group group;
  group.set_rule({.kind = GroupKind::one_rack});
  EXPECT_EQ(group.only_rack(), std::nullopt);
  group.insert({.host = 5, .rack = 3});
  EXPECT_EQ(group.only_rack(), 3U);
  group.erase({.host = 5, .rack = 3});
  EXPECT_EQ(group.only_rack(), std::nullopt);
}

}  // namespace
}  // namespace berth::placement
