#pragma once
// Time comes in by parameter. A core never asks what time it is; it is told, once per batch.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "berth/base/result.h"

namespace berth {

struct Duration {
  std::int64_t ns = 0;

  constexpr auto operator<=>(Duration const&) const = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
  friend constexpr Duration operator*(Duration a, std::int64_t n) { return {a.ns * n}; }
};

[[nodiscard]] constexpr Duration milliseconds(std::int64_t n) {
  return {n * 1'000'000};
}
[[nodiscard]] constexpr Duration seconds(std::int64_t n) {
  return {n * 1'000'000'000};
}
[[nodiscard]] constexpr Duration minutes(std::int64_t n) {
  return seconds(n * 60);
}
[[nodiscard]] constexpr Duration hours(std::int64_t n) {
  return seconds(n * 3600);
}

// A point on CLOCK_BOOTTIME (suspend counts): for leases, deadlines, intervals. Means nothing
// outside this boot of this process's machine, so it is never stored.
struct Instant {
  std::int64_t ns = 0;

  constexpr auto operator<=>(Instant const&) const = default;
  friend constexpr Instant operator+(Instant a, Duration d) { return {a.ns + d.ns}; }
  friend constexpr Instant operator-(Instant a, Duration d) { return {a.ns - d.ns}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
};

// Wall time, milliseconds since 1970 UTC: for people and for the API, never for safety.
struct WallTime {
  std::int64_t ms = 0;

  constexpr auto operator<=>(WallTime const&) const = default;
  friend constexpr WallTime operator+(WallTime a, Duration d) { return {a.ms + d.ns / 1'000'000}; }
  friend constexpr Duration operator-(WallTime a, WallTime b) {
    return {(a.ms - b.ms) * 1'000'000};
  }
};

struct Now {
  Instant monotonic;
  WallTime wall;

  bool operator==(Now const&) const = default;
};

// The seam: the only place that knows a clock.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Now now() = 0;
};

// CLOCK_BOOTTIME and CLOCK_REALTIME of this machine. (common/time.cc)
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Now now() override;
};

// "2026-01-02T03:04:05.678Z", what EC2 answers with.
[[nodiscard]] std::string iso8601(WallTime t);
// "20260102T030405Z", what Signature V4 uses.
[[nodiscard]] std::string iso8601_basic(WallTime t);
// Accepts exactly the basic form above.
[[nodiscard]] Result<WallTime> parse_iso8601_basic(std::string_view text);
// "Fri, 02 Jan 2026 03:04:05 GMT", HTTP's Date header.
[[nodiscard]] std::string http_date(WallTime t);

}  // namespace berth
