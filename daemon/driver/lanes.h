#pragma once
// Lanes: where inputs wait for the driver's thread. One bounded queue for each class, many writers,
// one reader; and one unbounded lane for the few messages that may never be refused nor wait (a
// commit's end).
//
// The reader takes heartbeats first, then a batch: each class its share, what is left over to the
// most urgent. So a lower class is slowed, never stopped.
//
// A queue that stands is not room but delay. So each lane's length adapts: as in CoDel the sign is
// the least age of what leaves within an interval; when it is over the class's target, the lane is
// held to as many as were served within the target (Little's law), and let out again as soon as the
// queue has drained. What finds no room is refused at the door, at once: an answer that the client
// can act upon, in place of work that nobody waits for any more.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "berth/base/time.h"
#include "daemon/core/gate.h"
#include "daemon/driver/class_rules.h"

namespace berth::driver {

// How many may wait in one lane. Pure: time comes with each call.
class LaneLimit {
 public:
  static constexpr Duration kInterval = milliseconds(100);
  // A lane is never held below this, so that a moment's stall shuts nobody out.
  static constexpr std::size_t kFloor = 64;

  explicit LaneLimit(ClassRule const& rule)
      : target_(rule.target), most_(rule.queued_max), limit_(rule.queued_max) {}

  // An input left the queue at `now`, `age` old.
  void left(Duration age, Instant now);
  // The queue is empty; what left it last was that old. Young: nothing stands.
  void drained(Duration age) {
    left_ = 0;
    if (age <= target_) limit_ = most_;
  }
  [[nodiscard]] std::size_t value() const { return limit_; }

 private:
  void end_interval(Instant now);

  Duration target_;
  std::size_t most_;
  std::size_t limit_;
  Instant began_{};
  Duration least_age_{};
  std::size_t left_ = 0;  // in this interval; 0: it has not begun
};

struct LaneStats {
  std::size_t waiting = 0;
  std::size_t limit = 0;
  Duration age;                // of the oldest that waits
  std::uint64_t taken = 0;     // handed to the reader
  std::uint64_t full = 0;      // refused: queued_max waited
  std::uint64_t shed = 0;      // refused: the queue stood
  std::uint64_t outdated = 0;  // dropped: past the deadline
};

class Lanes {
 public:
  using Work = std::function<void()>;
  struct Entry {
    core::Input input;
    core::Gate::Done done;
    Instant since;
  };
  struct Taken {
    std::vector<Work> urgent;
    std::vector<Entry> inputs;
    std::vector<Entry> outdated;  // to be answered, not to be started
  };

  Lanes();

  // False: no room, or closed; the entry is left as it was.
  [[nodiscard]] bool try_push(core::InputClass of, Entry& entry);
  [[nodiscard]] bool has_room(core::InputClass of) const;
  // After close: dropped.
  void push_urgent(Work work);

  // Into `into`, emptied before: what is urgent, heartbeats, and at most `room` other inputs; with
  // a room of 0 those stay where they are. Waits up to `patience` for something of these. `now` is
  // asked when the waiting is over.
  void take(std::size_t room, std::chrono::milliseconds patience, Clock& clock, Taken& into);
  void close();

  [[nodiscard]] std::size_t size() const;  // urgent ones included
  [[nodiscard]] LaneStats stats(core::InputClass of, Instant now) const;

 private:
  struct Lane {
    explicit Lane(ClassRule const& r) : rule(r), limit(r) {}
    ClassRule const& rule;
    std::deque<Entry> queue;
    LaneLimit limit;
    std::uint64_t taken = 0;
    std::uint64_t full = 0;
    std::uint64_t shed = 0;
    std::uint64_t outdated = 0;
    std::atomic<bool> has_room{true};  // for the cheap look
  };

  [[nodiscard]] Lane& lane(core::InputClass of) { return lanes_[core::index(of)]; }
  [[nodiscard]] Lane const& lane(core::InputClass of) const { return lanes_[core::index(of)]; }
  [[nodiscard]] bool has_work(std::size_t room) const;
  std::size_t move_out(Lane& lane, std::size_t count, Instant now, Taken& into);

  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::array<Lane, core::kInputClasses.size()> lanes_;
  std::vector<Work> urgent_;
  bool is_asleep_ = false;      // the reader; then pushers wake it
  bool sleeps_for_all_ = true;  // asleep with room for more than heartbeats
  bool is_closed_ = false;
};

}  // namespace berth::driver
