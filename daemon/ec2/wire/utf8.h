#pragma once
// UTF-8 as the wire needs it: what is text that XML 1.0 can carry, and what is not.

#include <cstddef>
#include <string_view>

namespace berth::ec2::wire {

// Bytes of the well-formed UTF-8 sequence `text` begins with (1..4): shortest form only, no
// surrogates, nothing above U+10FFFF. 0: it begins with none, or is empty.
[[nodiscard]] std::size_t utf8_sequence(std::string_view text);

// Whether all of it is well-formed and without NUL.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace berth::ec2::wire
