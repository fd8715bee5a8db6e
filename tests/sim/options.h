#pragma once
// Options: what kind of bad day a seed is. Each draws its own cluster, latencies and faults, and
// leaves some faults out altogether, so that they do not hide one another (swarm testing).

#include <cstdint>

#include "berth/base/entropy.h"
#include "berth/base/time.h"
#include "daemon/core/policy.h"

namespace berth::sim {

struct Between {
  Duration low;
  Duration high;
};

// Mean time between two faults of a kind in the whole cluster; zero: never.
struct FaultRates {
  Duration daemon_crash;
  Duration store_failure;
  Duration store_stall;
  Duration agent_crash;
  Duration agent_stall;
  Duration host_power_cut;
  Duration files_lost;     // the agent's own spec file
  Duration partition;      // one host, both directions
  Duration one_way;        // one host, one direction
  Duration big_partition;  // a third of the hosts at once
  Duration clog;           // one way delays everything by up to 10 minutes, and nobody notices
  Duration swizzle;        // some hosts are clogged one by one, and freed in another order
  Duration link_cut;
  Duration guest_vanishes;    // its process is killed
  Duration guest_powers_off;  // from inside
  Duration wall_step;         // of any machine's clock
  Duration agent_slow;        // a thousand times slower
  Duration store_full;
  Duration disk_wiped;   // a host loses power, and its disks and images with it
  Duration domain_lost;  // the hypervisor forgets a guest that does not run
  Duration leftover;     // a domain with our metadata that no record knows
  Duration impostor;     // another machine with a host's identity
};

// Parts per million of the calls concerned.
struct FaultChances {
  std::uint64_t start_fails = 0;
  std::uint64_t start_succeeds_late = 0;
  std::uint64_t action_hangs = 0;
  std::uint64_t action_fails = 0;
  std::uint64_t observe_fails = 0;
  std::uint64_t observe_hangs = 0;
  std::uint64_t boot_is_slow = 0;
  std::uint64_t power_button_ignored = 0;
  std::uint64_t fetch_fails = 0;
  std::uint64_t spec_save_fails = 0;
  std::uint64_t spec_repeated_late = 0;   // a spec of an older session arrives once more
  std::uint64_t report_doubled = 0;       // a status arrives twice
  std::uint64_t call_doubled = 0;         // a client sends a call with a token twice at once
  std::uint64_t fault_aimed = 0;          // of successful calls: a fault strikes right then
  std::uint64_t answer_lost = 0;          // a client gives up before its answer comes
  std::uint64_t crash_after_durable = 0;  // a commit of a crashing daemon did become durable
};

struct Options {
  std::size_t hosts = 1;
  std::size_t zones = 1;
  std::size_t racks = 1;  // of each zone; the first has no name in half of the seeds
  bool has_nameless_rack = false;
  std::size_t tenants = 1;
  std::int64_t cpus_per_host = 8;
  std::int64_t memory_gib_per_host = 32;
  std::int64_t disk_gib_per_host = 200;
  Duration storm;
  Duration calm;
  Duration call_every;      // mean, all tenants together
  Duration operator_every;  // mean
  Duration tick = seconds(1);
  Between network{};
  Between commit{};
  Between action{};
  Between boot{};
  Between fetch{};
  Between restart{};  // of a crashed daemon or agent
  Between outage{};   // of partitions and power cuts
  Duration wall_step_most;
  FaultRates every;
  FaultChances ppm;
  core::Policy policy;
};

[[nodiscard]] Options drawn_options(Entropy& entropy);
// The same cluster on a good day.
[[nodiscard]] Options calmed(Options options);

}  // namespace berth::sim
