// The order of the steps is the promise of sigv4.h: first everything that depends on the request
// alone, then one look-up, one computation and one comparison that are the same whoever asks.

#include "daemon/ec2/sigv4.h"

#include <algorithm>
#include <span>

#include "berth/base/digest.h"
#include "daemon/ec2/sigv4_text.h"

namespace berth::ec2 {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";
constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
// What an unknown key is compared with: as long as a real secret, never the secret of anybody,
// because the result of comparing with it is thrown away.
constexpr std::string_view kNobodysSecret = "0000000000000000000000000000000000000000";

using sigv4::header_value;

Ec2Error auth_failure(std::string message) {
  return {"AuthFailure", 401, std::move(message)};
}

Ec2Error not_validated() {
  return auth_failure("AWS was not able to validate the provided access credentials");
}

Ec2Error expired(std::string message) {
  return {"RequestExpired", 400, std::move(message)};
}

std::string_view bytes_of(Sha256 const& digest) {
  return {reinterpret_cast<char const*>(digest.data()), digest.size()};
}

// Of 64 lower-case hex digits, as parse_authorization lets through.
Sha256 bytes_of_hex(std::string_view digits) {
  auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Sha256 out{};
  ENSURE(digits.size() == 2 * out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(value(digits[2 * i]) * 16 + value(digits[2 * i + 1]));
  }
  return out;
}

Sha256 derived_key(std::string_view secret, Authorization const& scope) {
  Sha256 key = hmac_sha256("AWS4" + std::string(secret), scope.date);
  key = hmac_sha256(bytes_of(key), scope.region);
  key = hmac_sha256(bytes_of(key), scope.service);
  return hmac_sha256(bytes_of(key), kTerminator);
}

// Two headers of one name can be read in two ways, so no request may bring any.
std::optional<Ec2Error> doubled_header(SignedRequest const& request) {
  std::vector<std::string> names;
  names.reserve(request.headers.size());
  for (auto const& [name, value] : request.headers) names.push_back(sigv4::lower(name));
  std::ranges::sort(names);
  if (std::ranges::adjacent_find(names) == names.end()) return {};
  return auth_failure("A header may be given only once in a signed request");
}

// Host and the date make a signature belong to this server and this time; a token that is not
// signed could be swapped.
std::optional<Ec2Error> unsigned_part(SignedRequest const& request, Authorization const& claim) {
  auto is_signed = [&](std::string_view name) {
    return std::ranges::find(claim.signed_headers, name) != claim.signed_headers.end();
  };
  auto incomplete = [](std::string const& name) {
    return Ec2Error{"IncompleteSignature", 400,
                    "The header '" + name + "' must be one of the SignedHeaders"};
  };
  if (!is_signed("host")) return incomplete("host");
  if (claim.presigned) return {};
  for (std::string const name : {"x-amz-date", "x-amz-security-token"}) {
    if (header_value(request, name) && !is_signed(name)) return incomplete(name);
  }
  if (!header_value(request, "x-amz-date") && !is_signed("date")) return incomplete("date");
  return {};
}

// Every signed header has to be there: canonicalising an absent one as empty would let a proxy take
// it away.
std::optional<Ec2Error> absent_header(SignedRequest const& request, Authorization const& claim) {
  for (std::string const& name : claim.signed_headers) {
    if (!header_value(request, name)) {
      return Ec2Error{"IncompleteSignature", 400,
                      "The header '" + sigv4::quoted(name) +
                          "' is one of the SignedHeaders but not part of the request"};
    }
  }
  return {};
}

std::optional<Ec2Error> wrong_scope(Authorization const& claim, VerifyOptions const& options) {
  if (claim.date != std::string_view(claim.time).substr(0, 8)) {
    return auth_failure("Credential should be scoped to the day of the request's date");
  }
  if (claim.region != options.region) {
    return auth_failure("Credential should be scoped to a valid region. Expecting '" +
                        options.region + "'");
  }
  if (std::ranges::find(options.services, claim.service) == options.services.end()) {
    return auth_failure("Credential should be scoped to a service of this endpoint");
  }
  return {};
}

std::optional<Ec2Error> wrong_time(Authorization const& claim, WallTime signed_at, WallTime now,
                                   VerifyOptions const& options) {
  if (signed_at > now + options.clock_window) {
    return expired("Request date is too far in the future: " + claim.time + ". The server's is " +
                   iso8601_basic(now));
  }
  Duration const lifetime = claim.presigned ? seconds(claim.expires_s) : options.clock_window;
  if (now > signed_at + lifetime) {
    return expired("Request has expired. Its date is " + claim.time + ", the server's " +
                   iso8601_basic(now));
  }
  return {};
}

// The last line of the canonical request: a hash of the body we have, never one we were told of.
Ec2Result<std::string> payload_hash(SignedRequest const& request, Authorization const& claim) {
  std::string actual = hex(sha256(request.body));
  std::optional<std::string_view> const told = header_value(request, "x-amz-content-sha256");
  bool const is_signed =
      std::ranges::find(claim.signed_headers, "x-amz-content-sha256") != claim.signed_headers.end();
  if (!told || !is_signed || claim.presigned) return actual;
  // libcloud says so for a POST without data; there is nothing then that could go unsigned.
  if (*told == kUnsignedPayload && request.body.empty()) return std::string(kUnsignedPayload);
  if (*told != actual) {
    return auth_failure("The provided x-amz-content-sha256 header does not match the body");
  }
  return actual;
}

}  // namespace

std::array<std::uint8_t, 32> SigningKeyCache::signing_key(std::string_view secret,
                                                          Authorization const& scope) {
  std::string name = scope.access_key_id;
  for (std::string const* part : {&scope.date, &scope.region, &scope.service}) {
    name += '/';  // in no part: parse_authorization splits at it
    name += *part;
  }
  auto const known = entries_.find(name);
  if (known != entries_.end() && equal_constant_time(known->second.secret, secret)) {
    return known->second.key;
  }
  if (entries_.size() >= kEntriesMax) entries_.clear();
  Entry entry{std::string(secret), derived_key(secret, scope)};
  return entries_.insert_or_assign(std::move(name), std::move(entry)).first->second.key;
}

std::string string_to_sign(Authorization const& authorization, std::string_view canonical_request) {
  std::string out(kAlgorithm);
  out += '\n';
  out += authorization.time;
  out += '\n';
  for (std::string const* part :
       {&authorization.date, &authorization.region, &authorization.service}) {
    out += *part;
    out += '/';
  }
  out += kTerminator;
  out += '\n';
  out += hex(sha256(canonical_request));
  return out;
}

std::string signature(std::string_view secret, Authorization const& scope,
                      std::string_view string_to_sign) {
  return hex(hmac_sha256(bytes_of(derived_key(secret, scope)), string_to_sign));
}

Ec2Result<Verified> verify(SignedRequest const& request, KeyTable const& keys, WallTime now,
                           VerifyOptions const& options, SigningKeyCache& cache) {
  if (auto error = doubled_header(request)) return *error;
  Authorization const claim = TRY(parse_authorization(request, options.presigned));
  if (auto error = unsigned_part(request, claim)) return *error;
  if (auto error = absent_header(request, claim)) return *error;
  if (auto error = wrong_scope(claim, options)) return *error;
  Result<WallTime> const signed_at = parse_iso8601_basic(claim.time);
  ENSURE(signed_at.has_value());  // parse_authorization let nothing else through
  if (auto error = wrong_time(claim, *signed_at, now, options)) return *error;
  std::string const hash = TRY(payload_hash(request, claim));
  std::string const to_sign = string_to_sign(claim, canonical_request(request, claim, hash));

  // From here on one path for every caller, known or not.
  static KeyEntry const nobody{std::string(kNobodysSecret), "", TenantId{}, false};
  auto const found = keys.keys.find(claim.access_key_id);
  KeyEntry const& entry = found == keys.keys.end() ? nobody : found->second;
  Sha256 const key = cache.signing_key(entry.secret, claim);
  // Bytes are compared, not digits: turning our own MAC into digits looks them up by its secret
  // bits.
  Sha256 const expected = hmac_sha256(bytes_of(key), to_sign);
  Sha256 const claimed = bytes_of_hex(claim.signature);
  bool const is_signature_right = equal_constant_time(bytes_of(expected), bytes_of(claimed));
  bool const is_token_right = equal_constant_time(entry.session_token, claim.session_token);
  if (!(is_signature_right & is_token_right & entry.enabled)) return not_validated();
  return Verified{.access_key_id = AccessKeyId{claim.access_key_id},
                  .tenant = entry.tenant,
                  .region = claim.region,
                  .service = claim.service,
                  .signed_at = *signed_at};
}

}  // namespace berth::ec2
