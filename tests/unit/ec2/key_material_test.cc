#include "daemon/ec2/key_material.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "berth/base/digest.h"

namespace berth::ec2 {
namespace {

using testing::EndsWith;
using testing::MatchesRegex;
using testing::StartsWith;

// Made by ssh-keygen; the fingerprints by `openssl pkey -pubin -outform DER | openssl md5 -c` and
// by the SHA-256 of the decoded second field.
constexpr std::string_view kRsaLine =
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQDxBEwl1SaWTd9MlW9Iuc8tG3hcxNcBS3OHT5KUUtCh/9RExG/OCN7ENIsh/"
    "Hu9fTvjFOnGukOO0IDEdWtZ6LM2i4YFUFAqQDl1iwbJKikfvRPMcY3ufK4+/"
    "4QkWrpBPJIDQNT2fxXEkW7omMKzKcANYL1+cGJMJU02dKkkwS8rj5miFgvbVCJj2f/"
    "tdJj03MAO6ktK+pSwqgRCZXPfHUwLTbRDgCrGtizxNkZ6/"
    "F2bni0+iCZEHFwX66KLv+EaYK2WrvtomEKvmAj8PTRasQS2GwP6hGu44rcT7ac1lXZd71IUXov4H+"
    "R3XGgi6S7lUb2OeQAk8/gD54Sl2nB19ApF ada@example";
constexpr std::string_view kRsaFingerprint = "e2:e3:83:8a:94:e6:22:6c:56:ee:70:24:93:90:fd:26";
constexpr std::string_view kRsaRfc4716 = R"(---- BEGIN SSH2 PUBLIC KEY ----
Comment: "2048-bit RSA, converted by root@vm from OpenSSH"
AAAAB3NzaC1yc2EAAAADAQABAAABAQDxBEwl1SaWTd9MlW9Iuc8tG3hcxNcBS3OHT5KUUt
Ch/9RExG/OCN7ENIsh/Hu9fTvjFOnGukOO0IDEdWtZ6LM2i4YFUFAqQDl1iwbJKikfvRPM
cY3ufK4+/4QkWrpBPJIDQNT2fxXEkW7omMKzKcANYL1+cGJMJU02dKkkwS8rj5miFgvbVC
Jj2f/tdJj03MAO6ktK+pSwqgRCZXPfHUwLTbRDgCrGtizxNkZ6/F2bni0+iCZEHFwX66KL
v+EaYK2WrvtomEKvmAj8PTRasQS2GwP6hGu44rcT7ac1lXZd71IUXov4H+R3XGgi6S7lUb
2OeQAk8/gD54Sl2nB19ApF
---- END SSH2 PUBLIC KEY ----
)";
constexpr std::string_view kRsaPem = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA8QRMJdUmlk3fTJVvSLnP
LRt4XMTXAUtzh0+SlFLQof/URMRvzgjexDSLIfx7vX074xTpxrpDjtCAxHVrWeiz
NouGBVBQKkA5dYsGySopH70TzHGN7nyuPv+EJFq6QTySA0DU9n8VxJFu6JjCsynA
DWC9fnBiTCVNNnSpJMEvK4+ZohYL21QiY9n/7XSY9NzADupLSvqUsKoEQmVz3x1M
C020Q4AqxrYs8TZGevxdm54tPogmRBxcF+uii7/hGmCtlq77aJhCr5gI/D00WrEE
thsD+oRruOK3E+2nNZV2Xe9SFF6L+B/kd1xoIuku5VG9jnkAJPP4A+eEpdpwdfQK
RQIDAQAB
-----END PUBLIC KEY-----
)";
constexpr std::string_view kRsaPkcs1 = R"(-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEA8QRMJdUmlk3fTJVvSLnPLRt4XMTXAUtzh0+SlFLQof/URMRvzgje
xDSLIfx7vX074xTpxrpDjtCAxHVrWeizNouGBVBQKkA5dYsGySopH70TzHGN7nyu
Pv+EJFq6QTySA0DU9n8VxJFu6JjCsynADWC9fnBiTCVNNnSpJMEvK4+ZohYL21Qi
Y9n/7XSY9NzADupLSvqUsKoEQmVz3x1MC020Q4AqxrYs8TZGevxdm54tPogmRBxc
F+uii7/hGmCtlq77aJhCr5gI/D00WrEEthsD+oRruOK3E+2nNZV2Xe9SFF6L+B/k
d1xoIuku5VG9jnkAJPP4A+eEpdpwdfQKRQIDAQAB
-----END RSA PUBLIC KEY-----
)";
constexpr std::string_view kEdLine =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGdrzE2wslCmj9JkGVkpgvAWIjYRLIAxWpaWW/e4hHD ada@example";
constexpr std::string_view kEdFingerprint = "dRoZQOLC8z1oitK9pU8shBdpo0+MOEmTxga2qd2twJg=";
constexpr std::string_view kEdRfc4716 = R"(---- BEGIN SSH2 PUBLIC KEY ----
Comment: "256-bit ED25519, converted by root@vm from OpenSSH"
AAAAC3NzaC1lZDI1NTE5AAAAICGdrzE2wslCmj9JkGVkpgvAWIjYRLIAxWpaWW/e4hHD
---- END SSH2 PUBLIC KEY ----
)";
constexpr std::string_view kEcdsaLine =
    "ecdsa-sha2-nistp256 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBOqEwAV3DjSY2vI5i1gUtu/"
    "jsBMYplXCGjcyQdpHu1T0jV9ctn8vdM4cHmYgHSWtaTxVKBpAaaVXdO+cGq6xh3A= root@vm";

std::string without_comment(std::string_view line) {
  return std::string(line.substr(0, line.rfind(' ')));
}

std::string error_of(std::string_view text) {
  Result<ReadKey> const key = read_public_key(text, "n");
  return key ? "read" : key.error().message;
}

TEST(KeyMaterial, AnRsaKeyReadsAlikeInEveryFormThatEc2Takes) {
  for (std::string_view form : {kRsaLine, kRsaRfc4716, kRsaPem, kRsaPkcs1}) {
    Result<ReadKey> const key = read_public_key(form, "laptop");
    ASSERT_TRUE(key) << form << key.error().message;
    EXPECT_EQ(key->kind, KeyKind::rsa);
    EXPECT_EQ(key->public_key, without_comment(kRsaLine) + " laptop");
    EXPECT_EQ(key->fingerprint, kRsaFingerprint);
  }
}

TEST(KeyMaterial, AnEd25519KeyIsFingerprintedByItsOpenSshBlob) {
  for (std::string_view form : {kEdLine, kEdRfc4716}) {
    Result<ReadKey> const key = read_public_key(form, "laptop");
    ASSERT_TRUE(key) << form;
    EXPECT_EQ(key->kind, KeyKind::ed25519);
    EXPECT_EQ(key->public_key, without_comment(kEdLine) + " laptop");
    EXPECT_EQ(key->fingerprint, kEdFingerprint);
  }
}

TEST(KeyMaterial, WhiteSpaceAroundAKeyAndAMissingCommentDoNotMatter) {
  std::string const bare = "\n  " + without_comment(kEdLine) + "\r\n";
  Result<ReadKey> const key = read_public_key(bare, "");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key, without_comment(kEdLine));
}

TEST(KeyMaterial, ANameCannotPutALineOfItsOwnIntoAuthorizedKeys) {
  Result<ReadKey> const key = read_public_key(kEdLine, "a\nssh-rsa b");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key, without_comment(kEdLine) + " a_ssh-rsa_b");
}

TEST(KeyMaterial, WhatIsNoPublicKeyIsRefused) {
  EXPECT_EQ(error_of(""), "Key is not in valid OpenSSH public key format");
  EXPECT_EQ(error_of("ssh-rsa"), error_of(""));
  EXPECT_EQ(error_of("ssh-rsa !!!!"), error_of(""));
  EXPECT_EQ(error_of("ssh-rsa AAAA"), error_of(""));
  EXPECT_EQ(error_of(std::string(kEdLine) + "\n" + std::string(kRsaLine)), error_of(""));
  EXPECT_EQ(error_of("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), error_of(""));
  EXPECT_EQ(error_of("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA"), error_of(""));
  EXPECT_EQ(error_of(std::string(20'000, 'x')), error_of(""));
  EXPECT_EQ(error_of(kEcdsaLine), "Key type is not supported, expected ssh-rsa or ssh-ed25519");
  // The type outside says rsa, the blob says ed25519.
  EXPECT_EQ(error_of("ssh-rsa " + std::string(kEdLine.substr(12))), error_of(""));
}

TEST(KeyMaterial, AKeyCutShortAtAnyByteIsRefused) {
  std::string const blob = *base64_decoded(kEdLine.substr(12, kEdLine.rfind(' ') - 12));
  for (std::size_t size = 0; size < blob.size(); ++size) {
    EXPECT_NE(error_of("ssh-ed25519 " + base64(blob.substr(0, size))), "read") << size;
  }
  EXPECT_NE(error_of("ssh-ed25519 " + base64(blob + "x")), "read");
}

TEST(KeyMaterial, APrivateKeyPastedByMistakeIsNotRead) {
  NewKey const key = new_key(KeyKind::rsa, "n");
  EXPECT_EQ(error_of(key.private_key), error_of(""));
}

TEST(KeyMaterial, ANewRsaKeyIsPkcs1PemWithTheSha1OfItsPkcs8Form) {
  NewKey const key = new_key(KeyKind::rsa, "made");
  EXPECT_THAT(key.private_key, StartsWith("-----BEGIN RSA PRIVATE KEY-----\n"));
  EXPECT_THAT(key.private_key, EndsWith("-----END RSA PRIVATE KEY-----\n"));
  EXPECT_THAT(key.fingerprint, MatchesRegex("([0-9a-f]{2}:){19}[0-9a-f]{2}"));
  EXPECT_THAT(key.public_key, EndsWith(" made"));

  BIO* in = BIO_new_mem_buf(key.private_key.data(), static_cast<int>(key.private_key.size()));
  EVP_PKEY* read = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(EVP_PKEY_get_bits(read), 2048);
  BIO* out = BIO_new(BIO_s_mem());
  ASSERT_EQ(i2d_PKCS8PrivateKey_bio(out, read, nullptr, nullptr, 0, nullptr, nullptr), 1);
  char* bytes = nullptr;
  long const size = BIO_get_mem_data(out, &bytes);
  std::string colons;
  std::string const digits = hex(sha1({bytes, static_cast<std::size_t>(size)}));
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    colons += (i > 0 ? ":" : "") + digits.substr(i, 2);
  }
  EXPECT_EQ(key.fingerprint, colons);
  BIO_free(out);
  BIO_free(in);
  EVP_PKEY_free(read);

  Result<ReadKey> const again = read_public_key(key.public_key, "made");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key, key.public_key);
  EXPECT_NE(again->fingerprint, key.fingerprint) << "imported keys have another fingerprint";
}

TEST(KeyMaterial, ANewEd25519KeyIsInOpenSshsFormAndReadsBack) {
  NewKey const key = new_key(KeyKind::ed25519, "made");
  EXPECT_THAT(key.private_key, StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
  EXPECT_THAT(key.private_key, EndsWith("-----END OPENSSH PRIVATE KEY-----\n"));
  Result<ReadKey> const again = read_public_key(key.public_key, "made");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind, KeyKind::ed25519);
  EXPECT_EQ(again->fingerprint, key.fingerprint);
  EXPECT_EQ(key.fingerprint.size(), 44U);
}

TEST(KeyMaterial, NoTwoNewKeysAreAlike) {
  EXPECT_NE(new_key(KeyKind::ed25519, "n").private_key, new_key(KeyKind::ed25519, "n").private_key);
}

}  // namespace
}  // namespace berth::ec2
