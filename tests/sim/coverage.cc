#include "tests/sim/coverage.h"

namespace berth::sim {

namespace {

constexpr std::string_view kPhaseNames[kPhases] = {"launching",   "starting",   "running",
                                                   "rebooting",   "stopping",   "stopped",
                                                   "terminating", "unconfirmed"};
constexpr std::string_view kFaultNames[kFaults] = {
    "daemon crash",   "store failure",    "store stall",
    "store full",     "wall step",        "agent crash",
    "agent stall",    "agent slow",       "spec not saved",
    "spec file lost", "power cut",        "disk wiped",
    "impostor",       "partition",        "one way",
    "clog",           "swizzle",          "link cut",
    "observe fails",  "observe hangs",    "domain lost",
    "guest vanishes", "guest powers off", "action fails",
    "action hangs",   "start fails",      "start succeeds late",
    "answer lost"};

}  // namespace

std::string_view name(Phase phase) {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}

std::string_view name(Fault fault) {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

std::string_view why_never(Fault fault, Phase phase) {
  bool const is_off = phase == Phase::stopped || phase == Phase::unconfirmed;
  // Only a host that is behind acts on these, in a moment before it hears better.
  bool const is_done = is_off || phase == Phase::rebooting || phase == Phase::stopping ||
                       phase == Phase::terminating;
  switch (fault) {
    case Fault::guest_vanishes:
    case Fault::guest_powers_off: return is_off ? "its guest does not run" : "";
    case Fault::domain_lost: return phase == Phase::unconfirmed ? "it has no domain any more" : "";
    case Fault::start_fails:
    case Fault::start_succeeds_late: return is_done ? "nobody starts it" : "";
    case Fault::action_fails:
    case Fault::action_hangs: return is_off ? "nothing is to be done" : "";
    case Fault::answer_lost:
      return phase == Phase::unconfirmed ? "no call is about what is removed" : "";
    default: return "";
  }
}

Coverage& Coverage::operator+=(Coverage const& other) {
  for (std::size_t f = 0; f < kFaults; ++f) {
    for (std::size_t p = 0; p < kPhases; ++p) cells[f][p] += other.cells[f][p];
  }
  return *this;
}

}  // namespace berth::sim
