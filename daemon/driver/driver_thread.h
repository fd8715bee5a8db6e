#pragma once
// DriverThread: the driver with a thread of its own, a bounded mailbox in front and a clock behind.

#include <atomic>
#include <functional>
#include <thread>
#include <variant>

#include "berth/base/mailbox.h"
#include "daemon/driver/driver.h"

namespace berth::driver {

class DriverThread final : public core::Gate {
 public:
  // `parts.post` is set by this class.
  DriverThread(core::State state, Driver::Parts parts);
  ~DriverThread() override;

  // Starts the thread; returns when the new term is durable.
  void start();
  // Takes no more inputs, finishes what is under way, joins the thread.
  void stop();

  void submit(core::Input input, Done done) override;
  // Runs `work` on the driver's thread, before what is queued now.
  void post(std::function<void()> work);

  [[nodiscard]] std::size_t queued() const { return mailbox_.size(); }
  // As the driver's; on the driver's thread only, from where it calls its observer.
  [[nodiscard]] std::optional<Instant> committing_since() const {
    return driver_.committing_since();
  }

 private:
  struct Call {
    core::Input input;
    Done done;
  };
  using Message = std::variant<Call, std::function<void()>>;

  void run();

  Mailbox<Message> mailbox_;
  Driver driver_;
  std::thread thread_;
  std::atomic<bool> is_stopping_{false};
  Clock& clock_;
};

}  // namespace berth::driver
