#include "daemon/core/filter.h"

#include <gtest/gtest.h>

#include "daemon/core/names.h"
#include "daemon/core/page.h"
#include "tests/support/region.h"

namespace berth {
namespace {

using core::Filter;
using core::matches;

TEST(Wildcards, MatchRunsAndSingleCharactersAndCanBeEscaped) {
  EXPECT_TRUE(matches("web-*", "web-1"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(matches("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(matches("t?.nano", "t3.nano"));
  EXPECT_FALSE(matches("t?.nano", "t.nano"));
  EXPECT_TRUE(matches("100\\*", "100*"));
  EXPECT_FALSE(matches("100\\*", "1000"));
  EXPECT_FALSE(matches("Web", "web")) << "case counts";
}

TEST(Wildcards, TakeLinearTimeOnHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  EXPECT_FALSE(matches(pattern + "b", std::string(20'000, 'a')));
}

std::vector<std::string> ids(Result<core::Reply> const& reply) {
  std::vector<std::string> out;
  for (auto const& r : std::get<core::Reservations>(*reply).items) {
    for (auto const& v : r.instances) out.push_back(v.instance.id.value);
  }
  return out;
}

TEST(Filters, AreAndAcrossNamesAndOrWithinValues) {
  testing::Region region;
  core::RunInstances ask = region.launch();
  ask.instance_tags = {{"role", "web"}};
  std::string const web = region.run(ask)[0];
  ask.instance_tags = {{"role", "db"}};
  std::string const db = region.run(ask)[0];
  region.report(web, Seen::running);
  auto found = [&](std::vector<Filter> filters) {
    return ids(region.call(core::DescribeInstances{.filters = std::move(filters)}));
  };
  EXPECT_EQ(found({{"tag:role", {"web", "db"}}}).size(), 2u);
  EXPECT_EQ(found({{"tag:role", {"w*"}}}), std::vector{web});
  EXPECT_EQ(found({{"tag:role", {"*"}}, {"instance-state-name", {"pending"}}}), std::vector{db});
  EXPECT_TRUE(found({{"vpc-id", {"*"}}}).empty()) << "a field nobody has a value for";
  EXPECT_TRUE(found({{"tag:role", {}}}).empty()) << "a filter without a value";
}

TEST(Filters, AnUnknownNameIsRefusedInEc2sWords) {
  testing::Region region;
  Result<core::Reply> const reply = region.call(core::DescribeInstances{.filters = {{"spam", {"x"}}}});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().message, "The filter 'spam' is invalid");
}

TEST(Pages, NeitherRepeatNorLoseAnInstance) {
  testing::Region region(3);
  core::RunInstances ask = region.launch();
  ask.max_count = 17;
  std::vector<std::string> launched = region.run(ask);
  std::sort(launched.begin(), launched.end());
  std::vector<std::string> seen;
  core::Page page{.max_results = 5};
  for (int i = 0; i < 10; ++i) {
    Result<core::Reply> const reply = region.call(core::DescribeInstances{.page = page});
    ASSERT_TRUE(reply.has_value());
    std::vector<std::string> const here = ids(reply);
    EXPECT_LE(here.size(), 5u);
    seen.insert(seen.end(), here.begin(), here.end());
    page.next_token = std::get<core::Reservations>(*reply).next_token;
    if (page.next_token.empty()) break;
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, launched);
}

TEST(Pages, AForeignTokenAndABadSizeAreRefused) {
  testing::Region region;
  auto refused = [&](core::Page page) {
    return region.call(core::DescribeInstances{.page = std::move(page)}).error().subject;
  };
  EXPECT_EQ(refused({.next_token = "!"}), "next-token");
  EXPECT_EQ(refused({.next_token = core::page_token("images", "ami-1")}), "next-token");
  EXPECT_EQ(refused({.max_results = 4}), "page");
  EXPECT_EQ(refused({.max_results = 1'001}), "page");
}

TEST(Names, IdsHaveAPrefixAndLowerHex) {
  EXPECT_TRUE(core::is_id("i-0123456789abcdef0", "i-"));
  EXPECT_TRUE(core::is_id("i-01234567", "i-")) << "the old short form";
  EXPECT_FALSE(core::is_id("i-0123456789ABCDEF0", "i-"));
  EXPECT_FALSE(core::is_id("i-0123", "i-"));
  EXPECT_FALSE(core::is_id("ami-0123456789abcdef0", "i-"));
}

TEST(Names, TagsHaveEc2sLimits) {
  EXPECT_TRUE(core::check_tags({{std::string(128, 'k'), std::string(256, 'v')}}).has_value());
  EXPECT_FALSE(core::check_tags({{std::string(129, 'k'), ""}}).has_value());
  EXPECT_FALSE(core::check_tags({{"k", std::string(257, 'v')}}).has_value());
  EXPECT_FALSE(core::check_tags({{"aws:x", ""}}).has_value());
  EXPECT_FALSE(core::check_tags({{"", ""}}).has_value());
  Tags fifty;
  for (int i = 0; i < 50; ++i) fifty["k" + std::to_string(i)] = "";
  EXPECT_TRUE(core::check_tags(fifty).has_value());
  fifty["one more"] = "";
  EXPECT_FALSE(core::check_tags(fifty).has_value());
}

}  // namespace
}  // namespace berth
