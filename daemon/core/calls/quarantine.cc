// Quarantine: the records were restored from a backup and may be older than what runs. Hosts say
// what they have, records follow them, an operator adopts what has no record and ends it.

#include <algorithm>
#include <set>

#include "daemon/core/calls/calls.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

// Past every term that a daemon on the lost records can have begun since the report was made.
constexpr std::uint64_t kTermStep = std::uint64_t{1} << 20;
// A report of a term further ahead is no later daemon's, but one broken agent's.
constexpr std::uint64_t kTermAheadMax = std::uint64_t{1} << 40;
constexpr std::size_t kAdoptedPerCallMax = 1'000;

void follow(Instance& instance, InstanceSpec const& was) {
  switch (was.power) {
    case Power::running: instance.wanted = Wanted::running; break;
    case Power::stopped: instance.wanted = Wanted::stopped; break;
    case Power::absent: instance.wanted = Wanted::terminated; return;
  }
  bool const is_of_that_type = instance.type.value == was.type;
  instance.type = TypeName(was.type);
  instance.vcpus = was.vcpus;
  instance.memory = was.memory;
  instance.user_data = was.user_data;
  instance.is_cpu_dedicated = !was.cpus.empty() || (is_of_that_type && instance.is_cpu_dedicated);
  instance.placement->cells = was.cells;
  instance.placement->cpus = was.cpus;
  instance.starts_wanted = std::max(instance.starts_wanted, was.starts);
  instance.reboots_wanted = std::max(instance.reboots_wanted, was.reboots);
}

// What of all instances may be there once only.
struct Taken {
  std::set<std::string> uuids, macs;
  std::map<HostId, std::size_t> on_host;  // adopted by this call
};

Taken taken(State const& state) {
  Taken out;
  for (auto const& [id, instance] : state.instances) {
    out.uuids.insert(instance.uuid);
    out.macs.insert(instance.mac);
  }
  return out;
}

Error conflict(InstanceId const& id, std::string const& why) {
  return Error{Code::conflict, "instance", "instance " + id.value + " cannot be adopted: " + why};
}

Result<Instance> adopted_again(Host const& host, Instance const& known, InstanceSpec const& was) {
  if (known.wanted == Wanted::terminated) {
    return conflict(known.id, "its tenant was told that it is terminated");
  }
  if (known.uuid != was.uuid || known.tenant.value != was.tenant) {
    return conflict(known.id, "the record of that id is of another instance");
  }
  if (known.placement->generation > was.generation) {
    return conflict(known.id, "the record knows a later placement of it");
  }
  Instance next = known;
  next.placement = Placement{host.id, was.generation, was.cells, was.cpus};
  next.seen = Seen::nothing;
  follow(next, was);
  return next;
}

// Why the record of a spec cannot be made here; an error names what is to be made first.
Result<ImageId> check_adoptable(State const& state, Host const& host, InstanceSpec const& was) {
  if (!state.tenants.contains(TenantId(was.tenant))) {
    return conflict(was.id, "there is no tenant " + was.tenant +
                                "; make it first, with that id (berthctl tenant create --id)");
  }
  if (host.zone.value != was.zone) {
    return conflict(was.id,
                    "it is of zone " + was.zone + ", and its host is in " + host.zone.value);
  }
  for (auto const& [id, image] : state.images) {
    if (image.digest == was.image_digest) return id;
  }
  return conflict(was.id, "no image has the digest " + was.image_digest +
                              "; import its image first (berthctl image import)");
}

Result<Instance> adopted_anew(State const& state, Host const& host, InstanceSpec const& was,
                              Context& context) {
  ImageId image = TRY(check_adoptable(state, host, was));
  Instance made;
  made.id = was.id;
  made.tenant = TenantId(was.tenant);
  made.reservation = drawn<ReservationId>("r-", context.entropy);
  made.disk_gib = was.disk_gib;
  made.image = std::move(image);
  made.image_digest = was.image_digest;
  made.image_format = was.image_format;
  made.public_key = was.public_key;
  for (auto const& [id, key] : state.key_pairs) {
    if (key.tenant == made.tenant && key.public_key == was.public_key) made.key_name = key.name;
  }
  made.uuid = was.uuid;
  made.mac = was.mac;
  made.zone = host.zone;
  made.placement = Placement{host.id, was.generation, was.cells, was.cpus};
  made.launch_time = context.now.wall;
  made.created = context.now.wall;
  follow(made, was);
  // A tombstone of the lost records may lack its shape; a record has one.
  made.type = TypeName(was.type);
  made.vcpus = was.vcpus;
  made.memory = was.memory;
  made.starts_wanted = was.starts;
  made.reboots_wanted = was.reboots;
  return made;
}

Result<Instance> adopted(State const& state, Taken& taken, Host const& host, SeeHost const& seen,
                         InstanceId const& id, Context& context) {
  auto const was = std::ranges::lower_bound(seen.earlier, id, {}, &InstanceSpec::id);
  if (was == seen.earlier.end() || was->id != id) {
    return conflict(id, "the agent of host " + host.name +
                            " has its domain but not its spec; it stays as it is, untouched");
  }
  if (Instance const* known = find(state.instances, id)) {
    return adopted_again(host, *known, *was);
  }
  auto const* there = find(state.derived.instances_of_host, host.id);
  if ((there != nullptr ? there->size() : 0) + taken.on_host[host.id] >=
      limits::kInstancesPerHostMax) {
    return conflict(id, "host " + host.name + " has as many instances as a host can have");
  }
  if (state.instances.size() >= limits::kInstancesMax) {
    return conflict(id, "the region has as many instances as a region can have");
  }
  Instance made = TRY(adopted_anew(state, host, *was, context));
  if (taken.uuids.contains(made.uuid) || taken.macs.contains(made.mac)) {
    return conflict(id, "another instance has its uuid or its MAC");
  }
  taken.uuids.insert(made.uuid);
  taken.macs.insert(made.mac);
  ++taken.on_host[host.id];
  return made;
}

Error not_in_quarantine(Region const& region) {
  return Error{Code::conflict, "region", "the region " + region.name + " is not in quarantine"};
}

bool is_silent(State const& state, Host const& host) {
  SeeHost const* seen = find(state.seen, host.id);
  return !host.host_uuid.empty() && (seen == nullptr || seen->spec_term != state.region.term);
}

}  // namespace

bool is_from_later_daemon(State const& state, HostStatus const& status) {
  if (status.term != state.region.term) return status.term > state.region.term;
  Generation const* newest = find(state.derived.spec_generation, status.host);
  return status.generation > (newest != nullptr ? *newest : Generation(0));
}

Result<Region> quarantined(State const& state, HostStatus const& status, Context const& context) {
  Region next = state.region;
  if (status.term.value - next.term.value > kTermAheadMax) {
    return Error{Code::forbidden, "host",
                 "host " + status.host.value + " reports term " +
                     std::to_string(status.term.value) + ", which no daemon of term " +
                     std::to_string(next.term.value) + " can have reached"};
  }
  if (!next.quarantine) {
    next.quarantine = Quarantine{.since = context.now.wall,
                                 .reason = "host " + status.host.value + " obeyed spec " +
                                           std::to_string(status.term.value) + "/" +
                                           std::to_string(status.generation.value) +
                                           ", which is newer than these records"};
  }
  next.term.value = status.term.value + kTermStep;
  return next;
}

void adopt_seen(Instance& instance, InstanceStatus const& line, InstanceSpec const* earlier) {
  if (!line.private_ip.empty()) instance.private_ip = line.private_ip;
  if (line.seen != Seen::failed && line.seen != Seen::nothing) instance.seen = line.seen;
  if (instance.wanted == Wanted::terminated) return;
  if (earlier != nullptr && earlier->generation == line.generation) {
    follow(instance, *earlier);
    return;
  }
  // Its agent has lost its specs: what the guest itself tells of later calls.
  if (line.seen == Seen::running && line.starts > instance.starts_wanted) {
    instance.wanted = Wanted::running;
  }
  instance.starts_wanted = std::max(instance.starts_wanted, line.starts);
  instance.reboots_wanted = std::max(instance.reboots_wanted, line.reboots);
}

Result<Decision> admin_call(State const& state, ShowRegion const&, Context& context) {
  RegionView view{.region = state.region, .unknown = {}, .gone = {}, .silent = {}};
  Taken once = taken(state);
  for (auto const& [host_id, host] : state.hosts) {
    if (state.region.quarantine && is_silent(state, host)) view.silent.push_back(host.name);
    SeeHost const* seen = find(state.seen, host_id);
    if (seen == nullptr) continue;
    for (InstanceId const& id : seen->unknown) {
      UnknownInstance item{.id = id, .host = host_id, .host_name = host.name};
      auto const was = std::ranges::lower_bound(seen->earlier, id, {}, &InstanceSpec::id);
      if (was != seen->earlier.end() && was->id == id) {
        item.tenant = was->tenant;
        item.type = was->type;
      }
      Result<Instance> const record = adopted(state, once, host, *seen, id, context);
      if (!record) item.obstacle = record.error().message;
      view.unknown.push_back(std::move(item));
    }
  }
  if (state.region.quarantine) {
    for (auto const& [id, instance] : state.instances) {
      if (instance.placement && instance.seen == Seen::absent) view.gone.push_back(id);
    }
  }
  return Decision{.reply = std::move(view)};
}

Result<Decision> admin_call(State const&, RecordBackup const&, Context&) {
  return Decision{.reply = Done{}};
}

Result<Decision> admin_call(State const& state, AdoptInstances const& ask, Context& context) {
  if (!state.region.quarantine) return not_in_quarantine(state.region);
  InstanceList reply;
  Decision decision;
  Taken once = taken(state);
  std::optional<Error> obstacle;
  for (auto const& [host_id, seen] : state.seen) {
    Host const* host = find(state.hosts, host_id);
    if (host == nullptr || is_silent(state, *host)) continue;
    SeeHost rest = seen;
    for (InstanceId const& id : seen.unknown) {
      if (!ask.id.empty() && id.value != ask.id) continue;
      Result<Instance> record = adopted(state, once, *host, seen, id, context);
      if (!record) {
        obstacle = record.error();
        continue;
      }
      if (reply.items.size() >= kAdoptedPerCallMax) continue;
      reply.items.push_back(view(state, *record, context));
      decision.changes.emplace_back(PutInstance{*std::move(record)});
      std::erase(rest.unknown, id);
    }
    if (rest.unknown.size() != seen.unknown.size()) decision.changes.emplace_back(std::move(rest));
  }
  if (!ask.id.empty() && reply.items.empty()) {
    if (obstacle) return *obstacle;
    return Error{Code::not_found, "instance",
                 "no host reports an instance '" + ask.id + "' that has no record"};
  }
  if (!ask.id.empty() && reply.items.size() > 1) {
    return conflict(InstanceId(ask.id), "two hosts have it");
  }
  decision.reply = std::move(reply);
  return decision;
}

Result<Decision> admin_call(State const& state, ReleaseRegion const& ask, Context& context) {
  if (!state.region.quarantine) return not_in_quarantine(state.region);
  for (auto const& [id, host] : state.hosts) {
    if (ask.without_hosts || !is_silent(state, host)) continue;
    return Error{Code::conflict, "region",
                 "host " + host.name +
                     " has not said yet what it runs; wait for it, remove it for good, or release "
                     "without it (without_hosts): its guests would then be brought to what these "
                     "older records say"};
  }
  std::size_t unknown = 0;
  for (auto const& [id, seen] : state.seen) unknown += seen.unknown.size();
  if (unknown != 0 && !ask.keep_unknown) {
    return Error{Code::conflict, "region",
                 std::to_string(unknown) +
                     " instances run without a record; adopt them first (berthctl region adopt), "
                     "or release with keep_unknown: they stay untouched and without a tenant"};
  }
  Region next = state.region;
  next.quarantine.reset();
  Decision decision{.reply = Done{}};
  decision.changes.emplace_back(PutRegion{std::move(next)});
  for (auto const& [id, instance] : state.instances) {
    // Its host has neither guest nor disk of it: it was terminated after the backup. It must not
    // come back as a new and empty guest.
    if (!instance.placement || instance.seen != Seen::absent) continue;
    Instance ended = instance;
    ended.wanted = Wanted::terminated;
    ended.state_reason = {"Server.InternalError",
                          "Server.InternalError: gone from its host before the region's records "
                          "were restored"};
    ended.transition_reason = transition_reason("Server.InternalError", context.now.wall);
    end(state, ended, context, decision);
    decision.changes.emplace_back(PutInstance{std::move(ended)});
  }
  decision.events.push_back({"region released from quarantine", {}});
  return decision;
}

}  // namespace berth::core
