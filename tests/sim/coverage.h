#pragma once
// Coverage, as "sometimes" asserts: which fault met which operation, and how often. A cell that no
// seed reaches is a case that nobody has tried.

#include <array>
#include <cstdint>
#include <string_view>

namespace berth::sim {

// What is under way at an instance, from its durable record and its machine.
enum class Phase {
  launching,  // pending for the first time
  starting,   // pending after it was stopped
  running,
  rebooting,  // a reboot is wanted that its host has not done yet
  stopping,
  stopped,
  terminating,  // shutting down, and something of it is left on its host
  unconfirmed,  // nothing is left of it, and its record does not say so yet
};
inline constexpr std::size_t kPhases = 8;

enum class Fault {
  // Of the daemon: meets every instance.
  daemon_crash,
  store_failure,
  store_stall,
  store_full,
  wall_step,
  // Of a host: meets every instance on it.
  agent_crash,
  agent_stall,
  agent_slow,
  spec_not_saved,
  spec_file_lost,
  power_cut,
  disk_wiped,
  impostor,
  partition,
  one_way,
  clog,
  swizzle,
  link_cut,
  observe_fails,
  observe_hangs,
  // Of one instance.
  domain_lost,
  guest_vanishes,
  guest_powers_off,
  action_fails,
  action_hangs,
  start_fails,
  start_succeeds_late,
  // Of a client's call that changes the instance.
  answer_lost,
};
inline constexpr std::size_t kFaults = 28;

[[nodiscard]] std::string_view name(Phase phase);
[[nodiscard]] std::string_view name(Fault fault);

// Why this fault cannot meet this phase; empty: it can.
[[nodiscard]] std::string_view why_never(Fault fault, Phase phase);

struct Coverage {
  std::array<std::array<std::uint64_t, kPhases>, kFaults> cells{};

  std::uint64_t& at(Fault f, Phase p) {
    return cells[static_cast<std::size_t>(f)][static_cast<std::size_t>(p)];
  }
  [[nodiscard]] std::uint64_t at(Fault f, Phase p) const {
    return cells[static_cast<std::size_t>(f)][static_cast<std::size_t>(p)];
  }
  Coverage& operator+=(Coverage const& other);
};

}  // namespace berth::sim
