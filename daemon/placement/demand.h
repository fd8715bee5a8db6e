#pragma once
// What a score may know of the whole fleet, kept so that it changes slowly: a change makes every
// score computed before it stale, so it is counted by an epoch and happens at fixed points only,
// which the number of requests alone decides. Two runs over the same requests see the same tables.

#include <cstdint>
#include <map>
#include <vector>

#include "daemon/placement/room.h"

namespace berth::placement {

// A shape that is asked for, with its share of all requests.
struct MixShape {
  Room need;
  std::int64_t weight = 0;  // > 0; the weights of a mix sum to about kMixWhole

  bool operator==(MixShape const&) const = default;
};
inline constexpr std::int64_t kMixWhole = 1 << 16;

enum class TablesRead {
  nothing,
  scarcity,  // is_memory_scarce
  mix,       // mix, and is_memory_scarce
};

struct FleetTables {
  // More of the fleet's memory than of its CPUs is in use.
  bool is_memory_scarce = false;
  // The shapes asked for most, most frequent first, at most kMixShapesMax. Empty: nothing was
  // asked.
  std::vector<MixShape> mix;

  bool operator==(FleetTables const&) const = default;
};
inline constexpr std::size_t kMixShapesMax = 16;

// Counts what is asked for and writes the tables anew from time to time.
class Demand {
 public:
  // Once per request, placed or not, before its scores are computed; `used` and `capacity` are the
  // fleet's. True: the tables that a reader of `reads` sees have changed.
  bool asked(Room const& need, TablesRead reads, Totals const& used, Totals const& capacity);

  [[nodiscard]] FleetTables const& tables() const { return tables_; }

 private:
  [[nodiscard]] std::vector<MixShape> mix() const;

  FleetTables tables_;
  std::map<Room, std::int64_t> counts_;
  std::int64_t requests_ = 0;
  std::int64_t requests_next_ = 1;  // when the mix is written anew: at 1, 2, 4 ... then regularly
};

}  // namespace berth::placement
