#pragma once

#include <string>

#include "berth/base/entropy.h"

namespace berth::ec2 {

// A version 4 UUID in lower case: every answer bears one, and log and audit name it.
[[nodiscard]] std::string request_id(Entropy& entropy);

}  // namespace berth::ec2
