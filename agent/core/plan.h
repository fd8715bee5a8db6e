#pragma once
// plan: what to do next so that the host becomes what its spec says, and what to report meanwhile.
// A pure function of the spec, what was observed, and what is under way. It is asked again after
// every observation, so a lost action or a crash between any two steps is only a longer way.
//
//   power     domain                          action                     reported
//   running   none, off by us, new start      FetchImage, StartInstance  preparing
//   running   running                         RebootInstance if behind   running
//   running   running, elsewhere than wanted  PinInstance, with pause    running, unpinned says why
//   running   shut down from inside           –                          stopped, ended by itself
//   running   crashed, host was down          StartInstance, with pause  preparing
//   running   none or off, its disk gone      –                          failed: it ran before
//   stopped   running                         ShutDown, then PowerOff    running
//   stopped   off, none                       –                          stopped
//   absent    any, or a disk                  RemoveInstance             as seen
//   absent    nothing left                    –                          absent
//
// What no spec names is reported and never touched; without a spec nothing is done at all, and
// under one that is `adopt_only` neither: there all is reported as it is found.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/core/action.h"
#include "agent/core/pins.h"
#include "berth/base/time.h"
#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"

namespace berth::agent {

inline constexpr int kStartAttemptsMax = 5;  // then it is reported as failed
inline constexpr std::size_t kIdleImagesMax = 16;

// What one run of the agent remembers of an instance beside what can be observed. Losing it is
// harmless: a shutdown is asked again, a failing start is tried again.
struct Attempt {
  std::uint64_t starts = 0;  // the spec's `starts` that this is about
  std::optional<Instant> shutdown_asked;
  int failures = 0;    // of start or of its image, in a row
  int restarts = 0;    // of a crashed guest
  Instant not_before;  // back-off
  std::string error;   // of the last failure

  // Of moving it while it runs.
  Pins pins;               // what was tried last
  int pin_tries = 0;       // of these, in a row
  Instant pin_not_before;  // back-off
  std::string pin_error;   // of the last try; empty: it went well

  bool operator==(Attempt const&) const = default;
};
using Attempts = std::map<InstanceId, Attempt>;

struct Situation {
  std::optional<HostSpec> const& spec;
  Observed const& observed;
  Attempts const& attempts;
  // Subjects with an action under way now, or since the observation began: what was seen of them
  // may be half-done.
  std::set<std::string> const& busy;
  Instant now;
  HostInventory const* inventory = nullptr;  // of this host; nullptr: not known
};

struct Plan {
  std::vector<Action> actions;           // at most one per subject
  std::vector<InstanceStatus> statuses;  // by id, ascending
};

[[nodiscard]] Plan plan(Situation const& situation);

// The spec to store and to act on when `spec` follows `before`: in quarantine with what was wanted
// before it, however many specs came in between.
[[nodiscard]] HostSpec accepted(std::optional<HostSpec> const& before, HostSpec spec);

// Of `spec.earlier`, what `spec` does not know or knows otherwise; as much as one report may carry.
inline constexpr std::size_t kEarlierBytesMax = std::size_t{8} << 20;
[[nodiscard]] std::vector<InstanceSpec> earlier_to_report(HostSpec const& spec);

// What is remembered after an action was begun, and after it ended.
void remember_begun(Attempts& attempts, Action const& action, Observed const& observed,
                    Instant now);
void remember_ended(Attempts& attempts, std::optional<HostSpec> const& spec, Action const& action,
                    Result<void> const& result, Instant now);
// Drops what is about another start, or an instance that the spec no longer names.
void forget_stale(Attempts& attempts, HostSpec const& spec);

}  // namespace berth::agent
