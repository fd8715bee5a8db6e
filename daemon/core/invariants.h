#pragma once
// What must hold of any state, recounted from the records alone. The simulator asks after every
// event; a start asks once after loading.

#include <string>
#include <vector>

#include "daemon/core/state.h"

namespace berth::core {

// One sentence per broken invariant; empty: all hold.
[[nodiscard]] std::vector<std::string> broken_invariants(State const& state);

}  // namespace berth::core
