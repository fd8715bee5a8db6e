#include "daemon/admin/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace berth::admin {
namespace {

using testing::HasSubstr;

constexpr auto kInner = std::to_array<Field>({
    {.name = "vcpus", .kind = Kind::integer, .is_required = true, .min = 0, .max = 10},
});
constexpr auto kColours = std::to_array<std::string_view>({"red", "green"});
constexpr auto kWanted = std::to_array<Field>({
    {.name = "id", .place = Place::path, .is_required = true, .min = 1},
    {.name = "limit", .place = Place::query, .kind = Kind::integer, .min = 1, .max = 100},
    {.name = "name", .is_required = true, .min = 1, .max = 5},
    {.name = "colour", .one_of = kColours},
    {.name = "count", .kind = Kind::integer, .min = -1, .max = 3},
    {.name = "on", .kind = Kind::boolean},
    {.name = "tags", .kind = Kind::tags},
    {.name = "quota", .kind = Kind::object, .fields = kInner},
});

Result<Fields> read(std::string_view body, std::string_view query = "",
                    std::string_view type = "application/json") {
  return read_fields(kWanted,
                     {.path = {{"id", "x"}}, .query = query, .content_type = type, .body = body});
}
std::string refusal(std::string_view body, std::string_view query = "",
                    std::string_view type = "application/json") {
  Result<Fields> const fields = read(body, query, type);
  if (fields) return "accepted";
  EXPECT_EQ(fields.error().code, Code::invalid);
  return fields.error().message;
}

TEST(Fields, every_kind_is_read) {
  Result<Fields> const fields = read(
      R"({"name":"n\u00e9","colour":"red","count":-1,"on":true,"tags":{"a":"b"},"quota":{"vcpus":3}})",
      "limit=7");
  ASSERT_TRUE(fields) << fields.error().message;
  EXPECT_EQ(fields->text("id"), "x");
  EXPECT_EQ(fields->text("name"), "n\xc3\xa9");
  EXPECT_EQ(fields->number("count"), -1);
  EXPECT_EQ(fields->number("limit"), 7);
  EXPECT_EQ(fields->flag("on"), true);
  EXPECT_EQ(fields->tags("tags"), (Tags{{"a", "b"}}));
  EXPECT_EQ(fields->number("quota.vcpus"), 3);
  EXPECT_TRUE(fields->has("quota"));
}

TEST(Fields, an_unknown_field_is_refused_with_the_known_ones) {
  EXPECT_THAT(refusal(R"({"name":"n","role":"admin"})"),
              HasSubstr("unknown field \"role\": known are name, colour"));
  EXPECT_THAT(refusal(R"({"name":"n","quota":{"vcpus":1,"disk":2}})"),
              HasSubstr("quota: unknown field \"disk\""));
  EXPECT_THAT(refusal(R"({"name":"n"})", "offset=3"),
              HasSubstr("unknown query parameter \"offset\""));
  // A field of the path is no field of the body.
  EXPECT_THAT(refusal(R"({"name":"n","id":"y"})"), HasSubstr("unknown field \"id\""));
}

TEST(Fields, a_field_sent_twice_is_refused_at_any_depth) {
  EXPECT_THAT(refusal(R"({"name":"a","name":"b"})"), HasSubstr("\"name\" is there twice"));
  EXPECT_THAT(refusal(R"({"name":"a","quota":{"vcpus":1,"vcpus":2}})"),
              HasSubstr("\"vcpus\" is there twice"));
  EXPECT_THAT(refusal(R"({"name":"a"})", "limit=1&limit=2"), HasSubstr("\"limit\" is there twice"));
}

TEST(Fields, a_wrong_kind_says_what_was_wanted_and_what_was_found) {
  EXPECT_EQ(refusal(R"({"name":7})"), "\"name\" must be a string, found a number");
  EXPECT_EQ(refusal(R"({"name":"n","count":"3"})"), "\"count\" must be an integer, found a string");
  EXPECT_EQ(refusal(R"({"name":"n","count":1.5})"),
            "\"count\" must be an integer, found a number that is no integer");
  EXPECT_EQ(refusal(R"({"name":"n","count":18446744073709551615})"),
            "\"count\" must be an integer, found a number");
  EXPECT_EQ(refusal(R"({"name":"n","on":1})"), "\"on\" must be a boolean, found a number");
  EXPECT_EQ(refusal(R"({"name":"n","tags":["a"]})"),
            "\"tags\" must be an object of strings, found an array");
  EXPECT_EQ(refusal(R"({"name":"n","tags":{"a":null}})"), "tag \"a\" must be a string, found null");
  EXPECT_EQ(refusal(R"(["name"])"), "the body must be one JSON object");
}

TEST(Fields, bounds_hold_at_the_limit_and_not_past_it) {
  EXPECT_EQ(refusal(R"({"name":"12345","count":3})"), "accepted");
  EXPECT_EQ(refusal(R"({"name":"123456"})"), "\"name\" must have 1 to 5 bytes, found 6");
  EXPECT_EQ(refusal(R"({"name":""})"), "\"name\" must have 1 to 5 bytes, found 0");
  EXPECT_EQ(refusal(R"({"name":"n","count":4})"), "\"count\" must be -1 to 3, found 4");
  EXPECT_EQ(refusal(R"({"name":"n"})", "limit=0"), "\"limit\" must be 1 to 100, found 0");
  EXPECT_EQ(refusal(R"({"name":"n"})", "limit=1e3"), "\"limit\" must be an integer, found \"1e3\"");
  EXPECT_THAT(refusal(R"({"name":"n","colour":"blue"})"),
              HasSubstr("must be one of red, green, found \"blue\""));
}

TEST(Fields, what_is_missing_is_named) {
  EXPECT_THAT(refusal(R"({})"), HasSubstr("field \"name\" is missing"));
  EXPECT_THAT(refusal(""), HasSubstr("field \"name\" is missing"));
  EXPECT_THAT(refusal(R"({"name":"n","quota":{}})"),
              HasSubstr("field \"vcpus\" of \"quota\" is missing"));
}

TEST(Fields, nesting_is_read_to_its_limit_and_not_past_it) {
  auto const nested = [](std::size_t depth) {
    return R"({"name":"n","x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_THAT(refusal(nested(kJsonDepthMax)), HasSubstr("unknown field \"x\""));
  EXPECT_THAT(refusal(nested(kJsonDepthMax + 1)), HasSubstr("nests deeper than 32"));
  EXPECT_THAT(refusal(nested(100'000)), HasSubstr("nests deeper than 32"));
}

TEST(Fields, a_body_that_is_not_JSON_is_refused) {
  EXPECT_THAT(refusal("{"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(R"({"name":"n"} {})"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("{\"name\":\"\xff\"}"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(R"({"name":"n"})", "", "text/plain"),
              HasSubstr("Content-Type application/json"));
  EXPECT_THAT(refusal(R"({"name":"n"})", "", ""), HasSubstr("Content-Type application/json"));
  EXPECT_EQ(refusal(R"({"name":"n"})", "", "Application/JSON; charset=utf-8"), "accepted");
  EXPECT_THAT(refusal(std::string(kBodyBytesMax + 1, ' ')), HasSubstr("at most 1048576"));
}

TEST(Fields, control_characters_are_refused_everywhere) {
  EXPECT_THAT(refusal(R"({"name":"a\nb"})"), HasSubstr("control characters"));
  EXPECT_THAT(refusal(R"({"name":"a\u0000"})"), HasSubstr("control characters"));
  EXPECT_THAT(refusal(R"({"name":"n","tags":{"a":"\u001b[2J"}})"), HasSubstr("control characters"));
  EXPECT_THAT(refusal(R"({"name":"n"})", "limit=%0a1"), HasSubstr("control characters"));
}

TEST(Fields, an_address_must_decode_to_UTF8) {
  EXPECT_EQ(*percent_decoded("a%2Fb%20c+d"), "a/b c+d");
  EXPECT_EQ(*percent_decoded("%F0%9F%98%80"), "\xf0\x9f\x98\x80");
  for (char const* bad :
       {"%", "%2", "%zz", "%ff", "%c0%80", "%ed%a0%80", "%f4%90%80%80", "%e2%82"}) {
    EXPECT_FALSE(percent_decoded(bad)) << bad;
  }
}

TEST(Fields, too_many_tags_are_refused) {
  auto const tags = [](std::size_t count) {
    std::string out = R"({"name":"n","tags":{)";
    for (std::size_t i = 0; i < count; ++i)
      out += (i ? ",\"t" : "\"t") + std::to_string(i) + "\":\"\"";
    return out + "}}";
  };
  EXPECT_EQ(refusal(tags(limits::kTagsPerResourceMax)), "accepted");
  EXPECT_THAT(refusal(tags(limits::kTagsPerResourceMax + 1)), HasSubstr("at most 50"));
}

}  // namespace
}  // namespace berth::admin
