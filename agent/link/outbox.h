#pragma once
// What waits to be sent in one session: at most one status, one heartbeat and a few console
// replies. A newer state takes the place of the older, so a slow line never makes a queue.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "common/wire/agent.h"

namespace berth::agent {

class Outbox {
 public:
  void put(HostStatus status);
  void put(wire::Heartbeat beat);
  // Over 16 waiting: dropped, who asked has a timeout.
  void put(wire::ConsoleReply reply);
  void close();

  // Waits. Heartbeats before replies before the status; absent: closed.
  [[nodiscard]] std::optional<wire::FromAgent> next();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_closed_ = false;
  std::optional<HostStatus> status_;
  std::optional<wire::Heartbeat> beat_;
  std::deque<wire::ConsoleReply> replies_;
};

}  // namespace berth::agent
