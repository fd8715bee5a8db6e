#pragma once
// agent.pem: who this agent is, in one file that is replaced as a whole.

#include <string>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/ids.h"

namespace berth::agent {

struct StoredIdentity {
  HostId host;  // as the certificate says
  ZoneName zone;
  std::string key;  // PEM, as the two below
  std::string certificate;
  std::string ca;
  WallTime not_before;
  WallTime not_after;
};

// Puts together what a join or a renewal brought. Errors: the three do not belong together, or the
// certificate is none of a host.
[[nodiscard]] Result<StoredIdentity> make_identity(std::string key, std::string certificate,
                                                   std::string ca, ZoneName zone);
// not_found when there is none yet; corrupt when it is damaged.
[[nodiscard]] Result<StoredIdentity> read_identity_file(std::string const& directory);
[[nodiscard]] Result<void> write_identity_file(std::string const& directory,
                                               StoredIdentity const& identity);

}  // namespace berth::agent
