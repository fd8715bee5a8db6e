// The powers that the memory store gives to its caller: when a commit becomes durable, what a crash
// takes, what became of a commit that failed.

#include "daemon/store/memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_records.h"

namespace berth::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MemoryStoreTest : public ::testing::Test {
 protected:
  void open() {
    store_.reset();
    auto opened = MemoryStore::open(disk_);
    ASSERT_TRUE(opened);
    store_ = *std::move(opened);
  }
  void SetUp() override { open(); }

  // Instance n; its answer is kept as "n ok" or "n <message>".
  void commit(std::uint64_t n) {
    store_->commit({core::PutInstance{test::instance(n)}}, [this, n](Result<void> const& r) {
      answers_.push_back(std::to_string(n) + " " + (r ? "ok" : r.error().message));
    });
  }
  std::vector<InstanceId> stored() {
    std::vector<InstanceId> ids;
    std::vector<core::Change> const changes = *store_->load();
    for (core::Change const& change : changes) {
      ids.push_back(std::get<core::PutInstance>(change).instance.id);
    }
    return ids;
  }

  MemoryDisk disk_;
  std::unique_ptr<MemoryStore> store_;
  std::vector<std::string> answers_;
};

Error const kBroken{Code::unavailable, "store", "broken"};

TEST_F(MemoryStoreTest, ACommitWaitsUntilItIsCompleted) {
  commit(1);
  commit(2);
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_EQ(store_->pending(), 2U);
  EXPECT_TRUE(store_->complete_next());
  EXPECT_THAT(stored(), ElementsAre(test::instance_id(1)));
  EXPECT_THAT(answers_, ElementsAre("1 ok"));
  EXPECT_TRUE(store_->complete_next());
  EXPECT_FALSE(store_->complete_next());
  EXPECT_THAT(answers_, ElementsAre("1 ok", "2 ok"));
}

TEST_F(MemoryStoreTest, ACrashLosesWhatWasNotCompletedAndAnswersNothing) {
  commit(1);
  store_->complete_next();
  commit(2);
  store_->crash();
  EXPECT_EQ(store_->pending(), 0U);
  EXPECT_THAT(stored(), ElementsAre(test::instance_id(1)));
  commit(3);
  store_->complete_next();
  EXPECT_THAT(answers_, ElementsAre("1 ok", "3 ok"));
}

TEST_F(MemoryStoreTest, ClosingIsACrash) {
  commit(1);
  open();
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(MemoryStoreTest, AFailedCommitTakesAllBehindItAndAllToCome) {
  commit(1);
  commit(2);
  EXPECT_TRUE(store_->fail_next(MemoryStore::Fate::lost, kBroken));
  commit(3);
  EXPECT_THAT(answers_, ElementsAre("1 broken", "2 broken", "3 broken"));
  EXPECT_THAT(stored(), IsEmpty());
  store_->crash();
  commit(4);
  EXPECT_TRUE(store_->complete_next());
  EXPECT_THAT(stored(), ElementsAre(test::instance_id(4)));
}

TEST_F(MemoryStoreTest, AFailedCommitMayBeOnTheDiskAllTheSame) {
  commit(1);
  commit(2);
  EXPECT_TRUE(store_->fail_next(MemoryStore::Fate::durable, kBroken));
  EXPECT_THAT(answers_, ElementsAre("1 broken", "2 broken"));
  EXPECT_THAT(stored(), ElementsAre(test::instance_id(1)));
  EXPECT_FALSE(store_->fail_next(MemoryStore::Fate::durable, kBroken));
}

TEST_F(MemoryStoreTest, DoneMayCrashTheStore) {
  store_->commit({core::PutInstance{test::instance(1)}},
                 [this](Result<void> const&) { store_.reset(); });
  commit(2);
  store_->complete_next();
  open();
  EXPECT_THAT(stored(), ElementsAre(test::instance_id(1)));
}

TEST_F(MemoryStoreTest, AutomaticCommitsAreDurableAtOnce) {
  store_.reset();
  store_ = *MemoryStore::open(disk_, MemoryStore::Completion::automatic);
  commit(1);
  EXPECT_THAT(answers_, ElementsAre("1 ok"));
  EXPECT_THAT(stored(), ElementsAre(test::instance_id(1)));
}

TEST_F(MemoryStoreTest, ADamagedDiskIsNamed) {
  commit(1);
  store_->complete_next();
  disk_.records.begin()->second.resize(3);
  Result<std::vector<core::Change>> const loaded = store_->load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::corrupt);
  EXPECT_THAT(loaded.error().message, ::testing::HasSubstr(test::instance_id(1).value));
}

}  // namespace
}  // namespace berth::store
