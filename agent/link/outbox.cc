#include "agent/link/outbox.h"

#include <utility>

namespace berth::agent {

namespace {
constexpr std::size_t kRepliesMax = 16;
}  // namespace

void Outbox::put(HostStatus status) {
  {
    std::lock_guard const lock(mutex_);
    status_ = std::move(status);
  }
  wake_.notify_one();
}

void Outbox::put(wire::Heartbeat beat) {
  {
    std::lock_guard const lock(mutex_);
    beat_ = beat;
  }
  wake_.notify_one();
}

void Outbox::put(wire::ConsoleReply reply) {
  {
    std::lock_guard const lock(mutex_);
    if (replies_.size() < kRepliesMax) replies_.push_back(std::move(reply));
  }
  wake_.notify_one();
}

void Outbox::close() {
  {
    std::lock_guard const lock(mutex_);
    is_closed_ = true;
  }
  wake_.notify_all();
}

std::optional<wire::FromAgent> Outbox::next() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return is_closed_ || status_ || beat_ || !replies_.empty(); });
  if (is_closed_) return std::nullopt;
  if (beat_) return *std::exchange(beat_, std::nullopt);
  if (!replies_.empty()) {
    wire::FromAgent reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }
  return *std::exchange(status_, std::nullopt);
}

}  // namespace berth::agent
