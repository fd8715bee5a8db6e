#include "ctl/pack.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace berth::ctl {
namespace {

using placement::IndexedFleet;
using placement::Room;
using placement::Seat;

constexpr std::int64_t kEventsBetweenReports = 16'384;

Error usage(std::string const& text) {
  return Error{Code::invalid, "usage",
               "--host wants CELLSxVCPUSxGIB, cells 1 to 8, vCPUs and GiB of each, as 2x24x64; "
               "found '" +
                   text + "'"};
}

std::int64_t parts_to_fit(HostShape const& host, Room const& need) {
  for (std::int32_t parts = 1; parts <= host.cells; ++parts) {
    if (placement::fits(placement::part_of(need, parts), host.cell)) return parts;
  }
  return 0;
}

// Sums over time of what is in use, from a second on.
struct Integrals {
  explicit Integrals(std::int64_t from) : from_s(from), last_s(from) {}

  void advance(std::int64_t to_s, placement::CellFleet const& fleet) {
    if (to_s <= last_s) return;
    auto const seconds = static_cast<double>(to_s - last_s);
    hosts += seconds * static_cast<double>(fleet.hosts_in_use());
    vcpus += seconds * static_cast<double>(fleet.used().vcpus);
    memory_mib += seconds * static_cast<double>(fleet.used().memory_mib);
    last_s = to_s;
  }

  std::int64_t from_s;
  std::int64_t last_s;
  double hosts = 0;
  double vcpus = 0;
  double memory_mib = 0;
};

double core_seconds(TraceInstance const& instance) {
  return static_cast<double>(instance.end_s - instance.begin_s) *
         static_cast<double>(instance.need.vcpus);
}

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

// At least so many hosts are needed: by the peak of either dimension.
std::int64_t hosts_at_least(Trace const& trace, HostShape const& host) {
  placement::Totals now, peak;
  for (TraceEvent const& event : trace.events) {
    Room const& need = trace.instances[event.instance].need;
    if (parts_to_fit(host, need) == 0) continue;
    std::int64_t const sign = event.is_create ? 1 : -1;
    now.vcpus += sign * need.vcpus;
    now.memory_mib += sign * need.memory_mib;
    peak.vcpus = std::max(peak.vcpus, now.vcpus);
    peak.memory_mib = std::max(peak.memory_mib, now.memory_mib);
  }
  std::int64_t const vcpus = std::int64_t{host.cells} * host.cell.vcpus;
  std::int64_t const memory = std::int64_t{host.cells} * host.cell.memory_mib;
  return std::max<std::int64_t>(
      {1, (peak.vcpus + vcpus - 1) / vcpus, (peak.memory_mib + memory - 1) / memory});
}

}  // namespace

Result<HostShape> parse_host_shape(std::string const& text) {
  std::string_view const all = text;
  std::size_t const first = all.find('x');
  std::size_t const second = first == std::string_view::npos ? first : all.find('x', first + 1);
  if (second == std::string_view::npos) return usage(text);
  auto const cells =
      whole_number(all.substr(0, first), static_cast<std::int64_t>(placement::kCellsPerHostMax));
  auto const vcpus =
      whole_number(all.substr(first + 1, second - first - 1), placement::kCellVcpusMax);
  auto const memory = mebibytes_of_gib(all.substr(second + 1));
  if (!cells || !vcpus || !memory || *cells < 1 || *vcpus < 1 || *memory < 1 ||
      *memory > placement::kCellMemoryMibMax)
    return usage(text);
  return HostShape{.cells = static_cast<std::int32_t>(*cells),
                   .cell = {.vcpus = static_cast<std::int32_t>(*vcpus), .memory_mib = *memory}};
}

PackReport replay(Trace const& trace, PackAsk const& ask, PackEvents const& events) {
  PackReport out{.hosts = ask.hosts,
                 .instances = static_cast<std::int64_t>(trace.instances.size())};
  IndexedFleet fleet(*ask.policy);
  placement::HostSetup const setup{
      .cells = std::vector<Room>(static_cast<std::size_t>(ask.host.cells), ask.host.cell)};
  for (std::int64_t i = 0; i < ask.hosts; ++i) fleet.add_host(setup);
  std::vector<std::optional<Seat>> seats(trace.instances.size());
  Mover mover(trace, ask.moves_per_hour, ask.hosts, events.on_move);
  if (ask.moves_per_hour > 0) fleet.expect_moves();
  Integrals sums(ask.average_from_s);
  double core_seconds_all = 0, core_seconds_rejected = 0;
  std::int64_t now_s = 0;
  auto const start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < trace.events.size(); ++i) {
    TraceEvent const& event = trace.events[i];
    sums.advance(event.time_s, fleet.fleet());
    if (events.on_use && event.time_s > now_s)
      events.on_use(std::exchange(now_s, event.time_s), event.time_s, fleet.fleet());
    mover.advance(event.time_s, fleet, seats);
    if (static_cast<std::int64_t>(i) % kEventsBetweenReports == 0)
      events.on_progress(static_cast<std::int64_t>(i));
    std::optional<Seat>& seat = seats[event.instance];
    if (!event.is_create) {
      if (seat) {
        mover.gone(event.instance, *seat);
        fleet.release(*seat);
      }
      seat.reset();
      continue;
    }
    TraceInstance const& instance = trace.instances[event.instance];
    core_seconds_all += core_seconds(instance);
    seat = fleet.place({.need = instance.need});
    if (seat) {
      mover.placed(event.instance, *seat);
      out.highest_host = std::max<std::int64_t>(out.highest_host, seat->host);
      out.used_hosts_max = std::max(out.used_hosts_max, fleet.fleet().hosts_in_use());
    } else {
      ++out.rejected;
      if (parts_to_fit(ask.host, instance.need) == 0) ++out.too_large;
      core_seconds_rejected += core_seconds(instance);
    }
    if (events.on_placement) events.on_placement(event, seat);
  }
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
  events.on_progress(static_cast<std::int64_t>(trace.events.size()));
  out.moves = mover.moves();
  double const hosts_vcpus = sums.hosts * ask.host.cells * ask.host.cell.vcpus;
  double const hosts_memory = sums.hosts * ask.host.cells * ask.host.cell.memory_mib;
  out.rejected_share = share(static_cast<double>(out.rejected), static_cast<double>(out.instances));
  out.rejected_core_hours_share = share(core_seconds_rejected, core_seconds_all);
  out.used_hosts_mean = share(sums.hosts, static_cast<double>(sums.last_s - sums.from_s));
  out.density_cpu = share(sums.vcpus, hosts_vcpus);
  out.density_mem = share(sums.memory_mib, hosts_memory);
  out.decisions_per_second = share(static_cast<double>(out.instances), took.count());
  return out;
}

Result<PackReport> replay_smallest(Trace const& trace, PackAsk ask, PackEvents const& events,
                                   std::function<void(std::int64_t hosts)> const& on_replay) {
  constexpr auto kHostsMax = static_cast<std::int64_t>(placement::kFleetHostsMax);
  std::int64_t too_few = hosts_at_least(trace, ask.host) - 1;
  auto const attempt = [&](std::int64_t hosts) {
    ask.hosts = hosts;
    on_replay(hosts);
    return replay(trace, ask, events);
  };
  auto const is_enough = [](PackReport const& report) {
    return report.rejected == report.too_large;
  };
  // More than enough hosts first: a policy that opens the lowest empty host only when it must has
  // then used no more of them than it needs.
  PackReport best = attempt(std::min(kHostsMax, too_few * 5 / 4 + 8));
  while (!is_enough(best)) {
    too_few = best.hosts;
    if (best.hosts >= kHostsMax)
      return Error{Code::no_capacity, "usage",
                   "not even " + std::to_string(kHostsMax) + " hosts take all of the trace"};
    best = attempt(std::min(kHostsMax, best.hosts * 3 / 2));
  }
  while (too_few + 1 < best.hosts) {
    std::int64_t const opened = best.highest_host + 1;
    std::int64_t const hosts =
        opened > too_few && opened < best.hosts ? opened : too_few + (best.hosts - too_few) / 2;
    PackReport const next = attempt(hosts);
    if (is_enough(next)) {
      best = next;
      // With fewer the same decisions would come to the point where the last host was opened.
      bool const opens_last =
          ask.policy->empty_hosts == placement::EmptyHosts::last || ask.policy->is_by_order;
      if (opens_last && best.highest_host + 1 == best.hosts) break;
    } else {
      too_few = hosts;
    }
  }
  return best;
}

}  // namespace berth::ctl
