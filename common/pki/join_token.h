#pragma once
// The one-time join token an operator carries to a new host:
//
//   berth1.<host id>.<secret, 40 hex digits>.<SHA-256 of the CA's certificate, 64 hex digits>
//
// The fingerprint lets the agent know the right daemon at first contact; nothing is trusted on
// first use. The store holds only the digest of the text, and only until it was used.

#include <string>
#include <string_view>

#include "berth/base/result.h"
#include "berth/model/ids.h"

namespace berth::pki {

struct JoinToken {
  HostId host;
  std::string secret;          // 160 bits, lower-case hex
  std::string ca_fingerprint;  // lower-case hex SHA-256 of the CA certificate's DER

  bool operator==(JoinToken const&) const = default;
};

// A fresh secret from the kernel's generator.
[[nodiscard]] JoinToken make_join_token(HostId const& host, std::string const& ca_fingerprint);
[[nodiscard]] std::string text(JoinToken const& token);
// The error never repeats the text: it is a secret.
[[nodiscard]] Result<JoinToken> parse_join_token(std::string_view text);
// What Host::join_token_digest holds: lower-case hex SHA-256 of the whole text.
[[nodiscard]] std::string token_digest(std::string_view text);

}  // namespace berth::pki
