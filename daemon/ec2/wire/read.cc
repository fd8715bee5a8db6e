// The reader: parameters -> struct. Three steps. Each name is resolved against the tables to a path
// of numbers (member, list index, member, ...); the paths are sorted, so that whatever belongs
// together is adjacent and lists are in the order of their indices (numerically: 2 before 10); the
// sorted range is then written into the struct, each level taking its groups.

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "daemon/ec2/wire/codec.h"
#include "daemon/ec2/wire/value.h"

namespace berth::ec2::wire {

namespace {

constexpr std::size_t kPathMax = 16;  // the deepest name of the model has 7 parts

struct Resolved {
  std::array<std::uint32_t, kPathMax> path{};
  std::size_t depth = 0;
  Parameter const* parameter = nullptr;

  [[nodiscard]] std::span<std::uint32_t const> steps() const { return {path.data(), depth}; }
};

Ec2Error unknown(std::string_view name) {
  return {"UnknownParameter", 400, "The parameter " + quoted(name) + " is not recognized"};
}

// Parameters of the protocol itself, which belong to no action.
bool is_common(std::string_view name) {
  static constexpr std::string_view kNames[] = {"Action",    "Version",         "AWSAccessKeyId",
                                                "Signature", "SignatureMethod", "SignatureVersion",
                                                "Timestamp", "Expires",         "SecurityToken"};
  return std::ranges::find(kNames, name) != std::end(kNames) ||
         (name.size() > 6 && equal_ignoring_case(name.substr(0, 6), "X-Amz-"));
}

// "7" -> 7. One spelling per number, or "01" and "1" would be two names for one item.
std::optional<std::uint32_t> list_index(std::string_view text) {
  if (text.empty() || text.size() > 6 || (text.size() > 1 && text.front() == '0')) return {};
  std::uint32_t index = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size() || index > kListIndexMax) return {};
  return index;
}

class Segments {
 public:
  explicit Segments(std::string_view name) : rest_(name) {}

  [[nodiscard]] bool at_end() const { return end_; }
  std::string_view next() {
    std::size_t const dot = rest_.find('.');
    std::string_view const out = rest_.substr(0, dot);
    end_ = dot == std::string_view::npos;
    rest_ = end_ ? std::string_view{} : rest_.substr(dot + 1);
    return out;
  }

 private:
  std::string_view rest_;
  bool end_ = false;
};

// The path of a parameter's name below a shape; absent: the model knows no such name.
std::optional<Resolved> resolved(Shape const& root, Parameter const& parameter) {
  Resolved out;
  out.parameter = &parameter;
  Segments segments(parameter.name);
  Shape const* current = &root;
  while (!segments.at_end() && out.depth + 2 <= kPathMax) {
    auto const member = std::ranges::find(current->members, segments.next(), &Member::query_name);
    if (member == current->members.end()) return {};
    out.path[out.depth++] = static_cast<std::uint32_t>(member - current->members.begin());
    Kind held = member->kind;
    if (held == Kind::list) {
      if (member->member_segment && (segments.at_end() || segments.next() != "member")) return {};
      // A list of scalars may be named without an index: libcloud asks for DescribeKeyPairs with
      // "KeyName". It is the item 0, so that a "KeyName.0" beside it is a repetition.
      std::optional<std::uint32_t> index = 0;
      if (!segments.at_end()) {
        index = list_index(segments.next());
      } else if (member->item == Kind::structure || member->member_segment) {
        return {};
      }
      if (!index) return {};
      out.path[out.depth++] = *index;
      held = member->item;
    }
    if (held != Kind::structure) return segments.at_end() ? std::optional(out) : std::nullopt;
    current = &shape(member->shape);
  }
  return {};
}

void* field(void* object, Member const& member) {
  return static_cast<std::byte*>(object) + member.offset;
}
void const* field(void const* object, Member const& member) {
  return static_cast<std::byte const*>(object) + member.offset;
}

bool is_present(Member const& member, void const* at) {
  switch (member.kind) {
    case Kind::text:
    case Kind::blob: return static_cast<std::optional<std::string> const*>(at)->has_value();
    case Kind::integer: return static_cast<std::optional<std::int64_t> const*>(at)->has_value();
    case Kind::boolean: return static_cast<std::optional<bool> const*>(at)->has_value();
    case Kind::real: return static_cast<std::optional<double> const*>(at)->has_value();
    case Kind::time: return static_cast<std::optional<WallTime> const*>(at)->has_value();
    case Kind::structure: return shape(member.shape).value(at) != nullptr;
    case Kind::list: return true;  // a required list is the call's own business
  }
  std::abort();
}

std::optional<Ec2Error> missing(Shape const& current, void const* object,
                                std::string const& prefix) {
  for (Member const& member : current.members) {
    if (member.required && !is_present(member, field(object, member))) {
      return Ec2Error{
          "MissingParameter", 400,
          "The request must contain the parameter " + prefix + std::string(member.query_name)};
    }
  }
  return {};
}

// The leading part of a sorted range that shares its path up to and including `depth`.
std::span<Resolved const> leading_group(std::span<Resolved const> range, std::size_t depth) {
  std::size_t count = 1;
  while (count < range.size() && range[count].path[depth] == range.front().path[depth]) ++count;
  return range.first(count);
}

class Writer {
 public:
  // Writes a sorted range whose paths agree before `depth` into an object of this shape.
  std::optional<Ec2Error> write(Shape const& current, void* object, std::span<Resolved const> range,
                                std::size_t depth, std::string const& prefix) {
    while (!range.empty()) {
      std::span<Resolved const> const group = leading_group(range, depth);
      Member const& member = current.members[group.front().path[depth]];
      std::string const name = prefix + std::string(member.query_name);
      auto error = write_member(member, field(object, member), group, depth, name);
      if (error) return error;
      range = range.subspan(group.size());
    }
    return missing(current, object, prefix);
  }

 private:
  std::optional<Ec2Error> write_member(Member const& member, void* at,
                                       std::span<Resolved const> group, std::size_t depth,
                                       std::string const& name) {
    if (member.kind == Kind::list) return write_list(member, at, group, depth + 1, name + ".");
    if (member.kind == Kind::structure) {
      Shape const& inner = shape(member.shape);
      return write(inner, inner.emplace(at), group, depth + 1, name + ".");
    }
    return write_scalar(member, member.kind, at, group);
  }

  std::optional<Ec2Error> write_list(Member const& member, void* at,
                                     std::span<Resolved const> range, std::size_t depth,
                                     std::string const& prefix) {
    std::int64_t count = 0;
    while (!range.empty()) {
      std::span<Resolved const> const group = leading_group(range, depth);
      std::optional<Ec2Error> error;
      if (member.item == Kind::structure) {
        Shape const& inner = shape(member.shape);
        error = write(inner, inner.append(at), group, depth + 1,
                      prefix + std::to_string(group.front().path[depth]) + ".");
      } else {
        error = write_scalar(member, member.item, at, group);
      }
      if (error) return error;
      ++count;
      range = range.subspan(group.size());
    }
    if (member.min <= member.max && count > member.max) {
      return Ec2Error{"InvalidParameterValue", 400,
                      "Expecting at most " + std::to_string(member.max) + " values of " +
                          std::string(member.query_name) + ", found " + std::to_string(count)};
    }
    return {};
  }

  static std::optional<Ec2Error> write_scalar(Member const& member, Kind kind, void* at,
                                              std::span<Resolved const> group) {
    if (group.size() > 1) {
      return Ec2Error{"InvalidQueryParameter", 400,
                      "The parameter " + group.front().parameter->name + " may be given only once"};
    }
    return store_value(member, kind, at, *group.front().parameter);
  }
};

Member const& last_member(Shape const& root, Resolved const& r) {
  Shape const* current = &root;
  for (std::size_t i = 0;; ++i) {
    Member const& member = current->members[r.path[i]];
    if (member.kind == Kind::list) ++i;
    if (i + 1 >= r.depth) return member;
    current = &shape(member.shape);
  }
}

}  // namespace

std::optional<Ec2Error> read_shape(Action action, std::span<Parameter const> parameters,
                                   void* object) {
  ActionInfo const& about = info(action);
  Shape const& root = shape(about.input_shape);
  std::vector<Resolved> all;
  all.reserve(parameters.size());
  for (Parameter const& parameter : parameters) {
    std::optional<Resolved> found = resolved(root, parameter);
    if (!found) {
      if (is_common(parameter.name)) continue;
      if (std::ranges::find(about.tolerated, parameter.name) != about.tolerated.end()) continue;
      return unknown(parameter.name);
    }
    // Packer and Terraform send "SubnetId=" for what they do not want to set.
    if (parameter.value.empty() && !last_member(root, *found).keep_empty) continue;
    all.push_back(*found);
  }
  std::ranges::sort(all, [](Resolved const& a, Resolved const& b) {
    return std::ranges::lexicographical_compare(a.steps(), b.steps());
  });
  return Writer().write(root, object, all, 0, "");
}

Service service_of(std::span<Parameter const> parameters) {
  for (Parameter const& p : parameters) {
    if (p.name == "Version" && p.value == info(Service::sts).version) return Service::sts;
  }
  return Service::ec2;
}

Ec2Result<Action> identify(std::span<Parameter const> parameters, Service service) {
  auto value = [&](std::string_view name) {
    auto const at = std::ranges::find(parameters, name, &Parameter::name);
    return at == parameters.end() ? std::string_view{} : std::string_view(at->value);
  };
  std::string_view const name = value("Action");
  if (name.empty()) {
    return Ec2Error{"MissingAction", 400,
                    "The request is missing an action or a required parameter"};
  }
  std::string_view const version = value("Version");
  if (version.empty()) {
    return Ec2Error{"MissingParameter", 400, "The request must contain the parameter Version"};
  }
  if (version != info(service).version) {
    return Ec2Error{"NoSuchVersion", 400,
                    "The version " + quoted(version) + " is not valid for " +
                        std::string(info(service).name) + ". Expecting " +
                        std::string(info(service).version)};
  }
  std::span<ActionInfo const> const all = actions();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name && all[i].service == service) return static_cast<Action>(i);
  }
  return Ec2Error{"InvalidAction", 400,
                  "The action " + quoted(name) + " is not valid for this web service."};
}

}  // namespace berth::ec2::wire
