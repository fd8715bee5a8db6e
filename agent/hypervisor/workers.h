#pragma once
// A few threads that take tasks from one bounded queue. libvirt's calls block, the agent's loop
// must not.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace berth::agent {

class Workers {
 public:
  Workers(std::size_t threads, std::size_t queued_max);
  // Waits for the tasks under way; those still queued are run with `is_stopping() == true` seen by
  // them, so that each can answer its caller.
  ~Workers();
  Workers(Workers const&) = delete;
  Workers& operator=(Workers const&) = delete;

  // False when the queue is full or the workers are stopping: the task was not taken.
  [[nodiscard]] bool post(std::function<void()> task);
  [[nodiscard]] bool is_stopping() const;
  // Refuses new tasks from now on, runs what is queued, joins. Idempotent.
  void stop();

 private:
  void work();

  std::size_t const queued_max_;
  mutable std::mutex mutex_;  // this is the mailbox of blocking calls: many writers, many readers
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool is_stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace berth::agent
