#include "daemon/heart.h"

#include <algorithm>

#include "common/service/service.h"
#include "daemon/core/instance_state.h"

namespace berth {

namespace {

constexpr Duration kStatusInterval = seconds(10);

}  // namespace

std::string status_line(core::State const& state, Instant now) {
  auto const up = std::ranges::count_if(state.hosts, [&](auto const& entry) {
    return core::health(core::find(state.seen, entry.first), now, state.policy) == HostHealth::up;
  });
  auto const live = std::ranges::count_if(state.instances, [](auto const& entry) {
    return core::instance_state(entry.second) != core::InstanceState::terminated;
  });
  return "serving " + state.policy.region + ": " + std::to_string(up) + " of " +
         std::to_string(state.hosts.size()) + " hosts up, " + std::to_string(live) + " instances";
}

Heart::Heart(Clock& clock, std::function<std::optional<Instant>()> committing_since)
    : clock_(clock),
      committing_since_(std::move(committing_since)),
      watchdog_(service::watchdog_interval(), service::keep_alive) {}

void Heart::beat(core::State const& state) {
  Instant const now = clock_.now().monotonic;
  watchdog_.beat(now, committing_since_());
  if (now < status_due_) return;
  status_due_ = now + kStatusInterval;
  std::string line = status_line(state, now);
  if (line == status_) return;
  status_ = std::move(line);
  service::set_status(status_);
}

}  // namespace berth
