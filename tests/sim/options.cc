#include "tests/sim/options.h"

namespace berth::sim {

namespace {

// Half of the kinds are off in any one seed.
Duration rate(Entropy& entropy, Duration low, Duration high) {
  if (entropy.below(2) == 0) return {};
  return {entropy.between(low.ns, high.ns)};
}

std::uint64_t ppm(Entropy& entropy, std::uint64_t most) {
  return entropy.below(2) == 0 ? 0 : entropy.below(most);
}

Between spread(Entropy& entropy, Duration low, Duration high_most) {
  return {low, {entropy.between(low.ns, high_most.ns)}};
}

}  // namespace

Options drawn_options(Entropy& e) {
  Options o;
  o.hosts = 1 + e.below(40);
  if (e.below(100) == 0) o.hosts = 40 + e.below(160);
  o.zones = 1 + e.below(3);
  o.tenants = 1 + e.below(4);
  o.cpus_per_host = 2 + e.between(0, 14);
  o.memory_gib_per_host = 4 + e.between(0, 60);
  o.disk_gib_per_host = 40 + e.between(0, 400);
  o.storm = minutes(e.between(30, 90));
  o.calm = minutes(30);
  o.call_every = milliseconds(e.between(2'000, 60'000));
  o.operator_every = minutes(e.between(2, 20));
  o.network = spread(e, {200'000}, milliseconds(50));
  if (e.below(8) == 0) o.network.high = seconds(3);
  o.commit = spread(e, {300'000}, milliseconds(20));
  if (e.below(8) == 0) o.commit.high = seconds(2);
  o.action = spread(e, milliseconds(5), seconds(2));
  o.boot = spread(e, milliseconds(200), seconds(5));
  o.fetch = spread(e, milliseconds(500), seconds(60));
  o.restart = spread(e, milliseconds(100), minutes(2));
  o.outage = spread(e, seconds(1), minutes(6));
  o.every = {.daemon_crash = rate(e, seconds(30), minutes(20)),
             .store_failure = rate(e, minutes(2), minutes(30)),
             .store_stall = rate(e, minutes(2), minutes(30)),
             .agent_crash = rate(e, seconds(10), minutes(10)),
             .agent_stall = rate(e, seconds(30), minutes(10)),
             .host_power_cut = rate(e, seconds(60), minutes(20)),
             .files_lost = rate(e, minutes(2), minutes(30)),
             .partition = rate(e, seconds(20), minutes(10)),
             .one_way = rate(e, seconds(30), minutes(10)),
             .big_partition = rate(e, minutes(5), minutes(30)),
             .clog = rate(e, seconds(30), minutes(10)),
             .swizzle = rate(e, minutes(5), minutes(30)),
             .link_cut = rate(e, seconds(10), minutes(10)),
             .guest_vanishes = rate(e, seconds(20), minutes(10)),
             .guest_powers_off = rate(e, seconds(20), minutes(10)),
             .wall_step = rate(e, minutes(2), minutes(20)),
             .agent_slow = rate(e, seconds(60), minutes(10)),
             .store_full = rate(e, minutes(4), minutes(30)),
             .leftover = rate(e, minutes(2), minutes(20)),
             .impostor = rate(e, minutes(4), minutes(20))};
  // Never both: of a guest that has lost its domain and its disk nothing on the host says that it
  // ever ran.
  (e.below(2) == 0 ? o.every.disk_wiped : o.every.domain_lost) = rate(e, minutes(1), minutes(20));
  o.wall_step_most = e.below(3) == 0 ? hours(10 * 365 * 24) : seconds(60);
  o.ppm = {.start_fails = ppm(e, 300'000),
           .start_succeeds_late = ppm(e, 100'000),
           .action_hangs = ppm(e, 20'000),
           .action_fails = ppm(e, 100'000),
           .observe_fails = ppm(e, 100'000),
           .observe_hangs = ppm(e, 20'000),
           .boot_is_slow = ppm(e, 200'000),
           .power_button_ignored = ppm(e, 400'000),
           .fetch_fails = ppm(e, 300'000),
           .spec_save_fails = ppm(e, 50'000),
           .spec_repeated_late = ppm(e, 50'000),
           .report_doubled = ppm(e, 100'000),
           .call_doubled = ppm(e, 200'000),
           .fault_aimed = 50'000 + e.below(300'000),
           .answer_lost = ppm(e, 100'000),
           .crash_after_durable = ppm(e, 1'000'000)};
  o.policy.terminated_retention = minutes(e.between(10, 60));
  o.policy.client_token_retention = minutes(e.between(60, 24 * 60));
  o.policy.cpu_overcommit_permille = e.between(1'000, 8'000);
  o.policy.default_quota = {.instances = e.between(2, 200),
                            .vcpus = e.between(4, 800),
                            .memory = Mebibytes(e.between(4, 800) * 1'024),
                            .disk_gib = e.between(20, 20'000),
                            .key_pairs = e.between(2, 20),
                            .images = 100};
  o.racks = 1 + e.below(e.below(3) == 0 ? 4 : 14);
  o.has_nameless_rack = e.below(2) == 0;
  return o;
}

Options calmed(Options options) {
  options.every = {};
  options.ppm = {};
  options.network.high = options.network.low + milliseconds(5);
  options.commit.high = options.commit.low + milliseconds(10);
  options.boot.high = options.boot.low + seconds(2);
  return options;
}

}  // namespace berth::sim
