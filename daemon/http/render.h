#pragma once
// A Response to the bytes of its head.

#include <cstdint>
#include <string>
#include <string_view>

#include "berth/base/result.h"
#include "daemon/http/message.h"

namespace berth::http {

struct RenderContext {
  std::string_view date;  // HTTP's form: http_date
  bool is_http11 = true;  // of the request
  bool keeps_alive = true;
  bool is_head = false;  // the request's method was HEAD
};

// Whether the body follows the head. (Content-Length of an answer to HEAD tells of the body that
// GET would have got.)
[[nodiscard]] bool has_body(unsigned status, bool is_head);

// "HTTP/1.1 200 OK\r\n...\r\n\r\n". Headers that belong to the listener are left out of
// `response`'s. Error (invalid): a status outside 200..599, or a header that would break the
// framing.
[[nodiscard]] Result<std::string> render_head(Response const& response,
                                              RenderContext const& context);

}  // namespace berth::http
