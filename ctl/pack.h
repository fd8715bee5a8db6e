#pragma once
// What-if without a daemon: a trace of requests replayed on a fleet of identical hosts, through the
// engine that the daemon places with (daemon/placement).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"
#include "ctl/pack_moves.h"
#include "ctl/trace.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::ctl {

struct HostShape {
  std::int32_t cells = 1;
  placement::Room cell;
};
// "1x48x128", "2x24x64.5": cells, and vCPUs and GiB of each. Errors: subject "usage".
[[nodiscard]] Result<HostShape> parse_host_shape(std::string const& text);

struct PackAsk {
  HostShape host;
  std::int64_t hosts = 0;
  placement::Policy const* policy = nullptr;
  std::int64_t average_from_s = 0;
  std::int64_t moves_per_hour = 0;  // live migrations to empty hosts; at most kMovesPerHourMax
};
inline constexpr std::int64_t kMovesPerHourMax = 1'000'000;

// What a rejected instance loses is counted over the whole trace; means are over time, from
// average_from_s to the trace's end.
struct PackReport {
  std::int64_t hosts = 0;
  std::int64_t instances = 0;
  std::int64_t rejected = 0;
  std::int64_t too_large = 0;  // of the rejected: larger than an empty host
  double rejected_share = 0;
  double rejected_core_hours_share = 0;
  double used_hosts_mean = 0;
  std::int64_t used_hosts_max = 0;
  std::int64_t highest_host = -1;  // the highest index ever in use
  double density_cpu = 0;          // vCPUs in use of those of the hosts in use, over time
  double density_mem = 0;
  std::int64_t moves = 0;
  double decisions_per_second = 0;
};

struct PackEvents {
  std::function<void(std::int64_t done)> on_progress;  // events replayed; now and then
  // Every decision, in order. `seat` absent: rejected. May be empty.
  std::function<void(TraceEvent const&, std::optional<placement::Seat> const&)> on_placement;
  // Every live migration. May be empty.
  Mover::OnMove on_move = {};
  // What was in use from one second of the trace to another, in order, without gaps. May be empty.
  std::function<void(std::int64_t from_s, std::int64_t to_s, placement::CellFleet const&)> on_use =
      {};
};

[[nodiscard]] PackReport replay(Trace const& trace, PackAsk const& ask, PackEvents const& events);

// The smallest number of hosts that takes all of the trace but what is too large for any.
// `replays`: called before each replay it needs, with its number of hosts. Errors: not with
// kFleetHostsMax.
[[nodiscard]] Result<PackReport> replay_smallest(
    Trace const& trace, PackAsk ask, PackEvents const& events,
    std::function<void(std::int64_t hosts)> const& on_replay);

}  // namespace berth::ctl
