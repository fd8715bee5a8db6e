#pragma once
// DriverThread: the driver with a thread of its own, bounded lanes in front and a clock behind.

#include <atomic>
#include <functional>
#include <thread>

#include "daemon/driver/driver.h"
#include "daemon/driver/lanes.h"

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
  [[nodiscard]] bool has_room(core::InputClass of) const override { return lanes_.has_room(of); }
  // Runs `work` on the driver's thread, before what is queued now.
  void post(std::function<void()> work);

  [[nodiscard]] std::size_t queued() const { return lanes_.size(); }
  [[nodiscard]] LaneStats lane(core::InputClass of) const {
    return lanes_.stats(of, clock_.now().monotonic);
  }
  // As the driver's; on the driver's thread only, from where it calls its observer.
  [[nodiscard]] std::optional<Instant> committing_since() const {
    return driver_.committing_since();
  }

 private:
  void run();
  void take(std::size_t room);

  Lanes lanes_;
  Lanes::Taken taken_;  // the thread's; kept for its memory
  Driver driver_;
  std::thread thread_;
  std::atomic<bool> is_stopping_{false};
  Clock& clock_;
};

}  // namespace berth::driver
