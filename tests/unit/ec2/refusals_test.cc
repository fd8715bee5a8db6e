#include "daemon/ec2/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::ec2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Instant kStart{1'000};
constexpr Instant kEnd = kStart + Refusals::kWindow;

std::string peer(int n) {
  return "192.0.2." + std::to_string(n) + ":4711";
}

TEST(Refusals, TheFirstFewOfAnAddressAreRecordedAndOneMoreIsCounted) {
  Refusals refusals;
  for (int i = 0; i < Refusals::kSinglesPerAddressMax; ++i) {
    EXPECT_TRUE(refusals.take("192.0.2.1:" + std::to_string(i), kStart));
  }
  EXPECT_FALSE(refusals.take("192.0.2.1:99", kStart)) << "another port is no other address";
  EXPECT_TRUE(refusals.take("[2001:db8::1]:99", kStart));
  EXPECT_THAT(refusals.due(kEnd - Duration{1}), IsEmpty());
  EXPECT_THAT(refusals.due(kEnd), ElementsAre(Refusals::Summary{"192.0.2.1", 1}));
  EXPECT_THAT(refusals.due(kEnd), IsEmpty()) << "told twice";
  EXPECT_TRUE(refusals.take("192.0.2.1:1", kEnd)) << "the next minute begins anew";
}

TEST(Refusals, RecordsOfAMinuteAreBoundedHoweverManyAddressesThereAre) {
  Refusals refusals;
  std::int64_t singles = 0;
  std::int64_t all = 0;
  for (int round = 0; round < 20; ++round) {
    for (int n = 0; n < 1'000; ++n, ++all) singles += refusals.take(peer(n), kStart) ? 1 : 0;
  }
  EXPECT_EQ(singles, Refusals::kSinglesMax);
  auto const summaries = refusals.due(kEnd);
  EXPECT_EQ(summaries.size(), Refusals::kAddressesMax + 1);
  EXPECT_EQ(summaries.back().address, "*");
  std::int64_t counted = singles;
  for (auto const& s : summaries) counted += s.count;
  EXPECT_EQ(counted, all) << "some were neither recorded nor counted";
}

TEST(Refusals, ACountThatNobodyAskedForIsNotLost) {
  Refusals refusals;
  for (int i = 0; i < 15; ++i) (void)refusals.take(peer(1), kStart);
  for (int i = 0; i < 15; ++i) (void)refusals.take(peer(1), kEnd);
  EXPECT_THAT(refusals.due(kEnd + Refusals::kWindow),
              ElementsAre(Refusals::Summary{"192.0.2.1", 10}, Refusals::Summary{"*", 10}));
}

TEST(Refusals, NothingHappenedMeansNothingDue) {
  Refusals refusals;
  EXPECT_THAT(refusals.due(kEnd), IsEmpty());
}

}  // namespace
}  // namespace berth::ec2
