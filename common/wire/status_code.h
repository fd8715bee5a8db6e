#pragma once
// Our error codes as gRPC's status numbers, and back. The numbers are gRPC's and fixed; gRPC itself
// is not needed here.

#include "berth/base/result.h"

namespace berth::wire {

[[nodiscard]] constexpr int status_number(Code code) {
  switch (code) {
    case Code::invalid: return 3;    // INVALID_ARGUMENT
    case Code::timeout: return 4;    // DEADLINE_EXCEEDED
    case Code::not_found: return 5;  // NOT_FOUND
    case Code::exists: return 6;     // ALREADY_EXISTS
    case Code::forbidden: return 7;  // PERMISSION_DENIED
    case Code::quota: return 8;      // RESOURCE_EXHAUSTED
    case Code::no_capacity: return 8;
    case Code::throttled: return 8;
    case Code::conflict: return 9;          // FAILED_PRECONDITION
    case Code::unavailable: return 14;      // UNAVAILABLE
    case Code::corrupt: return 15;          // DATA_LOSS
    case Code::unauthenticated: return 16;  // UNAUTHENTICATED
  }
  return 2;  // UNKNOWN
}

// Whatever gRPC says of its own accord (cancelled, internal, unknown) means: not now.
[[nodiscard]] constexpr Code code_of(int status_number) {
  switch (status_number) {
    case 3: return Code::invalid;
    case 4: return Code::timeout;
    case 5: return Code::not_found;
    case 6: return Code::exists;
    case 7: return Code::forbidden;
    case 8: return Code::throttled;
    case 9: return Code::conflict;
    case 15: return Code::corrupt;
    case 16: return Code::unauthenticated;
    default: return Code::unavailable;
  }
}

}  // namespace berth::wire
