#include "daemon/http/uri.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

std::string decoded(std::string_view text, Plus plus = Plus::literal) {
  auto const out = percent_decode(text, plus);
  return out ? *out : "error: " + out.error().message;
}

TEST(Uri, percent_decoding_takes_both_cases_of_hex_and_every_byte) {
  EXPECT_EQ(decoded("a%2fb%2Fc"), "a/b/c");
  EXPECT_EQ(decoded("%00%ff"), std::string("\0\xff", 2));
  EXPECT_EQ(decoded(""), "");
}

TEST(Uri, a_plus_is_a_space_only_where_forms_are_meant) {
  EXPECT_EQ(decoded("a+b%2B", Plus::literal), "a+b+");
  EXPECT_EQ(decoded("a+b%2B", Plus::space), "a b+");
}

TEST(Uri, a_percent_sign_needs_two_hexadecimal_digits) {
  EXPECT_EQ(decoded("ab%4"),
            "error: wanted two hexadecimal digits after '%' at offset 2, found '%4'");
  EXPECT_EQ(decoded("%"), "error: wanted two hexadecimal digits after '%' at offset 0, found '%'");
  EXPECT_EQ(decoded("%g0"),
            "error: wanted two hexadecimal digits after '%' at offset 0, found '%g0'");
  EXPECT_EQ(decoded("%0g"),
            "error: wanted two hexadecimal digits after '%' at offset 0, found '%0g'");
  EXPECT_EQ(decoded("%%41"),
            "error: wanted two hexadecimal digits after '%' at offset 0, found '%%4'");
  EXPECT_EQ(decoded("%41%4"),
            "error: wanted two hexadecimal digits after '%' at offset 3, found '%4'");
}

TEST(Uri, the_last_escape_may_end_the_text) {
  EXPECT_EQ(decoded("x%41"), "xA");
}

TEST(Uri, encoding_leaves_the_unreserved_alone_and_writes_upper_case_hex) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b/c+\xff"), "a%20b%2Fc%2B%FF");
  EXPECT_EQ(percent_encode_path("/a b/c"), "/a%20b/c");
}

TEST(Uri, what_is_encoded_decodes_to_itself) {
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  EXPECT_EQ(decoded(percent_encode(every)), every);
  EXPECT_EQ(decoded(percent_encode(every), Plus::space), every);
  EXPECT_EQ(decoded(percent_encode_path(every)), every);
}

TEST(Uri, a_target_splits_at_its_first_question_mark) {
  EXPECT_EQ(*split_target("/a%20b?x=1&y=?2"), (Target{"/a%20b", "x=1&y=?2"}));
  EXPECT_EQ(*split_target("/"), (Target{"/", ""}));
  EXPECT_EQ(*split_target("/?"), (Target{"/", ""}));
  EXPECT_EQ(*split_target("*"), (Target{"*", ""}));
}

TEST(Uri, an_absolute_target_loses_its_authority) {
  EXPECT_EQ(*split_target("http://h:8773/a?b"), (Target{"/a", "b"}));
  EXPECT_EQ(*split_target("HTTPS://h"), (Target{"/", ""}));
  EXPECT_EQ(*split_target("http://h?q"), (Target{"/", "q"}));
}

TEST(Uri, a_target_that_is_none_is_refused) {
  for (std::string_view const bad : {"", "a", "?x", "ftp://h/", "http://", "http:///a", "/a b",
                                     "/a#f", "/a\x7f", "/\xc3\xa4", "h:443"}) {
    EXPECT_FALSE(split_target(bad)) << bad;
  }
  EXPECT_FALSE(split_target(std::string_view("/\0", 2)));
  EXPECT_EQ(split_target("/a b").error().message,
            "wanted visible ASCII in the request-target, found byte 32 at offset 2");
}

TEST(Uri, a_form_is_an_ordered_list_with_its_duplicates) {
  auto const form = parse_form("b=2&a=1+x&b=%33&c&d=&=e&&f=g=h", Plus::space);
  ASSERT_TRUE(form);
  EXPECT_EQ(
      *form,
      (std::vector<Parameter>{
          {"b", "2"}, {"a", "1 x"}, {"b", "3"}, {"c", ""}, {"d", ""}, {"", "e"}, {"f", "g=h"}}));
  EXPECT_TRUE(parse_form("", Plus::space)->empty());
  EXPECT_TRUE(parse_form("&&&", Plus::space)->empty());
}

TEST(Uri, a_bad_escape_anywhere_in_a_form_refuses_all_of_it) {
  EXPECT_FALSE(parse_form("a=1&b%=2", Plus::space));
  EXPECT_FALSE(parse_form("a=1&b=%zz", Plus::space));
}

TEST(Uri, a_form_has_at_most_its_limit_of_parameters) {
  EXPECT_TRUE(parse_form("a&b&c&", Plus::space, 3));
  EXPECT_FALSE(parse_form("a&b&c&d", Plus::space, 3));
  EXPECT_EQ(parse_form("a&b", Plus::space, 1).error().message, "at most 1 parameters are read");
}

}  // namespace
}  // namespace berth::http
