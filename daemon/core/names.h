#pragma once
// Ids and names: how new ones are drawn, and what form they must have.

#include <string>
#include <string_view>

#include "berth/base/entropy.h"
#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/tenant.h"

namespace berth::core {

// "i-" + 17 lower-case hex digits: 68 random bits, so that ids cannot be guessed.
template <class Id>
[[nodiscard]] Id drawn(std::string_view prefix, Entropy& entropy) {
  return Id(std::string(prefix) + entropy.hex(17));
}
[[nodiscard]] std::string drawn_account_id(Entropy& entropy);  // 12 digits, first not 0
// A version 4 UUID that begins with "ec2": cloud-init takes the platform for EC2 by it.
[[nodiscard]] std::string drawn_instance_uuid(Entropy& entropy);
// Locally administered, as on EC2; 40 random bits, so that a region of millions has no pair alike.
[[nodiscard]] std::string drawn_mac(Entropy& entropy);

// prefix + 8 or 17 lower-case hex digits (EC2 still accepts the old short form).
[[nodiscard]] bool is_id(std::string_view text, std::string_view prefix);
// Letters, digits, space and ._-:/@+=() ; 1 to 255 characters; what EC2 allows in names of ours.
[[nodiscard]] bool is_name(std::string_view text);
// Host and zone names: lower-case letters, digits, '-' and '.', 1 to 63, first a letter or digit.
[[nodiscard]] bool is_label(std::string_view text);

// Tags as EC2 limits them; `what` says for whom in the message.
[[nodiscard]] Result<void> check_tags(Tags const& tags);

// EC2's transition reason: "User initiated (2026-01-02 03:04:05 GMT)".
[[nodiscard]] std::string transition_reason(std::string_view why, WallTime at);

}  // namespace berth::core
