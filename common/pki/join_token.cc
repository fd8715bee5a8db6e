#include "common/pki/join_token.h"

#include <algorithm>
#include <array>

#include "berth/base/digest.h"

namespace berth::pki {

namespace {

constexpr std::string_view kPrefix = "berth1";
constexpr std::size_t kSecretBytes = 20;

bool is_hex(std::string_view s, std::size_t digits) {
  return s.size() == digits && std::ranges::all_of(s, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

JoinToken make_join_token(HostId const& host, std::string const& ca_fingerprint) {
  return JoinToken{
      .host = host, .secret = hex(secret_bytes(kSecretBytes)), .ca_fingerprint = ca_fingerprint};
}

std::string text(JoinToken const& token) {
  return std::string(kPrefix) + "." + token.host.value + "." + token.secret + "." +
         token.ca_fingerprint;
}

Result<JoinToken> parse_join_token(std::string_view text) {
  Error const wrong{
      Code::invalid, "join token",
      "expected a join token like berth1.host-….….…, as 'berthctl host add' prints it"};
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::size_t const dot = text.find('.');
    if ((dot == std::string_view::npos) != (i + 1 == parts.size())) return wrong;
    parts[i] = text.substr(0, dot);
    if (dot != std::string_view::npos) text.remove_prefix(dot + 1);
  }
  constexpr std::string_view kHost = "host-";
  if (parts[0] != kPrefix || !parts[1].starts_with(kHost) ||
      !is_hex(parts[1].substr(kHost.size()), 17) || !is_hex(parts[2], 2 * kSecretBytes) ||
      !is_hex(parts[3], 64)) {
    return wrong;
  }
  return JoinToken{.host = HostId(std::string(parts[1])),
                   .secret = std::string(parts[2]),
                   .ca_fingerprint = std::string(parts[3])};
}

std::string token_digest(std::string_view text) {
  return hex(sha256(text));
}

}  // namespace berth::pki
