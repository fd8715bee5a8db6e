#pragma once
// The fields a request may carry: an allow-list per route, checked before anything else looks at
// the request. What is not listed is refused, so no later struct member becomes settable by
// accident.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "berth/base/result.h"
#include "berth/model/limits.h"
#include "berth/model/tenant.h"

namespace berth::admin {

inline constexpr std::size_t kBodyBytesMax = 1024 * 1024;
inline constexpr std::size_t kJsonDepthMax = 32;

enum class Place { path, query, body };
enum class Kind {
  text,  // UTF-8 without control characters
  integer,
  boolean,
  tags,    // object of text to text; EC2's limits
  object,  // of `fields`; every one of them as stated
};

struct Field {
  std::string_view name;
  std::string_view about;  // one sentence for the OpenAPI document
  Place place = Place::body;
  Kind kind = Kind::text;
  bool is_required = false;
  // Of an integer: its bounds. Of a text: bounds of its length in bytes.
  std::int64_t min = 0;
  std::int64_t max = limits::kNameCharactersMax;
  std::span<std::string_view const> one_of = {};  // of a text; empty: any
  std::span<Field const> fields = {};             // of an object; integers only, one level
};

// What was sent, checked. A field of an object is found under "object.field".
class Fields {
 public:
  using Value = std::variant<std::string, std::int64_t, bool, Tags>;

  void set(std::string name, Value value) {
    values_.insert_or_assign(std::move(name), std::move(value));
  }
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  [[nodiscard]] bool empty() const { return values_.empty(); }

  // Absent fields read as the empty text, `absent`, and no tags.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t absent = 0) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view name) const;
  [[nodiscard]] Tags tags(std::string_view name) const;

 private:
  std::map<std::string, Value, std::less<>> values_;
};

struct RawFields {
  std::map<std::string, std::string> path;  // by template name, decoded
  std::string_view query;
  std::string_view content_type;  // empty: none was sent
  std::string_view body;
};

// Errors: invalid, subject "parameter"; the message names the field, what was wanted and what was
// found. Text of a body never appears in it beyond names of fields.
[[nodiscard]] Result<Fields> read_fields(std::span<Field const> wanted, RawFields const& raw);

// %XX decoded; '+' stays. Errors: a broken escape, or text that is not UTF-8 or has control
// characters.
[[nodiscard]] Result<std::string> percent_decoded(std::string_view text);

}  // namespace berth::admin
