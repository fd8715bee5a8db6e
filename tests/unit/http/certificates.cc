#include "tests/unit/http/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "berth/base/ensure.h"

namespace berth::test {
namespace {

constexpr long kHour = 3600;

void write_key(std::string const& path, EVP_PKEY* key) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ENSURE(file != nullptr);
  ENSURE(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
}

void write_certificate(std::string const& path, X509* certificate) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ENSURE(file != nullptr);
  ENSURE(PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
}

void extend(X509* certificate, X509* issuer, int nid, std::string const& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ENSURE(extension != nullptr);
  ENSURE(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

X509* blank(std::string const& name, EVP_PKEY* key, long serial, bool is_expired) {
  X509* const made = X509_new();
  ENSURE(made != nullptr);
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial);
  X509_gmtime_adj(X509_getm_notBefore(made), is_expired ? -2 * kHour : -kHour);
  X509_gmtime_adj(X509_getm_notAfter(made), is_expired ? -kHour : kHour);
  X509_set_pubkey(made, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
  return made;
}

}  // namespace

Folder::Folder() {
  std::string pattern = std::filesystem::temp_directory_path() / "berth-http-XXXXXX";
  ENSURE(::mkdtemp(pattern.data()) != nullptr);
  root_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string Folder::path(std::string_view name) const {
  return root_ + "/" + std::string(name);
}

void Folder::write(std::string_view name, std::string_view text) const {
  std::ofstream(path(name)) << text;
}

Authority::Authority(Folder const& folder, std::string name)
    : folder_(folder),
      name_(std::move(name)),
      files_{.certificate = folder.path(name_ + ".pem"), .key = folder.path(name_ + ".key")},
      key_(EVP_EC_gen("P-256")) {
  ENSURE(key_ != nullptr);
  certificate_ = blank(name_, key_, serial_++, false);
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  extend(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate_, certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
  ENSURE(X509_sign(certificate_, key_, EVP_sha256()) > 0);
  write_key(files_.key, key_);
  write_certificate(files_.certificate, certificate_);
}

Authority::~Authority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

Files Authority::issue(Wish const& wish) {
  Files const out{.certificate = folder_.path(wish.name + ".pem"),
                  .key = folder_.path(wish.name + ".key")};
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const made = blank(wish.name, key, serial_++, wish.is_expired);
  X509_set_issuer_name(made, X509_get_subject_name(certificate_));
  extend(made, certificate_, NID_basic_constraints, "critical,CA:FALSE");
  extend(made, certificate_, NID_ext_key_usage,
         wish.use == Use::server ? "serverAuth" : "clientAuth");
  std::string names;
  for (std::string const& name : wish.alt_names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) extend(made, certificate_, NID_subject_alt_name, names);
  ENSURE(X509_sign(made, key_, EVP_sha256()) > 0);
  write_key(out.key, key);
  write_certificate(out.certificate, made);
  X509_free(made);
  EVP_PKEY_free(key);
  return out;
}

}  // namespace berth::test
