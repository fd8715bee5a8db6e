#pragma once
// InputClass: how urgent an input is when there is more to do than can be done. A pure function of
// the input; daemon/driver gives each class a queue of its own, a share and a deadline, and the
// fronts ask whether a class has room before they spend anything on a request.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/core/input.h"

namespace berth::core {

// Most urgent first.
enum class InputClass : std::uint8_t {
  lease,      // heartbeats: cheap, and without them hosts look lost
  operation,  // what is under way: agents' reports and sessions; an operator at work on a trouble
  mutation,   // a tenant's change; a host that joins
  read,       // of named things, or of little
  list,       // of everything a caller has; and the audit of refused signatures, which is anybody's
};

inline constexpr std::array kInputClasses = {InputClass::lease, InputClass::operation,
                                             InputClass::mutation, InputClass::read,
                                             InputClass::list};

[[nodiscard]] constexpr std::size_t index(InputClass c) {
  return static_cast<std::size_t>(c);
}

[[nodiscard]] std::string_view name(InputClass c);  // "lease"

[[nodiscard]] InputClass input_class(Input const& input);

}  // namespace berth::core
