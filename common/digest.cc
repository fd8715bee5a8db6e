#include "berth/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>

namespace berth {

namespace {

unsigned char const* raw(std::string_view bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}
unsigned char* raw(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string digest(EVP_MD const* kind, std::string_view bytes) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
  ENSURE(EVP_Digest(bytes.data(), bytes.size(), raw(out), nullptr, kind, nullptr) == 1);
  return out;
}

std::string_view view(Sha256 const& digest) {
  return {reinterpret_cast<char const*>(digest.data()), digest.size()};
}

struct DigestDeleter {
  void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
};

// The pieces as one. The algorithm is fetched once and each thread keeps its context: OpenSSL 3
// otherwise looks both up at each call.
Sha256 hashed(std::initializer_list<std::string_view> pieces) {
  static EVP_MD* const kind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local std::unique_ptr<EVP_MD_CTX, DigestDeleter> const context(EVP_MD_CTX_new());
  ENSURE(EVP_DigestInit_ex2(context.get(), kind, nullptr) == 1);
  for (std::string_view const piece : pieces) {
    ENSURE(EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1);
  }
  Sha256 out;
  ENSURE(EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
  return out;
}

struct CipherDeleter {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter>;

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

}  // namespace

Sha256 sha256(std::string_view bytes) {
  return hashed({bytes});
}

// RFC 2104 over hashed(): HMAC() looks its algorithm up and allocates at each call, which costs
// more than the hashing.
Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  constexpr std::size_t kBlockBytes = 64;
  std::array<char, kBlockBytes> inner{};
  if (key.size() > kBlockBytes) {
    Sha256 const shorter = hashed({key});
    std::ranges::copy(view(shorter), inner.begin());
  } else {
    std::ranges::copy(key, inner.begin());
  }
  std::array<char, kBlockBytes> outer = inner;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  Sha256 const first = hashed({{inner.data(), inner.size()}, bytes});
  Sha256 const out = hashed({{outer.data(), outer.size()}, view(first)});
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return out;
}

std::string md5(std::string_view bytes) {
  return digest(EVP_md5(), bytes);
}
std::string sha1(std::string_view bytes) {
  return digest(EVP_sha1(), bytes);
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hex(std::span<std::uint8_t const> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::uint8_t const b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

std::string hex(std::string_view bytes) {
  return hex(std::span<std::uint8_t const>(raw(bytes), bytes.size()));
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  int const n = EVP_EncodeBlock(raw(out), raw(bytes), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

Result<std::string> base64_decoded(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (char const c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    bool const ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '+' || c == '/' || c == '=';
    if (!ok) return Error{Code::invalid, "base64", "expected base64, found another character"};
    clean += c;
  }
  if (clean.size() % 4 != 0) {
    return Error{Code::invalid, "base64",
                 "expected base64 in groups of four characters, found " +
                     std::to_string(clean.size()) + " characters"};
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < clean.size() && clean[clean.size() - 1 - padding] == '=')
    ++padding;
  if (clean.find('=') < clean.size() - padding) {
    return Error{Code::invalid, "base64", "expected '=' only at the end of base64"};
  }
  std::string out(clean.size() / 4 * 3, '\0');
  if (!clean.empty()) {
    int const n = EVP_DecodeBlock(raw(out), raw(clean), static_cast<int>(clean.size()));
    if (n < 0) return Error{Code::invalid, "base64", "expected base64"};
  }
  out.resize(out.size() - padding);
  return out;
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  ENSURE(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) == 1);
}
Sha256Stream::~Sha256Stream() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}
Sha256Stream::Sha256Stream(Sha256Stream&& other) noexcept
    : context_(std::exchange(other.context_, nullptr)) {}
Sha256Stream& Sha256Stream::operator=(Sha256Stream&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}
void Sha256Stream::update(std::string_view bytes) {
  ENSURE(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1);
}
Sha256 Sha256Stream::finish() {
  Sha256 out;
  ENSURE(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out.data(), nullptr) == 1);
  return out;
}

std::string sealed(std::string_view key, std::string_view plain, std::string_view context) {
  ENSURE(key.size() == 32);
  std::string out = secret_bytes(kNonceBytes);
  out.resize(kNonceBytes + plain.size() + kTagBytes);
  Cipher const c(EVP_CIPHER_CTX_new());
  int n = 0;
  ENSURE(EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(out)) == 1);
  ENSURE(EVP_EncryptUpdate(c.get(), nullptr, &n, raw(context), static_cast<int>(context.size())) ==
         1);
  ENSURE(EVP_EncryptUpdate(c.get(), raw(out) + kNonceBytes, &n, raw(plain),
                           static_cast<int>(plain.size())) == 1);
  ENSURE(EVP_EncryptFinal_ex(c.get(), raw(out) + kNonceBytes + n, &n) == 1);
  ENSURE(EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                             raw(out) + kNonceBytes + plain.size()) == 1);
  return out;
}

Result<std::string> unsealed(std::string_view key, std::string_view envelope,
                             std::string_view context) {
  Error const wrong{Code::corrupt, "secret",
                    "a stored secret does not open with this key: wrong key file or damaged store"};
  if (key.size() != 32 || envelope.size() < kNonceBytes + kTagBytes) return wrong;
  std::size_t const size = envelope.size() - kNonceBytes - kTagBytes;
  std::string out(size, '\0');
  std::string tag(envelope.substr(kNonceBytes + size));
  Cipher const c(EVP_CIPHER_CTX_new());
  int n = 0;
  ENSURE(EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(envelope)) == 1);
  ENSURE(EVP_DecryptUpdate(c.get(), nullptr, &n, raw(context), static_cast<int>(context.size())) ==
         1);
  ENSURE(EVP_DecryptUpdate(c.get(), raw(out), &n, raw(envelope) + kNonceBytes,
                           static_cast<int>(size)) == 1);
  ENSURE(EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  unsigned char rest[16];
  if (EVP_DecryptFinal_ex(c.get(), rest, &n) != 1) return wrong;
  return out;
}

std::string secret_bytes(std::size_t count) {
  std::string out(count, '\0');
  ENSURE(RAND_bytes(raw(out), static_cast<int>(count)) == 1);
  return out;
}

}  // namespace berth
