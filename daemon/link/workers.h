#pragma once
// A few threads for what may wait for a disk or for somebody else's code, so that gRPC's own never
// do. The queue is not bounded here: each job belongs to a call, and calls are.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace berth::link {

class Workers {
 public:
  explicit Workers(std::size_t threads);
  ~Workers();  // runs what is queued, then joins
  Workers(Workers const&) = delete;
  Workers& operator=(Workers const&) = delete;

  void post(std::function<void()> job);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace berth::link
