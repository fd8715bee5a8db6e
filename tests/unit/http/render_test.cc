#include "daemon/http/render.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

constexpr std::string_view kDate = "Fri, 02 Jan 2026 03:04:05 GMT";

std::string head(Response const& response, RenderContext context = {}) {
  context.date = kDate;
  auto const out = render_head(response, context);
  return out ? *out : "error: " + out.error().message;
}

TEST(Render, a_response_carries_its_headers_a_date_and_its_length) {
  EXPECT_EQ(head({.status = 404, .headers = {{"X-A", "b c"}}, .body = "gone"}),
            "HTTP/1.1 404 Not Found\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n"
            "X-A: b c\r\nContent-Length: 4\r\n\r\n");
}

TEST(Render, headers_of_the_listener_are_not_the_applications_to_set) {
  EXPECT_EQ(head({.headers = {{"content-length", "9"},
                              {"Date", "x"},
                              {"CONNECTION", "upgrade"},
                              {"Transfer-Encoding", "chunked"},
                              {"Keep-Alive", "1"}}}),
            "HTTP/1.1 200 OK\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\nContent-Length: 0\r\n\r\n");
}

TEST(Render, the_connection_header_says_what_the_client_would_not_assume) {
  EXPECT_NE(head({}, {.keeps_alive = false}).find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(head({}, {.is_http11 = false}).find("Connection: keep-alive\r\n"), std::string::npos);
  EXPECT_EQ(head({}).find("Connection"), std::string::npos);
}

TEST(Render, statuses_without_a_body_have_no_length_either) {
  EXPECT_EQ(head({.status = 204, .body = "x"}).find("Content-Length"), std::string::npos);
  EXPECT_EQ(head({.status = 304, .body = "x"}).find("Content-Length"), std::string::npos);
  EXPECT_FALSE(has_body(204, false));
  EXPECT_FALSE(has_body(304, false));
  EXPECT_FALSE(has_body(200, true));
  EXPECT_TRUE(has_body(200, false));
}

TEST(Render, an_answer_to_head_tells_the_length_get_would_have) {
  EXPECT_NE(head({.body = "four"}, {.is_head = true}).find("Content-Length: 4\r\n"),
            std::string::npos);
}

TEST(Render, nothing_that_breaks_the_framing_is_rendered) {
  for (Header const& bad :
       {Header{"X", "a\r\nSet-Cookie: b"}, Header{"X", std::string("\0", 1)}, Header{"X\r\nY", "a"},
        Header{"", "a"}, Header{"X Y", "a"}, Header{"X:", "a"}, Header{"X", "\x7f"}}) {
    EXPECT_TRUE(head({.headers = {bad}}).starts_with("error: header '")) << bad.name;
  }
  EXPECT_EQ(head({.status = 100}), "error: wanted a status from 200 to 599, found 100");
  EXPECT_EQ(head({.status = 600}), "error: wanted a status from 200 to 599, found 600");
}

}  // namespace
}  // namespace berth::http
