#pragma once
// One seed, from the first draw to the last check: storm, then calm.

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "berth/base/time.h"
#include "tests/sim/coverage.h"

namespace berth::sim {

struct Outcome {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::uint64_t calls = 0;
  std::uint64_t judged = 0;
  Duration simulated;
  std::optional<std::string> violation;
  Coverage coverage;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
};

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint64_t steps_max = 0;  // of the storm; 0: as the seed says
  std::size_t hosts = 0;        // 0: as the seed says
  std::FILE* trace = nullptr;
};

[[nodiscard]] Outcome run_seed(RunOptions const& options);

}  // namespace berth::sim
