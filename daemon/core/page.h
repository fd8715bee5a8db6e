#pragma once
// Pages of a list in key order. A token names the last key that was given, so that a page never
// repeats or loses a record that stayed; it is opaque to callers, and checked.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/base/digest.h"
#include "berth/base/result.h"
#include "daemon/core/input.h"

namespace berth::core {

struct PageRange {
  std::int64_t low = 5;
  std::int64_t high = 1'000;
};

[[nodiscard]] inline std::string page_token(std::string_view noun, std::string_view last_key) {
  return base64(std::string(noun) + "\n" + std::string(last_key));
}

// The key to go on after; empty: from the start. (invalid, "next-token") for a token we did not
// make.
[[nodiscard]] inline Result<std::string> page_start(Page const& page, std::string_view noun,
                                                    PageRange range) {
  if (page.max_results && (*page.max_results < range.low || *page.max_results > range.high)) {
    return Error{Code::invalid, "page",
                 "Value ( " + std::to_string(*page.max_results) +
                     " ) for parameter maxResults is invalid. Expecting a value between " +
                     std::to_string(range.low) + " and " + std::to_string(range.high) + "."};
  }
  if (page.next_token.empty()) return std::string();
  Result<std::string> const text = base64_decoded(page.next_token);
  std::string const prefix = std::string(noun) + "\n";
  if (!text || !text->starts_with(prefix)) {
    return Error{Code::invalid, "next-token", "The token '" + page.next_token + "' is invalid"};
  }
  return text->substr(prefix.size());
}

// Takes records in key order until the page is full; says whether there was one more.
class PageFill {
 public:
  PageFill(Page const& page, std::string_view noun)
      : left_(page.max_results.value_or(-1)), noun_(noun) {}

  // False: the page is full, stop. Otherwise count this key in.
  [[nodiscard]] bool take(std::string_view key) {
    if (left_ == 0) {
      is_cut_ = true;
      return false;
    }
    if (left_ > 0) --left_;
    last_ = key;
    return true;
  }
  [[nodiscard]] std::string next_token() const { return is_cut_ ? page_token(noun_, last_) : ""; }

 private:
  std::int64_t left_;  // negative: no limit
  std::string noun_;
  std::string last_;
  bool is_cut_ = false;
};

}  // namespace berth::core
