// berthctl's verbs against the daemon's own route table and service: neither may drift.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "ctl/help.h"
#include "ctl/run.h"
#include "daemon/admin/routes.h"
#include "tests/unit/admin/fake_gate.h"

namespace berth::ctl {
namespace {

admin::Route const* route_of(Verb const& verb) {
  auto const all = admin::routes();
  auto const it = std::ranges::find_if(
      all, [&](admin::Route const& r) { return r.method == verb.method && r.path == verb.path; });
  return it == all.end() ? nullptr : &*it;
}

admin::Place place_of(Place place) {
  switch (place) {
    case Place::path: return admin::Place::path;
    case Place::query: return admin::Place::query;
    case Place::body:
    case Place::local: break;
  }
  return admin::Place::body;
}
admin::Kind kind_of(Kind kind) {
  switch (kind) {
    case Kind::text: return admin::Kind::text;
    case Kind::integer: return admin::Kind::integer;
    case Kind::boolean: return admin::Kind::boolean;
    case Kind::tags: break;
  }
  return admin::Kind::tags;
}

TEST(Verbs, every_input_is_a_field_of_its_route_in_the_same_place_and_kind) {
  for (Verb const& verb : verbs()) {
    if (verb.method.empty()) continue;
    admin::Route const* route = route_of(verb);
    ASSERT_NE(route, nullptr) << command_of(verb);
    std::set<std::string_view> given;
    for (auto const inputs : {verb.arguments, verb.flags}) {
      for (Input const& wanted : inputs) {
        if (wanted.place == Place::local || verb.act == Act::set_quota) continue;
        auto const field = std::ranges::find_if(route->fields, [&](admin::Field const& f) {
          return f.name == wanted.field && f.place == place_of(wanted.place);
        });
        ASSERT_NE(field, route->fields.end()) << command_of(verb) << " " << wanted.name;
        EXPECT_EQ(field->kind, kind_of(wanted.kind)) << command_of(verb) << " " << wanted.name;
        bool const is_argument = inputs.data() == verb.arguments.data();
        EXPECT_EQ(field->is_required, is_argument || wanted.is_required)
            << command_of(verb) << " " << wanted.name;
        given.insert(wanted.field);
      }
    }
    if (verb.act == Act::set_quota) continue;
    for (admin::Field const& field : route->fields) {
      bool const is_fixed =
          verb.fixed_body.find("\"" + std::string(field.name) + "\":") != std::string_view::npos;
      if (field.is_required) {
        EXPECT_TRUE(given.contains(field.name) || is_fixed)
            << command_of(verb) << " lacks " << field.name;
      }
    }
  }
}

TEST(Verbs, every_route_has_a_verb_except_those_for_programs) {
  for (admin::Route const& route : admin::routes()) {
    if (route.name == "health.show" || route.name == "openapi.show") continue;
    EXPECT_TRUE(std::ranges::any_of(verbs(), [&](Verb const& v) { return route_of(v) == &route; }))
        << route.name;
  }
}

TEST(Verbs, every_column_shows_a_member_of_the_answer) {
  for (Verb const& verb : verbs()) {
    for (Column const& column : verb.columns) {
      for (std::string_view path : {column.path, column.path2}) {
        admin::Noun noun = verb.act == Act::status ? admin::Noun::zone : route_of(verb)->noun;
        while (!path.empty()) {
          std::string_view const name = path.substr(0, path.find('.'));
          auto const properties = admin::shape(noun).properties;
          auto const it = std::ranges::find(properties, name, &admin::Property::name);
          ASSERT_NE(it, properties.end()) << command_of(verb) << " " << column.path;
          noun = it->object;
          path.remove_prefix(std::min(name.size() + 1, path.size()));
        }
      }
    }
  }
}

TEST(Verbs, every_example_parses_to_its_own_verb) {
  for (Verb const& verb : verbs()) {
    std::vector<std::string> words;
    std::string word;
    bool is_quoted = false;
    for (char const c : std::string(verb.example) + " ") {
      if (c == '\'')
        is_quoted = !is_quoted;
      else if (c == ' ' && !is_quoted) {
        words.push_back(word);
        word.clear();
      } else
        word += c;
    }
    ASSERT_EQ(words.front(), "berthctl");
    words.erase(words.begin());
    Result<CommandLine> const line = parse(words);
    ASSERT_TRUE(line) << verb.example << ": " << line.error().message;
    EXPECT_EQ(std::get<Command>(line->what).verb, &verb);
    EXPECT_FALSE(noun_summary(verb.noun).empty());
  }
}

// The daemon's service behind the session, without a socket between them.
TEST(Verbs, the_service_takes_what_berthctl_sends) {
  admin::Bench bench;
  bench.gate.answer = [](core::AdminCall const& call) -> Result<core::Reply> {
    if (std::holds_alternative<core::SetTenant>(call.action))
      return core::Reply(core::TenantList{{core::TenantView{}}});
    if (auto const* zone = std::get_if<core::PutZoneCall>(&call.action))
      return core::Reply(core::ZoneList{
          {core::ZoneView{.zone = {.name = ZoneName(zone->name), .id = "use1-az1"}}}});
    if (std::holds_alternative<core::ListTenants>(call.action))
      return core::Reply(
          core::TenantList{{core::TenantView{.tenant = {.id = TenantId("123456789012")}}}});
    if (std::holds_alternative<core::PutType>(call.action))
      return core::Reply(core::Types{{InstanceType{.name = TypeName("m5.large")}}});
    return Error{Code::forbidden, "role", "not in this test"};
  };
  std::ostringstream out, err;
  Session session{.exchange = [&](Request const& request) -> Result<Response> {
                    admin::Answer const answer =
                        bench.ask(request.method, request.target, request.body);
                    return Response{.status = static_cast<int>(answer.status), .body = answer.body};
                  },
                  .out = out,
                  .err = err};
  for (std::vector<std::string> const& words :
       {std::vector<std::string>{"zone", "create", "us-east-1a", "--jurisdiction=US",
                                 "--operator=Example Inc."},
        std::vector<std::string>{"tenant", "quota", "123456789012", "--vcpus=7"},
        std::vector<std::string>{"tenant", "disable", "123456789012"},
        std::vector<std::string>{"type", "put", "m5.large", "--vcpus=2", "--memory_mib=8192",
                                 "--cpu_vendor=Intel"}}) {
    Result<CommandLine> const line = parse(words);
    ASSERT_TRUE(line);
    Result<void> const done = run(std::get<Command>(line->what), session);
    EXPECT_TRUE(done) << words[0] << " " << words[1] << ": " << done.error().message;
  }
  EXPECT_THAT(out.str(), testing::HasSubstr("zone us-east-1a is there, id use1-az1\n"));
  EXPECT_EQ(bench.gate.action<core::PutZoneCall>(0).operator_name, "Example Inc.");
  EXPECT_EQ(bench.gate.action<core::SetTenant>(2).quota->vcpus, 7);
  EXPECT_EQ(bench.gate.action<core::SetTenant>(2).quota->instances, Quota{}.instances);
}

}  // namespace
}  // namespace berth::ctl
