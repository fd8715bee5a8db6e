#pragma once
// The end of an instance's serial console, from the log that virtlogd writes and rotates.

#include <cstddef>
#include <string>

#include "agent/disks/layout.h"
#include "berth/base/result.h"
#include "berth/model/ids.h"

namespace berth::agent {

// The last `bytes_max` bytes of its newest generation's log, older rotated files included; empty:
// there is no log. Errors: invalid (not an instance id), unavailable (a file cannot be read).
[[nodiscard]] Result<std::string> console_tail(Layout const& layout, InstanceId const& id,
                                               std::size_t bytes_max);

}  // namespace berth::agent
