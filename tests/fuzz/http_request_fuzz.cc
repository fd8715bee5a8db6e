// daemon/http/parser.h against any bytes, whole and in pieces: both see the same requests, within
// the limits. The first byte chooses the size of the pieces.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/ensure.h"
#include "daemon/http/parser.h"

namespace {

using berth::http::Request;
using berth::http::RequestParser;

constexpr RequestParser::Limits kLimits{.header_bytes_max = 512, .headers_max = 16};
constexpr std::uint64_t kBodyMax = 1024;

struct Seen {
  std::vector<std::string> requests;
  bool is_refused = false;  // which status may depend on how much had arrived

  bool operator==(Seen const&) const = default;
};

Seen parse(std::string_view bytes, std::size_t piece) {
  Seen out;
  std::string pending;
  auto parser = std::make_unique<RequestParser>(kLimits);
  bool is_limited = false;
  while (!bytes.empty()) {
    pending += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (;;) {
      bool const in_head = !parser->is_head_done();
      RequestParser::Step const step =
          in_head ? parser->read_head(pending) : parser->read_body(pending);
      ENSURE(step.consumed <= pending.size());
      out.is_refused = step.refusal.has_value();
      if (!out.is_refused && in_head && parser->is_head_done() && !parser->is_done()) {
        ENSURE(!is_limited);
        is_limited = true;
        out.is_refused = parser->limit_body(kBodyMax).has_value();
      }
      if (out.is_refused) return out;
      pending.erase(0, step.consumed);
      ENSURE(parser->body().size() <= kBodyMax);
      if (parser->is_head_done() && parser->is_done()) {
        Request const& head = parser->head();
        ENSURE(head.headers.size() <= kLimits.headers_max);
        out.requests.push_back(head.method + " " + head.target + " " + parser->body());
        for (auto const& h : head.headers) out.requests.back() += "\n" + h.name + ":" + h.value;
        parser = std::make_unique<RequestParser>(kLimits);
        is_limited = false;
        if (!pending.empty()) continue;
      }
      if (step.consumed == 0 || pending.empty()) break;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const text(reinterpret_cast<char const*>(data) + 1, size - 1);
  Seen const whole = parse(text, text.size() + 1);
  Seen const pieces = parse(text, std::size_t{data[0]} % 64 + 1);
  ENSURE(whole == pieces);
  return 0;
}
