#include "daemon/executor.h"

#include "berth/base/thread_name.h"

namespace berth {

namespace {
constexpr std::chrono::milliseconds kPatience{500};
}

Executor::Executor(unsigned threads, std::size_t queued_max) : jobs_(queued_max) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Executor::~Executor() {
  stop();
}

void Executor::run(std::function<void()> job) {
  // Refused: the job dies here, and with it the responder inside it, which tells the client.
  (void)jobs_.try_push(job);
}

void Executor::stop() {
  jobs_.close();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void Executor::work() {
  name_thread("render");
  for (;;) {
    std::vector<std::function<void()>> const jobs = jobs_.pop(1, kPatience);
    for (std::function<void()> const& job : jobs) job();
    if (jobs.empty() && jobs_.is_closed()) return;
  }
}

}  // namespace berth
