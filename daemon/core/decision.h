#pragma once
// decide and absorb: the two functions that carry Berth. Decide does not change; absorb does not
// decide. Neither knows a clock, a socket, a file or a thread.

#include <optional>
#include <string>
#include <vector>

#include "berth/base/entropy.h"
#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/host_spec.h"
#include "daemon/core/change.h"
#include "daemon/core/input.h"
#include "daemon/core/policy.h"
#include "daemon/core/reply.h"

namespace berth::core {

struct State;

// A fact for people: one log line, and what metrics count. Never an input to anything.
struct Event {
  std::string what;  // "instance placed"
  std::vector<std::pair<std::string, std::string>> fields;
};

struct Decision {
  std::vector<Change> changes;  // one atomic commit
  Reply reply;                  // monostate: nobody waits
  std::vector<Event> events;
  // This host's spec should be sent again although nothing changed (a hello, a stale report).
  std::optional<HostId> resend;
  // This host's connection should be cut.
  std::optional<HostId> drop;
};

struct Context {
  Now now;           // read once per batch
  Entropy& entropy;  // ids; seeded in tests
  Policy const& policy;
  // Written by a decision that finds no room: for note_refusal.
  std::optional<Refusal> refusal = std::nullopt;
};

// What is to be done about one input. An error changes nothing, and is the reply.
[[nodiscard]] Result<Decision> decide(State const& state, Input const& input, Context& context);

// Applies one change, whatever it is: total, and cannot fail.
void absorb(State& state, Change const& change);

// Remembers a refusal, and forgets the oldest past kRefusalsKept.
void note_refusal(State& state, Refusal const& refusal);

// What this host should run, from the records: a projection, computed, never stored. The host must
// exist. Its instances are all those placed on it, tombstones included.
[[nodiscard]] HostSpec host_spec(State const& state, HostId const& host);

// The first decision of a run, before any input: the next term, and every known host counted as
// alive from now on (a new daemon has no right to call a host lost that it never listened to).
[[nodiscard]] Decision begin(State const& state, Context& context);

}  // namespace berth::core
