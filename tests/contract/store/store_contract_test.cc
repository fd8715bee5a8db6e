// What every store promises (daemon/store/store.h), run against each of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <numeric>

#include "berth/model/limits.h"
#include "daemon/store/memory.h"
#include "daemon/store/sqlite.h"
#include "tests/support/records.h"
#include "tests/support/store_records.h"

namespace berth::store {
namespace {

using core::Change;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Something that keeps a store's content while no store is open on it.
class Medium {
 public:
  virtual ~Medium() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<Store>> open() = 0;
  // Lets every commit given so far be answered, where that is not the store's own doing.
  virtual void settle(Store&) {}
};

class Memory final : public Medium {
 public:
  Result<std::unique_ptr<Store>> open() override {
    auto store = MemoryStore::open(disk_);
    if (!store) return store.error();
    return std::unique_ptr<Store>(*std::move(store));
  }
  void settle(Store& store) override {
    while (dynamic_cast<MemoryStore&>(store).complete_next()) {}
  }

 private:
  MemoryDisk disk_;
};

class Sqlite final : public Medium {
 public:
  Result<std::unique_ptr<Store>> open() override {
    auto store = SqliteStore::open({.file = folder_.path() / "berth.db"});
    if (!store) return store.error();
    return std::unique_ptr<Store>(*std::move(store));
  }

 private:
  test::TemporaryFolder folder_;
};

class StoreContract : public ::testing::TestWithParam<char const*> {
 protected:
  StoreContract() {
    if (std::string_view(GetParam()) == "memory") {
      medium_ = std::make_unique<Memory>();
    } else {
      medium_ = std::make_unique<Sqlite>();
    }
    reopen();
  }

  void reopen() {
    store_.reset();
    auto opened = medium_->open();
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  Result<void> commit(std::vector<Change> changes) {
    auto answer = std::make_shared<std::promise<Result<void>>>();
    store_->commit(std::move(changes),
                   [answer](Result<void> r) { answer->set_value(std::move(r)); });
    medium_->settle(*store_);
    return answer->get_future().get();
  }

  std::vector<Change> loaded() {
    Result<std::vector<Change>> changes = store_->load();
    EXPECT_TRUE(changes) << changes.error().message;
    return changes ? *std::move(changes) : std::vector<Change>{};
  }

  std::vector<std::uint64_t> audit_numbers(std::uint64_t first, std::size_t count) {
    Result<std::vector<core::AuditRecord>> const page = store_->audit(first, count);
    EXPECT_TRUE(page) << page.error().message;
    std::vector<std::uint64_t> numbers;
    if (page) {
      for (core::AuditRecord const& record : *page) numbers.push_back(record.number);
    }
    return numbers;
  }

  std::unique_ptr<Medium> medium_;
  std::unique_ptr<Store> store_;
};

bool is_audit(Change const& change) {
  return std::holds_alternative<core::AppendAudit>(change);
}

TEST_P(StoreContract, ANewStoreIsEmpty) {
  EXPECT_THAT(loaded(), IsEmpty());
  EXPECT_THAT(audit_numbers(0, 10), IsEmpty());
  EXPECT_EQ(store_->size().records, 0);
}

TEST_P(StoreContract, EveryNounIsLoadedAsItWasPut) {
  SeededEntropy entropy(1);
  std::vector<Change> changes = test::one_of_each(entropy);
  ASSERT_TRUE(commit(changes));
  std::erase_if(changes, is_audit);  // audit records are not loaded
  EXPECT_EQ(loaded(), changes);
}

TEST_P(StoreContract, APutReplacesTheWholeRecord) {
  core::PutInstance change{test::instance(1)};
  change.instance.tags = {{"Name", "first"}};
  ASSERT_TRUE(commit({change}));
  change.instance.tags.clear();
  change.instance.wanted = Wanted::terminated;
  ASSERT_TRUE(commit({change}));
  EXPECT_THAT(loaded(), ElementsAre(Change(change)));
}

TEST_P(StoreContract, AnErasedRecordIsGoneAndOthersStay) {
  core::PutInstance const first{test::instance(1)};
  core::PutInstance const second{test::instance(2)};
  ASSERT_TRUE(commit({first, second}));
  ASSERT_TRUE(commit({core::EraseInstance{first.instance.id}}));
  EXPECT_THAT(loaded(), ElementsAre(Change(second)));
}

TEST_P(StoreContract, ErasingEachNounRemovesIt) {
  SeededEntropy entropy(2);
  test::Draw draw(entropy);
  auto const key = draw.put<core::PutAccessKey>();
  auto const type = draw.put<core::PutInstanceType>();
  auto const image = draw.put<core::PutImage>();
  auto const pair = draw.put<core::PutKeyPair>();
  auto const host = draw.put<core::PutHost>();
  auto const instance = draw.put<core::PutInstance>();
  auto const token = draw.put<core::PutToken>();
  auto const made = draw.put<core::PutLaunchTemplate>();
  auto const version = draw.put<core::PutLaunchTemplateVersion>();
  auto const group = draw.put<core::PutPlacementGroup>();
  ASSERT_TRUE(commit({key, type, image, pair, host, instance, token, made, version, group}));
  ASSERT_EQ(loaded().size(), 10U);
  auto const& of = std::get<core::PutLaunchTemplateVersion>(version).version;
  core::TokenRow const& row = std::get<core::PutToken>(token).row;
  ASSERT_TRUE(
      commit({core::EraseAccessKey{std::get<core::PutAccessKey>(key).key.id},
              core::EraseInstanceType{std::get<core::PutInstanceType>(type).type.name},
              core::EraseImage{std::get<core::PutImage>(image).image.id},
              core::EraseKeyPair{std::get<core::PutKeyPair>(pair).key.id},
              core::EraseHost{std::get<core::PutHost>(host).host.id},
              core::EraseInstance{std::get<core::PutInstance>(instance).instance.id},
              core::EraseToken{row.tenant, row.token},
              core::EraseLaunchTemplate{std::get<core::PutLaunchTemplate>(made).launch_template.id},
              core::EraseLaunchTemplateVersion{of.launch_template, of.number},
              core::ErasePlacementGroup{std::get<core::PutPlacementGroup>(group).group.id}}));
  EXPECT_THAT(loaded(), IsEmpty());
}

TEST_P(StoreContract, ErasingWhatIsNotThereIsNoError) {
  EXPECT_TRUE(commit({core::EraseInstance{test::instance(1).id}}));
  EXPECT_THAT(loaded(), IsEmpty());
}

TEST_P(StoreContract, WithinACommitTheLastChangeOfARecordWins) {
  core::PutInstance const old{test::instance(1)};
  core::PutInstance renewed = old;
  renewed.instance.private_ip = "10.0.0.1";
  core::PutInstance const erased{test::instance(2)};
  ASSERT_TRUE(commit({old, core::EraseInstance{old.instance.id}, renewed, erased,
                      core::EraseInstance{erased.instance.id}}));
  EXPECT_THAT(loaded(), ElementsAre(Change(renewed)));
}

TEST_P(StoreContract, TokensOfTwoTenantsDoNotMeet) {
  core::PutToken first{test::token("111111111111", "same")};
  core::PutToken second{test::token("222222222222", "same")};
  ASSERT_TRUE(commit({second, first}));
  EXPECT_THAT(loaded(), ElementsAre(Change(first), Change(second)));
  ASSERT_TRUE(commit({core::EraseToken{first.row.tenant, "same"}}));
  EXPECT_THAT(loaded(), ElementsAre(Change(second)));
}

TEST_P(StoreContract, RecordsAreLoadedByKindThenById) {
  SeededEntropy entropy(3);
  std::vector<Change> const a = test::one_of_each(entropy);
  std::vector<Change> b = test::one_of_each(entropy);
  std::reverse(b.begin(), b.end());
  ASSERT_TRUE(commit(b));
  std::vector<Change> others = a;
  std::erase_if(others, is_audit);
  ASSERT_TRUE(commit(others));
  std::vector<wire::RecordKey> keys;
  for (Change const& change : loaded()) keys.push_back(wire::key(change));
  EXPECT_EQ(keys.size(), 2 * a.size() - 3);  // one region, no audit records
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST_P(StoreContract, AReopenedStoreGivesTheSame) {
  SeededEntropy entropy(4);
  for (int i = 0; i < 20; ++i) {
    std::vector<Change> changes = test::one_of_each(entropy);
    *std::ranges::find_if(changes, is_audit) =
        core::AppendAudit{test::audit(static_cast<std::uint64_t>(i) + 1)};
    ASSERT_TRUE(commit(changes));
  }
  std::vector<Change> const before = loaded();
  Result<std::vector<core::AuditRecord>> const audit_before = store_->audit(1, 100);
  StoreSize const size_before = store_->size();
  reopen();
  EXPECT_EQ(loaded(), before);
  Result<std::vector<core::AuditRecord>> const audit_after = store_->audit(1, 100);
  ASSERT_TRUE(audit_before && audit_after);
  EXPECT_EQ(*audit_after, *audit_before);
  EXPECT_EQ(audit_after->size(), 20U);
  EXPECT_EQ(store_->size().records, size_before.records);
}

TEST_P(StoreContract, ASecondOpenerIsRefusedUntilTheFirstHasLeft) {
  Result<std::unique_ptr<Store>> const second = medium_->open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  store_.reset();
  EXPECT_TRUE(medium_->open());
}

TEST_P(StoreContract, ACommitThatCannotBeReadBackIsRefusedWhole) {
  core::PutInstance const good{test::instance(1)};
  core::PutInstance bad{test::instance(2)};
  bad.instance.image_digest = "sha256:abc";
  Result<void> const refused = commit({good, bad});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "instance " + bad.instance.id.value +
                                         ": image_digest: wanted 64 lower-case hex digits, found "
                                         "'sha256:abc'");
  reopen();
  EXPECT_THAT(loaded(), IsEmpty());
}

TEST_P(StoreContract, AfterAFailedCommitEveryOtherFailsToo) {
  ASSERT_TRUE(commit({core::PutInstance{test::instance(1)}}));
  ASSERT_FALSE(commit({core::PutInstance{Instance{}}}));
  EXPECT_FALSE(commit({core::PutInstance{test::instance(2)}}));
  reopen();
  EXPECT_THAT(loaded(), ElementsAre(Change(core::PutInstance{test::instance(1)})));
  EXPECT_TRUE(commit({core::PutInstance{test::instance(2)}}));
}

TEST_P(StoreContract, AuditRecordsAreReadInPages) {
  for (std::uint64_t n = 1; n <= 10; ++n) {
    ASSERT_TRUE(commit({core::AppendAudit{test::audit(n)}}));
  }
  EXPECT_THAT(audit_numbers(0, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(audit_numbers(4, 3), ElementsAre(4, 5, 6));
  EXPECT_THAT(audit_numbers(9, 3), ElementsAre(9, 10));
  EXPECT_THAT(audit_numbers(11, 3), IsEmpty());
  EXPECT_THAT(audit_numbers(UINT64_MAX, 3), IsEmpty());
  EXPECT_THAT(audit_numbers(1, 0), IsEmpty());
  Result<std::vector<core::AuditRecord>> const page = store_->audit(7, 1);
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, ElementsAre(test::audit(7)));
}

TEST_P(StoreContract, AnAuditNumberIsNeverTakenTwice) {
  ASSERT_TRUE(commit({core::AppendAudit{test::audit(1)}}));
  core::AuditRecord forged = test::audit(1);
  forged.actor = "nobody";
  EXPECT_FALSE(commit({core::PutInstance{test::instance(1)}, core::AppendAudit{forged}}));
  reopen();
  EXPECT_THAT(loaded(), IsEmpty());
  Result<std::vector<core::AuditRecord>> const page = store_->audit(1, 10);
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, ElementsAre(test::audit(1)));
}

TEST_P(StoreContract, TheLargestCommitIsStoredWhole) {
  std::vector<Change> changes;
  for (std::uint64_t n = 1; n <= limits::kChangesPerCommitMax; ++n) {
    changes.push_back(core::PutInstance{test::instance(n)});
  }
  ASSERT_TRUE(commit(changes));
  EXPECT_EQ(loaded(), changes);
  EXPECT_EQ(store_->size().records, static_cast<std::int64_t>(limits::kChangesPerCommitMax));
}

TEST_P(StoreContract, CommitsAreAnsweredInTheirOrder) {
  constexpr int kCommits = 300;
  std::vector<int> answered;
  std::promise<void> all;
  for (int i = 0; i < kCommits; ++i) {
    store_->commit({core::PutInstance{test::instance(7)}}, [&, i](Result<void> const& r) {
      EXPECT_TRUE(r);
      answered.push_back(i);
      if (answered.size() == kCommits) all.set_value();
    });
  }
  medium_->settle(*store_);
  all.get_future().wait();
  std::vector<int> expected(kCommits);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(answered, expected);
  EXPECT_EQ(loaded().size(), 1U);
}

TEST_P(StoreContract, SizeFollowsPutsErasesAndAudit) {
  ASSERT_TRUE(commit({core::PutInstance{test::instance(1)}, core::PutInstance{test::instance(2)},
                      core::AppendAudit{test::audit(1)}}));
  EXPECT_EQ(store_->size().records, 3);
  ASSERT_TRUE(commit({core::PutInstance{test::instance(1)}, core::AppendAudit{test::audit(2)}}));
  EXPECT_EQ(store_->size().records, 4);
  ASSERT_TRUE(commit(
      {core::EraseInstance{test::instance(1).id}, core::EraseInstance{test::instance(9).id}}));
  EXPECT_EQ(store_->size().records, 3);
}

TEST_P(StoreContract, ACommitWithoutChangesIsAnswered) {
  EXPECT_TRUE(commit({}));
}

TEST_P(StoreContract, AVolatileChangeIsAMistakeOfOurs) {
  EXPECT_DEATH(store_->commit({core::SeeHost{}}, [](Result<void> const&) {}), "is_durable");
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, ::testing::Values("memory", "sqlite"),
                         [](auto const& which) { return std::string(which.param); });

}  // namespace
}  // namespace berth::store
