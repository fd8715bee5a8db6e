#include "daemon/ec2/key_material.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "berth/base/digest.h"
#include "berth/base/ensure.h"

namespace berth::ec2 {

namespace {

constexpr int kRsaBits = 2048;
constexpr int kRsaBitsMin = 1024;
constexpr int kRsaBitsMax = 8192;
constexpr std::size_t kKeyTextBytesMax = 16 * 1024;
constexpr std::size_t kEd25519Bytes = 32;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

// ---- OpenSSH's encoding: everything is a length and its bytes (RFC 4251, section 5) -------------

std::string u32(std::size_t n) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((n >> shift) & 0xff);
  return out;
}

std::string ssh_string(std::string_view bytes) {
  return u32(bytes.size()) + std::string(bytes);
}

std::string bytes_of(BIGNUM const* n) {
  std::vector<unsigned char> raw(static_cast<std::size_t>(BN_num_bytes(n)));
  BN_bn2bin(n, raw.data());
  return {raw.begin(), raw.end()};
}

// Positive numbers have a zero in front when their first bit is set.
std::string ssh_number(BIGNUM const* n) {
  std::string raw = bytes_of(n);
  if (!raw.empty() && (static_cast<unsigned char>(raw.front()) & 0x80) != 0) raw.insert(0, 1, '\0');
  return ssh_string(raw);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> string() {
    if (rest_.size() < 4) return {};
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      length = length << 8 | static_cast<unsigned char>(rest_[i]);
    }
    rest_.remove_prefix(4);
    if (length > rest_.size()) return {};
    std::string_view const out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// ---- Shared pieces ------------------------------------------------------------------------------

Error bad_key() {
  return {Code::invalid, "key", "Key is not in valid OpenSSH public key format"};
}

std::string colon_hex(std::string_view digest) {
  std::string const digits = hex(digest);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (!out.empty()) out += ':';
    out += digits.substr(i, 2);
  }
  return out;
}

// A comment stands in authorized_keys on guests: nothing there but what a name may hold.
std::string comment_of(std::string_view name) {
  std::string out;
  for (char c : name.substr(0, 255)) out += c > ' ' && c < '\x7f' ? c : '_';
  return out;
}

std::string one_line(std::string_view type, std::string const& blob, std::string_view name) {
  std::string line = std::string(type) + " " + base64(blob);
  std::string const comment = comment_of(name);
  return comment.empty() ? line : line + " " + comment;
}

std::string ed25519_blob(std::string_view public_bytes) {
  return ssh_string("ssh-ed25519") + ssh_string(public_bytes);
}

std::string ed25519_fingerprint(std::string const& blob) {
  Sha256 const digest = sha256(blob);
  return base64(std::string(digest.begin(), digest.end()));
}

Number number_of(EVP_PKEY const* key, char const* name) {
  BIGNUM* raw = nullptr;
  ENSURE(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
  return Number(raw);
}

std::string rsa_blob(EVP_PKEY const* key) {
  return ssh_string("ssh-rsa") + ssh_number(number_of(key, OSSL_PKEY_PARAM_RSA_E).get()) +
         ssh_number(number_of(key, OSSL_PKEY_PARAM_RSA_N).get());
}

std::string taken(BIO* bio) {
  char* start = nullptr;
  long const size = BIO_get_mem_data(bio, &start);
  return {start, static_cast<std::size_t>(size)};
}

// ---- Making -------------------------------------------------------------------------------------

NewKey new_rsa(std::string_view name) {
  Key const key(EVP_RSA_gen(kRsaBits));
  ENSURE(key != nullptr);
  Bio const pem(BIO_new(BIO_s_secmem()));
  ENSURE(pem != nullptr && PEM_write_bio_PrivateKey_traditional(pem.get(), key.get(), nullptr,
                                                                nullptr, 0, nullptr, nullptr) == 1);
  Bio const pkcs8(BIO_new(BIO_s_secmem()));
  ENSURE(pkcs8 != nullptr && i2d_PKCS8PrivateKey_bio(pkcs8.get(), key.get(), nullptr, nullptr, 0,
                                                     nullptr, nullptr) == 1);
  return {.private_key = taken(pem.get()),
          .public_key = one_line("ssh-rsa", rsa_blob(key.get()), name),
          .fingerprint = colon_hex(sha1(taken(pkcs8.get())))};
}

// OpenSSH's PROTOCOL.key: a header, the public blob, and a section with the private half that is
// padded with 1, 2, 3, … to the cipher's block; "none" has a block of 8.
std::string openssh_private_key(std::string const& blob, std::string_view public_bytes,
                                std::string_view seed, std::string const& comment) {
  std::string const check = secret_bytes(4);
  std::string section = check + check + ssh_string("ssh-ed25519") + ssh_string(public_bytes) +
                        ssh_string(std::string(seed) + std::string(public_bytes)) +
                        ssh_string(comment);
  for (char pad = 1; section.size() % 8 != 0; ++pad) section += pad;
  std::string const whole = std::string("openssh-key-v1\0", 15) + ssh_string("none") +
                            ssh_string("none") + ssh_string("") + u32(1) + ssh_string(blob) +
                            ssh_string(section);
  std::string const text = base64(whole);
  std::string out = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t i = 0; i < text.size(); i += 70) out += text.substr(i, 70) + "\n";
  return out + "-----END OPENSSH PRIVATE KEY-----\n";
}

NewKey new_ed25519(std::string_view name) {
  Key const key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  ENSURE(key != nullptr);
  unsigned char seed[kEd25519Bytes];
  unsigned char open[kEd25519Bytes];
  std::size_t seed_size = sizeof seed;
  std::size_t open_size = sizeof open;
  ENSURE(EVP_PKEY_get_raw_private_key(key.get(), seed, &seed_size) == 1);
  ENSURE(EVP_PKEY_get_raw_public_key(key.get(), open, &open_size) == 1);
  std::string const public_bytes(open, open + open_size);
  std::string const blob = ed25519_blob(public_bytes);
  NewKey out{.private_key = openssh_private_key(
                 blob, public_bytes, std::string(seed, seed + seed_size), comment_of(name)),
             .public_key = one_line("ssh-ed25519", blob, name),
             .fingerprint = ed25519_fingerprint(blob)};
  OPENSSL_cleanse(seed, sizeof seed);
  return out;
}

// ---- Reading ------------------------------------------------------------------------------------

Key rsa_key(std::string_view exponent, std::string_view modulus) {
  auto number = [](std::string_view bytes) {
    return Number(BN_bin2bn(reinterpret_cast<unsigned char const*>(bytes.data()),
                            static_cast<int>(bytes.size()), nullptr));
  };
  Number const e = number(exponent);
  Number const n = number(modulus);
  std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>> const build(OSSL_PARAM_BLD_new());
  ENSURE(e && n && build);
  ENSURE(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1);
  ENSURE(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> const params(
      OSSL_PARAM_BLD_to_param(build.get()));
  KeyContext const context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  ENSURE(params && context && EVP_PKEY_fromdata_init(context.get()) == 1);
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) return {};
  return Key(key);
}

Result<ReadKey> rsa_read(Key const& key, std::string_view name) {
  if (!key) return bad_key();
  int const bits = EVP_PKEY_get_bits(key.get());
  if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
    return Error{Code::invalid, "key",
                 "RSA keys must have " + std::to_string(kRsaBitsMin) + " to " +
                     std::to_string(kRsaBitsMax) + " bits, found " + std::to_string(bits)};
  }
  Number const e = number_of(key.get(), OSSL_PKEY_PARAM_RSA_E);
  if (BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1 || BN_num_bits(e.get()) > 64) {
    return bad_key();
  }
  unsigned char* der = nullptr;
  int const size = i2d_PUBKEY(key.get(), &der);
  ENSURE(size > 0);
  std::string const text(der, der + size);
  OPENSSL_free(der);
  return ReadKey{.kind = KeyKind::rsa,
                 .public_key = one_line("ssh-rsa", rsa_blob(key.get()), name),
                 .fingerprint = colon_hex(md5(text))};
}

Result<ReadKey> ed25519_read(std::string_view public_bytes, std::string_view name) {
  if (public_bytes.size() != kEd25519Bytes) return bad_key();
  std::string const blob = ed25519_blob(public_bytes);
  return ReadKey{.kind = KeyKind::ed25519,
                 .public_key = one_line("ssh-ed25519", blob, name),
                 .fingerprint = ed25519_fingerprint(blob)};
}

Result<ReadKey> from_blob(std::string_view blob, std::string_view name) {
  Reader reader(blob);
  std::optional<std::string_view> const type = reader.string();
  if (type == "ssh-ed25519") {
    std::optional<std::string_view> const bytes = reader.string();
    if (!bytes || !reader.at_end()) return bad_key();
    return ed25519_read(*bytes, name);
  }
  if (type == "ssh-rsa") {
    std::optional<std::string_view> const exponent = reader.string();
    std::optional<std::string_view> const modulus = reader.string();
    if (!exponent || !modulus || !reader.at_end() || exponent->empty() || modulus->empty()) {
      return bad_key();
    }
    return rsa_read(rsa_key(*exponent, *modulus), name);
  }
  return Error{Code::invalid, "key", "Key type is not supported, expected ssh-rsa or ssh-ed25519"};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::size_t const first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

Result<ReadKey> from_one_line(std::string_view line, std::string_view name) {
  std::size_t const gap = line.find_first_of(" \t");
  if (gap == std::string_view::npos || line.find('\n') != std::string_view::npos) return bad_key();
  std::string_view const rest = trimmed(line.substr(gap));
  Result<std::string> const blob = base64_decoded(rest.substr(0, rest.find_first_of(" \t")));
  if (!blob) return bad_key();
  // The type is said twice, outside and inside the blob; a key that contradicts itself is none.
  if (!blob->starts_with(ssh_string(line.substr(0, gap)))) return bad_key();
  return from_blob(*blob, name);
}

// RFC 4716, section 3: headers "Comment: …" that go on after a '\', then base64, then the end line.
Result<ReadKey> from_rfc4716(std::string_view text, std::string_view name) {
  std::string body;
  bool is_header = false;
  bool is_closed = false;
  std::size_t at = text.find('\n');
  while (at != std::string_view::npos && !is_closed) {
    std::size_t const next = text.find('\n', at + 1);
    std::string_view const line =
        trimmed(text.substr(at + 1, next == std::string_view::npos ? next : next - at - 1));
    at = next;
    if (line.starts_with("---- END SSH2 PUBLIC KEY ----")) {
      is_closed = true;
    } else if (is_header || line.find(':') != std::string_view::npos) {
      is_header = line.ends_with('\\');
    } else {
      body += line;
    }
  }
  Result<std::string> const blob = base64_decoded(body);
  if (!is_closed || !blob) return bad_key();
  return from_blob(*blob, name);
}

Result<ReadKey> from_pem(std::string_view text, std::string_view name) {
  // A private half that somebody pastes by mistake is not ours to read.
  if (text.find("PRIVATE KEY") != std::string_view::npos) return bad_key();
  EVP_PKEY* raw = nullptr;
  std::unique_ptr<OSSL_DECODER_CTX, Freed<OSSL_DECODER_CTX_free>> const decoder(
      OSSL_DECODER_CTX_new_for_pkey(&raw, "PEM", nullptr, nullptr, EVP_PKEY_PUBLIC_KEY, nullptr,
                                    nullptr));
  ENSURE(decoder != nullptr);
  auto const* bytes = reinterpret_cast<unsigned char const*>(text.data());
  std::size_t left = text.size();
  if (OSSL_DECODER_from_data(decoder.get(), &bytes, &left) != 1) return bad_key();
  Key const key(raw);
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) { return rsa_read(key, name); }
  if (EVP_PKEY_is_a(key.get(), "ED25519") != 1) return bad_key();
  unsigned char open[kEd25519Bytes];
  std::size_t size = sizeof open;
  if (EVP_PKEY_get_raw_public_key(key.get(), open, &size) != 1) return bad_key();
  return ed25519_read(std::string(open, open + size), name);
}

}  // namespace

NewKey new_key(KeyKind kind, std::string_view name) {
  switch (kind) {
    case KeyKind::rsa: return new_rsa(name);
    case KeyKind::ed25519: return new_ed25519(name);
  }
  std::abort();
}

Result<ReadKey> read_public_key(std::string_view text, std::string_view name) {
  std::string_view const key = trimmed(text);
  if (key.empty() || key.size() > kKeyTextBytesMax) return bad_key();
  if (key.starts_with("-----BEGIN ")) return from_pem(key, name);
  if (key.starts_with("---- BEGIN SSH2 PUBLIC KEY ----")) return from_rfc4716(key, name);
  return from_one_line(key, name);
}

}  // namespace berth::ec2
