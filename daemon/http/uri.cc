#include "daemon/http/uri.h"

#include <algorithm>
#include <cstdint>

namespace berth::http {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr std::size_t kQuotedMax = 32;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Untrusted text inside a message: short, and nothing a terminal would obey.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char const c : text.substr(0, kQuotedMax)) out += c > ' ' && c < 0x7f ? c : '?';
  out += text.size() > kQuotedMax ? "...'" : "'";
  return out;
}

Error invalid(std::string message) {
  return Error{.code = Code::invalid, .subject = "uri", .message = std::move(message)};
}

std::string encode(std::string_view text, bool slash_is_kept) {
  std::string out;
  out.reserve(text.size());
  for (char const c : text) {
    if (is_unreserved(c) || (slash_is_kept && c == '/')) {
      out += c;
      continue;
    }
    auto const byte = static_cast<std::uint8_t>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xfU];
  }
  return out;
}

// "http://host" off the front of an absolute-form target; the rest otherwise untouched.
Result<std::string_view> without_authority(std::string_view target) {
  for (std::string_view const scheme : {"http://", "https://"}) {
    bool const matches =
        target.size() > scheme.size() &&
        std::ranges::equal(target.substr(0, scheme.size()), scheme, {},
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    if (!matches) continue;
    std::string_view const rest = target.substr(scheme.size());
    std::size_t const end = std::min(rest.find_first_of("/?"), rest.size());
    if (end == 0) return invalid("wanted a host after " + std::string(scheme) + ", found none");
    return rest.substr(end);
  }
  return invalid("wanted a request-target that begins with '/' or 'http', found " + quoted(target));
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (c == '+' && plus == Plus::space) {
      out += ' ';
    } else if (c != '%') {
      out += c;
    } else {
      int const high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      int const low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return invalid("wanted two hexadecimal digits after '%' at offset " + std::to_string(i) +
                       ", found " + quoted(text.substr(i, 3)));
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  return encode(text, false);
}

std::string percent_encode_path(std::string_view path) {
  return encode(path, true);
}

Result<Target> split_target(std::string_view target) {
  auto const bad = std::ranges::find_if(target, [](char c) { return c <= ' ' || c >= 0x7f; });
  if (bad != target.end()) {
    return invalid("wanted visible ASCII in the request-target, found byte " +
                   std::to_string(static_cast<std::uint8_t>(*bad)) + " at offset " +
                   std::to_string(bad - target.begin()));
  }
  if (target.find('#') != std::string_view::npos) {
    return invalid("a request-target has no fragment, found " + quoted(target));
  }
  if (target == "*") return Target{.path = "*", .query = ""};
  std::string_view rest = target;
  if (!target.starts_with('/')) rest = TRY(without_authority(target));
  std::size_t const mark = std::min(rest.find('?'), rest.size());
  Target out{.path = std::string(rest.substr(0, mark)),
             .query = std::string(rest.substr(std::min(mark + 1, rest.size())))};
  if (out.path.empty()) out.path = "/";
  return out;
}

Result<std::vector<Parameter>> parse_form(std::string_view text, Plus plus,
                                          std::size_t parameters_max) {
  std::vector<Parameter> out;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('&'), text.size());
    std::string_view const piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    if (out.size() == parameters_max) {
      return invalid("at most " + std::to_string(parameters_max) + " parameters are read");
    }
    std::size_t const equals = std::min(piece.find('='), piece.size());
    std::string name = TRY(percent_decode(piece.substr(0, equals), plus));
    std::string value = TRY(percent_decode(piece.substr(std::min(equals + 1, piece.size())), plus));
    out.push_back(Parameter{.name = std::move(name), .value = std::move(value)});
  }
  return out;
}

}  // namespace berth::http
