#pragma once
// Groups of instances that must lie apart, or together: which hosts are open to a further member.
//
//   spread_hosts   no two members on one host
//   spread_racks   no two members in one rack
//   one_rack       all members in one rack
//   partitions     a member belongs to a partition; no rack holds members of two partitions

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace berth::placement {

using HostIndex = std::uint32_t;   // in the order of adding
using RackIndex = std::uint32_t;   // given by the caller, over all zones; below kRacksMax
using GroupIndex = std::uint32_t;  // given by the caller; 0: no group. Small, and used again

inline constexpr RackIndex kRacksMax = 1'000'000;
inline constexpr GroupIndex kGroupsMax = 1'000'000;
inline constexpr std::int32_t kPartitionsMax = 7;

enum class GroupKind : std::uint8_t { spread_hosts, spread_racks, one_rack, partitions };
// What a host that the rule removes is counted as: "rack spread group".
[[nodiscard]] std::string_view name(GroupKind kind);

struct GroupRule {
  GroupKind kind = GroupKind::spread_hosts;

  bool operator==(GroupRule const&) const = default;
};

// Where a member sits, or would.
struct MemberPlace {
  HostIndex host = 0;
  RackIndex rack = 0;
  std::int32_t partition = 0;  // from 1 to kPartitionsMax in a group of partitions, else 0
};

// One group's rule and where its members sit, as far as the rule asks. Most groups are small and
// lie in one cache line.
class alignas(64) Group {
 public:
  Group() { few_.fill(kFree); }

  [[nodiscard]] GroupRule rule() const { return {.kind = kind_}; }
  // The group must be empty.
  void set_rule(GroupRule rule);

  [[nodiscard]] bool is_empty() const { return size_ == 0 && more_.empty(); }
  // Whether the rule lets a further member sit there.
  [[nodiscard]] bool is_open(MemberPlace const& place) const {
    switch (kind_) {
      case GroupKind::spread_hosts: return !contains(place.host);
      case GroupKind::spread_racks: return !contains(place.rack);
      case GroupKind::one_rack: return is_all(place.rack);
      case GroupKind::partitions: break;
    }
    return !has_other_partition(place);
  }
  // The rack that a further member must sit in; absent: the rule names none.
  [[nodiscard]] std::optional<RackIndex> only_rack() const {
    if (kind_ != GroupKind::one_rack || is_empty()) return std::nullopt;
    return size_ > 0 ? few_.front() : more_.front();
  }

  void insert(MemberPlace const& place);
  // A member must be there.
  void erase(MemberPlace const& place);

 private:
  // What the rule looks at: the host, the rack, or rack and partition in one number.
  using Key = std::uint32_t;
  static constexpr Key kFree = UINT32_MAX;  // none
  static constexpr unsigned kFew = 8;
  static constexpr unsigned kPartitionBits = 3;
  static_assert(kPartitionsMax < 1 << kPartitionBits);
  static_assert(kRacksMax <= kFree >> kPartitionBits);

  [[nodiscard]] Key key_of(MemberPlace const& place) const {
    switch (kind_) {
      case GroupKind::spread_hosts: return place.host;
      case GroupKind::spread_racks:
      case GroupKind::one_rack: return place.rack;
      case GroupKind::partitions: break;
    }
    return (place.rack << kPartitionBits) | static_cast<Key>(place.partition);
  }
  // Which of `few_` are the key, a bit each. Of all places, free ones too: what has no branch is
  // fastest for so few.
  [[nodiscard]] unsigned places_of(Key key) const {
    unsigned out = 0;
    for (unsigned i = 0; i < kFew; ++i) out |= (few_[i] == key ? 1U : 0U) << i;
    return out;
  }
  [[nodiscard]] bool contains(Key key) const {
    return places_of(key) != 0 || (!more_.empty() && std::ranges::binary_search(more_, key));
  }
  [[nodiscard]] bool is_all(Key key) const {
    bool const is_far = !more_.empty() && (more_.front() != key || more_.back() != key);
    return !is_far && std::popcount(places_of(key)) == size_;
  }
  [[nodiscard]] bool has_other_partition(MemberPlace const& place) const;

  std::array<Key, kFew> few_;  // the first size_; the rest are kFree
  std::uint8_t size_ = 0;
  GroupKind kind_ = GroupKind::spread_hosts;
  std::vector<Key> more_;  // what `few_` had no place for, ascending
};

}  // namespace berth::placement
