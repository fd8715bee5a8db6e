#pragma once
// Story: a scenario file. Lines that begin with "$ " are commands, the lines below each are exactly
// what it prints; everything else is prose. Played on the simulated cluster on a good day, with a
// fixed seed, so that a story reads the same for ever.
//
//   $ launch count=2          i1, i2 in the order of their launch; token=, type=, shutdown=,
//   tenant= $ start|stop|reboot|terminate i1 $ list                    what the tenant sees $ hosts
//   what the operator sees $ wait 30                 seconds $ power-off-inside i1     the guest
//   shuts itself down $ kill-guest i1           its process dies $ cut-power host-0        and:
//   restore-power host-0 $ disconnect host-0       and: reconnect host-0 $ crash-agent host-0 and:
//   start-agent host-0 $ crash-daemon            it comes back by itself $ quota instances=2

#include <string>
#include <string_view>

#include "berth/base/result.h"

namespace berth::sim {

// The same text with what the commands print now. Error: a command that is not one.
[[nodiscard]] Result<std::string> played(std::string_view story);

}  // namespace berth::sim
