#pragma once
// Mailbox<T>: where threads meet. Bounded, many writers, one reader. A second, unbounded lane is
// for the few messages that may never be refused nor wait behind others (a commit's end).

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace berth {

template <class T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}

  // False: full, or closed; the value is left as it was.
  [[nodiscard]] bool try_push(T& value) {
    std::lock_guard const lock(mutex_);
    if (is_closed_ || queue_.size() >= capacity_) return false;
    queue_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }
  // The second lane. After close: dropped.
  void push_urgent(T value) {
    std::lock_guard const lock(mutex_);
    if (is_closed_) return;
    urgent_.push_back(std::move(value));
    filled_.notify_one();
  }
  // What is urgent, then at most `count` of the rest, in order; waits up to `patience` for
  // something of these. A count of 0 leaves the rest where it is.
  [[nodiscard]] std::vector<T> pop(std::size_t count, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, patience, [&] {
      return !urgent_.empty() || (count > 0 && !queue_.empty()) || is_closed_;
    });
    std::vector<T> out(std::make_move_iterator(urgent_.begin()),
                       std::make_move_iterator(urgent_.end()));
    urgent_.clear();
    for (; !queue_.empty() && count > 0; --count) {
      out.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return out;
  }
  void close() {
    std::lock_guard const lock(mutex_);
    is_closed_ = true;
    filled_.notify_all();
  }
  [[nodiscard]] bool is_closed() const {
    std::lock_guard const lock(mutex_);
    return is_closed_;
  }
  [[nodiscard]] std::size_t size() const {
    std::lock_guard const lock(mutex_);
    return queue_.size() + urgent_.size();
  }

 private:
  std::size_t const capacity_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<T> queue_;
  std::deque<T> urgent_;
  bool is_closed_ = false;
};

}  // namespace berth
