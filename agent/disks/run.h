#pragma once
// Runs one external program to its end: argv only (no shell), nothing inherited but a fixed
// environment, bounded in time, memory, CPU and output. For qemu-img.

#include <cstddef>
#include <string>
#include <vector>

#include "berth/base/result.h"
#include "berth/base/time.h"

namespace berth::agent {

struct RunLimits {
  Duration deadline = seconds(60);                    // wall time; then SIGKILL
  std::int64_t cpu_seconds = 60;                      // RLIMIT_CPU
  std::int64_t memory_bytes = std::int64_t{1} << 30;  // RLIMIT_AS
  std::size_t output_bytes_max = 64 * 1024;  // of standard output and error together; the rest
                                             // is read and dropped
};

struct RunOutcome {
  int exit_status = 0;  // of a program that ended by itself; 128 + signal otherwise
  std::string output;   // standard output and error, interleaved, cut at output_bytes_max
};

// argv[0] is an absolute path or is looked up in /usr/bin, /usr/sbin, /bin, /sbin. Errors: invalid
// (empty argv), unavailable (cannot be started), timeout (killed at the deadline). A non-zero exit
// is an outcome, not an error.
[[nodiscard]] Result<RunOutcome> run(std::vector<std::string> const& argv, RunLimits const& limits);

// The same, with a non-zero exit as an error (unavailable) that quotes the last line of output.
[[nodiscard]] Result<std::string> run_ok(std::vector<std::string> const& argv,
                                         RunLimits const& limits);

}  // namespace berth::agent
