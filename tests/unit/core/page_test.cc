#include "daemon/core/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::core {
namespace {

std::vector<std::string> walked(std::vector<std::string> const& keys, std::int64_t size) {
  std::vector<std::string> seen;
  Page page{.max_results = size};
  for (;;) {
    std::string const start = *page_start(page, "things", {.low = 1});
    PageFill fill(page, "things");
    for (std::string const& key : keys) {
      if (key <= start) continue;
      if (!fill.take(key)) break;
      seen.push_back(key);
    }
    if (fill.next_token().empty()) return seen;
    page.next_token = fill.next_token();
  }
}

TEST(PageTest, PagesOfAnySizeGiveEverythingOnce) {
  std::vector<std::string> const keys = {"a", "b", "c", "d", "e", "f", "g"};
  for (std::int64_t size = 1; size <= 9; ++size) EXPECT_EQ(walked(keys, size), keys) << size;
}

TEST(PageTest, ALastPageThatIsJustFullHasNoToken) {
  PageFill fill({.max_results = 2}, "things");
  EXPECT_TRUE(fill.take("a"));
  EXPECT_TRUE(fill.take("b"));
  EXPECT_EQ(fill.next_token(), "");
  EXPECT_FALSE(fill.take("c"));
  EXPECT_NE(fill.next_token(), "");
}

TEST(PageTest, WithoutALimitThereIsOnePage) {
  PageFill fill({}, "things");
  for (int i = 0; i < 5'000; ++i) EXPECT_TRUE(fill.take(std::to_string(i)));
  EXPECT_EQ(fill.next_token(), "");
}

TEST(PageTest, ATokenOfAnotherListOrOfNobodyIsRefused) {
  Page page{.next_token = page_token("images", "ami-1")};
  EXPECT_EQ(page_start(page, "instances", {}).error().subject, "next-token");
  page.next_token = "not base64!";
  EXPECT_EQ(page_start(page, "instances", {}).error().subject, "next-token");
}

TEST(PageTest, TheRangeIsInclusive) {
  for (std::int64_t good : {5, 1'000}) EXPECT_TRUE(page_start({.max_results = good}, "x", {}));
  for (std::int64_t bad : {4, 1'001, 0, -1})
    EXPECT_FALSE(page_start({.max_results = bad}, "x", {}));
}

}  // namespace
}  // namespace berth::core
