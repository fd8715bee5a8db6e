#include "daemon/placement/groups.h"

#include <iterator>

#include "berth/base/ensure.h"

namespace berth::placement {

std::string_view name(GroupKind kind) {
  switch (kind) {
    case GroupKind::spread_hosts: return "spread group";
    case GroupKind::spread_racks: return "rack spread group";
    case GroupKind::one_rack: return "one-rack group";
    case GroupKind::partitions: return "partition group";
  }
  return "unknown";
}

void Group::set_rule(GroupRule rule) {
  ENSURE(is_empty());
  kind_ = rule.kind;
}

bool Group::has_other_partition(MemberPlace const& place) const {
  Key const own = key_of(place);
  auto const is_other = [&](Key key) { return key != own && key >> kPartitionBits == place.rack; };
  if (std::ranges::any_of(few_, is_other)) return true;
  // Those of one rack lie together, and of one partition in a row.
  Key const first = place.rack << kPartitionBits;
  auto at = std::ranges::lower_bound(more_, first);
  if (at != more_.end() && *at == own) at = std::upper_bound(at, more_.end(), own);
  return at != more_.end() && is_other(*at);
}

void Group::insert(MemberPlace const& place) {
  ENSURE((kind_ == GroupKind::partitions) == (place.partition != 0));
  ENSURE(place.partition >= 0 && place.partition <= kPartitionsMax);
  Key const key = key_of(place);
  if (size_ < few_.size())
    few_[size_++] = key;
  else
    more_.insert(std::ranges::upper_bound(more_, key), key);
}

void Group::erase(MemberPlace const& place) {
  Key const key = key_of(place);
  if (unsigned const places = places_of(key); places != 0) {
    few_[static_cast<std::size_t>(std::countr_zero(places))] = few_[--size_];
    few_[size_] = kFree;
    return;
  }
  // The last of its like: nothing but others' keys has to move.
  auto const behind = std::ranges::upper_bound(more_, key);
  ENSURE(behind != more_.begin() && *std::prev(behind) == key);
  more_.erase(std::prev(behind));
}

}  // namespace berth::placement
