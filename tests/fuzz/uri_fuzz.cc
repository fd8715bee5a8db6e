// daemon/http/uri.h against any bytes: every call ends with a value or an error, and what can be
// turned back is the same again.

#include <cstdint>
#include <string>
#include <string_view>

#include "berth/base/ensure.h"
#include "daemon/http/uri.h"

namespace {

using namespace berth::http;

void form(std::string_view text, Plus plus) {
  auto const pairs = parse_form(text, plus, 4096);
  if (!pairs) return;
  ENSURE(pairs->size() <= 4096);
  std::string written;
  for (Parameter const& p : *pairs) {
    written +=
        (written.empty() ? "" : "&") + percent_encode(p.name) + "=" + percent_encode(p.value);
  }
  ENSURE(*parse_form(written, plus, 4096) == *pairs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  form(text, Plus::space);
  form(text, Plus::literal);
  ENSURE(*percent_decode(percent_encode(text), Plus::space) == text);
  ENSURE(*percent_decode(percent_encode_path(text), Plus::literal) == text);
  if (auto const decoded = percent_decode(text, Plus::literal)) ENSURE(decoded->size() <= size);
  if (auto const target = split_target(text)) {
    ENSURE(!target->path.empty());
    ENSURE(target->path == "*" || target->path.front() == '/');
    ENSURE(target->path.find('?') == std::string::npos);
    ENSURE(target->path.size() + target->query.size() <= size + 1);
  }
  return 0;
}
