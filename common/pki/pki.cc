// The only file that knows OpenSSL's X.509. Longer than most for that reason: primitives, reading,
// signing and verifying share the same few wrappers.
#include "common/pki/pki.h"

#include <algorithm>
#include <climits>
#include <ctime>
#include <memory>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "berth/base/digest.h"
#include "berth/base/ensure.h"

namespace berth::pki {

namespace {

constexpr std::size_t kCsrBytesMax = 8 * 1024;
constexpr std::size_t kCertificateBytesMax = 64 * 1024;
constexpr std::size_t kNameCharactersMax = 64;
constexpr std::size_t kAddressesMax = 100;
constexpr std::string_view kScheme = "berth://";

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

Error corrupt(std::string what) {
  return Error{Code::corrupt, "certificate", std::move(what)};
}

Bio reader(std::string_view bytes) {
  ENSURE(bytes.size() <= INT_MAX);
  Bio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  ENSURE(bio);
  return bio;
}

// What `write` put into a memory BIO.
template <class Write>
std::string written(Write write) {
  Bio const bio(BIO_new(BIO_s_mem()));
  ENSURE(bio && write(bio.get()) == 1);
  char* bytes = nullptr;
  long const size = BIO_get_mem_data(bio.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

std::string pem(X509* certificate) {
  return written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

// A password prompt on the terminal is never wanted.
int no_password(char*, int, int, void*) {
  return 0;
}

Result<Key> read_key(std::string_view text) {
  Key key(PEM_read_bio_PrivateKey(reader(text).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!key) return Error{Code::corrupt, "key", "expected a private key in PEM form"};
  return key;
}

Result<Certificate> read_certificate(std::string_view bytes) {
  if (bytes.size() > kCertificateBytesMax) return corrupt("a certificate of more than 64 KiB");
  Certificate certificate;
  if (bytes.find("-----BEGIN") != std::string_view::npos) {
    certificate.reset(PEM_read_bio_X509(reader(bytes).get(), nullptr, no_password, nullptr));
  } else {
    certificate.reset(d2i_X509_bio(reader(bytes).get(), nullptr));
  }
  ERR_clear_error();
  if (!certificate) return corrupt("expected an X.509 certificate in PEM or DER form");
  return certificate;
}

bool is_p256(EVP_PKEY* key) {
  char group[64] = {};
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string_view(group) == SN_X9_62_prime256v1;
}

Result<Request> read_csr(std::string_view text) {
  Error const wrong{Code::invalid, "certificate request",
                    "expected a PEM certificate request for a P-256 key, signed by that key"};
  if (text.size() > kCsrBytesMax) return wrong;
  Request request(PEM_read_bio_X509_REQ(reader(text).get(), nullptr, no_password, nullptr));
  bool const is_good = request != nullptr && X509_REQ_get0_pubkey(request.get()) != nullptr &&
                       is_p256(X509_REQ_get0_pubkey(request.get())) &&
                       X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) == 1;
  ERR_clear_error();
  if (!is_good) return wrong;
  return request;
}

bool is_plain(std::string_view s) {
  return !s.empty() && s.size() <= kNameCharactersMax && std::ranges::all_of(s, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

void add_extension(X509* certificate, X509* issuer, int nid, char const* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  ENSURE(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void add_name(GENERAL_NAMES* names, int kind, std::string_view value) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* string = ASN1_IA5STRING_new();
  ENSURE(name != nullptr && string != nullptr);
  ENSURE(ASN1_STRING_set(string, value.data(), static_cast<int>(value.size())) == 1);
  GENERAL_NAME_set0_value(name, kind, string);
  ENSURE(sk_GENERAL_NAME_push(names, name) > 0);
}

// A DNS name or an IP address. Built by hand: OpenSSL's configuration syntax would let a name with
// a comma add names of its own.
Result<void> add_address(GENERAL_NAMES* names, std::string const& address) {
  if (ASN1_OCTET_STRING* ip = a2i_IPADDRESS(address.c_str()); ip != nullptr) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ENSURE(name != nullptr);
    GENERAL_NAME_set0_value(name, GEN_IPADD, ip);
    ENSURE(sk_GENERAL_NAME_push(names, name) > 0);
    return {};
  }
  ERR_clear_error();
  std::string_view const bare = std::string_view(address).substr(address.starts_with("*.") ? 2 : 0);
  bool const is_dns = address.size() <= 253 && !bare.empty() &&
                      std::ranges::all_of(bare, [](char c) { return is_plain({&c, 1}); });
  if (!is_dns) {
    return Error{
        Code::invalid, "address",
        "expected a DNS name or an IP address for the certificate, found '" + address + "'"};
  }
  add_name(names, GEN_DNS, address);
  return {};
}

Result<std::string> uri_of(Subject const& subject) {
  if (subject.role == Role::daemon) return std::string(kScheme) + "daemon";
  if (!is_plain(subject.name)) {
    return Error{Code::invalid, "certificate name",
                 "expected 1 to 64 letters, digits, '.', '_' or '-', found '" + subject.name + "'"};
  }
  if (subject.role == Role::host) return std::string(kScheme) + "host/" + subject.name;
  ENSURE(subject.admin_role.has_value());
  return std::string(kScheme) + "admin/" + std::string(name(*subject.admin_role)) + "/" +
         subject.name;
}

Result<Names> names_of(Subject const& subject) {
  Names names(GENERAL_NAMES_new());
  ENSURE(names);
  add_name(names.get(), GEN_URI, TRY(uri_of(subject)));
  if (subject.role != Role::daemon) return names;
  if (subject.addresses.size() > kAddressesMax) {
    return Error{Code::invalid, "address", "more than 100 names for one certificate"};
  }
  add_name(names.get(), GEN_DNS, kDaemonName);
  for (std::string const& address : subject.addresses) TRY(add_address(names.get(), address));
  return names;
}

void set_time(ASN1_TIME* out, WallTime t) {
  // GeneralizedTime ends with the year 9999; nothing of ours comes near.
  ENSURE(ASN1_TIME_set(out, t.ms / 1000) != nullptr);
}

WallTime wall_time(ASN1_TIME const* t) {
  tm fields{};
  if (ASN1_TIME_to_tm(t, &fields) != 1) return WallTime{};
  return WallTime{std::int64_t{timegm(&fields)} * 1000};
}

// Version, serial, names, dates and key: what every certificate has.
Certificate blank(EVP_PKEY* key, X509_NAME const* issuer, std::string_view common_name,
                  Validity validity) {
  Certificate certificate(X509_new());
  ENSURE(certificate);
  ENSURE(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  std::string serial = secret_bytes(16);
  serial[0] = static_cast<char>((serial[0] & 0x3f) | 0x40);  // positive, and never shorter
  BIGNUM* number = BN_bin2bn(reinterpret_cast<unsigned char const*>(serial.data()),
                             static_cast<int>(serial.size()), nullptr);
  ENSURE(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get())) != nullptr);
  BN_free(number);
  set_time(X509_getm_notBefore(certificate.get()), validity.from);
  set_time(X509_getm_notAfter(certificate.get()), validity.until);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  ENSURE(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<unsigned char const*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1);
  ENSURE(X509_set_issuer_name(certificate.get(), issuer != nullptr ? issuer : subject) == 1);
  ENSURE(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

// "host/host-0123…" after the scheme, and nothing but the forms we write.
Result<Identity> parse_uri(std::string_view uri) {
  Error const wrong = corrupt("the certificate's name is not one of Berth's");
  if (!uri.starts_with(kScheme)) return wrong;
  uri.remove_prefix(kScheme.size());
  if (uri == "daemon") return Identity{.role = Role::daemon};
  std::size_t const slash = uri.find('/');
  if (slash == std::string_view::npos) return wrong;
  std::string_view const kind = uri.substr(0, slash);
  std::string_view rest = uri.substr(slash + 1);
  Identity identity;
  if (kind == "admin") {
    std::size_t const next = rest.find('/');
    if (next == std::string_view::npos) return wrong;
    auto const role = parse_admin_role(rest.substr(0, next));
    if (!role) return wrong;
    identity.role = Role::admin;
    identity.admin_role = *role;
    rest.remove_prefix(next + 1);
  } else if (kind != "host") {
    return wrong;
  }
  if (!is_plain(rest)) return wrong;
  identity.name = std::string(rest);
  return identity;
}

Names alternative_names(X509* certificate) {
  return Names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string_view bytes_of(ASN1_STRING const* string) {
  return {reinterpret_cast<char const*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

Result<Identity> read_identity(X509* certificate) {
  Names const names = alternative_names(certificate);
  ERR_clear_error();
  std::vector<std::string_view> uris;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    GENERAL_NAME const* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) uris.push_back(bytes_of(name->d.uniformResourceIdentifier));
  }
  if (uris.size() != 1) {
    return corrupt("expected one URI among the certificate's names, found " +
                   std::to_string(uris.size()));
  }
  Identity identity = TRY(parse_uri(uris[0]));
  identity.not_before = wall_time(X509_get0_notBefore(certificate));
  identity.not_after = wall_time(X509_get0_notAfter(certificate));
  return identity;
}

Result<void> check_signed(X509* certificate, X509* ca, Role wanted, WallTime now) {
  Store const store(X509_STORE_new());
  StoreContext const context(X509_STORE_CTX_new());
  ENSURE(store && context);
  ENSURE(X509_STORE_add_cert(store.get(), ca) == 1);
  ENSURE(X509_STORE_CTX_init(context.get(), store.get(), certificate, nullptr) == 1);
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, now.ms / 1000);
  X509_VERIFY_PARAM_set_purpose(
      rules, wanted == Role::daemon ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
  bool const is_ours = X509_verify_cert(context.get()) == 1;
  int const reason = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (!is_ours) {
    return Error{Code::unauthenticated, "certificate",
                 std::string("not a valid certificate of this region: ") +
                     X509_verify_cert_error_string(reason)};
  }
  return {};
}

}  // namespace

std::string_view name(AdminRole role) {
  switch (role) {
    case AdminRole::read: return "read";
    case AdminRole::operate: return "operate";
    case AdminRole::admin: return "admin";
  }
  return "unknown";
}

Result<AdminRole> parse_admin_role(std::string_view text) {
  for (AdminRole role : {AdminRole::read, AdminRole::operate, AdminRole::admin}) {
    if (text == name(role)) return role;
  }
  return Error{Code::invalid, "role",
               "expected read, operate or admin, found '" + std::string(text) + "'"};
}

std::string make_key() {
  Key const key(EVP_EC_gen("P-256"));
  ENSURE(key);
  return written([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Result<std::string> make_csr(std::string const& key_pem) {
  Key const key = TRY(read_key(key_pem));
  Request const request(X509_REQ_new());
  ENSURE(request);
  ENSURE(X509_REQ_set_pubkey(request.get(), key.get()) == 1);
  ENSURE(X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0);
  return written([&](BIO* bio) { return PEM_write_bio_X509_REQ(bio, request.get()); });
}

Result<void> check_csr(std::string_view csr) {
  TRY(read_csr(csr));
  return {};
}

Result<std::string> make_ca_certificate(std::string const& key_pem, Validity validity) {
  Key const key = TRY(read_key(key_pem));
  Certificate const certificate = blank(key.get(), nullptr, "Berth region CA", validity);
  X509* const x = certificate.get();
  add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(x, x, NID_subject_key_identifier, "hash");
  ENSURE(X509_sign(x, key.get(), EVP_sha256()) > 0);
  return pem(x);
}

Result<std::string> issue(KeyAndCertificate const& ca, std::string_view csr, Subject const& subject,
                          Validity validity) {
  Request const request = TRY(read_csr(csr));
  Key const ca_key = TRY(read_key(ca.key));
  Certificate const issuer = TRY(read_certificate(ca.certificate));
  Names const names = TRY(names_of(subject));
  std::string_view const common_name =
      subject.role == Role::daemon ? std::string_view(kDaemonName) : subject.name;
  Certificate const certificate = blank(X509_REQ_get0_pubkey(request.get()),
                                        X509_get_subject_name(issuer.get()), common_name, validity);
  X509* const x = certificate.get();
  add_extension(x, issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(x, issuer.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(x, issuer.get(), NID_ext_key_usage,
                subject.role == Role::daemon ? "serverAuth" : "clientAuth");
  add_extension(x, issuer.get(), NID_subject_key_identifier, "hash");
  add_extension(x, issuer.get(), NID_authority_key_identifier, "keyid:always");
  ENSURE(X509_add1_ext_i2d(x, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
  ENSURE(X509_sign(x, ca_key.get(), EVP_sha256()) > 0);
  return pem(x);
}

Result<Identity> identity_of(std::string_view bytes) {
  return read_identity(TRY(read_certificate(bytes)).get());
}

Result<Identity> verified(std::string_view bytes, std::string_view ca_bytes, Role wanted,
                          WallTime now) {
  Certificate const certificate = TRY(read_certificate(bytes));
  Certificate const ca = TRY(read_certificate(ca_bytes));
  TRY(check_signed(certificate.get(), ca.get(), wanted, now));
  // OpenSSL takes an absent extended key usage as any; ours always have exactly one.
  std::uint32_t const usage = wanted == Role::daemon ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
  if ((X509_get_extension_flags(certificate.get()) & EXFLAG_CA) != 0 ||
      X509_get_extended_key_usage(certificate.get()) != usage) {
    return Error{Code::forbidden, "certificate", "the certificate is for another use"};
  }
  Identity identity = TRY(read_identity(certificate.get()));
  if (identity.role != wanted) {
    return Error{Code::forbidden, "certificate", "the certificate is for another role"};
  }
  return identity;
}

Result<std::string> fingerprint(std::string_view bytes) {
  Certificate const certificate = TRY(read_certificate(bytes));
  return hex(sha256(written([&](BIO* bio) { return i2d_X509_bio(bio, certificate.get()); })));
}

Result<std::string> certificate_with_fingerprint(std::string_view chain, std::string_view wanted) {
  if (chain.size() > kCertificateBytesMax) return corrupt("a chain of more than 64 KiB");
  Bio const bio = reader(chain);
  for (;;) {
    Certificate const certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (!certificate) break;
    std::string text = pem(certificate.get());
    if (TRY(fingerprint(text)) == wanted) return text;
  }
  ERR_clear_error();
  return Error{Code::not_found, "certificate",
               "no certificate of the chain has the fingerprint " + std::string(wanted)};
}

Result<WallTime> not_after(std::string_view bytes) {
  Certificate const certificate = TRY(read_certificate(bytes));
  return wall_time(X509_get0_notAfter(certificate.get()));
}

Result<bool> is_pair(std::string_view key_pem, std::string_view bytes) {
  Key const key = TRY(read_key(key_pem));
  Certificate const certificate = TRY(read_certificate(bytes));
  bool const matches = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return matches;
}

Result<std::vector<std::string>> addresses_of(std::string_view bytes) {
  Certificate const certificate = TRY(read_certificate(bytes));
  Names const names = alternative_names(certificate.get());
  ERR_clear_error();
  std::vector<std::string> addresses;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    GENERAL_NAME const* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) addresses.emplace_back(bytes_of(name->d.dNSName));
    if (name->type != GEN_IPADD) continue;
    std::string_view const ip = bytes_of(name->d.iPAddress);
    char text[INET6_ADDRSTRLEN] = {};
    if (ip.size() != 4 && ip.size() != 16) continue;
    if (inet_ntop(ip.size() == 4 ? AF_INET : AF_INET6, ip.data(), text, sizeof text) != nullptr) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

}  // namespace berth::pki
