// From a request to the claim it makes: header form and presigned form.

#include <algorithm>
#include <array>
#include <charconv>

#include "daemon/ec2/sigv4_text.h"

namespace berth::ec2 {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t kCredentialPartBytesMax = 128;

using sigv4::header_value;

Ec2Error incomplete(std::string message) {
  return {"IncompleteSignature", 400, std::move(message)};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    std::size_t const end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

bool is_credential_part(std::string_view part) {
  return !part.empty() && part.size() <= kCredentialPartBytesMax &&
         std::ranges::all_of(part, [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

// AKID/20260102/us-east-1/ec2/aws4_request
std::optional<Ec2Error> read_credential(std::string_view text, Authorization& out) {
  std::vector<std::string_view> const parts = split(text, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request" ||
      !std::ranges::all_of(parts, is_credential_part)) {
    return incomplete(
        "Credential must have the form access-key-id/date/region/service/aws4_request");
  }
  out.access_key_id = parts[0];
  out.date = parts[1];
  out.region = parts[2];
  out.service = parts[3];
  return {};
}

// RFC 9110's token, in lower case as signers write it.
bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::optional<Ec2Error> read_signed_headers(std::string_view text, Authorization& out) {
  for (std::string_view const name : split(text, ';')) {
    if (!is_header_name(name)) return incomplete("SignedHeaders must be lower-case header names");
    // Strictly ascending also means: none twice.
    if (!out.signed_headers.empty() && out.signed_headers.back() >= name) {
      return incomplete("SignedHeaders must be sorted and without repetition");
    }
    if (out.signed_headers.size() == kSignedHeadersMax) {
      return incomplete("Expected at most " + std::to_string(kSignedHeadersMax) + " SignedHeaders");
    }
    out.signed_headers.emplace_back(name);
  }
  return {};
}

std::optional<Ec2Error> read_signature(std::string_view text, Authorization& out) {
  bool const is_hex = std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (text.size() != 64 || !is_hex) {
    return incomplete("Signature must be 64 lower-case hexadecimal digits");
  }
  out.signature = text;
  return {};
}

std::optional<Ec2Error> read_time(std::string_view text, Authorization& out) {
  if (!parse_iso8601_basic(text)) {
    return incomplete("Date must be in ISO-8601 'basic format'. Got '" + sigv4::quoted(text) + "'");
  }
  out.time = text;
  return {};
}

// "Fri, 02 Jan 2026 03:04:05 GMT" -> "20260102T030405Z"; anything else unchanged. The day's name is
// not compared with the date: clients sign it, nothing rests on it.
std::string basic_from_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT" || text[19] != ':' || text[22] != ':' ||
      text[16] != ' ') {
    return std::string(text);
  }
  auto const month = std::ranges::find(kMonths, text.substr(8, 3));
  if (month == kMonths.end()) return std::string(text);
  auto const number = static_cast<int>(month - kMonths.begin()) + 1;
  std::string out(text.substr(12, 4));
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
  out += text.substr(5, 2);
  out += 'T';
  for (std::size_t const at : {17U, 20U, 23U}) out += text.substr(at, 2);
  return out + "Z";
}

Ec2Result<Authorization> from_header(SignedRequest const& request, std::string_view header) {
  header = sigv4::trimmed(header);
  if (header.size() > kAuthorizationBytesMax) {
    return incomplete("Expected an Authorization header of at most " +
                      std::to_string(kAuthorizationBytesMax) + " bytes");
  }
  if (!header.starts_with(std::string(kAlgorithm) + " ")) {
    return incomplete("Authorization must begin with '" + std::string(kAlgorithm) + " '");
  }
  header.remove_prefix(kAlgorithm.size() + 1);
  Authorization out;
  std::array<std::optional<std::string_view>, 3> values;
  static constexpr std::array<std::string_view, 3> kNames = {"Credential", "SignedHeaders",
                                                             "Signature"};
  for (std::string_view part : split(header, ',')) {
    part = sigv4::trimmed(part);
    std::size_t const equals = part.find('=');
    auto const name = std::ranges::find(kNames, part.substr(0, equals));
    if (equals == std::string_view::npos || name == kNames.end()) {
      return incomplete("Authorization must hold Credential, SignedHeaders and Signature");
    }
    auto& value = values[static_cast<std::size_t>(name - kNames.begin())];
    if (value) return incomplete("Authorization holds '" + std::string(*name) + "' twice");
    value = part.substr(equals + 1);
  }
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (!values[i]) return incomplete("Authorization requires '" + std::string(kNames[i]) + "'");
  }
  if (auto error = read_credential(*values[0], out)) return *error;
  if (auto error = read_signed_headers(*values[1], out)) return *error;
  if (auto error = read_signature(*values[2], out)) return *error;
  std::optional<std::string_view> const amz_date = header_value(request, "x-amz-date");
  std::optional<std::string_view> const date = header_value(request, "date");
  if (!amz_date && !date) {
    return incomplete("Authorization requires a header 'X-Amz-Date' or 'Date'");
  }
  auto error = amz_date ? read_time(sigv4::trimmed(*amz_date), out)
                        : read_time(basic_from_http_date(sigv4::trimmed(*date)), out);
  if (error) return *error;
  if (auto const token = header_value(request, "x-amz-security-token")) {
    out.session_token = sigv4::trimmed(*token);
  }
  return out;
}

class PresignedQuery {
 public:
  explicit PresignedQuery(std::string_view target) : pairs_(sigv4::canonical_pairs(target)) {}

  [[nodiscard]] bool is_there() const { return find("X-Amz-Signature") || find("X-Amz-Algorithm"); }
  [[nodiscard]] bool is_version_2() const { return find("SignatureVersion") && find("Signature"); }

  // The decoded value; only names that come exactly once count.
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const {
    if (std::ranges::count(pairs_, name, &sigv4::Pair::name) != 1) return {};
    return decoded(std::ranges::find(pairs_, name, &sigv4::Pair::name)->value);
  }

 private:
  // Undoes append_encoded, so every '%' is followed by two upper-case digits.
  static std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        out += text[i];
        continue;
      }
      unsigned byte = 0;
      std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      out += static_cast<char>(byte);
      i += 2;
    }
    return out;
  }

  std::vector<sigv4::Pair> pairs_;
};

Ec2Result<Authorization> from_query(PresignedQuery const& query) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Date",
      "X-Amz-Expires",   "X-Amz-SignedHeaders", "X-Amz-Signature"};
  std::array<std::string, kNames.size()> values;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::optional<std::string> value = query.find(kNames[i]);
    if (!value) {
      return incomplete("A presigned request requires the query parameter '" +
                        std::string(kNames[i]) + "' exactly once");
    }
    values[i] = *std::move(value);
  }
  if (values[0] != kAlgorithm) {
    return incomplete("X-Amz-Algorithm must be '" + std::string(kAlgorithm) + "'");
  }
  Authorization out;
  out.presigned = true;
  if (auto error = read_credential(values[1], out)) return *error;
  if (auto error = read_time(values[2], out)) return *error;
  char const* const end = values[3].data() + values[3].size();
  auto const [at, error_code] = std::from_chars(values[3].data(), end, out.expires_s);
  if (error_code != std::errc{} || at != end || out.expires_s < 1 ||
      out.expires_s > kPresignedSecondsMax) {
    return incomplete("X-Amz-Expires must be a number of seconds from 1 to " +
                      std::to_string(kPresignedSecondsMax));
  }
  if (auto error = read_signed_headers(values[4], out)) return *error;
  if (auto error = read_signature(values[5], out)) return *error;
  out.session_token = query.find("X-Amz-Security-Token").value_or("");
  return out;
}

}  // namespace

Ec2Result<Authorization> parse_authorization(SignedRequest const& request, bool presigned_enabled) {
  PresignedQuery const query(request.target);
  std::optional<std::string_view> const header = header_value(request, "authorization");
  if (header && query.is_there()) {
    return incomplete("A request is signed by its Authorization header or its query, not by both");
  }
  if (header) return from_header(request, *header);
  if (query.is_version_2()) {
    // What libcloud does by default for us-east-1.
    return Ec2Error{"AuthFailure", 401,
                    "Signature version 2 is not accepted. Sign with version 4 (libcloud: "
                    "signature_version=\"4\")"};
  }
  if (!query.is_there()) {
    return Ec2Error{"MissingAuthenticationToken", 400,
                    "The request must contain an Authorization header of Signature version 4"};
  }
  if (!presigned_enabled) {
    return Ec2Error{"AuthFailure", 401,
                    "Presigned requests are not accepted. Sign with an Authorization header"};
  }
  return from_query(query);
}

}  // namespace berth::ec2
