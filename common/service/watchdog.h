#pragma once
// Feeds the service manager's watchdog from the one thread whose standing still is the program's
// standing still. When that thread stops calling, or what it waits for does not end, the manager
// gets no sign of life, ends the program and starts it again.

#include <functional>
#include <optional>

#include "berth/base/time.h"

namespace berth::service {

class Watchdog {
 public:
  // `interval`: what the manager asked for; absent: beat() does nothing.
  Watchdog(std::optional<Duration> interval, std::function<void()> feed)
      : interval_(interval), feed_(std::move(feed)) {}

  // As often as the thread comes around. `waiting_since`: since when the oldest piece of work has
  // been out of its hands (a commit on its way to the disk); absent: nothing is. Work that is out
  // for half an interval is a standstill: no sign of life until it ends.
  void beat(Instant now, std::optional<Instant> waiting_since) {
    if (!interval_) return;
    if (waiting_since && now - *waiting_since > Duration{interval_->ns / 2}) return;
    // A quarter leaves room for a slow turn or two, without a datagram for each turn.
    if (fed_at_ && now - *fed_at_ < Duration{interval_->ns / 4}) return;
    fed_at_ = now;
    feed_();
  }

 private:
  std::optional<Duration> interval_;
  std::function<void()> feed_;
  std::optional<Instant> fed_at_;
};

}  // namespace berth::service
