#include "daemon/admin/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <set>

#include "daemon/admin/render.h"
#include "daemon/admin/routes.h"
#include "tests/unit/admin/fake_gate.h"

namespace berth::admin {
namespace {

namespace json = boost::json;

json::object const& document() {
  static json::object const made = json::parse(openapi_document("9.9")).as_object();
  return made;
}

std::string lower(std::string_view text) {
  std::string out;
  for (char const c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

json::value const* resolved(json::value const& schema) {
  json::value const* reference = schema.as_object().if_contains("$ref");
  if (reference == nullptr) return &schema;
  std::string const text(reference->as_string());
  std::string const prefix = "#/components/schemas/";
  EXPECT_TRUE(text.starts_with(prefix)) << text;
  return document()
      .at("components")
      .at("schemas")
      .as_object()
      .if_contains(text.substr(prefix.size()));
}

// The part of JSON Schema that the document uses; what is wrong, or nothing.
std::string mismatch(json::value const& schema_or_reference, json::value const& value,
                     std::string const& where) {
  json::value const* schema = resolved(schema_or_reference);
  if (schema == nullptr) return where + ": dangling reference";
  json::object const& rules = schema->as_object();
  if (value.is_null()) return rules.contains("nullable") ? "" : where + ": null";
  if (json::value const* all = rules.if_contains("allOf"))
    return mismatch(all->as_array().at(0), value, where);
  std::string const type(rules.at("type").as_string());
  if (type == "string") return value.is_string() ? "" : where + ": not a string";
  if (type == "boolean") return value.is_bool() ? "" : where + ": not a boolean";
  if (type == "integer")
    return value.is_int64() || value.is_uint64() ? "" : where + ": not an integer";
  if (type == "array") {
    if (!value.is_array()) return where + ": not an array";
    for (json::value const& item : value.as_array()) {
      std::string wrong = mismatch(rules.at("items"), item, where + "[]");
      if (!wrong.empty()) return wrong;
    }
    return "";
  }
  if (!value.is_object()) return where + ": not an object";
  json::object const* properties =
      rules.contains("properties") ? &rules.at("properties").as_object() : nullptr;
  for (auto const& [key, inner] : value.as_object()) {
    json::value const* rule = properties != nullptr ? properties->if_contains(key) : nullptr;
    json::value const* more = rules.if_contains("additionalProperties");
    if (rule == nullptr && more != nullptr && more->is_object()) rule = more;
    if (rule == nullptr) {
      if (more != nullptr) return where + ": undocumented " + std::string(key);
      continue;
    }
    std::string wrong = mismatch(*rule, inner, where + "." + std::string(key));
    if (!wrong.empty()) return wrong;
  }
  if (json::value const* required = rules.if_contains("required")) {
    for (json::value const& name : required->as_array()) {
      if (!value.as_object().contains(name.as_string()))
        return where + ": lacks " + std::string(name.as_string());
    }
  }
  return "";
}

TEST(OpenApi, has_every_route_and_no_other) {
  std::set<std::string> documented, served;
  for (auto const& [path, methods] : document().at("paths").as_object()) {
    for (auto const& [method, operation] : methods.as_object()) {
      documented.insert(std::string(method) + " " + std::string(path) + " " +
                        std::string(operation.at("operationId").as_string()));
    }
  }
  for (Route const& route : routes())
    served.insert(lower(route.method) + " " + std::string(route.path) + " " +
                  std::string(route.name));
  EXPECT_EQ(documented, served);
}

TEST(OpenApi, the_reference_page_lists_every_route_and_no_other) {
  std::ifstream file("docs/reference/admin-api.md");
  std::set<std::string> documented, served;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) documented.insert(line);
  }
  for (Route const& route : routes()) {
    served.insert("| `" + std::string(route.name) + "` | `" + std::string(route.method) + " " +
                  std::string(route.path) + "` | " + std::string(name(route.role)) + " |");
  }
  EXPECT_EQ(documented, served);
}

TEST(OpenApi, every_reference_leads_somewhere) {
  std::string const text = openapi_document("9.9");
  std::string const mark = "\"$ref\":\"#/components/schemas/";
  int found = 0;
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + 1), ++found) {
    std::size_t const from = at + mark.size();
    std::string const name = text.substr(from, text.find('"', from) - from);
    EXPECT_TRUE(document().at("components").at("schemas").as_object().contains(name)) << name;
  }
  EXPECT_GT(found, 30);
}

TEST(OpenApi, every_field_is_documented_where_it_is_taken) {
  for (Route const& route : routes()) {
    json::value const& operation = document().at("paths").at(route.path).at(lower(route.method));
    EXPECT_EQ(operation.at("x-berth-role").as_string(), name(route.role));
    std::set<std::string> documented, taken;
    if (json::value const* parameters = operation.as_object().if_contains("parameters")) {
      for (json::value const& p : parameters->as_array()) {
        documented.insert(std::string(p.at("in").as_string()) + " " +
                          std::string(p.at("name").as_string()));
      }
    }
    if (operation.as_object().contains("requestBody") && route.work != Work::import_image) {
      json::value const& schema =
          operation.at("requestBody").at("content").at("application/json").at("schema");
      for (auto const& [key, rule] : schema.at("properties").as_object())
        documented.insert("body " + std::string(key));
    }
    for (Field const& field : route.fields) {
      char const* place = field.place == Place::path    ? "path "
                          : field.place == Place::query ? "query "
                                                        : "body ";
      taken.insert(place + std::string(field.name));
    }
    EXPECT_EQ(documented, taken) << route.name;
  }
}

// ---- Every answer against its schema

core::HostView full_host() {
  core::HostView view;
  view.host.id = HostId("host-1");
  view.host.name = "h1";
  view.host.tags = {{"a", "b"}};
  view.host.inventory = HostInventory{.cells = {HostCell{.cpus = {HostCpu{}}}}};
  view.foreign = {"other"};
  view.unknown = {InstanceId("i-9")};
  view.seconds_since_seen = 3;
  return view;
}
core::InstanceView full_instance() {
  core::InstanceView view;
  view.instance.id = InstanceId("i-1");
  view.instance.placement =
      Placement{.host = HostId("host-1"), .generation = PlacementGeneration(2)};
  view.instance.launch_time = WallTime{5};
  view.instance.tags = {{"Name", "web"}};
  return view;
}
core::Reply reply_for(core::AdminCall const& call) {
  return std::visit(
      [](auto const& action) -> core::Reply {
        using A = std::decay_t<decltype(action)>;
        if constexpr (std::is_same_v<A, core::PutZoneCall> || std::is_same_v<A, core::ListZones>)
          return core::ZoneList{{core::ZoneView{}}};
        else if constexpr (std::is_same_v<A, core::CreateTenant> ||
                           std::is_same_v<A, core::SetTenant>)
          return core::TenantList{{core::TenantView{}}};
        else if constexpr (std::is_same_v<A, core::ListTenants>)
          return core::TenantList{{core::TenantView{.tenant = {.id = TenantId("x")}}}};
        else if constexpr (std::is_same_v<A, core::SetAccessKey> ||
                           std::is_same_v<A, core::ListAccessKeys>)
          return core::AccessKeyList{{AccessKey{}}};
        else if constexpr (std::is_same_v<A, core::EnrollHost>)
          return core::Enrolled{};
        else if constexpr (std::is_same_v<A, core::ListHosts>)
          return core::HostList{{core::HostView{}, full_host()}};
        else if constexpr (std::is_same_v<A, core::ShowHost> || std::is_same_v<A, core::CordonHost>)
          return core::HostList{{full_host()}};
        else if constexpr (std::is_same_v<A, core::PutType> || std::is_same_v<A, core::ListTypes>)
          return core::Types{{InstanceType{}}};
        else if constexpr (std::is_same_v<A, core::RegisterImage> ||
                           std::is_same_v<A, core::ListImages>)
          return core::Images{{Image{}}};
        else if constexpr (std::is_same_v<A, core::ListInstances>)
          return core::InstanceList{{core::InstanceView{}, full_instance()}};
        else if constexpr (std::is_same_v<A, core::ShowInstance>)
          return core::InstanceList{{full_instance()}};
        else if constexpr (std::is_same_v<A, core::Summarise>)
          return core::Summary{.hosts = {{HostHealth::up, 2}},
                               .instances = {{core::InstanceState::shutting_down, 1}},
                               .zones = {core::ZoneView{}}};
        else if constexpr (std::is_same_v<A, core::ExplainPlacement>)
          return core::PlacementView{
              .id = "i-1",
              .is_placed = true,
              .at = {5},
              .note = {.policy = "default", .hosts = 2, .removed = {{"memory", 1}}},
              .rows = {{HostId("host-1"), "h1", {0, 1}, 7}},
              .remedies = {"in zone z"}};
        else if constexpr (std::is_same_v<A, core::ShowCapacity>)
          return core::CapacityList{{{ZoneName("z"), TypeName("m5.large"), 3}}};
        else if constexpr (std::is_same_v<A, core::AdoptInstances>)
          return core::InstanceList{{full_instance()}};
        else if constexpr (std::is_same_v<A, core::ShowRegion>)
          return core::RegionView{
              .region = {.name = "us-east-1", .quarantine = core::Quarantine{{5}, "restored"}},
              .unknown = {core::UnknownInstance{.id = InstanceId("i-2"), .obstacle = "no tenant"}},
              .gone = {InstanceId("i-3")},
              .silent = {"h2"}};
        else
          return core::Done{};
      },
      call.action);
}

std::string body_for(Route const& route) {
  if (route.name == "tenant.create") return R"({"name":"a"})";
  if (route.name == "tenant.set") return R"({"enabled":true})";
  if (route.name == "key.create") return R"({"tenant":"a"})";
  if (route.name == "key.set") return R"({"enabled":true})";
  if (route.name == "host.enroll") return R"({"name":"a","zone":"z"})";
  if (route.name == "type.put") return R"({"vcpus":1,"memory_mib":512})";
  return "";
}

TEST(OpenApi, every_answer_fits_its_schema) {
  Bench bench;
  bench.gate.answer = [](core::AdminCall const& call) {
    return Result<core::Reply>(reply_for(call));
  };
  bench.options.audit = [](std::uint64_t, std::size_t) {
    return Result<std::vector<core::AuditRecord>>(
        std::vector<core::AuditRecord>{{.number = 1, .subjects = {"i-1"}}});
  };
  bench.restart();
  for (Route const& route : routes()) {
    std::string path(route.path);
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{'))
      path.replace(at, path.find('}', at) - at + 1, "x");
    Answer answer;
    if (route.work == Work::import_image) {
      Upload upload =
          bench.service->begin_upload(Bench::request("POST", path + "?name=a&format=raw"));
      auto const& sink = std::get<std::unique_ptr<UploadSink>>(upload);
      ASSERT_TRUE(sink->write("x"));
      sink->finish([&](Answer a) { answer = std::move(a); });
    } else {
      answer = bench.ask(std::string(route.method), path, body_for(route));
    }
    ASSERT_EQ(answer.status, route.success) << route.name << " " << answer.body;
    json::value const& operation = document().at("paths").at(route.path).at(lower(route.method));
    json::value const& schema = operation.at("responses")
                                    .at(std::to_string(route.success))
                                    .at("content")
                                    .at("application/json")
                                    .at("schema");
    EXPECT_EQ(mismatch(schema, json::parse(answer.body), std::string(route.name)), "");
    Answer const refused = bench.ask(std::string(route.method), path + "?unknown=1", "");
    EXPECT_EQ(refused.status, 400U) << route.name;
    json::value const& error =
        operation.at("responses").at("default").at("content").at("application/json").at("schema");
    EXPECT_EQ(mismatch(error, json::parse(refused.body), std::string(route.name)), "");
  }
}

TEST(OpenApi, the_checker_sees_what_is_wrong) {
  json::value const schema = json::parse(R"({"$ref":"#/components/schemas/Amount"})");
  EXPECT_EQ(mismatch(schema,
                     json::parse(R"({"vcpus":1,"memory_mib":1,"disk_gib":1,"instances":1})"), "a"),
            "");
  EXPECT_EQ(mismatch(schema, json::parse(R"({"vcpus":1,"memory_mib":1,"disk_gib":1})"), "a"),
            "a: lacks instances");
  EXPECT_EQ(mismatch(schema, json::parse(R"({"vcpus":"1"})"), "a"), "a.vcpus: not an integer");
  EXPECT_EQ(mismatch(schema, json::parse(R"({"cores":1})"), "a"), "a: undocumented cores");
}

}  // namespace
}  // namespace berth::admin
