// A copy of a store that serves: whole, of one moment, and no hindrance to commits.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "daemon/store/sqlite.h"
#include "tests/support/store_records.h"

namespace berth::store {
namespace {

using std::chrono::steady_clock;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    auto opened = SqliteStore::open({.file = folder_.path() / "berth.db"});
    EXPECT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  Result<void> commit(std::vector<core::Change> changes) {
    std::promise<Result<void>> answer;
    store_->commit(std::move(changes), [&](Result<void> r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
  }
  void fill(std::uint64_t count) {
    std::vector<core::Change> changes;
    for (std::uint64_t n = 1; n <= count; ++n) {
      Instance instance = test::instance(n);
      instance.user_data.assign(4'000, 'u');
      changes.push_back(core::PutInstance{std::move(instance)});
    }
    ASSERT_TRUE(commit(std::move(changes)));
  }
  [[nodiscard]] std::string copy() const { return folder_.path() / "copy.db"; }
  static bool go_on(std::int64_t, std::int64_t) { return true; }
  static std::vector<core::Change> loaded(std::string const& file) {
    auto store = SqliteStore::open({.file = file});
    EXPECT_TRUE(store) << store.error().message;
    auto changes = (*store)->load();
    EXPECT_TRUE(changes) << changes.error().message;
    return *std::move(changes);
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(BackupTest, HasAllRecordsAndIsForItsOwnerOnly) {
  fill(100);
  ASSERT_TRUE(store_->back_up(copy(), go_on));
  struct stat found{};
  ASSERT_EQ(::stat(copy().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(copy() + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(copy() + ".part"));
  EXPECT_EQ(loaded(copy()), *store_->load());
}

TEST_F(BackupTest, IsOfOneMomentThoughCommitsGoOn) {
  fill(5'000);
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> committed = 0;
  std::chrono::nanoseconds slowest{0};
  std::thread writer([&] {
    // Each commit puts two records with one number: a copy that has but one of them is torn.
    for (std::uint64_t n = 1; !is_over; ++n) {
      Instance first = test::instance(100'001);
      Instance second = test::instance(200'001);
      first.launch_index = second.launch_index = static_cast<std::int64_t>(n);
      auto const begun = steady_clock::now();
      ASSERT_TRUE(commit({core::PutInstance{first}, core::PutInstance{second}}));
      slowest = std::max<std::chrono::nanoseconds>(slowest, steady_clock::now() - begun);
      committed = n;
    }
  });
  while (committed < 3) std::this_thread::yield();
  std::uint64_t const before = committed;
  Result<void> const made = store_->back_up(copy(), go_on);
  std::uint64_t const after = committed;
  is_over = true;
  writer.join();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_GT(after, before + 3) << "no commit came through while the copy was made";
  RecordProperty("slowest_commit_us", std::to_string(slowest.count() / 1'000));
  std::vector<std::int64_t> numbers;
  for (core::Change const& change : loaded(copy())) {
    auto const* put = std::get_if<core::PutInstance>(&change);
    if (put != nullptr && put->instance.launch_index != 0)
      numbers.push_back(put->instance.launch_index);
  }
  ASSERT_EQ(numbers.size(), 2U);
  EXPECT_EQ(numbers[0], numbers[1]);
  EXPECT_GE(numbers[0], static_cast<std::int64_t>(before));
}

TEST_F(BackupTest, OneThatIsEndedLeavesNothing) {
  fill(2'000);
  auto const made = store_->back_up(copy(), [](std::int64_t, std::int64_t) { return false; });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::unavailable);
  EXPECT_FALSE(std::filesystem::exists(copy()));
  EXPECT_FALSE(std::filesystem::exists(copy() + ".part"));
  EXPECT_TRUE(store_->back_up(copy(), go_on)) << "the next one is free to run";
}

TEST_F(BackupTest, NothingIsWrittenOver) {
  fill(1);
  ASSERT_TRUE(store_->back_up(copy(), go_on));
  auto const again = store_->back_up(copy(), go_on);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::exists);
}

TEST_F(BackupTest, ASecondOneMeanwhileIsRefused) {
  fill(2'000);
  std::optional<Code> refused;
  ASSERT_TRUE(store_->back_up(copy(), [&](std::int64_t, std::int64_t) {
    if (!refused) {
      auto const second = store_->back_up(copy() + "2", go_on);
      refused = second ? Code::exists : second.error().code;
    }
    return true;
  }));
  EXPECT_EQ(refused, Code::conflict);
}

}  // namespace
}  // namespace berth::store
