#pragma once
// The text of a request-target and of form bodies (RFC 3986, RFC 9112 section 3.2): percent coding,
// path and query, name=value pairs. Pure, strict and total: whatever the bytes, a value or an error
// (Code::invalid) that shows the offending place.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"

namespace berth::http {

// What '+' means: itself in a path, a space in application/x-www-form-urlencoded.
enum class Plus { literal, space };

// Every %XX becomes its byte (NUL included: the caller judges values). '%' without two hex digits
// after it is an error. Other bytes pass through.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, Plus plus);

// Leaves A-Z a-z 0-9 - . _ ~ and writes the rest as %XX with upper-case hex: what Signature V4
// calls UriEncode.
[[nodiscard]] std::string percent_encode(std::string_view text);
// The same, leaving '/' too.
[[nodiscard]] std::string percent_encode_path(std::string_view path);

// Both still percent-encoded, as signatures need them. `query` is what follows the first '?',
// empty if there is none.
struct Target {
  std::string path;
  std::string query;

  bool operator==(Target const&) const = default;
};

// Accepts "/path?query", "http[s]://host/path?query" (whose authority is dropped: Host decides) and
// "*". The path of an absolute target without one is "/". Refuses fragments, spaces, control and
// non-ASCII characters.
[[nodiscard]] Result<Target> split_target(std::string_view target);

struct Parameter {
  std::string name;
  std::string value;

  bool operator==(Parameter const&) const = default;
};

// "a=1&b=2" as decoded pairs in order of appearance, duplicates kept. "a" and "a=" both give an
// empty value; empty pieces ("&&") are skipped; only '&' separates. More than `parameters_max`
// pieces is an error.
[[nodiscard]] Result<std::vector<Parameter>> parse_form(std::string_view text, Plus plus,
                                                        std::size_t parameters_max = 4096);

}  // namespace berth::http
