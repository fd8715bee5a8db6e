#pragma once
// A few threads for work that may take a moment: rendering, key generation, waiting for a disk.

#include <functional>
#include <thread>
#include <vector>

#include "berth/base/mailbox.h"

namespace berth {

class Executor {
 public:
  // `niceness`: how much less of a processor its threads get than others while there are too few:
  // 0 to 19, as nice(1).
  Executor(unsigned threads, std::size_t queued_max, int niceness = 0);
  ~Executor();  // stop()

  // Any thread. False: the queue is full, or stopped, and the job is dropped: unless somebody
  // answers its request, the listener says 503.
  bool run(std::function<void()> job);
  // Finishes what is queued, then joins. Idempotent.
  void stop();

 private:
  void work(int niceness);

  Mailbox<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
};

}  // namespace berth
