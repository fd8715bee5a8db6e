#include "daemon/driver/driver_thread.h"

#include <future>

#include "berth/base/thread_name.h"

namespace berth::driver {

namespace {

constexpr Duration kTickInterval = seconds(1);
constexpr std::chrono::milliseconds kPatience{200};

Driver::Parts with_post(Driver::Parts parts, std::function<void(std::function<void()>)> post) {
  parts.post = std::move(post);
  return parts;
}

}  // namespace

DriverThread::DriverThread(core::State state, Driver::Parts parts)
    : driver_(std::move(state),
              with_post(std::move(parts),
                        [this](std::function<void()> work) { post(std::move(work)); })),
      clock_(parts.clock) {}

DriverThread::~DriverThread() {
  stop();
}

void DriverThread::start() {
  std::promise<void> begun;
  post([this, &begun] {
    driver_.begin();
    // Answered when the commit that holds the new term is durable: a read waits for it.
    driver_.on_input(
        core::AdminCall{.actor = "berth", .action_name = "status", .action = core::Summarise{}},
        [&begun](Result<core::Reply>) { begun.set_value(); });
    driver_.flush();
  });
  thread_ = std::thread([this] { run(); });
  begun.get_future().wait();
}

void DriverThread::stop() {
  if (!thread_.joinable()) return;
  is_stopping_ = true;
  thread_.join();
  lanes_.close();
}

void DriverThread::submit(core::Input input, Done done) {
  core::InputClass const of = core::input_class(input);
  Lanes::Entry entry{std::move(input), std::move(done), clock_.now().monotonic};
  if (!is_stopping_ && lanes_.try_push(of, entry)) return;
  if (entry.done) entry.done(Error{Code::throttled, "queue", "Request limit exceeded."});
}

void DriverThread::post(std::function<void()> work) {
  lanes_.push_urgent(std::move(work));
}

void DriverThread::take(std::size_t room) {
  lanes_.take(room, kPatience, clock_, taken_);
  for (Lanes::Work const& work : taken_.urgent) work();
  for (Lanes::Entry& e : taken_.inputs) driver_.on_input(std::move(e.input), std::move(e.done));
  for (Lanes::Entry const& e : taken_.outdated) {
    if (!e.done) continue;
    e.done(Error{Code::unavailable, "queue", "The request waited too long to be started; retry."});
  }
}

void DriverThread::run() {
  name_thread("core");
  Instant next_tick = clock_.now().monotonic + kTickInterval;
  // Once stopping, what was taken is still committed and answered.
  bool is_idle = false;
  while (!is_stopping_ || !is_idle) {
    // A full batch waits for the commit before it; heartbeats are taken all the same.
    std::size_t const room = driver_.is_full() ? 0 : limits::kInputsPerBatchMax;
    take(room);
    if (!taken_.inputs.empty() || !taken_.urgent.empty()) is_idle = false;
    Instant const now = clock_.now().monotonic;
    if (now >= next_tick) {
      driver_.on_tick();
      next_tick = now + kTickInterval;
    }
    driver_.flush();
    is_idle = driver_.is_idle() && lanes_.size() == 0;
  }
}

}  // namespace berth::driver
