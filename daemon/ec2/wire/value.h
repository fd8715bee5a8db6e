#pragma once
// One parameter's text as the type its struct holds. Used by the reader only.

#include <optional>
#include <string>
#include <string_view>

#include "daemon/ec2/ec2_error.h"
#include "daemon/ec2/wire/descriptor.h"
#include "daemon/ec2/wire/query.h"

namespace berth::ec2::wire {

// Checks type, range and enumeration, and writes the value into the optional at `at`, or, if the
// member is a list, as a new last element of the vector there. `kind` is that of the single value.
// The error is InvalidParameterValue and names the parameter.
[[nodiscard]] std::optional<Ec2Error> store_value(Member const& member, Kind kind, void* at,
                                                  Parameter const& parameter);

// What a client sent, short enough for an error's sentence.
[[nodiscard]] std::string quoted(std::string_view text);

// ASCII only.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace berth::ec2::wire
