#pragma once
// Watcher: tells people and other threads what the driver did. It logs events, counts, and
// publishes the keys that the fronts check signatures against. On the driver's thread.

#include "daemon/driver/driver.h"
#include "daemon/heart.h"
#include "daemon/metrics/metrics.h"
#include "daemon/published.h"

namespace berth {

class Watcher final : public driver::Observer {
 public:
  // All of them must outlive it.
  Watcher(DaemonMetrics& metrics, Published& published, Clock& clock, Heart& heart)
      : metrics_(metrics), published_(published), clock_(clock), heart_(heart) {}

  void decided(core::Input const& input, Result<core::Decision> const& decision,
               Duration took) override;
  void changing(core::State const& before, core::Change const& change) override;
  void changed(core::State const& after, core::Change const& change) override;
  void committed(std::vector<core::Change> const& changes, std::size_t inputs,
                 Duration took) override;
  void released(Duration took) override;
  void ticked(core::State const& state) override;

 private:
  DaemonMetrics& metrics_;
  Published& published_;
  Clock& clock_;
  Heart& heart_;
};

}  // namespace berth
