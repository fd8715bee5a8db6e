#pragma once
// The region's own certificates: ECDSA P-256, one CA, nothing below it but leaves. Who a
// certificate speaks for is its one URI among the subject alternative names; the common name is
// for people and never read:
//
//   berth://daemon               a daemon of this region    serverAuth
//   berth://host/<host id>       an agent                   clientAuth
//   berth://admin/<role>/<name>  an operator                clientAuth; role: read, operate, admin
//
// Text is PEM unless said otherwise; whoever reads a certificate also takes DER. Files and life
// times: authority.h. OpenSSL stays inside pki.cc.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/ids.h"

namespace berth::pki {

enum class Role { daemon, host, admin };
enum class AdminRole { read, operate, admin };

[[nodiscard]] std::string_view name(AdminRole role);
[[nodiscard]] Result<AdminRole> parse_admin_role(std::string_view text);

// Every daemon's certificate has this DNS name, and no other certificate does. Agents ask for it
// instead of the address they dial, so a region may move to other addresses and lie behind
// forwarders.
inline constexpr char kDaemonName[] = "daemon.berth.internal";

struct Identity {
  Role role = Role::host;
  std::string name;                     // host id, or the operator's name; empty for a daemon
  std::optional<AdminRole> admin_role;  // with Role::admin only
  WallTime not_before;
  WallTime not_after;

  bool operator==(Identity const&) const = default;
};

struct KeyAndCertificate {
  std::string key;
  std::string certificate;
};

struct Validity {
  WallTime from;
  WallTime until;
};

[[nodiscard]] std::string make_key();
// A request to certify the key. It says nothing about who asks: the CA decides that.
[[nodiscard]] Result<std::string> make_csr(std::string const& key);
// Well-formed, P-256, and signed by the key it names.
[[nodiscard]] Result<void> check_csr(std::string_view csr);

// What a CA signs. Names in the request other than these do not count.
struct Subject {
  Role role = Role::host;
  std::string name;                     // as Identity::name: letters, digits, '.', '_', '-'
  std::optional<AdminRole> admin_role;  // with Role::admin
  std::vector<std::string> addresses;   // with Role::daemon: DNS names and IP addresses beside
                                        // kDaemonName
};

// Self-signed, may sign leaves only.
[[nodiscard]] Result<std::string> make_ca_certificate(std::string const& key, Validity validity);
// `csr` as check_csr wants it.
[[nodiscard]] Result<std::string> issue(KeyAndCertificate const& ca, std::string_view csr,
                                        Subject const& subject, Validity validity);

// What the certificate says, without a word on whether to believe it. Exactly one berth:// URI is
// wanted. The first certificate, when there are several.
[[nodiscard]] Result<Identity> identity_of(std::string_view certificate);
// The same, believed: signed by this very CA, valid at `now`, a leaf, with exactly the extended key
// usage of `wanted`, and of that role. Errors: unauthenticated (not ours, expired), forbidden
// (ours, another role), corrupt (not a certificate).
[[nodiscard]] Result<Identity> verified(std::string_view certificate, std::string_view ca,
                                        Role wanted, WallTime now);

// Lower-case hex SHA-256 of the DER.
[[nodiscard]] Result<std::string> fingerprint(std::string_view certificate);
// The certificate of a PEM chain that has this fingerprint.
[[nodiscard]] Result<std::string> certificate_with_fingerprint(std::string_view chain,
                                                               std::string_view fingerprint);
[[nodiscard]] Result<WallTime> not_after(std::string_view certificate);
// Both belong to one key pair.
[[nodiscard]] Result<bool> is_pair(std::string_view key, std::string_view certificate);
// DNS names and IP addresses, as text, in the certificate's order.
[[nodiscard]] Result<std::vector<std::string>> addresses_of(std::string_view certificate);

}  // namespace berth::pki
