#pragma once
// The region's CA and what it signs, on disk in one directory (0700, the daemon's own):
//
//   ca.key      0400   made at the first start; who has it can be any host of the region
//   ca.crt      0444
//   daemon.key  0400   renewed together at start
//   daemon.crt  0444   the daemon's certificate, then the CA's (agents pick it by fingerprint)

#include <string>
#include <vector>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/ids.h"
#include "common/pki/pki.h"

namespace berth::pki {

inline constexpr Duration kHostCertificateLife = hours(24);
inline constexpr Duration kAdminCertificateLife = hours(24 * 365);
inline constexpr Duration kDaemonCertificateLife = hours(24 * 365 * 3);
inline constexpr Duration kCaLife = hours(24 * 365 * 30);
// Certificates are valid from a little before they were made: clocks differ.
inline constexpr Duration kBackdate = hours(1);

class Authority {
 public:
  // Reads the CA, or makes it when the directory has none. A certificate without its key, or with
  // another's, is an error: making a new CA would lock out every host.
  [[nodiscard]] static Result<Authority> open(std::string const& directory, WallTime now);

  [[nodiscard]] std::string const& certificate() const { return ca_.certificate; }
  [[nodiscard]] std::string const& fingerprint() const { return fingerprint_; }

  // The daemon's key and chain. `names`: DNS names and addresses clients dial; 127.0.0.1, ::1,
  // localhost, this machine's name and kDaemonName are added. Made anew when there is none, when
  // less than a third of its life is left, or when a name is missing from it.
  [[nodiscard]] Result<KeyAndCertificate> daemon_certificate(std::vector<std::string> const& names,
                                                             WallTime now) const;

  // For the key in `csr`; whatever else the request says is ignored.
  [[nodiscard]] Result<std::string> host_certificate(std::string_view csr, HostId const& host,
                                                     WallTime now,
                                                     Duration life = kHostCertificateLife) const;
  [[nodiscard]] Result<KeyAndCertificate> admin_certificate(
      std::string const& name, AdminRole role, WallTime now,
      Duration life = kAdminCertificateLife) const;

 private:
  Authority(std::string directory, KeyAndCertificate ca, std::string fingerprint);

  std::string directory_;
  KeyAndCertificate ca_;
  std::string fingerprint_;
};

}  // namespace berth::pki
