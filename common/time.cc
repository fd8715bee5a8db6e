#include "berth/base/time.h"

#include <ctime>

#include <cstdio>

namespace berth {

namespace {

std::int64_t clock_ns(clockid_t id) {
  timespec ts{};
  ENSURE(clock_gettime(id, &ts) == 0);
  return std::int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

struct Civil {
  tm fields{};
  std::int64_t ms = 0;
};

Civil civil(WallTime t) {
  std::int64_t seconds = t.ms / 1000;
  std::int64_t ms = t.ms % 1000;
  if (ms < 0) {
    ms += 1000;
    --seconds;
  }
  Civil out;
  out.ms = ms;
  time_t const clock = seconds;
  ENSURE(gmtime_r(&clock, &out.fields) != nullptr);
  return out;
}

std::string formatted(char const* format, tm const& fields) {
  char buffer[64];
  return std::string(buffer, std::strftime(buffer, sizeof buffer, format, &fields));
}

}  // namespace

Now SystemClock::now() {
  return Now{.monotonic = {clock_ns(CLOCK_BOOTTIME)},
             .wall = {clock_ns(CLOCK_REALTIME) / 1'000'000}};
}

std::string iso8601(WallTime t) {
  Civil const c = civil(t);
  char millis[8];
  std::snprintf(millis, sizeof millis, ".%03dZ", static_cast<int>(c.ms));
  return formatted("%Y-%m-%dT%H:%M:%S", c.fields) + millis;
}

std::string iso8601_basic(WallTime t) {
  return formatted("%Y%m%dT%H%M%SZ", civil(t).fields);
}

// Names are spelled out because strftime's depend on the locale.
std::string http_date(WallTime t) {
  static constexpr char const* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr char const* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  tm const f = civil(t).fields;
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[f.tm_wday],
                f.tm_mday, kMonths[f.tm_mon], f.tm_year + 1900, f.tm_hour, f.tm_min, f.tm_sec);
  return buffer;
}

Result<WallTime> parse_iso8601_basic(std::string_view text) {
  Error const wrong{Code::invalid, "time",
                    "expected a time like 20260102T030405Z, found '" + std::string(text) + "'"};
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return wrong;
  int digits[14];
  int count = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    if (i == 8) continue;
    if (text[i] < '0' || text[i] > '9') return wrong;
    digits[count++] = text[i] - '0';
  }
  auto two = [&](int i) { return digits[i] * 10 + digits[i + 1]; };
  tm f{};
  f.tm_year = two(0) * 100 + two(2) - 1900;
  f.tm_mon = two(4) - 1;
  f.tm_mday = two(6);
  f.tm_hour = two(8);
  f.tm_min = two(10);
  f.tm_sec = two(12);
  tm const asked = f;
  time_t const seconds = timegm(&f);
  // timegm normalises 31 February into March: what comes back must be what was asked.
  if (f.tm_mon != asked.tm_mon || f.tm_mday != asked.tm_mday || f.tm_hour != asked.tm_hour ||
      f.tm_min != asked.tm_min || f.tm_sec != asked.tm_sec) {
    return wrong;
  }
  return WallTime{std::int64_t{seconds} * 1000};
}

}  // namespace berth
