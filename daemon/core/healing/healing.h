#pragma once
// Duties that time brings, each one function; decide(Tick) lists them. Bounded per tick: what is
// left waits for the next.

#include "daemon/core/decision.h"
#include "daemon/core/state.h"

namespace berth::core {

inline constexpr std::size_t kReapedPerTickMax = 1'000;

// Terminated instances and client tokens whose retention is over.
void reap(State const& state, Context const& context, Decision& decision);

// Hosts whose lease ran out: suspect, then lost. Nothing is moved; it is said, and shown.
void watch_hosts(State const& state, Context const& context, Decision& decision);

}  // namespace berth::core
