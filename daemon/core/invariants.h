#pragma once
// What must hold of any state, recounted from the records alone. The simulator asks after every
// event; a start asks once after loading.

#include <string>
#include <vector>

#include "daemon/core/state.h"

namespace berth::core {

// One sentence per contradiction among the records, or of the index to them; empty: none. Nothing
// may ever bring one about.
[[nodiscard]] std::vector<std::string> broken_invariants(State const& state);

// Hosts that hold more than they may sell, tenants that hold more than their quota (I4, I6). No
// decision brings it about, but the world can: an operator lowers a quota, a host loses memory. So
// a start must not refuse it.
[[nodiscard]] std::vector<std::string> exceeded_limits(State const& state);

}  // namespace berth::core
