#include "daemon/core/names.h"

#include <gtest/gtest.h>

#include <set>

#include "berth/model/ids.h"
#include "berth/model/limits.h"

namespace berth::core {
namespace {

TEST(IdTest, AnIdIsItsPrefixAndEightOrSeventeenLowerCaseHexDigits) {
  EXPECT_TRUE(is_id("i-0123456789abcdef0", "i-"));
  EXPECT_TRUE(is_id("i-01234567", "i-"));
  EXPECT_FALSE(is_id("i-0123456789ABCDEF0", "i-"));
  EXPECT_FALSE(is_id("i-0123456789abcdef", "i-"));
  EXPECT_FALSE(is_id("ami-01234567", "i-"));
  EXPECT_FALSE(is_id("i-", "i-"));
  EXPECT_FALSE(is_id("", "i-"));
}

TEST(IdTest, DrawnIdsHaveTheFormAndDiffer) {
  SeededEntropy entropy(1);
  std::set<InstanceId> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(drawn<InstanceId>("i-", entropy));
  EXPECT_EQ(ids.size(), 10'000U);
  EXPECT_TRUE(is_id(ids.begin()->value, "i-"));
}

TEST(IdTest, ADomainsUuidBeginsWithEc2AndIsOfVersionFour) {
  SeededEntropy entropy(1);
  std::string const uuid = drawn_instance_uuid(entropy);
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid.substr(0, 3), "ec2");
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
}

TEST(IdTest, AMacIsLocallyAdministeredAndNoGroup) {
  SeededEntropy entropy(1);
  EXPECT_EQ(drawn_mac(entropy).substr(0, 3), "02:");
  EXPECT_EQ(drawn_mac(entropy).size(), 17U);
}

TEST(LabelTest, ALabelIsLowerCaseAndAtMostSixtyThree) {
  EXPECT_TRUE(is_label("host-1.rack2"));
  EXPECT_TRUE(is_label(std::string(63, 'a')));
  EXPECT_FALSE(is_label(std::string(64, 'a')));
  EXPECT_FALSE(is_label("-a"));
  EXPECT_FALSE(is_label("A"));
  EXPECT_FALSE(is_label(""));
}

TEST(TagTest, FiftyTagsAreAllowedAndOneMoreIsNot) {
  Tags tags;
  for (std::size_t i = 0; i < limits::kTagsPerResourceMax; ++i) tags["k" + std::to_string(i)] = "v";
  EXPECT_TRUE(check_tags(tags));
  tags["one more"] = "v";
  EXPECT_EQ(check_tags(tags).error().code, Code::quota);
}

TEST(TagTest, KeysAndValuesAreCountedInCharactersNotBytes) {
  auto repeated = [](std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += "β";
    return out;
  };
  EXPECT_TRUE(check_tags(
      {{repeated(limits::kTagKeyCharactersMax), repeated(limits::kTagValueCharactersMax)}}));
  EXPECT_FALSE(check_tags({{repeated(limits::kTagKeyCharactersMax + 1), ""}}));
  EXPECT_FALSE(check_tags({{"k", repeated(limits::kTagValueCharactersMax + 1)}}));
  EXPECT_FALSE(check_tags({{"", "v"}}));
  EXPECT_FALSE(check_tags({{"aws:x", "v"}}));
}

}  // namespace
}  // namespace berth::core
