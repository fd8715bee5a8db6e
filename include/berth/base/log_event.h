#pragma once
// A line whose fields are only known at run time: events of the cores. See log.h.

#include <string_view>
#include <vector>

#include "berth/base/log.h"

namespace berth {

void log_event(LogLevel level, std::string_view message, std::vector<LogField> const& fields);

}  // namespace berth
