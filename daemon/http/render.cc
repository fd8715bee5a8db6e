#include "daemon/http/render.h"

#include <algorithm>
#include <array>

namespace berth::http {
namespace {

constexpr std::array<std::string_view, 5> kOurs = {"content-length", "date", "connection",
                                                   "keep-alive", "transfer-encoding"};

bool is_ours(std::string_view name) {
  return std::ranges::any_of(kOurs, [&](std::string_view ours) {
    return std::ranges::equal(name, ours, {}, [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  });
}

bool is_token(std::string_view name) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={}";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return c > ' ' && c < 0x7f && kSeparators.find(c) == std::string_view::npos;
  });
}

bool is_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    auto const byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= ' ' && byte != 0x7f);
  });
}

}  // namespace

bool has_body(unsigned status, bool is_head) {
  return !is_head && status != 204 && status != 304;
}

Result<std::string> render_head(Response const& response, RenderContext const& context) {
  if (response.status < 200 || response.status > 599) {
    return Error{
        .code = Code::invalid,
        .subject = "response",
        .message = "wanted a status from 200 to 599, found " + std::to_string(response.status)};
  }
  std::string out;
  out.reserve(256);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(status_phrase(response.status)).append("\r\nDate: ").append(context.date);
  out.append("\r\n");
  for (Header const& header : response.headers) {
    if (is_ours(header.name)) continue;
    if (!is_token(header.name) || !is_value(header.value)) {
      return Error{.code = Code::invalid,
                   .subject = "response",
                   .message = "header '" + header.name + "' has a character no header may have"};
    }
    out.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (response.status != 204 && response.status != 304) {
    out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  if (!context.keeps_alive) {
    out.append("Connection: close\r\n");
  } else if (!context.is_http11) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  return out;
}

}  // namespace berth::http
