#include "daemon/driver/lanes.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace berth::driver {

void LaneLimit::left(Duration age, Instant now) {
  if (target_.ns == 0) return;
  if (left_ == 0) {
    began_ = now;
    least_age_ = age;
  }
  least_age_ = std::min(least_age_, age);
  ++left_;
  if (now - began_ >= kInterval) end_interval(now);
}

void LaneLimit::end_interval(Instant now) {
  if (least_age_ > target_) {
    // Both in whole milliseconds: the product stays far from overflow.
    auto const elapsed_ms = static_cast<std::size_t>((now - began_).ns / 1'000'000);
    auto const target_ms = static_cast<std::size_t>(target_.ns / 1'000'000);
    limit_ = std::clamp(left_ * target_ms / std::max<std::size_t>(elapsed_ms, 1), kFloor, most_);
  } else if (limit_ < most_) {
    // Slowly: what is let in now shows its age only when it leaves.
    limit_ = std::min(most_, limit_ + std::max(kFloor, limit_ / 16));
  }
  left_ = 0;
}

Lanes::Lanes()
    : lanes_{Lane(kClassRules[0]), Lane(kClassRules[1]), Lane(kClassRules[2]), Lane(kClassRules[3]),
             Lane(kClassRules[4])} {}

bool Lanes::try_push(core::InputClass of, Entry& entry) {
  Lane& l = lane(of);
  bool wakes = false;
  {
    std::lock_guard const lock(mutex_);
    if (is_closed_) return false;
    std::size_t const waiting = l.queue.size();
    if (waiting >= l.limit.value()) {
      ++(waiting >= l.rule.queued_max ? l.full : l.shed);
      return false;
    }
    l.queue.push_back(std::move(entry));
    if (waiting + 1 >= l.limit.value()) l.has_room.store(false, std::memory_order_relaxed);
    wakes = is_asleep_ && (sleeps_for_all_ || of == core::InputClass::lease);
    if (wakes) is_asleep_ = false;
  }
  if (wakes) filled_.notify_one();
  return true;
}

bool Lanes::has_room(core::InputClass of) const {
  return lane(of).has_room.load(std::memory_order_relaxed);
}

void Lanes::push_urgent(Work work) {
  {
    std::lock_guard const lock(mutex_);
    if (is_closed_) return;
    urgent_.push_back(std::move(work));
    is_asleep_ = false;
  }
  filled_.notify_one();
}

bool Lanes::has_work(std::size_t room) const {
  if (is_closed_ || !urgent_.empty()) return true;
  return std::ranges::any_of(lanes_, [&](Lane const& l) {
    return !l.queue.empty() && (room > 0 || l.rule.of == core::InputClass::lease);
  });
}

std::size_t Lanes::move_out(Lane& l, std::size_t count, Instant now, Taken& into) {
  std::size_t moved = 0;
  std::optional<Duration> youngest;
  while (moved < count && !l.queue.empty()) {
    Entry& next = l.queue.front();
    Duration const age = now - next.since;
    youngest = age;
    l.limit.left(age, now);
    if (l.rule.deadline.ns != 0 && age > l.rule.deadline) {
      ++l.outdated;
      into.outdated.push_back(std::move(next));
    } else {
      ++l.taken;
      ++moved;
      into.inputs.push_back(std::move(next));
    }
    l.queue.pop_front();
  }
  if (youngest && l.queue.empty()) l.limit.drained(*youngest);
  l.has_room.store(l.queue.size() < l.limit.value(), std::memory_order_relaxed);
  return moved;
}

void Lanes::take(std::size_t room, std::chrono::milliseconds patience, Clock& clock, Taken& into) {
  into.urgent.clear();
  into.inputs.clear();
  into.outdated.clear();
  std::unique_lock lock(mutex_);
  auto const until = std::chrono::steady_clock::now() + patience;
  while (!has_work(room)) {
    is_asleep_ = true;
    sleeps_for_all_ = room > 0;
    if (filled_.wait_until(lock, until) == std::cv_status::timeout) break;
  }
  is_asleep_ = false;
  std::swap(into.urgent, urgent_);
  Instant const now = clock.now().monotonic;
  move_out(lanes_.front(), lanes_.front().rule.batch_max, now, into);
  std::array<std::size_t, core::kInputClasses.size()> given{};
  for (bool const is_by_share : {true, false}) {
    for (std::size_t i = 1; i < lanes_.size() && room > 0; ++i) {
      Lane& l = lanes_[i];
      std::size_t const most = is_by_share ? l.rule.share : l.rule.batch_max;
      std::size_t const moved =
          move_out(l, std::min(room, most - std::min(most, given[i])), now, into);
      given[i] += moved;
      room -= moved;
    }
  }
}

void Lanes::close() {
  {
    std::lock_guard const lock(mutex_);
    is_closed_ = true;
    for (Lane& l : lanes_) l.has_room.store(false, std::memory_order_relaxed);
  }
  filled_.notify_all();
}

std::size_t Lanes::size() const {
  std::lock_guard const lock(mutex_);
  std::size_t out = urgent_.size();
  for (Lane const& l : lanes_) out += l.queue.size();
  return out;
}

LaneStats Lanes::stats(core::InputClass of, Instant now) const {
  Lane const& l = lane(of);
  std::lock_guard const lock(mutex_);
  return {.waiting = l.queue.size(),
          .limit = l.limit.value(),
          .age = l.queue.empty() ? Duration{} : now - l.queue.front().since,
          .taken = l.taken,
          .full = l.full,
          .shed = l.shed,
          .outdated = l.outdated};
}

}  // namespace berth::driver
