#pragma once
// A blocking HTTP/1.1 client for one daemon: over its unix socket, or over mutual TLS. One request
// a connection. OpenSSL and sockets stay inside client.cc.

#include <cstdint>
#include <functional>
#include <string>

#include "berth/base/result.h"
#include "berth/base/time.h"

namespace berth::ctl {

struct Endpoint {
  std::string socket;  // path; used when `host` is empty
  std::string host;    // TLS
  std::uint16_t port = 0;
  std::string certificate_file;
  std::string key_file;
  std::string ca_file;
};

// "https://berthd.example:8775" or "https://[::1]:8775". Errors say what was wanted.
[[nodiscard]] Result<Endpoint> parse_url(std::string const& url);

struct Request {
  std::string method = "GET";
  std::string target;  // "/v1/hosts?limit=10"
  std::string body;    // JSON; empty: none
  // Instead of a body: this many bytes from an open file, as an opaque stream. -1: none.
  int file = -1;
  std::int64_t file_bytes = 0;
  std::function<void(std::int64_t sent)> on_progress;  // may be empty
  Duration answer_deadline = seconds(60);  // from the last byte sent to the first received
};

struct Response {
  int status = 0;
  std::string body;
};

// Errors: unavailable, subject "daemon": it cannot be reached, or it broke off; corrupt, "answer":
// what came is not HTTP, or past kAnswerBytesMax. An answer of any status is a Response, also one
// that came before the whole file was sent.
[[nodiscard]] Result<Response> exchange(Endpoint const& endpoint, Request const& request);

inline constexpr std::size_t kAnswerBytesMax = std::size_t{256} << 20;

}  // namespace berth::ctl
