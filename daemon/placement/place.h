#pragma once
// place: which host takes an instance. Pure, total, explainable. Not fitting is an answer, not an
// error. Integers only; ties go to the lowest host id.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "berth/model/ids.h"
#include "daemon/placement/flat_map.h"
#include "daemon/placement/usage.h"

namespace berth::placement {

// One host as placement sees it.
struct HostRoom {
  ZoneName zone;
  bool is_up = false;  // lease valid, connected, inventory known
  bool is_cordoned = false;
  Usage capacity;  // what may be sold: over-commit applied, reserve taken off
  Usage used;      // by every instance that holds something here

  bool operator==(HostRoom const&) const = default;
};

using Fleet = FlatMap<HostId, HostRoom>;

// The fleet as it is, plus what this request has already been given: so a batch is placed one by
// one without copying the fleet.
struct View {
  Fleet const& hosts;
  std::map<HostId, Usage> taken;
};

struct Ask {
  ZoneName zone;  // empty: any
  Usage need;     // instances = 1
};

// Closed list, cheapest first; a host is counted under the first that removes it.
enum class Reason { other_zone, not_up, cordoned, instances, cpu, memory, disk };
inline constexpr std::size_t kReasons = 7;
[[nodiscard]] std::string_view name(Reason reason);

struct Refusal {
  std::array<std::int64_t, kReasons> hosts_removed{};  // by Reason; sums to hosts_considered
  std::int64_t hosts_considered = 0;

  // The reason that removed most hosts among those that were up and in the zone.
  [[nodiscard]] Reason tightest() const;
  [[nodiscard]] std::string text() const;  // "5 hosts: 2 other zone, 3 memory"
  bool operator==(Refusal const&) const = default;
};

struct Choice {
  HostId host;
  std::int64_t score = 0;  // lower is fuller
  bool operator==(Choice const&) const = default;
};

// Best fit: of the hosts that can take it, the one that is left with the least, as the sum of the
// fractions of CPU and memory left. Hosts with nothing on them come last, so that hosts empty.
[[nodiscard]] std::variant<Choice, Refusal> place(View const& view, Ask const& ask);

}  // namespace berth::placement
