// What a restore refuses, and that nothing is changed by a refusal. What comes of one that is done:
// tests/integration/restore_test.py.

#include "daemon/restore.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>

#include "berth/base/digest.h"
#include "daemon/core/audit.h"
#include "daemon/driver/driver.h"
#include "daemon/store/sqlite.h"
#include "tests/support/store_records.h"

namespace berth {
namespace {

namespace fs = std::filesystem;

std::string const kKey(32, 'k');

class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest() {
    fs::create_directory(data());
    settings_.data_dir = data();
    settings_.policy.region = "us-east-1";
    settings_.region_key_file = write("region.key", kKey);
    settings_.restore = folder_.path() / "backup.db";
    make_store(settings_.restore, 7);
  }

  [[nodiscard]] std::string data() const { return folder_.path() / "data"; }
  [[nodiscard]] std::string file() const { return data() + "/berth.db"; }

  std::string write(std::string const& name, std::string const& bytes) {
    std::string const path = folder_.path() / name;
    std::ofstream(path, std::ios::binary) << bytes;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    return path;
  }

  // A region with a tenant, a key, and a chain of audit records so long.
  static void make_store(std::string const& path, std::uint64_t audit_records) {
    core::Region region{.name = "us-east-1", .term = Term(3)};
    std::vector<core::Change> changes;
    for (std::uint64_t n = 1; n <= audit_records; ++n) {
      core::AuditRecord record{.number = n, .actor = "test", .action = "none", .outcome = "ok"};
      record.digest = core::chained_digest(region.audit_digest, record);
      region.audit_count = n;
      region.audit_digest = record.digest;
      changes.push_back(core::AppendAudit{record});
    }
    Tenant const tenant{.id = TenantId("111111111111"), .name = "one"};
    AccessKeyId const key("AKIAAAAAAAAAAAAAAAAA");
    changes.push_back(core::PutTenant{tenant});
    changes.push_back(
        core::PutAccessKey{{.id = key,
                            .tenant = tenant.id,
                            .secret_sealed = sealed(kKey, std::string(40, 's'), key.value)}});
    changes.push_back(core::PutRegion{region});
    auto store = store::SqliteStore::open({.file = path, .ballast_bytes = 0});
    ASSERT_TRUE(store) << store.error().message;
    std::promise<Result<void>> answer;
    (*store)->commit(std::move(changes), [&](Result<void> r) { answer.set_value(std::move(r)); });
    Result<void> const done = answer.get_future().get();
    ASSERT_TRUE(done) << done.error().message;
  }

  // All files of the data folder with what is in them.
  [[nodiscard]] std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    for (auto const& entry : fs::directory_iterator(data())) {
      // Made by whoever opens a store, for himself.
      std::string const suffix = entry.path().extension();
      if (suffix == ".lock" || suffix == ".ballast") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      out[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(in), {});
    }
    return out;
  }

  // Refused with this code and these words, and everything as it was.
  void expect_refused(Code code, std::string const& words) {
    auto const before = contents();
    Result<std::string> const done = restore(settings_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code) << done.error().message;
    EXPECT_NE(done.error().message.find(words), std::string::npos) << done.error().message;
    EXPECT_EQ(contents(), before);
  }

  [[nodiscard]] core::State stored() const {
    auto store = store::SqliteStore::open({.file = file(), .ballast_bytes = 0});
    EXPECT_TRUE(store) << store.error().message;
    Result<core::State> state = driver::Driver::load(**store, settings_.policy);
    EXPECT_TRUE(state) << state.error().message;
    return *std::move(state);
  }

  test::TemporaryFolder folder_;
  Settings settings_;
};

TEST_F(RestoreTest, TakesTheBackupInQuarantineWithALaterTermAndARecordOfIt) {
  Result<std::string> const done = restore(settings_);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_NE(done->find("1 tenants and 7 audit records"), std::string::npos) << *done;
  core::State const state = stored();
  ASSERT_TRUE(state.region.quarantine);
  EXPECT_NE(state.region.quarantine->reason.find("backup.db"), std::string::npos);
  EXPECT_GT(state.region.term, Term(1'000'000));
  EXPECT_EQ(state.region.audit_count, 8U);
}

TEST_F(RestoreTest, KeepsTheStoreThatWasThere) {
  make_store(file(), 5);
  ASSERT_TRUE(restore(settings_));
  std::size_t kept = 0;
  for (auto const& [name, bytes] : contents())
    kept += name.starts_with("berth.db.replaced-") ? 1U : 0U;
  EXPECT_GE(kept, 1U);
  EXPECT_EQ(stored().region.audit_count, 8U);
}

TEST_F(RestoreTest, RefusesAnOlderBackupUnlessToldTo) {
  make_store(file(), 9);
  expect_refused(Code::conflict, "--restore_older");
  settings_.restore_older = true;
  EXPECT_TRUE(restore(settings_));
}

TEST_F(RestoreTest, RefusesAKeyThatDoesNotOpenTheSecrets) {
  settings_.region_key_file = write("other.key", std::string(32, 'o'));
  expect_refused(Code::invalid, "is not the key that seals the secrets");
}

TEST_F(RestoreTest, RefusesABackupOfAnotherRegion) {
  settings_.policy.region = "eu-west-1";
  expect_refused(Code::conflict, "the store is of region us-east-1");
}

TEST_F(RestoreTest, RefusesWhatIsNotThereNoBackupOrEmpty) {
  settings_.restore = folder_.path() / "absent.db";
  expect_refused(Code::not_found, "is no regular file");
  settings_.restore = folder_.path();
  expect_refused(Code::not_found, "is no regular file");
  settings_.restore = folder_.path() / "empty.db";
  { auto const made = store::SqliteStore::open({.file = settings_.restore, .ballast_bytes = 0}); }
  expect_refused(Code::invalid, "has no region in it");
}

TEST_F(RestoreTest, RefusesABackupWithALogBesideIt) {
  write("backup.db-wal", "something");
  expect_refused(Code::invalid, "a log beside it");
}

// Whatever byte is damaged: either it is refused, or it was one that says nothing (free space).
TEST_F(RestoreTest, NeverTakesADamagedRecord) {
  std::string const good = [&] {
    std::ifstream in(settings_.restore, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }();
  std::size_t refused = 0;
  constexpr std::size_t kStep = 997;
  for (std::size_t at = 0; at < good.size(); at += kStep) {
    std::string bad = good;
    bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ 0x5aU);
    settings_.restore = write("bad.db", bad);
    fs::remove(file());
    Result<std::string> const done = restore(settings_);
    if (!done) {
      ++refused;
      EXPECT_TRUE(contents().empty()) << "byte " << at << " left " << contents().begin()->first;
      continue;
    }
    core::State const state = stored();
    EXPECT_EQ(state.region.audit_count, 8U) << "byte " << at;
    EXPECT_EQ(state.tenants.size(), 1U) << "byte " << at;
    EXPECT_EQ(state.access_keys.size(), 1U) << "byte " << at;
  }
  EXPECT_GT(refused, 0U);
}

TEST_F(RestoreTest, RefusesWhileADaemonHasTheStore) {
  make_store(file(), 5);
  auto const open = store::SqliteStore::open({.file = file(), .ballast_bytes = 0});
  ASSERT_TRUE(open);
  expect_refused(Code::conflict, "");
}

}  // namespace
}  // namespace berth
