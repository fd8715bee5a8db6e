// What SQLite promises beside the contract: whose file it is, what damage it sees, what a failing
// disk does, how commits share a sync.

#include "daemon/store/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <latch>
#include <thread>

#include "berth/base/digest.h"
#include "common/wire/record.h"
#include "daemon/store/checksum.h"
#include "daemon/store/sqlite_schema.h"
#include "tests/support/store_records.h"

namespace berth::store {
namespace {

using core::Change;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SqliteTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string file() const { return folder_.path() / "berth.db"; }

  [[nodiscard]] Result<std::unique_ptr<SqliteStore>> open() const {
    return SqliteStore::open({.file = file()});
  }

  [[nodiscard]] std::unique_ptr<SqliteStore> opened() const {
    auto store = open();
    EXPECT_TRUE(store) << store.error().message;
    return *std::move(store);
  }

  static Result<void> commit(Store& store, std::vector<Change> changes) {
    std::promise<Result<void>> answer;
    store.commit(std::move(changes), [&](Result<void> r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
  }

  void store_instances(std::uint64_t count) const {
    auto const store = opened();
    std::vector<Change> changes;
    for (std::uint64_t n = 1; n <= count; ++n) {
      changes.push_back(core::PutInstance{test::instance(n)});
    }
    ASSERT_TRUE(commit(*store, changes));
  }

  // As another program would alter the file.
  void alter(std::string const& sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_close(db);
  }

  void write_over(std::streamoff at, std::string const& bytes) const {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at);
    stream << bytes;
    ASSERT_TRUE(stream.good());
  }

  test::TemporaryFolder folder_;
};

TEST_F(SqliteTest, TheFileIsForItsOwnerOnly) {
  auto const store = opened();
  ASSERT_TRUE(commit(*store, {core::PutInstance{test::instance(1)}}));
  for (char const* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat found{};
    ASSERT_EQ(::stat((file() + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(SqliteTest, ARefusedOpenerIsToldWhoHoldsTheStore) {
  auto const store = opened();
  auto const second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(second.error().message, AllOf(HasSubstr(file() + ".lock"),
                                            HasSubstr("process " + std::to_string(::getpid()))));
}

TEST_F(SqliteTest, AMissingFolderIsNamed) {
  auto const store = SqliteStore::open({.file = folder_.path() / "none" / "berth.db"});
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, AllOf(HasSubstr("/none/berth.db"), HasSubstr("No such file")));
}

TEST_F(SqliteTest, ANewerSchemaIsRefusedAndLeftAlone) {
  store_instances(1);
  alter("UPDATE meta SET value=7 WHERE key='schema'");
  auto const newer = open();
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Code::invalid);
  EXPECT_THAT(newer.error().message,
              HasSubstr("wanted schema 2 or older, found 7; it was written by a newer Berth"));
  alter("UPDATE meta SET value=2 WHERE key='schema'");
  auto const store = opened();
  EXPECT_EQ(store->size().records, 1);
}

// As Berth left it before rows were numbered: the same bytes under (kind, id), with the older sums.
class SqliteSchema1Test : public SqliteTest {
 protected:
  void SetUp() override {
    alter("PRAGMA application_id=" + std::to_string(kSqliteApplicationId));
    alter(
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "INSERT INTO meta VALUES ('schema', 1), ('is_closed', 1);");
    alter(kSqliteSchemaSteps[0]);
    for (std::uint64_t n = 1; n <= 3; ++n) {
      add("record (payload, checksum, kind, id)", core::PutInstance{test::instance(n)});
    }
    for (std::uint64_t n = 1; n <= 2; ++n) {
      add("audit (payload, checksum, number)", core::AppendAudit{test::audit(n)});
    }
  }
  void add(std::string const& into, Change const& change) const {
    wire::RecordKey const place = wire::key(change);
    std::string const payload = wire::encode(change);
    std::int64_t const sum = checksum_1(static_cast<std::int64_t>(place.kind), place.id, payload);
    std::string const where =
        place.kind == wire::RecordKind::audit
            ? place.id
            : std::to_string(static_cast<int>(place.kind)) + ",'" + place.id + "'";
    alter("INSERT INTO " + into + " VALUES (x'" + hex(payload) + "'," + std::to_string(sum) + "," +
          where + ")");
  }
};

TEST_F(SqliteSchema1Test, AnOlderStoreKeepsEveryRecord) {
  auto const store = opened();
  Result<std::vector<Change>> const loaded = store->load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->size(), 3U);
  for (std::uint64_t n = 1; n <= 3; ++n) {
    EXPECT_EQ((*loaded)[n - 1], Change(core::PutInstance{test::instance(n)}));
  }
  Result<std::vector<core::AuditRecord>> const audit = store->audit(1, 10);
  ASSERT_TRUE(audit) << audit.error().message;
  EXPECT_EQ(*audit, (std::vector{test::audit(1), test::audit(2)}));
  // And goes on from there.
  Instance changed = test::instance(2);
  changed.wanted = Wanted::stopped;
  ASSERT_TRUE(
      commit(*store, {core::PutInstance{changed}, core::EraseInstance{test::instance_id(1)},
                      core::PutInstance{test::instance(4)}, core::AppendAudit{test::audit(3)}}));
  EXPECT_EQ(store->load()->size(), 3U);
  EXPECT_EQ((*store->load())[0], Change(core::PutInstance{changed}));
}

TEST_F(SqliteSchema1Test, DamageInAnOlderStoreIsNotMadeToLookSound) {
  alter("UPDATE record SET checksum=checksum+1 WHERE id='" + test::instance_id(2).value + "'");
  Result<std::vector<Change>> const loaded = opened()->load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::corrupt);
  EXPECT_THAT(loaded.error().message, HasSubstr("instance " + test::instance_id(2).value));
}

TEST_F(SqliteTest, TwoRowsOfOneRecordAreDamage) {
  store_instances(1);
  alter(
      "INSERT INTO record (kind, id, payload, checksum) SELECT kind, id, payload, checksum FROM "
      "record");
  auto const store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::corrupt);
  EXPECT_THAT(store.error().message, HasSubstr("two for " + test::instance_id(1).value));
}

TEST(Checksum, SeesEveryFlippedBitAndEveryMovedByte) {
  std::string const payload = "a payload of some forty bytes, not a word";
  std::int64_t const sum = checksum_2(19, "i-1", payload);
  for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
    std::string other = payload;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(checksum_2(19, "i-1", other), sum) << bit;
  }
  EXPECT_NE(checksum_2(20, "i-1", payload), sum);
  EXPECT_NE(checksum_2(19, "i-2", payload), sum);
  EXPECT_NE(checksum_2(19, "i-1a", payload.substr(1)), sum) << "id and payload are apart";
  EXPECT_NE(checksum_2(19, "i-1", payload + '\0'), sum) << "length counts";
}

TEST_F(SqliteTest, AnotherProgramsFileIsRefused) {
  alter("CREATE TABLE contacts (name)");
  auto const store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::invalid);
  EXPECT_THAT(store.error().message, HasSubstr("another program's SQLite file"));
}

TEST_F(SqliteTest, AFileThatIsNoDatabaseIsCorrupt) {
  std::ofstream(file()) << std::string(8192, 'x');
  auto const store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::corrupt);
  EXPECT_THAT(store.error().message, HasSubstr(file()));
}

TEST_F(SqliteTest, AnAlteredRecordIsNamedAndNotSkipped) {
  store_instances(3);
  // A letter of the type's name: still a well-formed record.
  alter(
      "UPDATE record SET payload=CAST(replace(CAST(payload AS TEXT), 'm5.large', 'm5.marge') AS "
      "BLOB)"
      " WHERE id='" +
      test::instance_id(2).value + "'");
  auto const store = opened();
  Result<std::vector<Change>> const loaded = store->load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::corrupt);
  EXPECT_THAT(loaded.error().message, AllOf(HasSubstr(file()), HasSubstr("checksum"),
                                            HasSubstr("instance " + test::instance_id(2).value)));
}

TEST_F(SqliteTest, ARecordUnderAnothersIdIsNamed) {
  store_instances(1);
  alter("UPDATE record SET id='" + test::instance_id(9).value + "'");
  Result<std::vector<Change>> const loaded = opened()->load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::corrupt);
  EXPECT_THAT(loaded.error().message, HasSubstr("instance " + test::instance_id(9).value));
}

TEST_F(SqliteTest, ARecordOfAKindWeDoNotKnowIsRefused) {
  store_instances(1);
  alter("UPDATE record SET kind=kind+256");
  Result<std::vector<Change>> const loaded = opened()->load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("unknown kind " + test::instance_id(1).value));
}

TEST_F(SqliteTest, AnAlteredAuditRecordIsNamed) {
  ASSERT_TRUE(
      commit(*opened(), {core::AppendAudit{test::audit(1)}, core::AppendAudit{test::audit(2)}}));
  alter(
      "UPDATE audit SET payload=CAST(replace(CAST(payload AS TEXT), 'RunInst', 'SunInst') AS BLOB)"
      " WHERE number=2");
  auto const store = opened();
  EXPECT_TRUE(store->audit(1, 1));
  Result<std::vector<core::AuditRecord>> const page = store->audit(1, 10);
  ASSERT_FALSE(page);
  EXPECT_THAT(page.error().message, HasSubstr("audit record 2"));
}

TEST_F(SqliteTest, AfterAnUncleanEndTheWholeFileIsChecked) {
  store_instances(400);
  // The header's count of free pages (offset 36): no read of ours would come across it, but new
  // pages would be taken from there.
  write_over(36, std::string("\0\0\0\5", 4));
  EXPECT_TRUE(open()) << "closed in order, so it is not checked at start";
  alter("UPDATE meta SET value=0 WHERE key='is_closed'");
  auto const store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::corrupt);
  EXPECT_THAT(store.error().message, HasSubstr("damaged"));
}

// A disk that takes no more, by the limit on the size of a process's files.
class FullDisk {
 public:
  explicit FullDisk(std::uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(SqliteTest, AFullDiskFailsTheCommitAndEveryOneAfterAndLosesNothingAcknowledged) {
  auto store = opened();
  ASSERT_TRUE(commit(*store, {core::PutInstance{test::instance(1)}}));
  core::PutInstance large{test::instance(2)};
  large.instance.user_data.assign(1 << 20, 'x');
  {
    FullDisk const full(256 * 1024);
    Result<void> const failed = commit(*store, {core::PutInstance{test::instance(3)}, large});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::unavailable);
    EXPECT_THAT(failed.error().message, HasSubstr(file()));
  }
  // There is room again, but what the disk did with the failed commit is not known.
  EXPECT_FALSE(commit(*store, {core::PutInstance{test::instance(4)}}));
  EXPECT_EQ(store->stats().failures, 2U);
  store.reset();
  store = opened();
  Result<std::vector<Change>> const loaded = store->load();
  ASSERT_TRUE(loaded);
  EXPECT_THAT(*loaded, ::testing::ElementsAre(Change(core::PutInstance{test::instance(1)})));
  EXPECT_TRUE(commit(*store, {core::PutInstance{test::instance(4)}}));
}

TEST_F(SqliteTest, CommitsThatWaitShareOneTransaction) {
  auto const store = opened();
  constexpr int kWaiting = 100;
  std::latch first_answered(1);
  std::latch go(1);
  std::latch all(kWaiting);
  store->commit({core::PutInstance{test::instance(1)}}, [&](Result<void> const&) {
    first_answered.count_down();
    go.wait();
  });
  first_answered.wait();
  for (std::uint64_t n = 2; n < 2 + kWaiting; ++n) {
    store->commit({core::PutInstance{test::instance(n)}}, [&](Result<void> const& r) {
      EXPECT_TRUE(r);
      all.count_down();
    });
  }
  go.count_down();
  all.wait();
  CommitStats const& stats = store->stats();
  EXPECT_EQ(stats.transactions, 2U);
  EXPECT_EQ(stats.commits, 1U + kWaiting);
  EXPECT_EQ(stats.changes, 1U + kWaiting);
  EXPECT_GT(stats.latency_last_ns, 0);
  std::uint64_t counted = 0;
  for (auto const& bucket : stats.latency_buckets) counted += bucket;
  EXPECT_EQ(counted, stats.commits);
}

TEST_F(SqliteTest, ClosingAnswersEveryCommitGiven) {
  auto store = opened();
  std::atomic<int> answered{0};
  for (std::uint64_t n = 1; n <= 200; ++n) {
    store->commit({core::PutInstance{test::instance(n)}}, [&](Result<void> const& r) {
      EXPECT_TRUE(r);
      ++answered;
    });
  }
  store.reset();
  EXPECT_EQ(answered, 200);
  EXPECT_EQ(opened()->size().records, 200);
}

TEST_F(SqliteTest, TheLogDoesNotGrowWithoutBound) {
  auto const store = opened();
  Instance large = test::instance(1);
  large.user_data.assign(16 * 1024, 'x');
  std::uintmax_t log_max = 0;
  constexpr int kCommits = 30;
  for (int commits = 0; commits < kCommits; ++commits) {
    std::vector<Change> changes;
    for (std::uint64_t n = 1; n <= 512; ++n) {
      large.id = test::instance_id(n);
      large.user_data.front() = static_cast<char>('a' + commits);
      changes.push_back(core::PutInstance{large});
    }
    ASSERT_TRUE(commit(*store, changes));
    log_max = std::max(log_max, std::filesystem::file_size(file() + "-wal"));
  }
  EXPECT_LE(log_max, std::uintmax_t{80} << 20);  // some 300 MiB were written
  EXPECT_GE(store->size().bytes, std::int64_t{8} << 20);
  EXPECT_LE(store->size().bytes, std::int64_t{100} << 20);
}

TEST_F(SqliteTest, AuditIsReadWhileCommitsAreWritten) {
  auto const store = opened();
  constexpr std::uint64_t kRecords = 300;
  std::promise<void> all;
  for (std::uint64_t n = 1; n <= kRecords; ++n) {
    store->commit({core::AppendAudit{test::audit(n)}}, [&, n](Result<void> const& r) {
      EXPECT_TRUE(r);
      if (n == kRecords) all.set_value();
    });
  }
  std::future<void> const written = all.get_future();
  std::size_t seen = 0;
  while (written.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    Result<std::vector<core::AuditRecord>> const page = store->audit(1, kRecords);
    ASSERT_TRUE(page) << page.error().message;
    ASSERT_GE(page->size(), seen);
    seen = page->size();
    for (std::size_t i = 0; i < seen; ++i) ASSERT_EQ((*page)[i].number, i + 1);
  }
  Result<std::vector<core::AuditRecord>> const page = store->audit(1, kRecords);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->size(), kRecords);
}

}  // namespace
}  // namespace berth::store
