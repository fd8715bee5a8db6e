#include "daemon/executor.h"

#include <sys/resource.h>
#include <unistd.h>

#include "berth/base/thread_name.h"

namespace berth {

namespace {
constexpr std::chrono::milliseconds kPatience{500};
}

Executor::Executor(unsigned threads, std::size_t queued_max, int niceness) : jobs_(queued_max) {
  for (unsigned i = 0; i < threads; ++i)
    threads_.emplace_back([this, niceness] { work(niceness); });
}

Executor::~Executor() {
  stop();
}

bool Executor::run(std::function<void()> job) {
  // Refused: the job dies here, and with it the responder inside it, which tells the client.
  return jobs_.try_push(job);
}

void Executor::stop() {
  jobs_.close();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void Executor::work(int niceness) {
  // Of this thread alone, on Linux. Refused by the kernel it would only mean less order.
  if (niceness > 0) (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
  name_thread("render");
  for (;;) {
    std::vector<std::function<void()>> const jobs = jobs_.pop(1, kPatience);
    for (std::function<void()> const& job : jobs) job();
    if (jobs.empty() && jobs_.is_closed()) return;
  }
}

}  // namespace berth
