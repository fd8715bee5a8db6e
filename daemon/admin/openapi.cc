#include "daemon/admin/openapi.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "daemon/admin/message.h"
#include "daemon/admin/routes.h"

namespace berth::admin {
namespace {

namespace json = boost::json;

json::string text(std::string_view s) {
  return json::string(json::string_view(s.data(), s.size()));
}

json::object reference(std::string const& schema) {
  return {{"$ref", text("#/components/schemas/" + schema)}};
}

json::object schema_of(Field const& field) {
  json::object out{{"description", text(field.about)}};
  switch (field.kind) {
    case Kind::text: {
      out["type"] = "string";
      if (!field.one_of.empty()) {
        json::array values;
        for (std::string_view const v : field.one_of) values.emplace_back(text(v));
        out["enum"] = std::move(values);
      } else {
        out["minLength"] = field.min;
        out["maxLength"] = field.max;
      }
      return out;
    }
    case Kind::integer:
      out["type"] = "integer";
      out["format"] = "int64";
      out["minimum"] = field.min;
      out["maximum"] = field.max;
      return out;
    case Kind::boolean: out["type"] = "boolean"; return out;
    case Kind::tags:
      out["type"] = "object";
      out["maxProperties"] = limits::kTagsPerResourceMax;
      out["additionalProperties"] =
          json::object{{"type", "string"}, {"maxLength", limits::kTagValueCharactersMax}};
      return out;
    case Kind::object: break;
  }
  out["type"] = "object";
  out["additionalProperties"] = false;
  json::object properties;
  json::array required;
  for (Field const& f : field.fields) {
    properties[json::string_view(f.name)] = schema_of(f);
    if (f.is_required) required.emplace_back(text(f.name));
  }
  out["properties"] = std::move(properties);
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

json::object schema_of(Property const& property) {
  json::object out{{"description", text(property.about)}};
  switch (property.type) {
    case Type::text: out["type"] = "string"; break;
    case Type::integer:
      out["type"] = "integer";
      out["format"] = "int64";
      break;
    case Type::boolean: out["type"] = "boolean"; break;
    case Type::time:
      out["type"] = "string";
      out["format"] = "date-time";
      break;
    case Type::tags:
      out["type"] = "object";
      out["additionalProperties"] = json::object{{"type", "string"}};
      break;
    case Type::texts:
      out["type"] = "array";
      out["items"] = json::object{{"type", "string"}};
      break;
    case Type::object:
      // Beside a $ref nothing else is read, so the description needs allOf.
      out["allOf"] = json::array{reference(std::string(shape(property.object).name))};
      break;
    case Type::objects:
      out["type"] = "array";
      out["items"] = reference(std::string(shape(property.object).name));
      break;
  }
  if (property.is_nullable) out["nullable"] = true;
  return out;
}

json::object schema_of(Shape const& shape) {
  json::object out{{"type", "object"}};
  if (shape.properties.empty()) return out;  // the OpenAPI document itself
  json::object properties;
  json::array required;
  for (Property const& p : shape.properties) {
    properties[json::string_view(p.name)] = schema_of(p);
    required.emplace_back(text(p.name));
  }
  out["properties"] = std::move(properties);
  out["required"] = std::move(required);
  out["additionalProperties"] = false;
  return out;
}

json::object list_schema(Shape const& item) {
  return {{"type", "object"},
          {"properties",
           json::object{{"items", json::object{{"type", "array"},
                                               {"items", reference(std::string(item.name))}}},
                        {"next", json::object{{"type", "string"},
                                              {"nullable", true},
                                              {"description", "Null: this was the end."}}}}},
          {"required", json::array{"items", "next"}},
          {"additionalProperties", false}};
}

json::object error_schema() {
  json::object codes{{"type", "string"}};
  json::array names;
  for (Code const code : {Code::invalid, Code::unauthenticated, Code::forbidden, Code::not_found,
                          Code::exists, Code::conflict, Code::quota, Code::no_capacity,
                          Code::throttled, Code::unavailable, Code::timeout, Code::corrupt}) {
    names.emplace_back(text(berth::name(code)));
  }
  codes["enum"] = std::move(names);
  json::object properties{{"code", std::move(codes)},
                          {"subject", json::object{{"type", "string"}}},
                          {"message", json::object{{"type", "string"}}},
                          {"request_id", json::object{{"type", "string"}}}};
  json::object inner{{"type", "object"},
                     {"properties", std::move(properties)},
                     {"required", json::array{"code", "subject", "message", "request_id"}}};
  return {{"type", "object"},
          {"properties", json::object{{"error", std::move(inner)}}},
          {"required", json::array{"error"}}};
}

json::object answer_of(std::string_view about, std::string const& schema) {
  return {
      {"description", text(about)},
      {"content", json::object{{"application/json", json::object{{"schema", reference(schema)}}}}}};
}

void add_inputs(json::object& out, Route const& route) {
  json::array parameters;
  Field const whole{.name = "", .about = "", .kind = Kind::object};
  json::object body = schema_of(whole);
  body.erase("description");
  json::array required;
  bool has_body = false;
  for (Field const& field : route.fields) {
    if (field.place == Place::body) {
      has_body = true;
      body["properties"].as_object()[json::string_view(field.name)] = schema_of(field);
      if (field.is_required) required.emplace_back(text(field.name));
      continue;
    }
    json::object schema = schema_of(field);
    schema.erase("description");
    parameters.emplace_back(json::object{{"name", text(field.name)},
                                         {"in", field.place == Place::path ? "path" : "query"},
                                         {"description", text(field.about)},
                                         {"required", field.is_required},
                                         {"schema", std::move(schema)}});
  }
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  bool const is_body_required = !required.empty();
  if (is_body_required) body["required"] = std::move(required);
  if (has_body) {
    out["requestBody"] = json::object{
        {"required", is_body_required},
        {"content", json::object{{"application/json", json::object{{"schema", std::move(body)}}}}}};
  }
  if (route.work == Work::import_image) {
    json::object file{{"schema", json::object{{"type", "string"}, {"format", "binary"}}}};
    out["requestBody"] =
        json::object{{"required", true},
                     {"content", json::object{{"application/octet-stream", std::move(file)}}}};
  }
}

json::object operation(Route const& route) {
  std::string const noun(shape(route.noun).name);
  json::object answers;
  answers[std::to_string(route.success)] = answer_of(
      "Done; what was changed is durable.", noun + (route.form == Form::list ? "List" : ""));
  answers["default"] = answer_of("Refused, and nothing was changed.", "Error");
  json::object out{{"operationId", text(route.name)},
                   {"summary", text(route.summary)},
                   {"x-berth-role", text(name(route.role))}};
  add_inputs(out, route);
  out["responses"] = std::move(answers);
  return out;
}

std::string lower(std::string_view method) {
  std::string out;
  for (char const c : method) out += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

}  // namespace

std::string openapi_document(std::string_view version) {
  json::object paths;
  json::object schemas;
  for (Route const& route : routes()) {
    auto& path = paths[json::string_view(route.path)];
    if (!path.is_object()) path = json::object{};
    path.get_object()[lower(route.method)] = operation(route);
    Shape const& item = shape(route.noun);
    if (route.form == Form::list) schemas[std::string(item.name) + "List"] = list_schema(item);
  }
  for (Shape const& s : shapes()) schemas[json::string_view(s.name)] = schema_of(s);
  schemas["Error"] = error_schema();
  json::object info{
      {"title", "Berth admin API"},
      {"description",
       "For operators. Served over a unix socket or mutual TLS; each operation names the least "
       "role "
       "(read, operate, admin) that may call it. Fields that are not listed are refused."},
      {"version", text(version.empty() ? "0" : version)},
      {"license", json::object{{"name", "Apache-2.0"}}}};
  return json::serialize(
      json::object{{"openapi", "3.0.3"},
                   {"info", std::move(info)},
                   {"servers", json::array{json::object{{"url", "/"}}}},
                   {"paths", std::move(paths)},
                   {"components", json::object{{"schemas", std::move(schemas)}}}});
}

}  // namespace berth::admin
