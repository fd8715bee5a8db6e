#include "daemon/admin/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace berth::admin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Routes, names_and_addresses_are_unique) {
  std::set<std::string> names, addresses;
  for (Route const& route : routes()) {
    EXPECT_TRUE(names.insert(std::string(route.name)).second) << route.name;
    EXPECT_TRUE(addresses.insert(std::string(route.method) + " " + std::string(route.path)).second)
        << route.path;
  }
}

TEST(Routes, every_path_field_of_a_template_is_in_its_allow_list_and_back) {
  for (Route const& route : routes()) {
    std::set<std::string> in_template, in_fields;
    for (std::size_t at = route.path.find('{'); at != std::string_view::npos;
         at = route.path.find('{', at + 1)) {
      in_template.emplace(route.path.substr(at + 1, route.path.find('}', at) - at - 1));
    }
    for (Field const& field : route.fields) {
      if (field.place == Place::path) in_fields.emplace(field.name);
      EXPECT_FALSE(field.about.empty()) << route.name << " " << field.name;
    }
    EXPECT_EQ(in_template, in_fields) << route.name;
  }
}

TEST(Routes, only_reading_is_open_to_everyone_who_is_known) {
  for (Route const& route : routes()) {
    if (route.method != "GET") { EXPECT_GT(route.role, core::Role::viewer) << route.name; }
  }
}

TEST(Routes, a_path_gives_its_fields_decoded) {
  Match const found = match("POST", "/v1/hosts/rack%2F7/cordon");
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.route->name, "host.cordon");
  EXPECT_EQ(found.path.at("host"), "rack/7");
}

TEST(Routes, an_unknown_method_lists_the_known_ones) {
  Match const found = match("PUT", "/v1/tenants");
  EXPECT_EQ(found.route, nullptr);
  EXPECT_THAT(found.allowed, ElementsAre("GET", "POST"));
}

TEST(Routes, nothing_else_matches) {
  for (char const* path : {"", "/", "/v1", "/v1/", "/v1/tenants/", "/v1/tenants/a/b", "/v2/tenants",
                           "v1/tenants", "/v1/hosts/%zz", "/v1//tenants", "/v1/tenants/%00"}) {
    EXPECT_THAT(match("GET", path).allowed, IsEmpty()) << path;
  }
}

}  // namespace
}  // namespace berth::admin
