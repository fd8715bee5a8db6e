#include "daemon/http/pace.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

using namespace std::chrono_literals;

constexpr Pace::TimePoint kStart{1000s};
constexpr Pace::Rule kRule{.bytes_per_second_min = 500, .grace = 10s};

TEST(Pace, begins_with_the_whole_grace) {
  EXPECT_EQ(Pace(kRule, kStart).deadline(), kStart + 10s);
}

TEST(Pace, a_peer_at_just_the_rate_is_never_late) {
  Pace pace(kRule, kStart);
  for (int second = 1; second <= 3600; ++second) {
    pace.moved(500, kStart + std::chrono::seconds(second));
    ASSERT_EQ(pace.deadline(), kStart + std::chrono::seconds(second) + 10s);
  }
}

TEST(Pace, a_peer_below_the_rate_runs_out_of_grace) {
  Pace pace(kRule, kStart);
  int second = 0;
  while (kStart + std::chrono::seconds(second) < pace.deadline()) {
    pace.moved(250, kStart + std::chrono::seconds(++second));
  }
  EXPECT_EQ(second, 20);  // half a second gained for each one passed
}

TEST(Pace, a_fast_beginning_buys_no_long_silence) {
  Pace pace(kRule, kStart);
  pace.moved(1'000'000'000, kStart + 1s);
  EXPECT_EQ(pace.deadline(), kStart + 11s);
}

TEST(Pace, our_own_slowness_is_not_the_peers) {
  Pace pace(kRule, kStart);
  pace.paused(3s);
  EXPECT_EQ(pace.deadline(), kStart + 13s);
}

}  // namespace
}  // namespace berth::http
