#include "daemon/core/filter.h"

#include <gtest/gtest.h>

#include "berth/base/entropy.h"
#include "berth/model/limits.h"

namespace berth::core {
namespace {

TEST(MatchesTest, AStarIsAnyRunAndAQuestionMarkOneCharacter) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("t?.*", "t3.nano"));
  EXPECT_TRUE(matches("a*b*c", "a-b--b-c"));
  EXPECT_FALSE(matches("?", ""));
  EXPECT_FALSE(matches("t?.*", "t10.nano"));
  EXPECT_FALSE(matches("a*b", "abc"));
}

TEST(MatchesTest, ABackslashTakesTheNextCharacterAsItIs) {
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "x"));
  EXPECT_TRUE(matches("a\\?b", "a?b"));
  EXPECT_FALSE(matches("a\\?b", "axb"));
  EXPECT_TRUE(matches("\\\\", "\\"));
  EXPECT_TRUE(matches("end\\", "end\\"));
}

TEST(MatchesTest, CaseMatters) {
  EXPECT_FALSE(matches("Name", "name"));
}

// Clever against dumb: try every split.
bool is_like(std::string_view p, std::string_view t) {
  if (p.empty()) return t.empty();
  if (p[0] == '*') return is_like(p.substr(1), t) || (!t.empty() && is_like(p, t.substr(1)));
  return !t.empty() && (p[0] == '?' || p[0] == t[0]) && is_like(p.substr(1), t.substr(1));
}

TEST(MatchesTest, AgreesWithTheDumbWayOnManyDrawnPairs) {
  SeededEntropy entropy(1);
  int matched = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string pattern;
    std::string text;
    for (std::uint64_t n = entropy.below(7); n > 0; --n) pattern += "ab*?"[entropy.below(4)];
    for (std::uint64_t n = entropy.below(9); n > 0; --n) text += "ab"[entropy.below(2)];
    ASSERT_EQ(matches(pattern, text), is_like(pattern, text)) << pattern << " on " << text;
    matched += matches(pattern, text) ? 1 : 0;
  }
  EXPECT_GT(matched, 1'000);
}

TEST(FilterLimitsTest, TheLimitIsAllowedAndOneMoreIsNot) {
  std::vector<Filter> filters(limits::kFiltersPerRequestMax, {"instance-id", {"x"}});
  EXPECT_TRUE(check_filter_limits(filters));
  filters.push_back({"instance-id", {"x"}});
  EXPECT_FALSE(check_filter_limits(filters));
  std::vector<Filter> values = {
      {"instance-id", std::vector<std::string>(limits::kFilterValuesMax, "x")}};
  EXPECT_TRUE(check_filter_limits(values));
  values[0].values.emplace_back("x");
  EXPECT_FALSE(check_filter_limits(values));
}

TEST(TagValuesTest, TagFiltersReadTheTags) {
  Tags const tags{{"Name", "web"}, {"a", ""}};
  EXPECT_EQ(tag_values(tags, "tag:Name"), std::vector<std::string>{"web"});
  EXPECT_EQ(tag_values(tags, "tag:none"), std::vector<std::string>{});
  EXPECT_EQ(tag_values(tags, "tag-key"), (std::vector<std::string>{"Name", "a"}));
  EXPECT_EQ(tag_values(tags, "image-id"), std::nullopt);
}

}  // namespace
}  // namespace berth::core
