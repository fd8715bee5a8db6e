#include "tests/support/wire_dump.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include "berth/base/digest.h"
#include "berth/base/time.h"

namespace berth::test {

namespace {

using ec2::wire::Items;
using ec2::wire::Kind;
using ec2::wire::Member;
using ec2::wire::Shape;

void append_json(std::string& out, Kind kind, std::string const& value) {
  append_json_text(out, kind == Kind::blob ? base64(value) : value);
}
void append_json(std::string& out, Kind, std::int64_t value) {
  out += std::to_string(value);
}
void append_json(std::string& out, Kind, bool value) {
  out += value ? "true" : "false";
}
void append_json(std::string& out, Kind, WallTime value) {
  out += std::to_string(value.ms);
}
void append_json(std::string& out, Kind, double value) {
  std::array<char, 32> buffer{};
  auto const result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), result.ptr);
}

template <class T>
bool append_optional(std::string& out, Member const& member, void const* at) {
  auto const& held = *static_cast<std::optional<T> const*>(at);
  if (held) append_json(out, member.kind, *held);
  return held.has_value();
}

template <class T>
std::size_t append_scalars(std::string& out, Member const& member, void const* at) {
  auto const& held = *static_cast<std::vector<T> const*>(at);
  for (T const& value : held) {
    append_json(out, member.item, value);
    out += ',';
  }
  return held.size();
}

std::size_t append_items(std::string& out, Member const& member, void const* at) {
  switch (member.item) {
    case Kind::text:
    case Kind::blob: return append_scalars<std::string>(out, member, at);
    case Kind::integer: return append_scalars<std::int64_t>(out, member, at);
    case Kind::real: return append_scalars<double>(out, member, at);
    case Kind::time: return append_scalars<WallTime>(out, member, at);
    case Kind::structure: break;
    case Kind::boolean:
    case Kind::list: std::abort();
  }
  Shape const& inner = ec2::wire::shape(member.shape);
  Items const items = inner.items(at);
  for (std::size_t i = 0; i < items.count; ++i) {
    test::append_json(out, inner, static_cast<std::byte const*>(items.data) + i * items.stride);
    out += ',';
  }
  return items.count;
}

bool append_value(std::string& out, Member const& member, void const* at) {
  switch (member.kind) {
    case Kind::text:
    case Kind::blob: return append_optional<std::string>(out, member, at);
    case Kind::integer: return append_optional<std::int64_t>(out, member, at);
    case Kind::boolean: return append_optional<bool>(out, member, at);
    case Kind::real: return append_optional<double>(out, member, at);
    case Kind::time: return append_optional<WallTime>(out, member, at);
    case Kind::structure: {
      Shape const& inner = ec2::wire::shape(member.shape);
      void const* const value = inner.value(at);
      if (value != nullptr) test::append_json(out, inner, value);
      return value != nullptr;
    }
    case Kind::list: break;
  }
  out += '[';
  std::size_t const count = append_items(out, member, at);
  if (count > 0) out.pop_back();
  out += ']';
  return count > 0 || member.emit_empty;
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\') {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json(std::string& out, Shape const& shape, void const* object) {
  out += '{';
  for (Member const& member : shape.members) {
    std::size_t const before = out.size();
    append_json_text(out, member.api_name);
    out += ':';
    if (append_value(out, member, static_cast<std::byte const*>(object) + member.offset)) {
      out += ',';
    } else {
      out.resize(before);
    }
  }
  if (out.back() == ',') out.pop_back();
  out += '}';
}

}  // namespace berth::test
