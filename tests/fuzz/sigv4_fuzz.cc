// A request as text: the first line is method and target, then headers, an empty line, the body.
// Must not crash, and must never be accepted: the table's secret is not in the corpus.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/ec2/sigv4.h"

namespace {

std::string_view next_line(std::string_view& rest) {
  std::size_t const end = rest.find('\n');
  std::string_view const line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  using namespace berth::ec2;
  static KeyTable const keys{{{"AKIDEXAMPLE", KeyEntry{"a secret nobody here can guess", "",
                                                       berth::TenantId{"1"}, true}}}};
  static berth::WallTime const now = *berth::parse_iso8601_basic("20150830T123600Z");
  std::string_view rest(reinterpret_cast<char const*>(bytes), size);
  std::string_view const first = next_line(rest);
  std::size_t const space = first.find(' ');
  SignedRequest request{.method = first.substr(0, space), .target = "/", .headers = {}, .body = ""};
  if (space != std::string_view::npos) request.target = first.substr(space + 1);
  while (!rest.empty() && request.headers.size() < 100) {
    std::string_view const line = next_line(rest);
    if (line.empty()) break;
    std::size_t const colon = line.find(':');
    if (colon == std::string_view::npos) return 0;
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  request.body = rest;
  for (bool const presigned : {false, true}) {
    SigningKeyCache cache;
    VerifyOptions options;
    options.presigned = presigned;
    if (verify(request, keys, now, options, cache)) std::abort();
  }
  return 0;
}
