#pragma once
// Small text functions that Signature V4 is made of; for sigv4.cc and sigv4_parse.cc only.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ec2/sigv4.h"

namespace berth::ec2::sigv4 {

[[nodiscard]] std::string lower(std::string_view text);  // ASCII
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] std::string_view trimmed(std::string_view text);  // blanks and tabs
[[nodiscard]] std::string quoted(std::string_view text);        // cut for an error's sentence

// The first header of this name.
[[nodiscard]] std::optional<std::string_view> header_value(SignedRequest const& request,
                                                           std::string_view name);

// RFC 3986: all but A-Z a-z 0-9 - . _ ~ become %XX, and '/' too unless `keep_slash`.
enum class Slash { encode, keep };
void append_encoded(std::string& out, std::string_view text, Slash slash);

struct Pair {
  std::string name;   // decoded, encoded again the one canonical way
  std::string value;  // likewise

  auto operator<=>(Pair const&) const = default;
};

// The pairs of a target's query, in the order sent. A '%' without two hex digits stays itself, so
// that every text has a canonical form; the parser of the parameters refuses such a query later.
[[nodiscard]] std::vector<Pair> canonical_pairs(std::string_view target);

}  // namespace berth::ec2::sigv4
