#pragma once
// World: virtual time, one queue of events, one source of randomness, one running hash over
// everything that happened. Everything else of the simulator lives on it, and nothing else knows a
// clock or draws a number, so a seed is a whole history.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/entropy.h"
#include "berth/base/time.h"
#include "tests/sim/coverage.h"

namespace berth::sim {

class World {
 public:
  using Work = std::function<void()>;

  // `trace`: where each event is written for people; nullptr: nowhere.
  World(std::uint64_t seed, std::FILE* trace);

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Entropy& entropy() { return entropy_; }
  // Uniform in [low, high].
  [[nodiscard]] Duration between(Duration low, Duration high);
  // Around `mean`: from a quarter of it to seven quarters.
  [[nodiscard]] Duration about(Duration mean);
  [[nodiscard]] bool chance(std::uint64_t ppm) { return ppm > 0 && entropy_.chance_ppm(ppm); }

  // Events of one instant run in the order in which they were asked for.
  void after(Duration delay, Work work);
  // Runs the next event that is due by `until`; false: there is none, and it is `until` now.
  bool run_next(Instant until);

  // Something happened. `what` and the ids are a part of the history: into the hash, and the trace.
  void note(std::string_view what, std::string_view a = {}, std::string_view b = {},
            std::uint64_t number = 0);
  // Something that must not be. The first one ends the run.
  void violated(std::string what);
  [[nodiscard]] std::optional<std::string> const& violation() const { return violation_; }

  // "Sometimes": how often a fault met an operation under way; and what else is worth counting.
  void hit(Fault fault, Phase phase) { ++coverage_.at(fault, phase); }
  [[nodiscard]] Coverage const& coverage() const { return coverage_; }
  void met(std::string const& fault, std::string const& what) { ++met_[{fault, what}]; }
  [[nodiscard]] std::map<std::pair<std::string, std::string>, std::uint64_t> const& counts() const {
    return met_;
  }

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  struct Event {
    Instant at;
    std::uint64_t sequence;
    std::size_t slot;                           // of its work
    bool operator<(Event const& other) const {  // the queue gives the greatest first
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };

  void mix(std::string_view bytes);
  void mix(std::uint64_t word);

  Instant now_{};
  SeededEntropy entropy_;
  std::priority_queue<Event> queue_;
  std::vector<Work> works_;
  std::vector<std::size_t> free_slots_;
  std::uint64_t sequence_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  std::FILE* trace_;
  std::optional<std::string> violation_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> met_;
  Coverage coverage_;
};

// A machine's clock: its own rate (parts per million off), its own idea of the date.
class DriftingClock final : public Clock {
 public:
  DriftingClock(World const& world, std::int64_t drift_ppm)
      : world_(world), drift_ppm_(drift_ppm) {}

  [[nodiscard]] Now now() override;
  // It has been up for that long when the first of ours runs on it.
  void boot(Duration ago) { booted_ = Instant{world_.now().ns - ago.ns}; }
  // How long something really took that this clock saw take `measured`.
  [[nodiscard]] Duration true_length(Duration measured) const {
    return {measured.ns - measured.ns / (1'000'000 + drift_ppm_) * drift_ppm_};
  }
  void step_wall(Duration by) { wall_offset_ = wall_offset_ + by; }

 private:
  World const& world_;
  std::int64_t drift_ppm_;
  Instant booted_{};
  Duration wall_offset_{};
};

}  // namespace berth::sim
