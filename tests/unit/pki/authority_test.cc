// The CA's files, and the token that carries its fingerprint.
#include "common/pki/authority.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "common/pki/join_token.h"
#include "common/pki/secret_file.h"

namespace berth::pki {
namespace {

constexpr WallTime kNow{1'800'000'000'000};
constexpr char kHost[] = "host-0123456789abcdef0";

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() {
    char name[] = "/tmp/berth-pki-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~AuthorityTest() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] std::string directory() const { return root_ + "/pki"; }
  [[nodiscard]] Authority opened(WallTime now = kNow) const {
    return *Authority::open(directory(), now);
  }
  [[nodiscard]] mode_t mode(std::string const& file) const {
    struct stat s{};
    EXPECT_EQ(::stat((directory() + "/" + file).c_str(), &s), 0);
    return s.st_mode & 0777;
  }

  std::string root_;
};

TEST_F(AuthorityTest, the_first_start_makes_a_ca_and_the_next_one_finds_it) {
  Authority const first = opened();
  EXPECT_EQ(mode("ca.key"), 0400u);
  EXPECT_EQ(mode("ca.crt"), 0444u);
  Authority const second = opened(kNow + hours(1000));
  EXPECT_EQ(second.certificate(), first.certificate());
  EXPECT_EQ(second.fingerprint(), first.fingerprint());
  EXPECT_EQ(first.fingerprint(), *fingerprint(first.certificate()));
}

TEST_F(AuthorityTest, a_crash_after_the_key_was_written_is_healed) {
  (void)opened();
  std::filesystem::remove(directory() + "/ca.crt");
  Authority const healed = opened();
  std::string const c = *healed.host_certificate(*make_csr(make_key()), HostId(kHost), kNow);
  EXPECT_TRUE(verified(c, healed.certificate(), Role::host, kNow));
}

TEST_F(AuthorityTest, a_lost_key_is_an_error_and_no_new_ca) {
  (void)opened();
  std::filesystem::remove(directory() + "/ca.key");
  auto const again = Authority::open(directory(), kNow);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, testing::HasSubstr("restore the key"));
  EXPECT_FALSE(std::filesystem::exists(directory() + "/ca.key"));
}

TEST_F(AuthorityTest, a_key_of_another_ca_is_an_error) {
  (void)opened();
  ASSERT_TRUE(write_file_atomically(directory() + "/ca.key", make_key(), 0400));
  EXPECT_EQ(Authority::open(directory(), kNow).error().code, Code::corrupt);
}

TEST_F(AuthorityTest, the_daemons_certificate_is_kept_until_a_third_of_its_life_is_left) {
  Authority const authority = opened();
  KeyAndCertificate const first = *authority.daemon_certificate({"192.0.2.1"}, kNow);
  EXPECT_EQ(mode("daemon.key"), 0400u);
  auto same = [&](WallTime now) {
    return authority.daemon_certificate({"192.0.2.1"}, now)->certificate == first.certificate;
  };
  EXPECT_TRUE(same(kNow + hours(24 * 365 * 2 - 48)));
  EXPECT_FALSE(same(kNow + hours(24 * 365 * 2 + 48)));
}

TEST_F(AuthorityTest, the_daemons_certificate_is_renewed_for_a_new_name) {
  Authority const authority = opened();
  KeyAndCertificate const first = *authority.daemon_certificate({}, kNow);
  EXPECT_THAT(*addresses_of(first.certificate),
              testing::IsSupersetOf({std::string(kDaemonName), std::string("127.0.0.1"),
                                     std::string("::1"), std::string("localhost")}));
  KeyAndCertificate const second = *authority.daemon_certificate({"192.0.2.1"}, kNow);
  EXPECT_NE(first.certificate, second.certificate);
  EXPECT_THAT(*addresses_of(second.certificate), testing::Contains("192.0.2.1"));
  EXPECT_EQ(authority.daemon_certificate({"192.0.2.1"}, kNow)->certificate, second.certificate);
}

TEST_F(AuthorityTest, half_written_pairs_are_made_anew) {
  Authority const authority = opened();
  (void)*authority.daemon_certificate({}, kNow);
  ASSERT_TRUE(write_file_atomically(directory() + "/daemon.key", make_key(), 0400));
  KeyAndCertificate const healed = *authority.daemon_certificate({}, kNow);
  EXPECT_TRUE(*is_pair(healed.key, healed.certificate));
}

TEST_F(AuthorityTest, a_host_certificate_lives_a_day) {
  Authority const authority = opened();
  std::string const c = *authority.host_certificate(*make_csr(make_key()), HostId(kHost), kNow);
  EXPECT_EQ(*not_after(c), kNow + hours(24));
}

TEST_F(AuthorityTest, an_admin_gets_a_key_and_a_certificate_that_belong_together) {
  Authority const authority = opened();
  KeyAndCertificate const admin = *authority.admin_certificate("ada", AdminRole::operate, kNow);
  EXPECT_TRUE(*is_pair(admin.key, admin.certificate));
  EXPECT_EQ(verified(admin.certificate, authority.certificate(), Role::admin, kNow)->admin_role,
            AdminRole::operate);
}

TEST_F(AuthorityTest, writing_replaces_a_link_instead_of_following_it) {
  (void)opened();
  std::string const target = root_ + "/precious";
  ASSERT_TRUE(write_file_atomically(target, "kept", 0600));
  std::string const path = directory() + "/file";
  std::filesystem::create_symlink(target, path);
  std::filesystem::create_symlink(target, path + ".new");
  ASSERT_TRUE(write_file_atomically(path, "ours", 0600));
  EXPECT_EQ(*read_small_file(target), "kept");
  EXPECT_EQ(*read_small_file(path), "ours");
  EXPECT_FALSE(std::filesystem::is_symlink(path));
}

TEST(JoinToken, a_token_reads_back_what_was_written) {
  JoinToken const token = make_join_token(HostId(kHost), std::string(64, 'a'));
  EXPECT_EQ(token.secret.size() * 4, 160u);
  EXPECT_EQ(*parse_join_token(text(token)), token);
  EXPECT_NE(make_join_token(HostId(kHost), std::string(64, 'a')).secret, token.secret);
}

TEST(JoinToken, the_digest_is_of_the_whole_text) {
  EXPECT_EQ(token_digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(JoinToken, other_texts_are_refused_and_not_repeated) {
  std::string const good = text(make_join_token(HostId(kHost), std::string(64, 'a')));
  for (std::string const& bad :
       {std::string(), good + ".", good.substr(0, good.size() - 1), good + "0", "x" + good,
        std::string("berth1..."), good + "." + good}) {
    auto const token = parse_join_token(bad);
    ASSERT_FALSE(token) << bad;
    EXPECT_THAT(token.error().message, testing::Not(testing::HasSubstr(std::string(64, 'a'))));
  }
}

}  // namespace
}  // namespace berth::pki
