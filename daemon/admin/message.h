#pragma once
// What the admin room takes and gives: one request and one answer as values. The room knows no
// listener; daemon/main.cc joins the two, so tests need no socket either.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/base/result.h"
#include "daemon/core/input.h"

namespace berth::admin {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct RequestView {
  std::string method;  // "GET"; case-sensitive
  std::string path;    // as received, before the '?', still percent-encoded
  std::string query;   // as received, after the '?'; empty: none
  Headers headers;     // as received; X-Forwarded-For and its kind are ignored
  std::string body;    // at most kBodyBytesMax; empty in Service::begin_upload
  std::string actor;   // for the audit log: "root", the certificate's name
  // Proven by the socket's peer credentials or the client certificate, never by the request.
  // Absent: nobody is known, and everything is answered with 401.
  std::optional<core::Role> role;
  std::string peer;  // "unix", "192.0.2.7:40112"
};

struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;  // X-Request-Id and Cache-Control always; Allow with 405
};

// Called exactly once, on any thread.
using Done = std::function<void(Answer)>;

// Receives the body of an upload; the listener calls it from a thread that may wait for a disk,
// never two calls at once. Destroyed without `finish` or `refuse` (the client left, or was too
// slow): everything it had written is removed.
class UploadSink {
 public:
  virtual ~UploadSink() = default;
  [[nodiscard]] virtual Result<void> write(std::string_view bytes) = 0;
  // The body is complete.
  virtual void finish(Done done) = 0;
  // `write` returned this error; no other call follows.
  virtual void refuse(Error const& error, Done done) = 0;
};

// "read" (or "viewer"), "operate" (or "operator"), "admin"; absent: no such role.
[[nodiscard]] std::optional<core::Role> role_named(std::string_view text);
[[nodiscard]] std::string_view name(core::Role role);  // "read", "operate", "admin"

}  // namespace berth::admin
