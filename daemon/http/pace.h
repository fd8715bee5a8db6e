#pragma once
// How slowly a peer may move bytes: a bucket of time. It starts with `grace`, every byte earns
// 1/rate of a second, and it never holds more than `grace`, so a fast beginning buys no long
// silence afterwards. The rule is a deadline that moves; whoever polls it cuts what has passed it.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace berth::http {

class Pace {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Rule {
    std::uint32_t bytes_per_second_min = 1;  // at least 1
    std::chrono::nanoseconds grace{};
  };

  Pace(Rule rule, TimePoint now) : rule_(rule), deadline_(now + rule.grace) {}

  [[nodiscard]] TimePoint deadline() const { return deadline_; }

  void moved(std::size_t bytes, TimePoint now) {
    // Past a second's worth the cap below decides anyway at any sane grace; it keeps the product
    // far from overflow for whatever a single read returns.
    auto const earned = std::chrono::nanoseconds(std::min<std::uint64_t>(bytes, kBytesCountedMax) *
                                                 1'000'000'000U / rule_.bytes_per_second_min);
    deadline_ = std::min(deadline_ + earned, now + rule_.grace);
  }

  // Time in which we, not the peer, were the slow one.
  void paused(std::chrono::nanoseconds length) { deadline_ += length; }

 private:
  static constexpr std::uint64_t kBytesCountedMax = 1U << 20U;

  Rule rule_;
  TimePoint deadline_;
};

}  // namespace berth::http
