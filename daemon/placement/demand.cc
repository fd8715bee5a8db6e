#include "daemon/placement/demand.h"

#include <algorithm>

namespace berth::placement {
namespace {

// The mix is written anew after 1, 2, 4 ... requests and at last after every so many.
constexpr std::int64_t kRequestsBetweenMixes = 4'096;
// Shapes counted; beyond it new ones are not learnt.
constexpr std::size_t kShapesCountedMax = 4'096;

}  // namespace

std::vector<MixShape> Demand::mix() const {
  std::vector<MixShape> out;
  for (auto const& [need, count] : counts_)
    out.push_back({.need = need, .weight = count * kMixWhole / requests_});
  std::ranges::stable_sort(out, std::ranges::greater(), &MixShape::weight);
  if (out.size() > kMixShapesMax) out.resize(kMixShapesMax);
  std::erase_if(out, [](MixShape const& shape) { return shape.weight == 0; });
  return out;
}

bool Demand::asked(Room const& need, TablesRead reads, Totals const& used, Totals const& capacity) {
  if (reads == TablesRead::nothing) return false;
  // Compared without division: used.memory / capacity.memory > used.vcpus / capacity.vcpus. Both
  // products stay below 2^63 for a million hosts of the largest cells allowed only by halves, so
  // memory is counted in GiB.
  constexpr std::int64_t kMibPerGib = 1'024;
  bool const is_memory_scarce = used.memory_mib / kMibPerGib * capacity.vcpus >
                                used.vcpus * (capacity.memory_mib / kMibPerGib);
  bool is_changed = is_memory_scarce != tables_.is_memory_scarce;
  tables_.is_memory_scarce = is_memory_scarce;
  if (reads == TablesRead::scarcity) return is_changed;
  ++requests_;
  if (auto const at = counts_.find(need); at != counts_.end())
    ++at->second;
  else if (counts_.size() < kShapesCountedMax)
    counts_.emplace(need, 1);
  if (requests_ < requests_next_) return is_changed;
  requests_next_ += std::min(requests_next_, kRequestsBetweenMixes);
  std::vector<MixShape> fresh = mix();
  is_changed = is_changed || fresh != tables_.mix;
  tables_.mix = std::move(fresh);
  return is_changed;
}

}  // namespace berth::placement
