#pragma once
// Signed requests as bytes, made once and sent many times: a signature stays good for minutes, and
// a request without a client token is a new request each time.

#include <string>
#include <utility>
#include <vector>

#include "berth/base/time.h"

namespace berth::load {

struct Signer {
  std::string key_id;
  std::string secret;
  std::string region;
  std::string host;  // "127.0.0.1:8773"
};

using Form = std::vector<std::pair<std::string, std::string>>;

// A whole HTTP/1.1 POST. Values are sent as they are: letters, digits, '-', '.', '_' only.
[[nodiscard]] std::string signed_request(Signer const& signer, Form const& form, WallTime now);

}  // namespace berth::load
