// Who a certificate speaks for, and who is not believed.
#include "common/pki/pki.h"

#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/pki/authority.h"

namespace berth::pki {
namespace {

constexpr WallTime kNow{1'800'000'000'000};
constexpr Validity kDay{.from = WallTime{kNow.ms - 3'600'000},
                        .until = WallTime{kNow.ms + 86'400'000}};
constexpr char kHost[] = "host-0123456789abcdef0";

KeyAndCertificate a_ca() {
  std::string const key = make_key();
  return {.key = key, .certificate = *make_ca_certificate(key, kDay)};
}

std::string a_csr() {
  return *make_csr(make_key());
}

Subject a_host() {
  return Subject{.role = Role::host, .name = kHost};
}

// The certificate with something changed, signed anew with `key`: what a careless or broken CA,
// or somebody with another key, could make.
std::string rewritten(std::string const& certificate, std::string const& key,
                      std::function<void(X509*)> const& change) {
  std::unique_ptr<BIO, decltype(&BIO_free_all)> in(
      BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())), BIO_free_all);
  std::unique_ptr<X509, decltype(&X509_free)> x(
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), X509_free);
  std::unique_ptr<BIO, decltype(&BIO_free_all)> key_in(
      BIO_new_mem_buf(key.data(), static_cast<int>(key.size())), BIO_free_all);
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(
      PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  change(x.get());
  X509_sign(x.get(), pkey.get(), EVP_sha256());
  std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new(BIO_s_mem()), BIO_free_all);
  PEM_write_bio_X509(out.get(), x.get());
  char* bytes = nullptr;
  long const size = BIO_get_mem_data(out.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

void replace_extension(X509* x, int nid, char const* value) {
  int const at = X509_get_ext_by_NID(x, nid, -1);
  if (at >= 0) X509_EXTENSION_free(X509_delete_ext(x, at));
  if (value == nullptr) return;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  ASSERT_NE(extension, nullptr);
  X509_add_ext(x, extension, -1);
  X509_EXTENSION_free(extension);
}

TEST(Pki, a_host_certificate_says_whose_host_it_is_and_until_when) {
  KeyAndCertificate const ca = a_ca();
  std::string const certificate = *issue(ca, a_csr(), a_host(), kDay);
  auto const identity = verified(certificate, ca.certificate, Role::host, kNow);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->role, Role::host);
  EXPECT_EQ(identity->name, kHost);
  EXPECT_EQ(identity->not_before, kDay.from);
  EXPECT_EQ(identity->not_after, kDay.until);
  EXPECT_EQ(*not_after(certificate), kDay.until);
}

TEST(Pki, an_admin_certificate_carries_its_role) {
  KeyAndCertificate const ca = a_ca();
  for (AdminRole role : {AdminRole::read, AdminRole::operate, AdminRole::admin}) {
    std::string const certificate =
        *issue(ca, a_csr(), {.role = Role::admin, .name = "ada", .admin_role = role}, kDay);
    auto const identity = verified(certificate, ca.certificate, Role::admin, kNow);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->admin_role, role);
    EXPECT_EQ(identity->name, "ada");
  }
}

TEST(Pki, a_daemon_certificate_has_the_fixed_name_and_the_given_ones) {
  KeyAndCertificate const ca = a_ca();
  auto const certificate = issue(
      ca, a_csr(),
      {.role = Role::daemon, .addresses = {"ec2.example.org", "*.example.org", "192.0.2.7", "::1"}},
      kDay);
  ASSERT_TRUE(certificate);
  EXPECT_THAT(
      *addresses_of(*certificate),
      testing::ElementsAre(kDaemonName, "ec2.example.org", "*.example.org", "192.0.2.7", "::1"));
  EXPECT_TRUE(verified(*certificate, ca.certificate, Role::daemon, kNow));
}

TEST(Pki, a_certificate_of_another_region_is_refused) {
  KeyAndCertificate const ours = a_ca();
  KeyAndCertificate const theirs = a_ca();
  std::string const certificate = *issue(theirs, a_csr(), a_host(), kDay);
  EXPECT_EQ(verified(certificate, ours.certificate, Role::host, kNow).error().code,
            Code::unauthenticated);
}

TEST(Pki, a_certificate_signed_by_itself_is_refused) {
  KeyAndCertificate const ca = a_ca();
  KeyAndCertificate const own = a_ca();
  EXPECT_FALSE(verified(own.certificate, ca.certificate, Role::host, kNow));
  // Not even the region's CA speaks for a host or for a daemon.
  for (Role role : {Role::host, Role::daemon, Role::admin}) {
    EXPECT_FALSE(verified(ca.certificate, ca.certificate, role, kNow));
  }
}

TEST(Pki, a_leaf_cannot_sign_another) {
  KeyAndCertificate const ca = a_ca();
  std::string const key = make_key();
  KeyAndCertificate const leaf{.key = key,
                               .certificate = *issue(ca, *make_csr(key), a_host(), kDay)};
  std::string const forged = *issue(leaf, a_csr(), a_host(), kDay);
  EXPECT_FALSE(verified(forged, ca.certificate, Role::host, kNow));
  EXPECT_FALSE(verified(forged + leaf.certificate, ca.certificate, Role::host, kNow));
  EXPECT_FALSE(verified(forged, leaf.certificate, Role::host, kNow));
}

TEST(Pki, a_certificate_counts_from_its_first_to_its_last_second) {
  KeyAndCertificate const ca = a_ca();
  std::string const c = *issue(ca, a_csr(), a_host(), kDay);
  auto at = [&](WallTime t) { return verified(c, ca.certificate, Role::host, t).has_value(); };
  EXPECT_TRUE(at(kDay.from));
  EXPECT_FALSE(at(kDay.from + seconds(-1)));
  EXPECT_TRUE(at(kDay.until + seconds(-1)));
  EXPECT_FALSE(at(kDay.until + seconds(1)));
}

TEST(Pki, each_role_is_refused_as_every_other) {
  KeyAndCertificate const ca = a_ca();
  std::vector<Subject> const subjects{
      {.role = Role::daemon},
      a_host(),
      {.role = Role::admin, .name = kHost, .admin_role = AdminRole::admin}};
  for (Subject const& subject : subjects) {
    std::string const certificate = *issue(ca, a_csr(), subject, kDay);
    for (Role wanted : {Role::daemon, Role::host, Role::admin}) {
      EXPECT_EQ(verified(certificate, ca.certificate, wanted, kNow).has_value(),
                wanted == subject.role);
    }
  }
}

TEST(Pki, another_use_or_a_second_use_is_refused_although_our_ca_signed_it) {
  KeyAndCertificate const ca = a_ca();
  std::string const certificate = *issue(ca, a_csr(), a_host(), kDay);
  for (char const* usage : {"serverAuth", "clientAuth,serverAuth", "clientAuth,codeSigning",
                            "emailProtection", static_cast<char const*>(nullptr)}) {
    std::string const odd = rewritten(
        certificate, ca.key, [&](X509* x) { replace_extension(x, NID_ext_key_usage, usage); });
    EXPECT_FALSE(verified(odd, ca.certificate, Role::host, kNow)) << (usage ? usage : "none");
  }
}

TEST(Pki, a_certificate_with_odd_names_is_refused_although_our_ca_signed_it) {
  KeyAndCertificate const ca = a_ca();
  std::string const certificate = *issue(ca, a_csr(), a_host(), kDay);
  for (char const* names :
       {"URI:berth://host/a,URI:berth://host/b", "URI:berth://host/a,URI:https://example.org/",
        "DNS:host-0123456789abcdef0", "URI:spiffe://host/a", "URI:berth://host/",
        "URI:berth://host", "URI:berth://host/a/b", "URI:berth://admin/a",
        "URI:berth://admin/root/a", "URI:berth://daemon/x", "URI:berth://host/a%2fb",
        "URI:BERTH://host/a"}) {
    std::string const odd = rewritten(
        certificate, ca.key, [&](X509* x) { replace_extension(x, NID_subject_alt_name, names); });
    EXPECT_FALSE(verified(odd, ca.certificate, Role::host, kNow)) << names;
  }
  std::string const nameless = rewritten(
      certificate, ca.key, [](X509* x) { replace_extension(x, NID_subject_alt_name, nullptr); });
  EXPECT_FALSE(verified(nameless, ca.certificate, Role::host, kNow));
}

TEST(Pki, a_leaf_that_claims_to_be_a_ca_is_refused) {
  KeyAndCertificate const ca = a_ca();
  std::string const odd = rewritten(*issue(ca, a_csr(), a_host(), kDay), ca.key, [](X509* x) {
    replace_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  });
  EXPECT_FALSE(verified(odd, ca.certificate, Role::host, kNow));
}

TEST(Pki, one_flipped_bit_anywhere_is_refused) {
  KeyAndCertificate const ca = a_ca();
  std::string const certificate = *issue(ca, a_csr(), a_host(), kDay);
  std::size_t believed = 0;
  for (std::size_t i = certificate.find('\n') + 1; i < certificate.size() - 30; ++i) {
    std::string odd = certificate;
    odd[i] = odd[i] == 'A' ? 'B' : 'A';
    if (odd != certificate && verified(odd, ca.certificate, Role::host, kNow)) ++believed;
  }
  EXPECT_EQ(believed, 0u);
}

TEST(Pki, the_request_does_not_choose_its_name_and_must_be_a_signed_p256_one) {
  KeyAndCertificate const ca = a_ca();
  EXPECT_EQ(issue(ca, "nonsense", a_host(), kDay).error().code, Code::invalid);
  EXPECT_EQ(check_csr(std::string(9000, 'x')).error().code, Code::invalid);
  std::string csr = a_csr();
  ASSERT_TRUE(check_csr(csr));
  csr[csr.size() / 2] = csr[csr.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(check_csr(csr));
}

TEST(Pki, names_that_could_end_a_uri_or_add_another_are_not_certified) {
  KeyAndCertificate const ca = a_ca();
  for (char const* name : {"", "a/b", "a,URI:berth://daemon", "a b", "a\n", "ä"}) {
    EXPECT_FALSE(issue(ca, a_csr(), {.role = Role::host, .name = name}, kDay)) << name;
  }
  for (char const* address : {"", "a,DNS:b", "a b", "*", "*.", "a/b"}) {
    EXPECT_FALSE(issue(ca, a_csr(), {.role = Role::daemon, .addresses = {address}}, kDay))
        << address;
  }
}

TEST(Pki, what_is_no_certificate_is_an_error_and_no_crash) {
  for (std::string const& bytes :
       {std::string(), std::string("x"), std::string("-----BEGIN CERTIFICATE-----\n"),
        std::string("\x30\x82\xff\xff", 4), std::string(70'000, '0')}) {
    EXPECT_FALSE(identity_of(bytes));
    EXPECT_FALSE(fingerprint(bytes));
    EXPECT_FALSE(verified(bytes, a_ca().certificate, Role::host, kNow));
  }
}

TEST(Pki, the_ca_is_found_in_a_chain_by_its_fingerprint_alone) {
  KeyAndCertificate const ca = a_ca();
  std::string const chain = *issue(ca, a_csr(), {.role = Role::daemon}, kDay) + ca.certificate;
  EXPECT_EQ(*certificate_with_fingerprint(chain, *fingerprint(ca.certificate)), ca.certificate);
  EXPECT_EQ(certificate_with_fingerprint(chain, std::string(64, '0')).error().code,
            Code::not_found);
}

}  // namespace
}  // namespace berth::pki
