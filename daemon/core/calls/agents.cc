// What agents say: join, hello, heartbeat, report, gone. A report is facts; what follows from them
// for the records is decided here.

#include <algorithm>

#include "berth/base/digest.h"
#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/cpu_sets.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

Error unknown_host(HostId const& id) {
  return Error{Code::not_found, "host", "no host has the id '" + id.value + "'; it was removed"};
}

Error other_machine(Host const& host, std::string const& found) {
  return Error{Code::forbidden, "host",
               "host '" + host.name + "' is the machine with UUID " + host.host_uuid + "; found " +
                   found + ". Two machines with one identity are refused"};
}

// The host's signs of life so far, or an empty one.
SeeHost seen_so_far(State const& state, HostId const& id) {
  SeeHost const* seen = find(state.seen, id);
  return seen != nullptr ? *seen : SeeHost{.id = id};
}

// Alive now: moves the lease, and says so when that is news.
SeeHost alive(State const& state, Host const& host, Context const& context, Decision& decision) {
  SeeHost seen = seen_so_far(state, host.id);
  seen.at = context.now.monotonic;
  seen.is_connected = true;
  if (seen.announced != HostHealth::up) {
    decision.events.push_back({"host up", {{"host", host.id.value}, {"name", host.name}}});
    seen.announced = HostHealth::up;
  }
  return seen;
}

}  // namespace

// Nothing is left of it on its host: placement, and with it all that it held, is given back.
void end(State const& state, Instance& instance, Context const& context, Decision& decision) {
  instance.placement.reset();
  instance.seen = Seen::absent;
  instance.ended = context.now.wall;
  if (instance.client_token.empty()) return;
  TokenRow const* row = find(state.tokens, {instance.tenant, instance.client_token});
  if (row == nullptr) return;
  for (InstanceId const& id : row->instances) {
    Instance const* other = find(state.instances, id);
    if (other == nullptr || other->id == instance.id || !other->placement) continue;
    // Siblings that end in this same report are already among the changes.
    bool const ends_too = std::ranges::any_of(decision.changes, [&](Change const& c) {
      auto const* put = std::get_if<PutInstance>(&c);
      return put != nullptr && put->instance.id == id && !put->instance.placement;
    });
    if (!ends_too) return;
  }
  TokenRow last = *row;
  last.expires =
      context.now.wall +
      (PLANTED(token_expires_at_end) ? Duration{} : context.policy.client_token_retention);
  decision.changes.emplace_back(PutToken{std::move(last)});
}

namespace {

void initiated_inside(Instance& instance, Context const& context) {
  instance.wanted = instance.shutdown_behavior == ShutdownBehavior::terminate &&
                            !PLANTED(inner_shutdown_ignores_behaviour)
                        ? Wanted::terminated
                        : Wanted::stopped;
  instance.state_reason = {"Client.InstanceInitiatedShutdown",
                           "Client.InstanceInitiatedShutdown: Instance initiated shutdown"};
  instance.transition_reason = transition_reason("Instance initiated", context.now.wall);
}

// EC2: a launch that fails after RunInstances has answered ends terminated, with the reason; an
// instance that ran before stays, stopped.
void could_not_start(Instance& instance, InstanceStatus const& status, Context const& context) {
  instance.wanted = status.starts == 0 ? Wanted::terminated : Wanted::stopped;
  instance.seen_reason = status.reason;
  instance.state_reason = {"Server.InternalError",
                           "Server.InternalError: Internal error on launch: " + status.reason};
  instance.transition_reason = transition_reason("Server.InternalError", context.now.wall);
}

// One line of a report, applied to its record.
void see(State const& state, Instance& instance, InstanceStatus const& status,
         Context const& context, Decision& decision) {
  // The report may be older than the last StartInstances: then "stopped" and "running" are of the
  // run before.
  bool const is_of_this_start =
      PLANTED(report_of_earlier_start) || status.starts >= instance.starts_wanted;
  if (!status.private_ip.empty()) instance.private_ip = status.private_ip;
  bool const is_gone = status.seen == Seen::absent ||
                       (PLANTED(tombstone_dropped_early) && status.seen == Seen::stopped);
  if (instance.wanted == Wanted::terminated && is_gone) {
    end(state, instance, context, decision);
    return;
  }
  if (status.seen == Seen::absent || status.seen == Seen::nothing) return;  // of an older spec
  if (instance.wanted != Wanted::running) {
    // Known to be stopped, it can only be removed: what it gave back to its host and its tenant's
    // quota, and may be another's by now, is not taken again while its removal is under way, nor by
    // a start that an older spec wants and that does not come about. Only a guest that runs does.
    bool const is_still_off = instance.seen == Seen::stopped && status.seen != Seen::running;
    if (!is_still_off || PLANTED(removal_takes_room_again)) instance.seen = status.seen;
    return;
  }
  // Once it ran after this start it stays running for its tenant while its host brings it back, as
  // on EC2: the state never goes from running to pending.
  Seen const not_yet = instance.seen == Seen::running ? Seen::running : Seen::preparing;
  switch (status.seen) {
    case Seen::running: instance.seen = is_of_this_start ? Seen::running : not_yet; return;
    case Seen::stopped:
      instance.seen = not_yet;
      if (is_of_this_start && status.ended_by_itself) {
        instance.seen = Seen::stopped;
        initiated_inside(instance, context);
      }
      return;
    case Seen::failed:
      instance.seen = Seen::failed;
      could_not_start(instance, status, context);
      return;
    case Seen::preparing: instance.seen = not_yet; return;
    case Seen::nothing:
    case Seen::absent: return;
  }
}

// What the report of a host about its newest spec says of where its guests run; told when it is
// news.
void see_pins(State const& state, HostStatus const& status, SeeHost& seen, Decision& decision) {
  std::map<InstanceId, std::string> now;
  for (InstanceStatus const& line : status.instances) {
    Instance const* known = find(state.instances, line.id);
    if (known == nullptr || !known->placement ||
        !known->placement->is_at(status.host, line.generation)) {
      continue;
    }
    std::string why = unpinned(*known, line);
    bool const was = seen.unpinned.contains(line.id);
    if (was == why.empty()) {
      decision.events.push_back(
          {why.empty() ? "instance pinned" : "instance unpinned",
           {{"instance", line.id.value}, {"host", status.host.value}, {"reason", why}}});
    }
    if (!why.empty()) now.emplace(line.id, std::move(why));
  }
  seen.unpinned = std::move(now);
}

bool is_same_hardware(std::optional<HostInventory> const& a, HostInventory const& b) {
  if (!a) return false;
  HostInventory left = *a;
  left.disk_free = b.disk_free;  // changes all the time; never stored for its own sake
  return left == b;
}

}  // namespace

Result<Decision> join(State const& state, AgentJoin const& input, Context& context) {
  Error const refused{Code::unauthenticated, "join-token",
                      "the join token is unknown, used or expired; enrol the host again"};
  Host const* known = find(state.hosts, input.host);
  if (known == nullptr || known->join_token_digest.empty() ||
      !equal_constant_time(known->join_token_digest, input.token_digest) ||
      context.now.wall > known->join_token_expires) {
    return refused;
  }
  if (!known->host_uuid.empty() && known->host_uuid != input.host_uuid) {
    return other_machine(*known, input.host_uuid);
  }
  for (auto const& [id, other] : state.hosts) {
    if (id != known->id && other.host_uuid == input.host_uuid) {
      return Error{Code::conflict, "host",
                   "the machine with UUID " + input.host_uuid + " is host '" + other.name +
                       "' already; a cloned machine needs a host UUID of its own"};
    }
  }
  Host host = *known;
  host.host_uuid = input.host_uuid;
  host.join_token_digest.clear();
  Decision decision{.reply = Joined{host}};
  decision.events.push_back({"host joined", {{"host", host.id.value}, {"name", host.name}}});
  decision.changes.emplace_back(PutHost{std::move(host)});
  return decision;
}

Result<Decision> hello(State const& state, AgentHello const& input, Context& context) {
  Host const* host = find(state.hosts, input.host);
  if (host == nullptr) return unknown_host(input.host);
  if (host->host_uuid != input.host_uuid && !PLANTED(machine_not_compared))
    return other_machine(*host, input.host_uuid);
  Decision decision{.resend = host->id};
  SeeHost seen = alive(state, *host, context, decision);
  if (!seen.boot_id.empty() && seen.boot_id != input.boot_id) {
    decision.events.push_back({"host rebooted", {{"host", host->id.value}, {"name", host->name}}});
  }
  seen.boot_id = input.boot_id;
  decision.changes.emplace_back(std::move(seen));
  return decision;
}

Result<Decision> heartbeat(State const& state, AgentHeartbeat const& input, Context& context) {
  Host const* host = find(state.hosts, input.host);
  if (host == nullptr) return unknown_host(input.host);
  Decision decision;
  SeeHost seen = alive(state, *host, context, decision);
  decision.changes.emplace_back(std::move(seen));
  return decision;
}

Result<Decision> gone(State const& state, AgentGone const& input, Context&) {
  SeeHost const* known = find(state.seen, input.host);
  if (known == nullptr) return Decision{};
  SeeHost seen = *known;
  seen.is_connected = false;
  Decision decision;
  decision.changes.emplace_back(std::move(seen));
  return decision;
}

Result<Decision> report(State const& state, AgentReport const& input, Context& context) {
  HostStatus const& status = input.status;
  Host const* host = find(state.hosts, status.host);
  if (host == nullptr) return unknown_host(status.host);
  if (host->host_uuid != status.host_uuid && !PLANTED(machine_not_compared))
    return other_machine(*host, status.host_uuid);

  Decision decision;
  SeeHost seen = alive(state, *host, context, decision);
  seen.boot_id = status.boot_id;
  seen.spec_term = status.term;
  seen.spec_generation = status.generation;
  seen.images = status.images;
  seen.foreign = status.foreign;
  seen.unknown.clear();
  seen.earlier = status.earlier;
  if (is_from_later_daemon(state, status)) {
    Region next = TRY(quarantined(state, status, context));
    decision.events.push_back(
        {"region in quarantine", {{"host", host->id.value}, {"reason", next.quarantine->reason}}});
    decision.changes.emplace_back(PutRegion{std::move(next)});
    decision.changes.emplace_back(std::move(seen));
    return decision;
  }
  if (!is_same_hardware(host->inventory, status.inventory)) {
    Host next = *host;
    next.inventory = status.inventory;
    decision.changes.emplace_back(PutHost{std::move(next)});
  }
  for (InstanceStatus const& line : status.instances) {
    Instance const* known = find(state.instances, line.id);
    if (known == nullptr || !known->placement ||
        !known->placement->is_at(host->id, line.generation)) {
      // A tombstone's last echo, or something this daemon knows nothing of: reported, never
      // touched.
      if (line.seen != Seen::absent) seen.unknown.push_back(line.id);
      continue;
    }
    Instance next = *known;
    bool const is_gone = known->wanted == Wanted::terminated && line.seen == Seen::absent;
    if (state.region.quarantine && !is_gone) {
      // What an agent says of another spec than ours tells nothing of our records yet.
      if (status.term != state.region.term) continue;
      auto const was = std::ranges::lower_bound(status.earlier, line.id, {}, &InstanceSpec::id);
      bool const is_there = was != status.earlier.end() && was->id == line.id;
      adopt_seen(next, line, is_there ? &*was : nullptr);
    } else {
      see(state, next, line, context, decision);
    }
    if (next == *known) continue;
    decision.events.push_back({"instance seen",
                               {{"instance", next.id.value},
                                {"host", host->id.value},
                                {"state", std::string(name(instance_state(next)))},
                                {"reason", next.seen_reason}}});
    decision.changes.emplace_back(PutInstance{std::move(next)});
  }
  Generation const* newest = find(state.derived.spec_generation, host->id);
  bool const is_stale =
      status.term != state.region.term || (newest != nullptr && status.generation < *newest);
  if (!is_stale && !state.region.quarantine) see_pins(state, status, seen, decision);
  if (is_stale && !PLANTED(stale_agent_left)) decision.resend = host->id;
  decision.changes.emplace_back(std::move(seen));
  return decision;
}

}  // namespace berth::core
