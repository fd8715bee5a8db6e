#pragma once
// Hashes, MACs and encodings. OpenSSL stays inside common/digest.cc.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "berth/base/result.h"

namespace berth {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(std::string_view bytes);
[[nodiscard]] Sha256 hmac_sha256(std::string_view key, std::string_view bytes);
[[nodiscard]] std::string md5(
    std::string_view bytes);  // 16 raw bytes; for EC2 key fingerprints only
[[nodiscard]] std::string sha1(
    std::string_view bytes);  // 20 raw bytes; for EC2 key fingerprints only
// Takes as long for the first differing byte as for the last.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b);

[[nodiscard]] std::string hex(std::span<std::uint8_t const> bytes);  // lower case
[[nodiscard]] std::string hex(std::string_view bytes);
[[nodiscard]] std::string base64(std::string_view bytes);  // with padding, no line breaks
// Strict alphabet and padding; white space (ASCII blanks and line ends) is skipped.
[[nodiscard]] Result<std::string> base64_decoded(std::string_view text);

// Digest of a stream, for files too large for memory.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void update(std::string_view bytes);
  [[nodiscard]] Sha256 finish();  // once

 private:
  void* context_;
};

// AES-256-GCM envelope for secrets at rest. key: 32 bytes. Output: 12-byte nonce + cipher + tag.
[[nodiscard]] std::string sealed(std::string_view key, std::string_view plain,
                                 std::string_view context);
[[nodiscard]] Result<std::string> unsealed(std::string_view key, std::string_view envelope,
                                           std::string_view context);
// Bytes straight from OpenSSL's generator, for keys and tokens.
[[nodiscard]] std::string secret_bytes(std::size_t count);

}  // namespace berth
