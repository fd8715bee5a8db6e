#include "daemon/admin/fields.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <set>
#include <vector>

namespace berth::admin {
namespace {

namespace json = boost::json;

Error invalid(std::string message) {
  return Error{Code::invalid, "parameter", std::move(message)};
}

// Boost.JSON keeps the last of two equal keys. A second reader might keep the first, so a document
// with both is refused before it is read.
struct DuplicateFinder {
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  using Code = boost::system::error_code;
  std::vector<std::set<std::string>> open;
  std::string key;
  std::string duplicate;
  bool found = false;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    open.pop_back();
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(json::string_view part, std::size_t, Code&) {
    key += part;
    return true;
  }
  bool on_key(json::string_view part, std::size_t, Code&) {
    key += part;
    if (!open.back().insert(key).second && !found) {
      found = true;
      duplicate = key;
    }
    key.clear();
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_string(json::string_view, std::size_t, Code&) { return true; }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Code&) { return true; }
  bool on_double(double, json::string_view, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};

std::string shown(std::string_view name) {
  constexpr std::size_t kShownMax = 64;
  std::string out = "\"";
  for (char const c : name.substr(0, kShownMax)) {
    bool const is_plain = c > 0x1f && c < 0x7f && c != '"';
    out += is_plain ? c : '?';
  }
  return out + (name.size() > kShownMax ? "...\"" : "\"");
}

Result<json::object> parse_object(std::string_view body) {
  if (body.size() > kBodyBytesMax) {
    return invalid("the body has " + std::to_string(body.size()) + " bytes: at most " +
                   std::to_string(kBodyBytesMax) + " are read");
  }
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  boost::system::error_code code;
  json::basic_parser<DuplicateFinder> check(options);
  std::size_t const read = check.write_some(false, body.data(), body.size(), code);
  if (!code && read != body.size()) code = make_error_code(json::error::extra_data);
  if (code == json::error::too_deep) {
    return invalid("the body nests deeper than " + std::to_string(kJsonDepthMax) + " levels");
  }
  if (code)
    return invalid("the body is not JSON: " + code.message() + " near byte " +
                   std::to_string(read));
  if (check.handler().found) {
    return invalid("field " + shown(check.handler().duplicate) + " is there twice");
  }
  try {
    json::value value = json::parse(json::string_view(body), code, {}, options);
    if (code) return invalid("the body is not JSON: " + code.message());
    if (!value.is_object()) return invalid("the body must be one JSON object");
    return std::move(value.get_object());
  } catch (std::exception const& e) {
    return invalid(std::string("the body is not JSON: ") + e.what());
  }
}

std::string_view kind_of(json::value const& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "a boolean";
    case json::kind::int64:
    case json::kind::uint64: return "a number";
    case json::kind::double_: return "a number that is no integer";
    case json::kind::string: return "a string";
    case json::kind::array: return "an array";
    case json::kind::object: return "an object";
  }
  return "something else";
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  auto const byte = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[i]));
  };
  while (at < text.size()) {
    unsigned const lead = byte(at);
    std::size_t more = 0;
    unsigned low = 0x80, high = 0xbf;  // bounds of the second byte
    if (lead < 0x80) {
      ++at;
      continue;
    }
    if (lead >= 0xc2 && lead <= 0xdf)
      more = 1;
    else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      low = lead == 0xe0 ? 0xa0 : low;
      high = lead == 0xed ? 0x9f : high;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      low = lead == 0xf0 ? 0x90 : low;
      high = lead == 0xf4 ? 0x8f : high;
    } else
      return false;
    if (text.size() - at <= more) return false;
    for (std::size_t i = 1; i <= more; ++i) {
      if (byte(at + i) < low || byte(at + i) > high) return false;
      low = 0x80;
      high = 0xbf;
    }
    at += more + 1;
  }
  return true;
}

std::string listed(std::span<std::string_view const> values) {
  std::string out;
  for (std::string_view const v : values) out += (out.empty() ? "" : ", ") + std::string(v);
  return out;
}

Result<std::string> checked_text(Field const& field, std::string text) {
  std::string const name = shown(field.name);
  auto const size = static_cast<std::int64_t>(text.size());
  if (has_control_characters(text)) return invalid(name + " has control characters");
  if (!field.one_of.empty() && std::ranges::find(field.one_of, text) == field.one_of.end()) {
    return invalid(name + " must be one of " + listed(field.one_of) + ", found " + shown(text));
  }
  if (size < field.min || size > field.max) {
    std::string const least = field.min == field.max ? "" : std::to_string(field.min) + " to ";
    return invalid(name + " must have " + least + std::to_string(field.max) + " bytes, found " +
                   std::to_string(size));
  }
  return text;
}

Result<std::int64_t> checked_number(Field const& field, std::int64_t number) {
  if (number >= field.min && number <= field.max) return number;
  return invalid(shown(field.name) + " must be " + std::to_string(field.min) + " to " +
                 std::to_string(field.max) + ", found " + std::to_string(number));
}

Result<Tags> checked_tags(Field const& field, json::object const& object) {
  if (object.size() > limits::kTagsPerResourceMax) {
    return invalid(shown(field.name) + " has " + std::to_string(object.size()) + " tags: at most " +
                   std::to_string(limits::kTagsPerResourceMax));
  }
  Tags tags;
  for (auto const& [key, value] : object) {
    std::string const name(key);
    if (!value.is_string())
      return invalid("tag " + shown(name) + " must be a string, found " +
                     std::string(kind_of(value)));
    Field const key_rule{.name = field.name, .min = 1, .max = limits::kTagKeyCharactersMax};
    Field const value_rule{.name = field.name, .max = limits::kTagValueCharactersMax};
    TRY(checked_text(key_rule, name));
    tags.emplace(name, TRY(checked_text(value_rule, std::string(value.get_string()))));
  }
  return tags;
}

// From the path or the query, where everything is text.
Result<Fields::Value> value_from_text(Field const& field, std::string const& text) {
  switch (field.kind) {
    case Kind::text: return Fields::Value(TRY(checked_text(field, text)));
    case Kind::integer: {
      std::int64_t number = 0;
      auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (code != std::errc() || end != text.data() + text.size()) {
        return invalid(shown(field.name) + " must be an integer, found " + shown(text));
      }
      return Fields::Value(TRY(checked_number(field, number)));
    }
    case Kind::boolean:
      if (text == "true") return Fields::Value(true);
      if (text == "false") return Fields::Value(false);
      return invalid(shown(field.name) + " must be true or false, found " + shown(text));
    case Kind::tags:
    case Kind::object: break;
  }
  return invalid(shown(field.name) + " cannot be sent here");
}

Error wrong_kind(Field const& field, std::string_view wanted, json::value const& found) {
  return invalid(shown(field.name) + " must be " + std::string(wanted) + ", found " +
                 std::string(kind_of(found)));
}

Field const* find_field(std::span<Field const> fields, Place place, std::string_view name) {
  auto const it = std::ranges::find_if(
      fields, [&](Field const& f) { return f.place == place && f.name == name; });
  return it == fields.end() ? nullptr : &*it;
}

Error unknown_field(std::span<Field const> fields, Place place, std::string_view name) {
  std::string known;
  for (Field const& f : fields) {
    if (f.place == place) known += (known.empty() ? "" : ", ") + std::string(f.name);
  }
  return invalid("unknown " + std::string(place == Place::query ? "query parameter " : "field ") +
                 shown(name) + (known.empty() ? ": none is taken here" : ": known are " + known));
}

Result<void> read_body_value(Fields& out, Field const& field, json::value const& value,
                             std::string const& name) {
  switch (field.kind) {
    case Kind::text:
      if (!value.is_string()) return wrong_kind(field, "a string", value);
      out.set(name, TRY(checked_text(field, std::string(value.get_string()))));
      return {};
    case Kind::integer:
      if (!value.is_int64()) return wrong_kind(field, "an integer", value);
      out.set(name, TRY(checked_number(field, value.get_int64())));
      return {};
    case Kind::boolean:
      if (!value.is_bool()) return wrong_kind(field, "a boolean", value);
      out.set(name, value.get_bool());
      return {};
    case Kind::tags:
      if (!value.is_object()) return wrong_kind(field, "an object of strings", value);
      out.set(name, TRY(checked_tags(field, value.get_object())));
      return {};
    case Kind::object: break;
  }
  if (!value.is_object()) return wrong_kind(field, "an object", value);
  for (auto const& [key, inner] : value.get_object()) {
    Field const* known = find_field(field.fields, Place::body, std::string_view(key));
    if (known == nullptr)
      return unknown_field(field.fields, Place::body, std::string_view(key)).within(name);
    Result<void> read = read_body_value(out, *known, inner, name + "." + std::string(known->name));
    if (!read) return read.error().within(name);
  }
  for (Field const& f : field.fields) {
    if (f.is_required && !out.has(name + "." + std::string(f.name))) {
      return invalid("field " + shown(f.name) + " of " + shown(name) + " is missing");
    }
  }
  out.set(name, true);  // present
  return {};
}

Result<void> read_query(Fields& out, std::span<Field const> wanted, std::string_view query) {
  while (!query.empty()) {
    std::size_t const end = std::min(query.find('&'), query.size());
    std::string_view const pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    std::size_t const equals = std::min(pair.find('='), pair.size());
    std::string const name = TRY(percent_decoded(pair.substr(0, equals)));
    std::string const text = TRY(percent_decoded(pair.substr(std::min(equals + 1, pair.size()))));
    Field const* field = find_field(wanted, Place::query, name);
    if (field == nullptr) return unknown_field(wanted, Place::query, name);
    if (out.has(name)) return invalid("query parameter " + shown(name) + " is there twice");
    out.set(name, TRY(value_from_text(*field, text)));
  }
  return {};
}

// "application/json", whatever parameters follow. Asked for so that no web form can call us.
bool is_json(std::string_view content_type) {
  std::string_view const media = content_type.substr(0, content_type.find(';'));
  std::string lower;
  for (char const c : media) {
    if (c != ' ' && c != '\t') lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return lower == "application/json";
}

Result<void> read_body(Fields& out, std::span<Field const> wanted, RawFields const& raw) {
  if (raw.body.empty()) return {};
  if (!is_json(raw.content_type)) {
    return invalid("a body needs Content-Type application/json, found " + shown(raw.content_type));
  }
  json::object const object = TRY(parse_object(raw.body));
  for (auto const& [key, value] : object) {
    Field const* field = find_field(wanted, Place::body, std::string_view(key));
    if (field == nullptr) return unknown_field(wanted, Place::body, std::string_view(key));
    TRY(read_body_value(out, *field, value, std::string(field->name)));
  }
  return {};
}

}  // namespace

std::string Fields::text(std::string_view name) const {
  auto const it = values_.find(name);
  return it == values_.end() ? std::string() : std::get<std::string>(it->second);
}
std::int64_t Fields::number(std::string_view name, std::int64_t absent) const {
  auto const it = values_.find(name);
  return it == values_.end() ? absent : std::get<std::int64_t>(it->second);
}
std::optional<bool> Fields::flag(std::string_view name) const {
  auto const it = values_.find(name);
  if (it == values_.end()) return std::nullopt;
  return std::get<bool>(it->second);
}
Tags Fields::tags(std::string_view name) const {
  auto const it = values_.find(name);
  return it == values_.end() ? Tags() : std::get<Tags>(it->second);
}

Result<std::string> percent_decoded(std::string_view text) {
  auto const digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int const high = i + 1 < text.size() ? digit(text[i + 1]) : -1;
    int const low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return invalid("the address has a '%' without two hex digits after it");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_utf8(out)) return invalid("the address is not UTF-8");
  if (has_control_characters(out)) return invalid("the address has control characters");
  return out;
}

Result<Fields> read_fields(std::span<Field const> wanted, RawFields const& raw) {
  Fields out;
  for (auto const& [name, text] : raw.path) {
    Field const* field = find_field(wanted, Place::path, name);
    ENSURE(field != nullptr);  // the route table's own template
    out.set(name, TRY(value_from_text(*field, text)));
  }
  TRY(read_query(out, wanted, raw.query));
  TRY(read_body(out, wanted, raw));
  for (Field const& field : wanted) {
    if (field.is_required && !out.has(field.name)) {
      return invalid(std::string(field.place == Place::query ? "query parameter " : "field ") +
                     shown(field.name) + " is missing: " + std::string(field.about));
    }
  }
  return out;
}

}  // namespace berth::admin
