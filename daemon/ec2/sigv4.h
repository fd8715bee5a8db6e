#pragma once
// Signature Version 4, the server's side: is this request signed by the holder of a key we know?
// Pure functions over values; the caller brings the request, the keys, the time. Runs on the HTTP
// front's threads because it is the largest single CPU cost of a call.
//
// No answer tells an attacker anything the request did not already say: every check that needs only
// the request comes first and depends on nothing else; an unknown key, a disabled key, a wrong
// secret and a wrong token then take one path to one answer (AuthFailure).
//
//   Ec2Result<Verified> who = verify(request, *table, clock.now().wall, options, cache);

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "berth/base/time.h"
#include "berth/model/ids.h"
#include "daemon/ec2/ec2_error.h"

namespace berth::ec2 {

// A request as it came over the wire; views into the caller's buffers.
struct SignedRequest {
  std::string_view method;
  std::string_view target;  // path and query exactly as received, still percent-encoded
  std::vector<std::pair<std::string_view, std::string_view>>
      headers;  // in order, names in any case
  std::string_view body;
};

// One access key. Written by whoever publishes the table; read-only afterwards.
struct KeyEntry {
  std::string secret;  // the secret access key in clear; never logged, never in an error
  std::string
      session_token;     // empty: a long-term key, and a request that brings a token is refused
  TenantId tenant;       // whose key it is
  bool enabled = false;  // false: this key or its tenant is disabled; same answer as unknown
};

// All keys at one moment, by access key id. Immutable once published: the core publishes a new
// table when keys change and the front's threads each hold the one they started with. That many
// threads read while one replaces is the reason for shared_ptr<KeyTable const> here.
struct KeyTable {
  std::unordered_map<std::string, KeyEntry> keys;
};
using KeyTablePtr = std::shared_ptr<KeyTable const>;

struct VerifyOptions {
  Duration clock_window = minutes(5);  // either way; EC2 allows 15, ours is tighter by default
  std::string region = "us-east-1";    // the only region a scope may name
  std::vector<std::string> services = {"ec2", "sts"};  // the services a scope may name
  bool presigned = false;  // whether the query-string form is accepted at all
};

inline constexpr std::int64_t kPresignedSecondsMax = 604'800;  // a week, AWS's limit
inline constexpr std::size_t kSignedHeadersMax = 64;
inline constexpr std::size_t kAuthorizationBytesMax = 8192;

// The parsed claim, before anything is believed.
struct Authorization {
  std::string access_key_id;
  std::string date;                         // of the scope: "20260102"
  std::string region;                       // of the scope
  std::string service;                      // of the scope: "ec2"
  std::vector<std::string> signed_headers;  // lower case, strictly ascending
  std::string signature;                    // 64 lower-case hex digits
  std::string time;                         // "20260102T030405Z", the time the signature was made
  std::string session_token;                // empty if none came
  bool presigned = false;                   // from the query string
  std::int64_t expires_s = 0;               // presigned only: valid for so long after `time`
};

// Who asks, proven.
struct Verified {
  AccessKeyId access_key_id;
  TenantId tenant;
  std::string region;
  std::string service;  // "ec2" or "sts": hand it to wire::identify, it opens no other service
  WallTime signed_at;

  bool operator==(Verified const&) const = default;
};

// Signing keys already derived, per (key, date, region, service): saves four of five HMACs. Not
// synchronised: one per thread. Unknown keys are cached like known ones, so that timing does not
// tell them apart; when full it is emptied.
class SigningKeyCache {
 public:
  static constexpr std::size_t kEntriesMax = 1024;

  // The signing key for this secret and scope. A cached one is used only if it was derived from
  // this very secret, so a replaced secret is never honoured.
  [[nodiscard]] std::array<std::uint8_t, 32> signing_key(std::string_view secret,
                                                         Authorization const& scope);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string secret;
    std::array<std::uint8_t, 32> key{};
  };
  std::unordered_map<std::string, Entry> entries_;
};

// Reads the Authorization header, or, if `presigned_enabled`, the X-Amz-* query parameters.
// Errors: MissingAuthenticationToken, IncompleteSignature (400), AuthFailure (401) for a form of
// signature that is not accepted here.
[[nodiscard]] Ec2Result<Authorization> parse_authorization(SignedRequest const& request,
                                                           bool presigned_enabled);

// The canonical request of AWS's description: six parts joined by newlines. `payload_hash` is its
// last line. Headers of one name are joined by commas; verify() refuses such requests before.
[[nodiscard]] std::string canonical_request(SignedRequest const& request,
                                            Authorization const& authorization,
                                            std::string_view payload_hash);

// "AWS4-HMAC-SHA256\n<time>\n<scope>\n<hash of the canonical request>".
[[nodiscard]] std::string string_to_sign(Authorization const& authorization,
                                         std::string_view canonical_request);

// The hex signature of a string by a secret, for clients and tests.
[[nodiscard]] std::string signature(std::string_view secret, Authorization const& scope,
                                    std::string_view string_to_sign);

// Errors: those of parse_authorization; RequestExpired (400) outside the clock window or after the
// expiry of a presigned request; AuthFailure (401) for everything else.
[[nodiscard]] Ec2Result<Verified> verify(SignedRequest const& request, KeyTable const& keys,
                                         WallTime now, VerifyOptions const& options,
                                         SigningKeyCache& cache);

}  // namespace berth::ec2
