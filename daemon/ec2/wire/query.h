#pragma once
// The flat half of the Query API: from an HTTP request's query string and form body to an ordered
// list of decoded name/value pairs. Strict: whatever two readers could understand differently (bad
// percent escapes, doubled names, text that is not UTF-8) is refused, not guessed.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ec2/ec2_error.h"

namespace berth::ec2::wire {

inline constexpr std::size_t kParametersMax = 4096;  // per request, query string and body together
inline constexpr std::size_t kParameterNameBytesMax =
    256;  // decoded; the longest name in use is ~70
inline constexpr std::size_t kParameterTextBytesMax = 1024 * 1024;  // query string or body, encoded

// One decoded pair, as sent: "Filter.1.Name" / "instance-state-name". The value may be empty.
struct Parameter {
  std::string name;
  std::string value;

  bool operator==(Parameter const&) const = default;
};

// What the parameters of one request are read from. Views into the caller's request.
struct QueryText {
  std::string_view method;        // "GET" or "POST"; any other is refused with 405
  std::string_view target;        // as on the request line: "/?Action=..."
  std::string_view content_type;  // of the body; empty when there is no such header
  std::string_view body;          // the form of a POST; a GET with a body is refused
};

// Every parameter of a request, those of the query string first, in the order they were sent.
// GET and POST are alike (libcloud sends GET); a name given twice is refused, also when once in the
// query string and once in the body.
// Errors: MalformedQueryString (400), InvalidQueryParameter for a doubled name (400),
// MethodNotAllowed (405), RequestEntityTooLarge (413).
[[nodiscard]] Ec2Result<std::vector<Parameter>> parse_query(QueryText const& text);

// The pairs of one "a=b&c=d" text: '+' and %20 are both a space. Doubled names are kept.
[[nodiscard]] Ec2Result<std::vector<Parameter>> parse_pairs(std::string_view text);

// The value of the first parameter of this name, or empty.
[[nodiscard]] std::string_view value_of(std::vector<Parameter> const& parameters,
                                        std::string_view name);

}  // namespace berth::ec2::wire
