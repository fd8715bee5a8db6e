#pragma once
// Driver: the only caller of decide and absorb. It turns inputs into batches, commits each batch as
// one store transaction, and releases what rests on it (replies, host specs) when that is durable.
//
//   inputs ──► open batch ──close──► in flight ──durable──► replies, specs released
//                 ▲ at most one            ▲ at most one
//
// It has no thread of its own: driver_thread.h gives it one in production, the simulator calls it
// directly, so the real driver is what is simulated. Not thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "berth/base/entropy.h"
#include "berth/base/time.h"
#include "daemon/core/decision.h"
#include "daemon/core/gate.h"
#include "daemon/core/state.h"
#include "daemon/driver/agent_link.h"
#include "daemon/store/store.h"

namespace berth::driver {

// Who watches: logs, metrics, the published key table. Called on the driver's thread; keep it
// short.
class Observer {
 public:
  virtual ~Observer() = default;

  // One input was decided in `took`; events are inside the decision.
  virtual void decided(core::Input const&, Result<core::Decision> const&, Duration /*took*/) {}
  // Around each change that the core absorbs; the state is as it was before, then as it is after.
  virtual void changing(core::State const& /*before*/, core::Change const&) {}
  virtual void changed(core::State const& /*after*/, core::Change const&) {}
  // A batch became durable `took` after its commit began.
  virtual void committed(std::vector<core::Change> const&, std::size_t /*inputs*/,
                         Duration /*took*/) {}
  // A batch's replies and specs left, `took` after its first input came.
  virtual void released(Duration /*took*/) {}
  // After each tick.
  virtual void ticked(core::State const&) {}
};

class Driver {
 public:
  struct Parts {
    store::Store& store;
    AgentLink& link;
    Clock& clock;
    Entropy& entropy;
    Observer& observer;
    // A commit failed: nothing may be promised any more. Production ends the process.
    std::function<void(Error const&)> on_store_failure;
    // Hands a store's `done` to the driver's own thread. Absent: called where the store calls it.
    std::function<void(std::function<void()>)> post;
  };

  // Takes what the store has; fails when a record is damaged or an invariant of them is broken.
  static Result<core::State> load(store::Store& store, core::Policy policy);

  Driver(core::State state, Parts parts);

  // Raises the term and commits it. Once, before any input.
  void begin();
  // Decides and absorbs into the open batch. Call flush() when no more is at hand.
  void on_input(core::Input input, core::Gate::Done done);
  void on_tick();
  // Closes the open batch and commits it, unless one is in flight; then that one's end does it.
  void flush();

  // The open batch has as much as one commit may take: give it no inputs until one is durable.
  [[nodiscard]] bool is_full() const;
  // Nothing is open and nothing in flight.
  [[nodiscard]] bool is_idle() const {
    return !is_in_flight_ && open_.is_empty() && spec_waits_.empty();
  }
  // Since when a commit has been on its way to the disk; absent: none is.
  [[nodiscard]] std::optional<Instant> committing_since() const {
    if (!is_in_flight_) return std::nullopt;
    return in_flight_.closed;
  }
  [[nodiscard]] core::State const& state() const { return state_; }

 private:
  struct Batch {
    std::vector<core::Change> durable;
    std::vector<std::pair<core::Gate::Done, Result<core::Reply>>> replies;
    std::set<HostId> resend;  // hosts whose spec goes out at the release
    std::set<HostId> drop;
    std::vector<HostSpec> specs;  // taken when the batch closed: later, undurable changes are not
                                  // in them
    std::size_t inputs = 0;
    Instant opened;  // when its first input came
    Instant closed;

    [[nodiscard]] bool is_empty() const {
      return durable.empty() && replies.empty() && resend.empty() && drop.empty();
    }
  };

  void take(core::Decision decision);
  void pace_specs(Batch& batch);
  void close(Batch& batch);
  void on_durable(Result<void> result);
  void release(Batch& batch);

  core::State state_;
  Parts parts_;
  Batch open_;
  Batch in_flight_;
  // When each host was last sent a spec, of those whose next one may have to wait; and which wait.
  std::map<HostId, Instant> spec_sent_;
  std::set<HostId> spec_waits_;
  bool is_in_flight_ = false;
  bool has_failed_ = false;
};

}  // namespace berth::driver
