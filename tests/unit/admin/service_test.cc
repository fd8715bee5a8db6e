#include "daemon/admin/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "daemon/admin/routes.h"
#include "tests/unit/admin/fake_gate.h"

namespace berth::admin {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

json::object object_of(Answer const& answer) {
  return json::parse(answer.body).as_object();
}
std::string error_text(Answer const& answer, char const* member = "message") {
  return std::string(object_of(answer).at("error").as_object().at(member).as_string());
}

// A path of the route with something in place of each field.
std::string sample_path(Route const& route) {
  std::string out(route.path);
  for (std::size_t at = out.find('{'); at != std::string::npos; at = out.find('{')) {
    out.replace(at, out.find('}') - at + 1, "x");
  }
  return out;
}

TEST(AdminService, every_route_refuses_every_lesser_role_and_nobody) {
  Bench bench;
  for (Route const& route : routes()) {
    for (core::Role const role : {core::Role::viewer, core::Role::operate, core::Role::admin}) {
      if (role >= route.role) continue;
      Answer const answer = bench.ask(std::string(route.method), sample_path(route), "{}", role);
      EXPECT_EQ(answer.status, 403U) << route.name;
      EXPECT_EQ(error_text(answer, "code"), "forbidden") << route.name;
      Upload const upload = bench.service->begin_upload(
          Bench::request(std::string(route.method), sample_path(route), "", role));
      if (route.work == Work::import_image) { EXPECT_EQ(std::get<Answer>(upload).status, 403U); }
    }
    RequestView nobody = Bench::request(std::string(route.method), sample_path(route));
    nobody.role.reset();
    nobody.headers = {{"X-Forwarded-For", "127.0.0.1"}, {"X-Role", "admin"}};
    EXPECT_EQ(bench.ask(nobody).status, 401U) << route.name;
  }
  EXPECT_THAT(bench.gate.calls, IsEmpty());
  EXPECT_THAT(bench.images.files(), IsEmpty());
}

TEST(AdminService, the_core_is_told_who_asks_and_under_which_name) {
  Bench bench;
  RequestView request = Bench::request("POST", "/v1/hosts/h1/cordon", "", core::Role::operate);
  request.actor = "ada";
  request.peer = "192.0.2.1:9";
  bench.gate.answer = [](core::AdminCall const&) {
    return Result<core::Reply>(core::HostList{{core::HostView{}}});
  };
  Answer const answer = bench.ask(request);
  EXPECT_EQ(answer.status, 200U) << answer.body;
  core::AdminCall const& call = bench.gate.calls.at(0);
  EXPECT_EQ(call.actor, "ada");
  EXPECT_EQ(call.role, core::Role::operate);
  EXPECT_EQ(call.source, "192.0.2.1:9");
  EXPECT_EQ(call.action_name, "host.cordon");
  EXPECT_THAT(call.request_id,
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(bench.gate.action<core::CordonHost>(0).host, "h1");
  EXPECT_TRUE(bench.gate.action<core::CordonHost>(0).cordon);
  EXPECT_EQ(answer.headers.at(0),
            (std::pair<std::string, std::string>("X-Request-Id", call.request_id)));
}

TEST(AdminService, unknown_paths_and_methods_are_told_apart) {
  Bench bench;
  EXPECT_EQ(bench.ask("GET", "/v1/nothing").status, 404U);
  Answer const answer = bench.ask("DELETE", "/v1/tenants");
  EXPECT_EQ(answer.status, 405U);
  EXPECT_EQ(answer.headers.back(), (std::pair<std::string, std::string>("Allow", "GET, POST")));
}

TEST(AdminService, a_field_that_is_not_listed_reaches_nobody) {
  Bench bench;
  Answer const answer = bench.ask("POST", "/v1/tenants", R"({"name":"acme","role":"admin"})");
  EXPECT_EQ(answer.status, 400U);
  EXPECT_THAT(error_text(answer), HasSubstr("unknown field \"role\""));
  EXPECT_EQ(bench.ask("GET", "/v1/tenants?debug=1").status, 400U);
  EXPECT_EQ(bench.ask("POST", "/v1/tenants", std::string(kBodyBytesMax + 1, ' ')).status, 413U);
  EXPECT_THAT(bench.gate.calls, IsEmpty());
}

TEST(AdminService, an_error_of_the_core_becomes_its_status_and_keeps_its_words) {
  Bench bench;
  std::pair<Code, unsigned> const expected[] = {
      {Code::invalid, 400},     {Code::unauthenticated, 401}, {Code::forbidden, 403},
      {Code::not_found, 404},   {Code::exists, 409},          {Code::conflict, 409},
      {Code::quota, 409},       {Code::no_capacity, 503},     {Code::throttled, 429},
      {Code::unavailable, 503}, {Code::timeout, 504},         {Code::corrupt, 500}};
  for (auto const& [code, status] : expected) {
    bench.gate.answer = [code = code](core::AdminCall const&) {
      return Result<core::Reply>(Error{code, "host", "why \"not\""});
    };
    Answer const answer = bench.ask("GET", "/v1/hosts/h");
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(error_text(answer, "code"), name(code));
    EXPECT_EQ(error_text(answer, "subject"), "host");
    EXPECT_EQ(error_text(answer), "why \"not\"");
    EXPECT_EQ(error_text(answer, "request_id"), bench.gate.calls.back().request_id);
  }
}

TEST(AdminService, a_new_access_key_is_shown_once_and_reaches_the_core_sealed) {
  Bench bench;
  Answer const answer = bench.ask("POST", "/v1/keys", R"({"tenant":"123456789012"})");
  ASSERT_EQ(answer.status, 201U) << answer.body;
  json::object const made = object_of(answer);
  std::string const id(made.at("access_key_id").as_string());
  std::string const secret(made.at("secret_access_key").as_string());
  EXPECT_THAT(id, MatchesRegex("AKIA[A-Z2-7]{16}"));
  EXPECT_THAT(secret, MatchesRegex("[A-Za-z0-9/+]{40}"));
  auto const& call = bench.gate.action<core::CreateAccessKey>(0);
  EXPECT_EQ(call.id, id);
  EXPECT_EQ(call.tenant, "123456789012");
  EXPECT_THAT(call.secret_sealed, Not(HasSubstr(secret)));
  EXPECT_EQ(*unsealed(kRegionKey, call.secret_sealed, id), secret);
  EXPECT_FALSE(unsealed(kRegionKey, call.secret_sealed, "AKIAOTHER"));
  Answer const second = bench.ask("POST", "/v1/keys", R"({"tenant":"123456789012"})");
  EXPECT_NE(object_of(second).at("access_key_id"), made.at("access_key_id"));
  EXPECT_NE(object_of(second).at("secret_access_key"), made.at("secret_access_key"));
}

TEST(AdminService, a_refused_key_shows_no_secret) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const&) {
    return Result<core::Reply>(Error{Code::not_found, "tenant", "no such tenant"});
  };
  Answer const answer = bench.ask("POST", "/v1/keys", R"({"tenant":"1"})");
  EXPECT_EQ(answer.status, 404U);
  EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
}

TEST(AdminService, enrolment_gives_the_token_of_the_host_that_the_core_drew) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const& call) {
    auto const& ask = std::get<core::EnrollHost>(call.action);
    Host host;
    host.id = HostId("host-00000000000000001");
    host.name = ask.name;
    host.zone = ZoneName(ask.zone);
    host.join_token_digest = ask.token_digest;
    host.join_token_expires = WallTime{1'000};
    return Result<core::Reply>(core::Enrolled{host});
  };
  Answer const answer = bench.ask(
      "POST", "/v1/hosts", R"({"name":"h1","zone":"us-east-1a","rack":"r1","tags":{"a":"b"}})");
  ASSERT_EQ(answer.status, 201U) << answer.body;
  json::object const made = object_of(answer);
  EXPECT_EQ(made.at("host_id"), "host-00000000000000001");
  EXPECT_EQ(made.at("token"), "token-of-host-00000000000000001");
  EXPECT_EQ(made.at("daemon"), "berthd.example:8774");
  EXPECT_EQ(made.at("token_expires"), "1970-01-01T00:00:01.000Z");
  ASSERT_EQ(bench.gate.calls.size(), 2U);
  auto const& last = bench.gate.action<core::EnrollHost>(1);
  EXPECT_EQ(last.token_digest, hex(sha256("token-of-host-00000000000000001")));
  EXPECT_EQ(last.rack, "r1");
  EXPECT_EQ(last.tags, (Tags{{"a", "b"}}));
  // Until then the host waits for a token that nobody has.
  EXPECT_EQ(bench.gate.action<core::EnrollHost>(0).token_digest.size(), 64U);
  EXPECT_NE(bench.gate.action<core::EnrollHost>(0).token_digest, last.token_digest);
}

TEST(AdminService, a_quota_is_replaced_whole_and_an_empty_change_is_refused) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const&) {
    return Result<core::Reply>(core::TenantList{{core::TenantView{}}});
  };
  EXPECT_EQ(bench.ask("PATCH", "/v1/tenants/1", "{}").status, 400U);
  EXPECT_EQ(bench.ask("PATCH", "/v1/tenants/1", R"({"quota":{"vcpus":1}})").status, 400U);
  EXPECT_THAT(bench.gate.calls, IsEmpty());
  Answer const answer = bench.ask(
      "PATCH", "/v1/tenants/1",
      R"({"enabled":false,"quota":{"instances":1,"vcpus":2,"memory_mib":3,"disk_gib":4,"key_pairs":5,"images":6}})");
  EXPECT_EQ(answer.status, 200U) << answer.body;
  auto const& call = bench.gate.action<core::SetTenant>(0);
  EXPECT_EQ(call.enabled, false);
  EXPECT_EQ(call.quota, (Quota{.instances = 1,
                               .vcpus = 2,
                               .memory = Mebibytes(3),
                               .disk_gib = 4,
                               .key_pairs = 5,
                               .images = 6}));
}

TEST(AdminService, a_list_is_paged_in_order_to_its_end) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const&) {
    core::Types types;
    for (char const* name : {"c", "a", "e", "b", "d"})
      types.items.push_back(InstanceType{.name = TypeName(name)});
    return Result<core::Reply>(types);
  };
  std::string seen, after;
  for (int pages = 0; pages < 3; ++pages) {
    json::object const page =
        object_of(bench.ask("GET", "/v1/types?limit=2" + (after.empty() ? "" : "&after=" + after)));
    for (json::value const& item : page.at("items").as_array()) seen += item.at("name").as_string();
    if (page.at("next").is_null()) {
      after.clear();
      break;
    }
    after = page.at("next").as_string();
    seen += '|';
  }
  EXPECT_EQ(seen, "ab|cd|e");
  EXPECT_EQ(bench.ask("GET", "/v1/types?limit=10001").status, 400U);
}

TEST(AdminService, one_tenant_is_picked_or_not_found) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const&) {
    core::TenantList list;
    for (char const* id : {"000000000001", "000000000002"})
      list.items.push_back({.tenant = {.id = TenantId(id)}});
    return Result<core::Reply>(list);
  };
  EXPECT_EQ(object_of(bench.ask("GET", "/v1/tenants/000000000002")).at("id"), "000000000002");
  EXPECT_EQ(bench.ask("GET", "/v1/tenants/000000000003").status, 404U);
}

TEST(AdminService, user_data_is_counted_but_never_shown) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const&) {
    Instance instance;
    instance.user_data = "canary-in-user-data";
    return Result<core::Reply>(core::InstanceList{{core::InstanceView{.instance = instance}}});
  };
  Answer const answer = bench.ask("GET", "/v1/instances/i-1", "", core::Role::viewer);
  EXPECT_THAT(answer.body, Not(HasSubstr("canary")));
  EXPECT_EQ(object_of(answer).at("user_data_bytes"), 19);
}

TEST(AdminService, the_audit_log_is_read_in_pages) {
  Bench bench;
  std::vector<std::pair<std::uint64_t, std::size_t>> asked;
  bench.options.audit = [&](std::uint64_t first, std::size_t count) {
    asked.emplace_back(first, count);
    std::vector<core::AuditRecord> out;
    for (std::uint64_t n = first; n <= 5 && out.size() < count; ++n)
      out.push_back({.number = n, .actor = "admin/root\x1b"});
    return Result<std::vector<core::AuditRecord>>(out);
  };
  bench.restart();
  json::object page = object_of(bench.ask("GET", "/v1/audit?first=2&count=2"));
  EXPECT_EQ(page.at("next"), "4");
  EXPECT_EQ(page.at("items").at(1).at("number"), 3);
  page = object_of(bench.ask("GET", "/v1/audit?first=4&count=3"));
  EXPECT_TRUE(page.at("next").is_null());
  EXPECT_EQ(object_of(bench.ask("GET", "/v1/audit")).at("items").as_array().size(), 5U);
  EXPECT_EQ(asked.back(), (std::pair<std::uint64_t, std::size_t>(1, 1'000)));
}

TEST(AdminService, health_is_the_cores_own_answer) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const&) {
    return Result<core::Reply>(core::Summary{.region = "us-east-1"});
  };
  EXPECT_EQ(object_of(bench.ask("GET", "/v1/health")).at("status"), "ok");
  bench.gate.answer = [](core::AdminCall const&) {
    return Result<core::Reply>(Error{Code::throttled, "queue", "full"});
  };
  EXPECT_EQ(bench.ask("GET", "/v1/health").status, 429U);
}

TEST(AdminService, a_reply_of_another_kind_is_our_error_and_no_crash) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const&) { return Result<core::Reply>(core::Regions{}); };
  for (Route const& route : routes()) {
    if (route.action == nullptr) continue;
    Answer const answer =
        bench.ask(std::string(route.method), sample_path(route),
                  route.name == "type.put" ? R"({"vcpus":1,"memory_mib":512})" : "");
    EXPECT_TRUE(answer.status == 503U || answer.status == 400U) << route.name << " " << answer.body;
  }
}

TEST(AdminService, answers_are_rendered_where_the_options_say) {
  Bench bench;
  std::vector<std::function<void()>> later;
  bench.options.run = [&](std::function<void()> work) { later.push_back(std::move(work)); };
  bench.restart();
  bench.gate.answer = [](core::AdminCall const&) { return Result<core::Reply>(core::ZoneList{}); };
  int answered = 0;
  bench.service->handle(Bench::request("GET", "/v1/zones"), [&](Answer const& answer) {
    EXPECT_EQ(answer.status, 200U);
    ++answered;
  });
  EXPECT_EQ(answered, 0);
  ASSERT_EQ(later.size(), 1U);
  later.front()();
  EXPECT_EQ(answered, 1);
}

}  // namespace
}  // namespace berth::admin
