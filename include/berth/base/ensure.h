#pragma once
// ENSURE(condition): an invariant of our own code, always on, also in release builds. A broken one
// prints where and what, and aborts: instances keep running while the daemon restarts, and a daemon
// that guesses can harm them all. Never use it for bad input; that is a Result.

#include <cstdio>
#include <cstdlib>

namespace berth {

[[noreturn]] inline void ensure_failed(char const* file, int line, char const* condition) noexcept {
  std::fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
  std::abort();
}

}  // namespace berth

#define ENSURE(condition) \
  ((condition) ? void(0) : ::berth::ensure_failed(__FILE__, __LINE__, #condition))
