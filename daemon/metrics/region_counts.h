#pragma once
// RegionCounts: what the region has, by zone, kept from change to change, so that no scrape and no
// tick walks through all instances. It is told of each change before and after the core absorbs it;
// recounted() says the same from scratch, and a test holds both against each other.
//
// Not thread-safe: the driver's thread only.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "daemon/core/instance_state.h"
#include "daemon/core/state.h"

namespace berth {

inline constexpr std::size_t kHostHealths = 4;
inline constexpr std::size_t kInstanceStates = 6;

// EC2's codes of the states are 0, 16, 32 … 80.
[[nodiscard]] constexpr std::size_t index_of(core::InstanceState state) {
  return static_cast<std::size_t>(state) / 16;
}
static_assert(index_of(core::InstanceState::stopped) == kInstanceStates - 1);

struct ZoneCounts {
  std::array<std::int64_t, kHostHealths> hosts{};  // by HostHealth
  std::int64_t cordoned = 0;
  placement::Usage capacity;  // of all hosts
  placement::Usage used;
  placement::Usage free;                                  // of hosts that are up and not cordoned
  std::array<std::int64_t, kInstanceStates> instances{};  // by index_of

  bool operator==(ZoneCounts const&) const = default;
};

// What is looked up host by host, in slices, one per tick: at most a minute old in a region of
// 30,000 hosts. Zones without any are left out.
struct SweptCounts {
  // Hosts that are up, have reported, and act on an older spec than the newest.
  std::map<ZoneName, std::int64_t> behind;
  Duration behind_oldest;  // how long the slowest of them has been
  // Domains that carry our metadata but that no spec names.
  std::map<ZoneName, std::int64_t> unknown;
  // Instances that run elsewhere than on their CPUs and NUMA cells.
  std::map<ZoneName, std::int64_t> unpinned;
};

class RegionCounts {
 public:
  static constexpr std::size_t kHostsPerTick = 500;

  // The first call of any counts everything once.
  void changing(core::State const& before, core::Change const& change);
  void changed(core::State const& after, core::Change const& change);
  // Every second or so: looks at the next hosts. `now` is also the time of the changes that follow.
  void ticked(core::State const& state, Instant now);

  [[nodiscard]] std::map<ZoneName, ZoneCounts> const& zones() const { return zones_; }
  [[nodiscard]] SweptCounts const& swept() const { return swept_; }
  // How long the oldest instance of this state has been in it, to the tick; counted from the start
  // of this object for those that were there before. Zero: none, or no passing state.
  [[nodiscard]] Duration oldest(core::InstanceState state) const;

  [[nodiscard]] static std::map<ZoneName, ZoneCounts> recounted(core::State const& state);

 private:
  struct Passing {
    core::InstanceState state;
    Instant since;
  };

  void begin(core::State const& state);
  void replace(core::State const& state, Instance const* old, Instance const* next);
  void add_used(core::State const& state, HostId const& host, placement::Usage const& more);
  void start_passing(std::string const& id, core::InstanceState state);
  void stop_passing(std::string const& id);
  void sweep(core::State const& state, Instant now);
  void look_at(core::State const& state, Host const& host, Instant now);

  bool has_begun_ = false;
  Instant now_;
  std::map<ZoneName, ZoneCounts> zones_;

  // Instances in a passing state, and how many began theirs at each tick.
  std::unordered_map<std::string, Passing> passing_;  // by id
  std::array<std::map<Instant, std::int64_t>, kInstanceStates> began_;

  HostId swept_to_;       // the last host looked at; empty: begin again
  SweptCounts sweeping_;  // of the sweep under way
  SweptCounts swept_;     // of the last whole one
  std::map<HostId, Instant> behind_since_;
};

}  // namespace berth
