#pragma once
// What the calls for launch templates share beside calls.h.

#include <cstdint>
#include <string>

#include "daemon/core/state.h"

namespace berth::core {

// (invalid, "launch-template-name") with EC2's rule for names.
[[nodiscard]] Result<void> check_launch_template_name(std::string const& name);
// 1 or more; (invalid, "parameter") for anything else.
[[nodiscard]] Result<std::uint64_t> version_number(std::string const& text);
// The highest version that there is; the template must exist.
[[nodiscard]] std::uint64_t latest_version(State const& state, LaunchTemplateId const& id);

}  // namespace berth::core
