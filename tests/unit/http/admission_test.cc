#include "daemon/http/admission.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

TEST(Admission, serves_up_to_the_limit_then_tells_then_drops) {
  Admission door({.connections_max = 3, .connections_per_address_max = 1000});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(door.enter("a"), Verdict::serve);
  for (unsigned i = 0; i < Admission::kRefusedMax; ++i) EXPECT_EQ(door.enter("b"), Verdict::refuse);
  EXPECT_EQ(door.enter("c"), Verdict::drop);
  EXPECT_EQ(door.inside(), 3U + Admission::kRefusedMax);
}

TEST(Admission, open_files_bound_connections) {
  std::uint64_t const told = 2 * Admission::kRefusedMax;
  EXPECT_EQ(connections_that_fit(1'000, 1'000 + 100 + told, 100), 1'000U);
  EXPECT_EQ(connections_that_fit(1'001, 1'000 + 100 + told, 100), 1'000U);
  EXPECT_EQ(connections_that_fit(1'000, 1'000'000, 100), 1'000U);
  EXPECT_EQ(connections_that_fit(1'000, 50, 100), 1U);
}

TEST(Admission, one_address_cannot_take_every_place) {
  Admission door({.connections_max = 100, .connections_per_address_max = 2});
  EXPECT_EQ(door.enter("a"), Verdict::serve);
  EXPECT_EQ(door.enter("a"), Verdict::serve);
  for (unsigned i = 0; i < Admission::kRefusedPerAddressMax; ++i) {
    EXPECT_EQ(door.enter("a"), Verdict::refuse);
  }
  EXPECT_EQ(door.enter("a"), Verdict::drop);
  EXPECT_EQ(door.enter("b"), Verdict::serve);
}

TEST(Admission, who_leaves_makes_room) {
  Admission door({.connections_max = 1, .connections_per_address_max = 1});
  EXPECT_EQ(door.enter("a"), Verdict::serve);
  EXPECT_EQ(door.enter("a"), Verdict::refuse);
  door.leave("a");
  door.leave("a");
  EXPECT_EQ(door.inside(), 0U);
  EXPECT_EQ(door.enter("a"), Verdict::serve);
}

TEST(Admission, a_unix_socket_has_no_address_to_limit) {
  Admission door({.connections_max = 10, .connections_per_address_max = 1});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(door.enter(""), Verdict::serve);
  EXPECT_EQ(door.enter(""), Verdict::refuse);
}

}  // namespace
}  // namespace berth::http
