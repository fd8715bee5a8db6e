#include "daemon/http/parser.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

constexpr RequestParser::Limits kLimits{.header_bytes_max = 1024, .headers_max = 8};

struct Outcome {
  unsigned status = 0;  // of a refusal; 0: none
  bool is_done = false;
  std::string body;
  std::string rest;  // what was not consumed
  std::vector<Header> headers;

  bool operator==(Outcome const&) const = default;
};

// Offers `bytes` in pieces of that size, as a connection would.
Outcome parse(std::string_view bytes, std::size_t piece, std::uint64_t body_max = 4096) {
  RequestParser parser(kLimits);
  std::string pending;
  Outcome out;
  bool is_limited = false;
  while (!out.is_done && out.status == 0 && !bytes.empty()) {
    pending += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (std::size_t used = 1; used > 0 && out.status == 0 && !parser.is_done();) {
      bool const in_head = !parser.is_head_done();
      RequestParser::Step step = in_head ? parser.read_head(pending) : parser.read_body(pending);
      if (step.refusal) out.status = step.refusal->status;
      used = step.consumed;
      pending.erase(0, used);
      if (out.status == 0 && parser.is_head_done() && !is_limited && !parser.is_done()) {
        is_limited = true;
        if (auto const refusal = parser.limit_body(body_max)) out.status = refusal->status;
      }
    }
    out.is_done = out.status == 0 && parser.is_done();
  }
  out.body = parser.body();
  out.rest = pending + std::string(bytes);
  out.headers = parser.head().headers;
  return out;
}

// Whatever the pieces, the same outcome.
Outcome parse(std::string_view bytes) {
  Outcome const whole = parse(bytes, bytes.size() + 1);
  for (std::size_t piece : {1U, 2U, 3U, 7U}) {
    Outcome const pieces = parse(bytes, piece);
    EXPECT_EQ(pieces.status, whole.status) << bytes;
    EXPECT_EQ(pieces.is_done, whole.is_done) << bytes;
    if (whole.status == 0) { EXPECT_EQ(pieces, whole) << bytes; }
  }
  return whole;
}

std::string get(std::string_view headers, std::string_view rest = "") {
  return "GET / HTTP/1.1\r\n" + std::string(headers) + "\r\n" + std::string(rest);
}

TEST(Parser, a_request_without_a_body_ends_with_its_head) {
  Outcome const out = parse(get("Host: h\r\nX: 1\r\nx: 2\r\n", "GET"));
  EXPECT_TRUE(out.is_done);
  EXPECT_EQ(out.rest, "GET");
  EXPECT_EQ(out.headers, (std::vector<Header>{{"Host", "h"}, {"X", "1"}, {"x", "2"}}));
}

TEST(Parser, empty_lines_before_a_request_are_skipped) {
  EXPECT_TRUE(parse("\r\n\r\n" + get("Host: h\r\n")).is_done);
}

TEST(Parser, a_body_has_its_content_length) {
  Outcome const out = parse(get("Host: h\r\nContent-Length: 3\r\n", "abcdef"));
  EXPECT_TRUE(out.is_done);
  EXPECT_EQ(out.body, "abc");
  EXPECT_EQ(out.rest, "def");
  EXPECT_TRUE(parse(get("Host: h\r\nContent-Length: 0\r\n")).is_done);
  EXPECT_FALSE(parse(get("Host: h\r\nContent-Length: 3\r\n", "ab")).is_done);
}

TEST(Parser, chunks_are_joined_and_what_follows_is_kept) {
  std::string const head = get("Host: h\r\nTransfer-Encoding: Chunked\r\n");
  Outcome const out = parse(head + "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nnext");
  EXPECT_TRUE(out.is_done);
  EXPECT_EQ(out.body, "abc0123456789");
  EXPECT_EQ(out.rest, "next");
  EXPECT_TRUE(parse(head + "0\r\n\r\n").is_done);
}

TEST(Parser, trailers_never_become_headers) {
  Outcome const out = parse(
      get("Host: h\r\nTransfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\nAuthorization: x\r\n\r\n"));
  EXPECT_TRUE(out.is_done);
  EXPECT_EQ(out.headers.size(), 2U);
}

TEST(Parser, malformed_requests_are_refused_with_400) {
  for (std::string_view const bad :
       {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX: \x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\nX: 1\r\n\r\n", "\r\nGET /\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n"}) {
    EXPECT_EQ(parse(bad).status, 400U) << bad;
  }
}

TEST(Parser, two_readings_of_where_a_request_ends_are_refused) {
  EXPECT_EQ(parse(get("Host: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n", "abcd")).status,
            400U);
  EXPECT_EQ(parse(get("Host: h\r\nContent-Length: 3, 3\r\n", "abc")).status, 400U);
  EXPECT_EQ(
      parse(get("Host: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"))
          .status,
      400U);
  EXPECT_EQ(
      parse(get("Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"))
          .status,
      400U);
  EXPECT_EQ(parse(get("Host: h\r\nTransfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")).status,
            501U);
  EXPECT_EQ(parse(get("Host: h\r\nTransfer-Encoding: chunked, identity\r\n")).status, 501U);
  EXPECT_EQ(parse(get("Host: h\r\nTransfer-Encoding: xchunked\r\n")).status, 501U);
  EXPECT_EQ(parse("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400U);
}

TEST(Parser, a_request_has_exactly_one_host) {
  EXPECT_EQ(parse(get("X: 1\r\n")).status, 400U);
  EXPECT_EQ(parse(get("Host: a\r\nhost: a\r\n")).status, 400U);
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\n\r\n").is_done);
}

TEST(Parser, other_versions_are_refused_with_505) {
  EXPECT_EQ(parse("GET / HTTP/2.0\r\nHost: h\r\n\r\n").status, 505U);
  EXPECT_EQ(parse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status, 505U);
}

TEST(Parser, an_expectation_we_do_not_know_is_refused_with_417) {
  EXPECT_EQ(parse(get("Host: h\r\nExpect: 200-maybe\r\n")).status, 417U);
  EXPECT_TRUE(parse(get("Host: h\r\nExpect: 100-Continue\r\n")).is_done);
}

TEST(Parser, headers_have_a_limit_in_bytes) {
  std::string const frame = get("Host: h\r\nX: \r\n");
  EXPECT_TRUE(
      parse(get("Host: h\r\nX: " + std::string(1024 - frame.size(), 'x') + "\r\n")).is_done);
  EXPECT_EQ(parse(get("Host: h\r\nX: " + std::string(1025 - frame.size(), 'x') + "\r\n")).status,
            431U);
  EXPECT_EQ(parse("GET /" + std::string(2000, 'x')).status, 431U);
  std::string blank_lines;
  for (int i = 0; i < 600; ++i) blank_lines += "\r\n";
  EXPECT_EQ(parse(blank_lines).status, 431U);
}

TEST(Parser, headers_have_a_limit_in_number_and_trailers_count) {
  std::string headers = "Host: h\r\n";
  for (int i = 1; i < 8; ++i) headers += "X: 1\r\n";
  EXPECT_TRUE(parse(get(headers)).is_done);
  EXPECT_EQ(parse(get(headers + "X: 1\r\n")).status, 431U);
  std::string trailers;
  for (int i = 0; i < 7; ++i) trailers += "X: 1\r\n";
  EXPECT_EQ(
      parse(get("Host: h\r\nTransfer-Encoding: chunked\r\n", "0\r\n" + trailers + "\r\n")).status,
      431U);
}

TEST(Parser, a_body_has_a_limit_however_it_is_framed) {
  std::string const most(4096, 'b');
  EXPECT_EQ(parse(get("Host: h\r\nContent-Length: 4096\r\n", most)).body, most);
  EXPECT_EQ(parse(get("Host: h\r\nContent-Length: 4097\r\n", most)).status, 413U);
  std::string const chunked = get("Host: h\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_EQ(parse(chunked + "1000\r\n" + most + "\r\n0\r\n\r\n").body, most);
  EXPECT_EQ(parse(chunked + "1001\r\n" + most).status, 413U);
  EXPECT_EQ(parse(chunked + "1000\r\n" + most + "\r\n1\r\nx").status, 413U);
  EXPECT_EQ(parse(chunked + "FFFFFFFFFFFFFFFF\r\n").status, 413U);
}

TEST(Parser, chunks_that_are_none_are_refused) {
  std::string const chunked = get("Host: h\r\nTransfer-Encoding: chunked\r\n");
  for (std::string_view const bad :
       {"x\r\n", "-1\r\n", "1\r\nabc\r\n", "1 \r\n", "10000000000000000\r\n", ";\r\n"}) {
    EXPECT_EQ(parse(chunked + std::string(bad)).status, 400U) << bad;
  }
}

TEST(Parser, trailers_that_are_none_are_refused) {
  std::string const chunked = get("Host: h\r\nTransfer-Encoding: chunked\r\n");
  for (std::string_view const bad : {"0\r\nX y: 1\r\n", "0\r\n: 1\r\n", "0\r\nX\r\n",
                                     "0\r\nX: \x01", "0\r\nX: 1\n", "0\r\n\rx", "0\n"}) {
    EXPECT_EQ(parse(chunked + std::string(bad)).status, 400U) << bad;
  }
}

TEST(Parser, a_quoted_chunk_extension_ends_with_its_line) {
  Outcome const out =
      parse(get("Host: h\r\nTransfer-Encoding: chunked\r\n", "4;a=\"\r\na\"b\r\r\n0\r\n\r\n"));
  EXPECT_TRUE(out.is_done);
  EXPECT_EQ(out.body, "a\"b\r");
}

TEST(Parser, a_chunk_extension_has_a_limit) {
  std::string const chunked = get("Host: h\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_TRUE(parse(chunked + "1;" + std::string(256, 'x') + "\r\na\r\n0\r\n\r\n").is_done);
  EXPECT_EQ(parse(chunked + "1;" + std::string(257, 'x') + "\r\na\r\n0\r\n\r\n").status, 400U);
  EXPECT_EQ(parse(chunked + "1;x=" + std::string(300, 'x') + "\r\na\r\n0\r\n\r\n").status, 400U);
}

}  // namespace
}  // namespace berth::http
