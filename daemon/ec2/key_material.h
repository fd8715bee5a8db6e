#pragma once
// SSH keys as EC2 makes, reads and fingerprints them. OpenSSL stays inside key_material.cc.
//
//   kind     origin    private key                        fingerprint
//   rsa      made      PKCS#1 PEM, 2048 bits              SHA-1 of the DER PKCS#8 private key
//   rsa      imported                                     MD5 of the DER public key
//   ed25519  either    OpenSSH's own format               base64 of SHA-256 of the OpenSSH blob
//
// (API Reference, KeyPairInfo, "keyFingerprint"; hex digests are written "1f:51:…".)

#include <string>
#include <string_view>

#include "berth/base/result.h"
#include "berth/model/tenant.h"

namespace berth::ec2 {

struct NewKey {
  std::string private_key;  // PEM text with a final line end; a secret
  std::string public_key;   // OpenSSH one-line form, the comment is the name
  std::string fingerprint;
};

struct ReadKey {
  KeyKind kind = KeyKind::rsa;
  std::string public_key;  // as above, whatever form it came in
  std::string fingerprint;
};

// Takes up to a second for RSA: not for an io thread, not for the driver's.
[[nodiscard]] NewKey new_key(KeyKind kind, std::string_view name);

// Reads an RSA (1024 to 8192 bits) or ed25519 public key in OpenSSH's one-line form, RFC 4716's, or
// PEM. Error: (invalid, "key") in EC2's words.
[[nodiscard]] Result<ReadKey> read_public_key(std::string_view text, std::string_view name);

}  // namespace berth::ec2
