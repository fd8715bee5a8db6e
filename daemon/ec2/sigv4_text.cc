#include "daemon/ec2/sigv4_text.h"

#include <algorithm>

namespace berth::ec2 {

namespace sigv4 {

namespace {

char lower_char(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char const l = lower_char(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// '+' is a space here as it is for the parser of the parameters: libcloud sends '+' and signs %20.
std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    int const high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int const low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string canonical(std::string_view text) {
  std::string out;
  append_encoded(out, decoded(text), Slash::encode);
  return out;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower_char);
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower_char, lower_char);
}

std::string_view trimmed(std::string_view text) {
  auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string quoted(std::string_view text) {
  static constexpr std::size_t kQuotedBytesMax = 64;
  if (text.size() <= kQuotedBytesMax) return std::string(text);
  return std::string(text.substr(0, kQuotedBytesMax)) + "...";
}

std::optional<std::string_view> header_value(SignedRequest const& request, std::string_view name) {
  for (auto const& [header, value] : request.headers) {
    if (equal_ignoring_case(header, name)) return value;
  }
  return {};
}

void append_encoded(std::string& out, std::string_view text, Slash slash) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (char const c : text) {
    if (is_unreserved(c) || (c == '/' && slash == Slash::keep)) {
      out += c;
    } else {
      auto const byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

std::vector<Pair> canonical_pairs(std::string_view target) {
  std::vector<Pair> out;
  std::size_t const query = target.find('?');
  if (query == std::string_view::npos || query + 1 == target.size()) return out;
  std::string_view rest = target.substr(query + 1);
  while (true) {
    std::size_t const end = rest.find('&');
    std::string_view const pair = rest.substr(0, end);
    std::size_t const equals = pair.find('=');
    out.push_back({canonical(pair.substr(0, equals)),
                   equals == std::string_view::npos ? "" : canonical(pair.substr(equals + 1))});
    if (end == std::string_view::npos) return out;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace sigv4

namespace {

// Dot segments resolved and doubled slashes merged as botocore does, then encoded once more:
// every service but S3 signs the encoded path encoded again.
std::string canonical_path(std::string_view target) {
  std::string_view const path = target.substr(0, target.find('?'));
  std::vector<std::string_view> kept;
  std::string_view rest = path;
  while (true) {
    std::size_t const slash = rest.find('/');
    std::string_view const segment = rest.substr(0, slash);
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  std::string out;
  for (std::string_view const segment : kept) {
    out += '/';
    sigv4::append_encoded(out, segment, sigv4::Slash::keep);
  }
  if (kept.empty() || path.back() == '/') out += '/';
  return out;
}

// Inner runs of blanks become one.
void append_collapsed(std::string& out, std::string_view value) {
  bool was_blank = false;
  for (char const c : sigv4::trimmed(value)) {
    bool const is_blank = c == ' ' || c == '\t';
    if (!is_blank) {
      out += c;
    } else if (!was_blank) {
      out += ' ';
    }
    was_blank = is_blank;
  }
}

void append_headers(std::string& out, SignedRequest const& request,
                    Authorization const& authorization) {
  for (std::string const& name : authorization.signed_headers) {
    out += name;
    char separator = ':';
    for (auto const& [header, value] : request.headers) {
      if (!sigv4::equal_ignoring_case(header, name)) continue;
      out += separator;
      append_collapsed(out, value);
      separator = ',';
    }
    out += '\n';
  }
  out += '\n';
  for (std::string const& name : authorization.signed_headers) {
    if (&name != &authorization.signed_headers.front()) out += ';';
    out += name;
  }
}

}  // namespace

std::string canonical_request(SignedRequest const& request, Authorization const& authorization,
                              std::string_view payload_hash) {
  std::string out(request.method);
  out += '\n';
  out += canonical_path(request.target);
  out += '\n';
  std::vector<sigv4::Pair> pairs = sigv4::canonical_pairs(request.target);
  // A signature cannot sign itself.
  if (authorization.presigned)
    std::erase_if(pairs, [](auto const& p) { return p.name == "X-Amz-Signature"; });
  std::ranges::sort(pairs);
  bool is_first = true;
  for (sigv4::Pair const& pair : pairs) {
    if (!is_first) out += '&';
    is_first = false;
    out += pair.name;
    out += '=';
    out += pair.value;
  }
  out += '\n';
  append_headers(out, request, authorization);
  out += '\n';
  out += payload_hash;
  return out;
}

}  // namespace berth::ec2
