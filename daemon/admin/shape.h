#pragma once
// The shapes of what the admin API answers: one table, from which the OpenAPI document is made and
// against which the tests hold every rendered answer.

#include <cstdint>
#include <span>
#include <string_view>

namespace berth::admin {

enum class Noun {
  done,
  health,
  status,
  zone,
  tenant,
  access_key,
  new_access_key,
  host,
  enrolled_host,
  instance_type,
  image,
  instance,
  audit_record,
  region,
  unknown_instance,
  adopted,
  backup,
  placement,
  placement_row,
  removed,
  capacity,
  amount,
  quota,
  inventory,
  fleet_counts,
  state_counts,
  openapi,
};

enum class Form {
  one,   // the object itself
  list,  // {"items": [...], "next": "..." or null}
};

enum class Type { text, integer, boolean, time, tags, texts, object, objects };

struct Property {
  std::string_view name;
  Type type = Type::text;
  std::string_view about;
  bool is_nullable = false;
  Noun object = Noun::done;  // of object and objects
};

struct Shape {
  Noun noun;
  std::string_view name;  // "Host"; the schema's name in the OpenAPI document
  std::span<Property const> properties;
};

[[nodiscard]] std::span<Shape const> shapes();
[[nodiscard]] Shape const& shape(Noun noun);

}  // namespace berth::admin
