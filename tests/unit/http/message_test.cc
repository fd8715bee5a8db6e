#include "daemon/http/message.h"

#include <gtest/gtest.h>

#include <optional>
#include <type_traits>

namespace berth::http {
namespace {

TEST(Message, headers_are_found_whatever_their_case_and_duplicates_are_seen) {
  Request const request{.headers = {{"X-A", "1"}, {"x-a", "2"}, {"B", ""}}};
  EXPECT_EQ(request.header("x-A"), "1");
  EXPECT_EQ(request.header("b"), "");
  EXPECT_EQ(request.header("c"), std::nullopt);
  EXPECT_EQ(request.header_values("X-a"), (std::vector<std::string_view>{"1", "2"}));
}

TEST(Message, a_responder_delivers_once) {
  std::optional<Response> got;
  Responder respond([&](Response r) { got = std::move(r); });
  respond({.status = 204});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 204U);
}

TEST(Message, a_responder_dropped_uncalled_delivers_503) {
  std::optional<Response> got;
  {
    Responder const respond([&](Response r) { got = std::move(r); });
  }
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 503U);
}

TEST(Message, a_responder_that_was_moved_from_or_called_says_nothing_more) {
  int calls = 0;
  {
    Responder first([&](Response) { ++calls; });
    Responder second(std::move(first));
    second({});
  }
  EXPECT_EQ(calls, 1);
  static_assert(!std::is_copy_constructible_v<Responder>);
}

TEST(Message, assigning_over_a_responder_answers_its_request_first) {
  std::string order;
  {
    Responder kept([&](Response r) { order += "kept " + std::to_string(r.status) + "; "; });
    kept = Responder([&](Response r) { order += "new " + std::to_string(r.status) + "; "; });
    EXPECT_EQ(order, "kept 503; ");
    kept({.status = 200});
  }
  EXPECT_EQ(order, "kept 503; new 200; ");
}

TEST(MessageDeath, answering_twice_breaks_an_invariant) {
  Responder respond([](Response) {});
  respond({});
  EXPECT_DEATH(respond({}), "invariant broken");
}

}  // namespace
}  // namespace berth::http
