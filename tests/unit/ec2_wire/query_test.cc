#include "daemon/ec2/wire/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/ec2/wire/utf8.h"

namespace berth::ec2::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

QueryText post(std::string_view body) {
  return {.method = "POST",
          .target = "/",
          .content_type = "application/x-www-form-urlencoded; charset=utf-8",
          .body = body};
}

QueryText get(std::string_view target) {
  return {.method = "GET", .target = target};
}

std::string code_of(QueryText const& text) {
  auto const result = parse_query(text);
  return result ? "accepted" : result.error().code;
}

TEST(Query, reads_a_form_in_the_order_it_was_sent) {
  auto const result = parse_query(post("Action=DescribeInstances&Version=2016-11-15"));
  ASSERT_TRUE(result);
  EXPECT_THAT(*result, ElementsAre(Parameter{"Action", "DescribeInstances"},
                                   Parameter{"Version", "2016-11-15"}));
}

TEST(Query, reads_a_get_as_libcloud_sends_it) {
  auto const result = parse_query(get("/?Action=DescribeImages&Owner.1=self"));
  ASSERT_TRUE(result);
  EXPECT_THAT(*result,
              ElementsAre(Parameter{"Action", "DescribeImages"}, Parameter{"Owner.1", "self"}));
}

TEST(Query, plus_and_percent_20_are_both_a_space) {
  auto const result = parse_query(post("A=x+y&B=x%20y&C=x%2By"));
  ASSERT_TRUE(result);
  EXPECT_THAT(*result,
              ElementsAre(Parameter{"A", "x y"}, Parameter{"B", "x y"}, Parameter{"C", "x+y"}));
}

TEST(Query, keeps_empty_values_and_values_with_equals_signs) {
  auto const result = parse_query(post("SubnetId=&Token=ab==&Bare"));
  ASSERT_TRUE(result);
  EXPECT_THAT(*result, ElementsAre(Parameter{"SubnetId", ""}, Parameter{"Token", "ab=="},
                                   Parameter{"Bare", ""}));
}

TEST(Query, decodes_names_and_utf8) {
  auto const result = parse_query(post("Tag%2E1=%E2%82%ac"));
  ASSERT_TRUE(result);
  EXPECT_THAT(*result, ElementsAre(Parameter{"Tag.1", "\xE2\x82\xAC"}));
}

TEST(Query, an_empty_request_has_no_parameters) {
  EXPECT_THAT(*parse_query(post("")), IsEmpty());
  EXPECT_THAT(*parse_query(get("/")), IsEmpty());
  EXPECT_THAT(*parse_query(get("/?")), IsEmpty());
}

TEST(Query, refuses_what_two_readers_could_read_differently) {
  for (std::string_view const body :
       {"A=%", "A=%4", "A=%4g", "A=%zz", "A=1&&B=2", "=1", "&A=1", "A=1&", "A=\xC3\xA9", "A=%C3",
        "A=%ED%A0%80", "A=%00", "A=a b", "A=a\nb"}) {
    EXPECT_EQ(code_of(post(body)), "MalformedQueryString") << body;
  }
}

TEST(Query, refuses_a_name_given_twice_also_across_query_string_and_body) {
  EXPECT_EQ(code_of(post("A=1&A=1")), "InvalidQueryParameter");
  QueryText both = post("A=1");
  both.target = "/?A=1";
  EXPECT_EQ(code_of(both), "InvalidQueryParameter");
  both.target = "/?B=1";
  EXPECT_EQ(code_of(both), "accepted");
}

TEST(Query, refuses_other_methods_bodies_and_content_types) {
  QueryText put = post("A=1");
  put.method = "PUT";
  EXPECT_EQ(code_of(put), "MethodNotAllowed");
  EXPECT_EQ(parse_query(put).error().http_status, 405);
  QueryText with_body = get("/?A=1");
  with_body.body = "B=2";
  EXPECT_EQ(code_of(with_body), "MalformedQueryString");
  QueryText json = post("{}");
  json.content_type = "application/json";
  EXPECT_EQ(code_of(json), "MalformedQueryString");
  EXPECT_THAT(parse_query(json).error().message, HasSubstr("application/json"));
  QueryText upper = post("A=1");
  upper.content_type = "APPLICATION/X-WWW-FORM-URLENCODED ;charset=UTF-8";
  EXPECT_EQ(code_of(upper), "accepted");
}

TEST(Query, holds_its_limits_exactly) {
  std::string body = "p0=";
  for (std::size_t i = 1; i < kParametersMax; ++i) body += "&p" + std::to_string(i) + "=";
  EXPECT_EQ(code_of(post(body)), "accepted");
  QueryText one_more = post(body);
  one_more.target = "/?q=";
  EXPECT_EQ(code_of(one_more), "RequestEntityTooLarge");
  body += "&q=";
  EXPECT_EQ(code_of(post(body)), "RequestEntityTooLarge");

  std::string const name(kParameterNameBytesMax, 'n');
  EXPECT_EQ(code_of(post(name + "=1")), "accepted");
  EXPECT_EQ(code_of(post(name + "n=1")), "MalformedQueryString");

  std::string const value = "v=" + std::string(kParameterTextBytesMax - 2, 'x');
  EXPECT_EQ(code_of(post(value)), "accepted");
  EXPECT_EQ(code_of(post(value + "x")), "RequestEntityTooLarge");
  EXPECT_EQ(parse_query(post(value + "x")).error().http_status, 413);
}

TEST(Query, value_of_finds_the_first_of_a_name) {
  std::vector<Parameter> const parameters = {{"A", "1"}, {"B", "2"}};
  EXPECT_EQ(value_of(parameters, "B"), "2");
  EXPECT_EQ(value_of(parameters, "C"), "");
}

TEST(Utf8, knows_the_edges_of_well_formed_sequences) {
  for (std::string_view const good :
       {"\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(utf8_sequence(good), good.size());
  }
  for (std::string_view const bad :
       {"\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xE2\x82", "\xC3", "\xE2\x82\x28", ""}) {
    EXPECT_EQ(utf8_sequence(bad), 0U);
  }
}

}  // namespace
}  // namespace berth::ec2::wire
