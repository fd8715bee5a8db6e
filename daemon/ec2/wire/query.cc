#include "daemon/ec2/wire/query.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "daemon/ec2/wire/utf8.h"
#include "daemon/ec2/wire/value.h"

namespace berth::ec2::wire {

namespace {

constexpr std::string_view kForm = "application/x-www-form-urlencoded";
constexpr std::size_t kQuotedBytesMax = 64;

Ec2Error malformed(std::string message) {
  return {"MalformedQueryString", 400, std::move(message)};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Ec2Result<std::string> decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const c = static_cast<unsigned char>(text[i]);
    if (c == '+') {
      out += ' ';
    } else if (c == '%') {
      int const high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int const low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return malformed("Expected two hexadecimal digits after each '%' of the query string");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c <= ' ' || c >= 0x7f) {
      return malformed("Expected everything but printable ASCII to be percent-encoded");
    } else {
      out += static_cast<char>(c);
    }
  }
  if (!is_utf8(out)) return malformed("Expected the query string to be UTF-8 without NUL");
  return out;
}

bool is_form(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return type.empty() || equal_ignoring_case(type, kForm);
}

Ec2Error too_many() {
  return {"RequestEntityTooLarge", 413,
          "Expected at most " + std::to_string(kParametersMax) + " parameters in a request"};
}

// The name of some pair that comes twice, or empty.
std::string_view doubled_name(std::vector<Parameter> const& parameters) {
  std::vector<std::string_view> names;
  names.reserve(parameters.size());
  for (Parameter const& p : parameters) names.push_back(p.name);
  std::ranges::sort(names);
  auto const at = std::ranges::adjacent_find(names);
  return at == names.end() ? std::string_view{} : *at;
}

}  // namespace

Ec2Result<std::vector<Parameter>> parse_pairs(std::string_view text) {
  if (text.size() > kParameterTextBytesMax) {
    return Ec2Error{"RequestEntityTooLarge", 413,
                    "Expected at most " + std::to_string(kParameterTextBytesMax) +
                        " bytes of parameters, found " + std::to_string(text.size())};
  }
  std::vector<Parameter> out;
  if (text.empty()) return out;
  // Count first: a flood of separators must not cost memory.
  auto const pairs = static_cast<std::size_t>(std::ranges::count(text, '&')) + 1;
  if (pairs > kParametersMax) return too_many();
  out.reserve(pairs);
  while (true) {
    std::size_t const end = text.find('&');
    std::string_view const pair = text.substr(0, end);
    std::size_t const equals = pair.find('=');
    Parameter parameter;
    parameter.name = TRY(decoded(pair.substr(0, equals)));
    if (equals != std::string_view::npos) parameter.value = TRY(decoded(pair.substr(equals + 1)));
    if (parameter.name.empty()) {
      return malformed("Expected a name before each '=' of the query string, found none");
    }
    if (parameter.name.size() > kParameterNameBytesMax) {
      return malformed("Expected parameter names of at most " +
                       std::to_string(kParameterNameBytesMax) + " bytes, found one of " +
                       std::to_string(parameter.name.size()));
    }
    out.push_back(std::move(parameter));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

Ec2Result<std::vector<Parameter>> parse_query(QueryText const& text) {
  if (text.method != "GET" && text.method != "POST") {
    return Ec2Error{"MethodNotAllowed", 405, "Expected the method GET or POST"};
  }
  if (text.method == "GET" && !text.body.empty()) {
    return malformed("Expected no body in a GET request: parameters belong to its query string");
  }
  if (!text.body.empty() && !is_form(text.content_type)) {
    return malformed("Expected a body of type " + std::string(kForm) + ", found " +
                     std::string(text.content_type.substr(0, kQuotedBytesMax)));
  }
  std::size_t const query = text.target.find('?');
  std::vector<Parameter> out;
  if (query != std::string_view::npos) out = TRY(parse_pairs(text.target.substr(query + 1)));
  std::vector<Parameter> form = TRY(parse_pairs(text.body));
  if (out.size() + form.size() > kParametersMax) return too_many();
  std::ranges::move(form, std::back_inserter(out));
  if (std::string_view const name = doubled_name(out); !name.empty()) {
    return Ec2Error{"InvalidQueryParameter", 400,
                    "The parameter " + std::string(name.substr(0, kQuotedBytesMax)) +
                        " may be given only once"};
  }
  return out;
}

std::string_view value_of(std::vector<Parameter> const& parameters, std::string_view name) {
  auto const at = std::ranges::find(parameters, name, &Parameter::name);
  return at == parameters.end() ? std::string_view{} : std::string_view(at->value);
}

}  // namespace berth::ec2::wire
