#pragma once
// Faults at the system calls that write: the program that links faults.cc has its pwrite, fsync,
// unlink … pass through it, SQLite's and our own alike. It counts them, and at a chosen one it
// kills the process or lets the disk fail. The numbers are the same from run to run as far as the
// threads of the program are.

#include <cstdint>
#include <string>

namespace berth::crash {

enum class Fault {
  none,
  kill_before,  // SIGKILL instead of the call
  kill_after,   // SIGKILL when it is done
  full_once,    // ENOSPC for one call that needs room
  full_healed,  // ENOSPC for `length` calls that need room
  full_killed,  // the same, and SIGKILL at the end of it
  short_write,  // half of a write, then ENOSPC: a disk that filled in mid-write
  sync_fails,   // EIO of the first sync from there on
  write_fails,  // EIO of the first write from there on
};

struct FaultPlan {
  Fault fault = Fault::none;
  std::uint64_t at = 0;      // number of the call, from 1
  std::uint64_t length = 1;  // full_healed, full_killed

  // "kill_before:17", "full_healed:17:5".
  [[nodiscard]] static FaultPlan parse(std::string const& text);
};

// Before the first call that counts. `said` writes a line that says which call met the fault.
void arm(FaultPlan const& plan, void (*said)(std::string const& line));
// Calls so far.
[[nodiscard]] std::uint64_t calls_counted();

}  // namespace berth::crash
