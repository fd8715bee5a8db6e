#pragma once
// A few threads for work that may take a moment: rendering, key generation, waiting for a disk.

#include <functional>
#include <thread>
#include <vector>

#include "berth/base/mailbox.h"

namespace berth {

class Executor {
 public:
  Executor(unsigned threads, std::size_t queued_max);
  ~Executor();  // stop()

  // Any thread. A full queue, or one that is stopped, drops the job: its request goes unanswered
  // here and the listener answers 503.
  void run(std::function<void()> job);
  // Finishes what is queued, then joins. Idempotent.
  void stop();

 private:
  void work();

  Mailbox<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
};

}  // namespace berth
