#pragma once
// What systemd sees of a berthd: the sign of life, from the driver's thread and only while commits
// reach the disk, and the line that `systemctl status` shows.

#include <functional>
#include <optional>
#include <string>

#include "berth/base/time.h"
#include "common/service/watchdog.h"
#include "daemon/core/state.h"

namespace berth {

// "serving us-east-1: 3 of 4 hosts up, 17 instances".
[[nodiscard]] std::string status_line(core::State const& state, Instant now);

class Heart {
 public:
  // `committing_since` is asked on the driver's thread; all of it outlives the heart.
  Heart(Clock& clock, std::function<std::optional<Instant>()> committing_since);

  // After each tick, on the driver's thread.
  void beat(core::State const& state);

 private:
  Clock& clock_;
  std::function<std::optional<Instant>()> committing_since_;
  service::Watchdog watchdog_;
  Instant status_due_;
  std::string status_;
};

}  // namespace berth
