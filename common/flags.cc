#include "berth/base/flags.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace berth {

Error bad_flag(std::string_view flag, std::string_view wanted, std::string_view found) {
  return Error{Code::invalid, "flag",
               "--" + std::string(flag) + ": wanted " + std::string(wanted) + ", found '" +
                   std::string(found) + "'"};
}

std::string text(Address const& address) {
  bool const is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<Address> parse_address(std::string_view flag, std::string const& text) {
  std::size_t const colon = text.rfind(':');
  Error const wrong = bad_flag(flag, "ADDRESS:PORT", text);
  if (colon == std::string::npos || colon == 0) return wrong;
  Address out{.host = text.substr(0, colon)};
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  char const* const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data() + colon + 1, end, out.port);
  if (error != std::errc() || stop != end) return wrong;
  return out;
}

bool is_loopback(Address const& address) {
  return address.host.starts_with("127.") || address.host == "::1";
}

Result<std::int64_t> within(std::string_view flag, std::int64_t value, std::int64_t low,
                            std::int64_t high) {
  if (value >= low && value <= high) return value;
  return bad_flag(flag, "a number from " + std::to_string(low) + " to " + std::to_string(high),
                  std::to_string(value));
}

std::vector<std::string> split_list(std::string const& text) {
  std::vector<std::string> out;
  std::string word;
  for (char const c : text + ",") {
    if (c != ',') {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::exchange(word, {}));
    }
  }
  return out;
}

Result<LogOptions> parse_log_options(std::string const& format, std::string const& level,
                                     std::string const& file) {
  LogOptions out{.file = file};
  if (format == "json") {
    out.format = LogFormat::json;
  } else if (format != "text") {
    return bad_flag("log_format", "text or json", format);
  }
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"debug", LogLevel::debug},
                                                               {"info", LogLevel::info},
                                                               {"warning", LogLevel::warning},
                                                               {"error", LogLevel::error}};
  auto const found = std::find_if(std::begin(kLevels), std::end(kLevels),
                                  [&](auto const& l) { return l.first == level; });
  if (found == std::end(kLevels))
    return bad_flag("log_level", "debug, info, warning or error", level);
  out.level = found->second;
  return out;
}

}  // namespace berth
