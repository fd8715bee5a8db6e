#include "daemon/driver/driver_thread.h"

#include <future>

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
    : mailbox_(limits::kInputsQueuedMax),
      driver_(std::move(state),
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
  mailbox_.close();
}

void DriverThread::submit(core::Input input, Done done) {
  Message message = Call{std::move(input), std::move(done)};
  if (!is_stopping_ && mailbox_.try_push(message)) return;
  Done const& refused = std::get<Call>(message).done;
  if (refused) refused(Error{Code::throttled, "queue", "Request limit exceeded."});
}

void DriverThread::post(std::function<void()> work) {
  mailbox_.push_urgent(Message(std::move(work)));
}

void DriverThread::run() {
  Instant next_tick = clock_.now().monotonic + kTickInterval;
  // Once stopping, what was taken is still committed and answered.
  bool is_idle = false;
  while (!is_stopping_ || !is_idle) {
    // A full batch waits for the commit before it; what is refused then is refused at the mailbox.
    std::size_t const room = driver_.is_full() ? 0 : limits::kInputsPerBatchMax;
    for (Message& message : mailbox_.pop(room, kPatience)) {
      is_idle = false;
      if (auto* work = std::get_if<std::function<void()>>(&message)) {
        (*work)();
      } else {
        Call& c = std::get<Call>(message);
        driver_.on_input(std::move(c.input), std::move(c.done));
      }
    }
    Instant const now = clock_.now().monotonic;
    if (now >= next_tick) {
      driver_.on_tick();
      next_tick = now + kTickInterval;
    }
    driver_.flush();
    is_idle = driver_.is_idle() && mailbox_.size() == 0;
  }
}

}  // namespace berth::driver
