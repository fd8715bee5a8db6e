#include "daemon/ec2/wire/value.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "berth/base/digest.h"
#include "berth/base/time.h"

namespace berth::ec2::wire {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

std::string quoted(std::string_view text) {
  static constexpr std::size_t kQuotedBytesMax = 128;
  if (text.size() <= kQuotedBytesMax) return std::string(text);
  return std::string(text.substr(0, kQuotedBytesMax)) + "...";
}

namespace {

Ec2Error wrong_value(std::string_view name, std::string_view value, std::string_view expected) {
  return {"InvalidParameterValue", 400,
          "Value (" + quoted(value) + ") for parameter " + std::string(name) + " is invalid. " +
              std::string(expected)};
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// "2026-01-02T03:04:05Z", with or without a fraction of a second.
std::optional<WallTime> time_value(std::string_view text) {
  if (text.size() < 20 || text.size() > 30 || text[4] != '-' || text[7] != '-' || text[13] != ':' ||
      text[16] != ':' || text.back() != 'Z') {
    return {};
  }
  std::string basic(text.substr(0, 19));
  std::erase_if(basic, [](char c) { return c == '-' || c == ':'; });
  Result<WallTime> const whole = parse_iso8601_basic(basic + "Z");
  if (!whole) return {};
  std::string_view fraction = text.substr(19, text.size() - 20);
  if (fraction.empty()) return *whole;
  if (fraction.front() != '.' || fraction.size() < 2) return {};
  std::string digits(fraction.substr(1));
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return {};
  digits.resize(3, '0');
  return WallTime{whole->ms + *number<std::int64_t>(digits)};
}

// "a, b, c", for an enumeration short enough to be read in an error.
std::string expected_values(std::span<std::string_view const> values) {
  static constexpr std::size_t kListedMax = 16;
  if (values.size() > kListedMax) return "Expecting one of the values in the API reference";
  std::string out = "Expecting one of: ";
  for (std::string_view const value : values) {
    if (value != values.front()) out += ", ";
    out += value;
  }
  return out;
}

// One value as its type, or the error. T is what the struct holds inside its optional or vector.
template <class T>
Ec2Result<T> converted(Member const& member, Kind kind, Parameter const& p);

template <>
Ec2Result<std::string> converted(Member const& member, Kind kind, Parameter const& p) {
  if (kind == Kind::blob) {
    Result<std::string> bytes = base64_decoded(p.value);
    // The text itself may be a secret, so it is not repeated.
    if (!bytes) {
      return Ec2Error{"InvalidParameterValue", 400,
                      "The value for parameter " + p.name + " is invalid. Expecting base64"};
    }
    return *std::move(bytes);
  }
  std::span<std::string_view const> const values = enumeration(member.values);
  if (!values.empty() && std::ranges::find(values, p.value) == values.end()) {
    return wrong_value(p.name, p.value, expected_values(values));
  }
  return p.value;
}

template <>
Ec2Result<std::int64_t> converted(Member const& member, Kind, Parameter const& p) {
  std::optional<std::int64_t> const value = number<std::int64_t>(p.value);
  if (!value) return wrong_value(p.name, p.value, "Expecting an integer");
  // For a list, min and max are about its length.
  if (member.kind != Kind::integer || member.min > member.max) return *value;
  if (*value < member.min) {
    return wrong_value(p.name, p.value,
                       "Expecting a value greater than or equal to " + std::to_string(member.min));
  }
  if (*value > member.max) {
    return wrong_value(p.name, p.value,
                       "Expecting a value less than or equal to " + std::to_string(member.max));
  }
  return *value;
}

template <>
Ec2Result<bool> converted(Member const&, Kind, Parameter const& p) {
  if (equal_ignoring_case(p.value, "true")) return true;
  if (equal_ignoring_case(p.value, "false")) return false;
  return wrong_value(p.name, p.value, "Expecting true or false");
}

template <>
Ec2Result<double> converted(Member const&, Kind, Parameter const& p) {
  std::optional<double> const value = number<double>(p.value);
  if (!value || !(*value >= -std::numeric_limits<double>::max() &&
                  *value <= std::numeric_limits<double>::max())) {
    return wrong_value(p.name, p.value, "Expecting a decimal number");
  }
  return *value;
}

template <>
Ec2Result<WallTime> converted(Member const&, Kind, Parameter const& p) {
  std::optional<WallTime> const value = time_value(p.value);
  if (!value) return wrong_value(p.name, p.value, "Expecting a time like 2026-01-02T03:04:05Z");
  return *value;
}

// Into a scalar field, or as a new last element of a list field.
template <class T>
std::optional<Ec2Error> store(Member const& member, Kind kind, void* at, Parameter const& p) {
  Ec2Result<T> value = converted<T>(member, kind, p);
  if (!value) return std::move(value).error();
  // generate.py refuses lists of booleans: std::vector<bool> is not a list of bool.
  if constexpr (!std::is_same_v<T, bool>) {
    if (member.kind == Kind::list) {
      static_cast<std::vector<T>*>(at)->push_back(*std::move(value));
      return {};
    }
  }
  *static_cast<std::optional<T>*>(at) = *std::move(value);
  return {};
}

}  // namespace

std::optional<Ec2Error> store_value(Member const& member, Kind kind, void* at, Parameter const& p) {
  switch (kind) {
    case Kind::text:
    case Kind::blob: return store<std::string>(member, kind, at, p);
    case Kind::integer: return store<std::int64_t>(member, kind, at, p);
    case Kind::real: return store<double>(member, kind, at, p);
    case Kind::time: return store<WallTime>(member, kind, at, p);
    case Kind::boolean: return store<bool>(member, kind, at, p);
    case Kind::structure:
    case Kind::list: break;
  }
  std::abort();
}

}  // namespace berth::ec2::wire
