#pragma once
// The vocabulary of the generated tables (wire_tables.cc, by generate.py): what every struct of
// wire_types.h looks like on the wire. Read by codec.cc; of interest to others only for ActionInfo.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace berth::ec2::wire {

enum class Action : std::uint8_t;  // generated: Action::run_instances, ...
using ShapeId = std::uint16_t;     // index into the generated table of structs

enum class Service : std::uint8_t { ec2, sts };

// How a member is held in its struct, and written:
enum class Kind : std::uint8_t {
  text,       // std::optional<std::string>
  integer,    // std::optional<std::int64_t>
  boolean,    // std::optional<bool>
  real,       // std::optional<double>
  time,       // std::optional<WallTime>
  blob,       // std::optional<std::string>, raw bytes; base64 on the wire
  structure,  // std::optional<Struct>
  list,       // std::vector of std::string, std::int64_t, double, WallTime or Struct (see item)
};

struct Member {
  std::string_view api_name;    // as in the service model: "InstanceIds"
  std::string_view query_name;  // as in a parameter's name: "InstanceId"
  std::string_view xml_name;    // as an element of an answer: "instancesSet"
  std::string_view item_name;   // element name of list items: "item"; empty if not a list
  std::uint32_t offset = 0;     // of the field in its struct
  Kind kind = Kind::text;
  Kind item = Kind::text;    // of list items; structure and blob items included
  ShapeId shape = 0;         // of a structure, or of a list's structures
  std::uint16_t values = 0;  // 0: any; else index into the generated enumerations
  std::int64_t min = 0;      // integer: value; list: count. min > max: no limit
  std::int64_t max = -1;
  bool required = false;        // by the model; enforced for everything but lists
  bool keep_empty = false;      // an empty text is a value, not an absent one
  bool emit_empty = false;      // an empty list is written as <xSet/>
  bool member_segment = false;  // the awsQuery protocol's "Name.member.1"
};

// A contiguous list of structs, whatever their type.
struct Items {
  void const* data = nullptr;
  std::size_t count = 0;
  std::size_t stride = 0;  // bytes
};

// One struct: its members in the order they are written, and the little that needs its C++ type.
struct Shape {
  std::string_view name;
  std::span<Member const> members;
  void* (*emplace)(void* optional);            // value of a std::optional<Struct>, made if absent
  void const* (*value)(void const* optional);  // nullptr if absent
  void* (*append)(void* vector);               // a new last element of a std::vector<Struct>
  Items (*items)(void const* vector);
};

struct ActionInfo {
  std::string_view name;  // "RunInstances"
  Service service = Service::ec2;
  ShapeId input_shape = 0;   // of <Action>Request
  ShapeId output_shape = 0;  // of <Action>Result
  // Lists without which the call makes no sense, by parameter name ("InstanceId"). The reader lets
  // them be empty; the code behind the action answers, in that action's own words.
  std::span<std::string_view const> required_lists;
  // Parameters newer than our model, accepted and ignored (quirks.txt, "tolerate").
  std::span<std::string_view const> tolerated;
};

[[nodiscard]] std::span<ActionInfo const> actions();  // indexed by Action
[[nodiscard]] ActionInfo const& info(Action action);
[[nodiscard]] Shape const& shape(ShapeId id);
[[nodiscard]] std::span<std::string_view const> enumeration(std::uint16_t values);

// "2016-11-15" and the namespace of answers, with the trailing slash libcloud insists on.
struct ServiceInfo {
  std::string_view name;  // as in a signature's scope: "ec2"
  std::string_view version;
  std::string_view xml_namespace;
};
[[nodiscard]] ServiceInfo const& info(Service service);

}  // namespace berth::ec2::wire
