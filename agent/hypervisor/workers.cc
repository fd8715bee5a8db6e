#include "agent/hypervisor/workers.h"

#include <utility>

namespace berth::agent {

Workers::Workers(std::size_t threads, std::size_t queued_max) : queued_max_(queued_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() {
  stop();
}

bool Workers::post(std::function<void()> task) {
  {
    std::lock_guard const lock(mutex_);
    if (is_stopping_ || queue_.size() >= queued_max_) return false;
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

bool Workers::is_stopping() const {
  std::lock_guard const lock(mutex_);
  return is_stopping_;
}

void Workers::stop() {
  {
    std::lock_guard const lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

void Workers::work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace berth::agent
