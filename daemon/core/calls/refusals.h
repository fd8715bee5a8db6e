#pragma once
// What is kept of a launch that found no room.

#include "daemon/core/state.h"

namespace berth::core {

// `asked` filled in: how many would have found room, in the zone that was asked for or in the one
// that takes most, and what removed the hosts for the next one.
[[nodiscard]] Refusal refusal_of(State const& state, Refusal asked);

}  // namespace berth::core
