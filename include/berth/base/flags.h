#pragma once
// Checked values from the text of flags; the flags themselves live in each program's settings.cc.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/log.h"
#include "berth/base/result.h"

namespace berth {

// "--flag: wanted …, found '…'".
[[nodiscard]] Error bad_flag(std::string_view flag, std::string_view wanted,
                             std::string_view found);

struct Address {
  std::string host;  // brackets of an IPv6 address removed
  std::uint16_t port = 0;

  bool operator==(Address const&) const = default;
};
[[nodiscard]] std::string text(Address const& address);  // brackets put back
[[nodiscard]] Result<Address> parse_address(std::string_view flag, std::string const& text);
[[nodiscard]] bool is_loopback(Address const& address);

[[nodiscard]] Result<std::int64_t> within(std::string_view flag, std::int64_t value,
                                          std::int64_t low, std::int64_t high);
// By comma; empty words are dropped.
[[nodiscard]] std::vector<std::string> split_list(std::string const& text);

// The three flags that both programs have for their log.
[[nodiscard]] Result<LogOptions> parse_log_options(std::string const& format,
                                                   std::string const& level,
                                                   std::string const& file);

}  // namespace berth
