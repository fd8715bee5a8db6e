// Operators' calls on hosts, and the summary.

#include "daemon/core/calls/calls.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/names.h"

namespace berth::core {

Result<Decision> admin_call(State const& state, EnrollHost const& ask, Context& context) {
  if (!is_label(ask.name)) {
    return Error{Code::invalid, "name",
                 "a host's name is 1 to 63 lower-case letters, digits, '-' or '.'; found '" +
                     ask.name + "'"};
  }
  if (!state.zones.contains(ZoneName(ask.zone))) {
    return Error{Code::not_found, "zone", "no zone has the name '" + ask.zone + "'; make it first"};
  }
  if (ask.token_digest.size() != 64) {
    return Error{Code::invalid, "parameter", "a join token's digest is 64 hex digits"};
  }
  TRY(check_tags(ask.tags));
  Host host;
  if (HostId const* known = find(state.derived.host_by_name, ask.name)) {
    // Again for a known host: a new token for the same machine, which keeps its instances. The zone
    // of a host with instances cannot move under them.
    host = state.hosts.at(*known);
    if (host.zone.value != ask.zone && state.derived.instances_of_host.contains(*known)) {
      return Error{Code::conflict, "host-in-use",
                   "host '" + ask.name + "' has instances in zone " + host.zone.value +
                       "; it cannot move to " + ask.zone + " with them"};
    }
  } else {
    if (state.hosts.size() >= limits::kHostsMax) {
      return Error{Code::quota, "hosts",
                   "the region is at its limit of " + std::to_string(limits::kHostsMax) + " hosts"};
    }
    host.id = drawn<HostId>("host-", context.entropy);
    host.name = ask.name;
    host.created = context.now.wall;
  }
  host.zone = ZoneName(ask.zone);
  host.rack = ask.rack;
  host.tags = ask.tags;
  host.join_token_digest = ask.token_digest;
  host.join_token_expires = context.now.wall + limits::kJoinTokenLifetime;
  Decision decision{.reply = Enrolled{host}};
  decision.changes.emplace_back(PutHost{std::move(host)});
  return decision;
}

Result<Decision> admin_call(State const& state, ListHosts const&, Context& context) {
  HostList reply;
  for (auto const& [id, host] : state.hosts) reply.items.push_back(host_view(state, host, context));
  return Decision{.reply = std::move(reply)};
}

Result<Decision> admin_call(State const& state, ShowHost const& ask, Context& context) {
  Host const* host = TRY(find_host(state, ask.host));
  return Decision{.reply = HostList{{host_view(state, *host, context)}}};
}

Result<Decision> admin_call(State const& state, CordonHost const& ask, Context& context) {
  Host host = *TRY(find_host(state, ask.host));
  host.is_cordoned = ask.cordon;
  Decision decision{.reply = HostList{{host_view(state, host, context)}}};
  decision.changes.emplace_back(PutHost{std::move(host)});
  return decision;
}

Result<Decision> admin_call(State const& state, RemoveHost const& ask, Context&) {
  Host const* host = TRY(find_host(state, ask.host));
  auto const* instances = find(state.derived.instances_of_host, host->id);
  if (instances != nullptr && !instances->empty()) {
    return Error{Code::conflict, "host-in-use",
                 "host '" + host->name + "' still holds " + std::to_string(instances->size()) +
                     " instances (the first: " + instances->begin()->value +
                     "); terminate them and let the host confirm first"};
  }
  Decision decision{.reply = Done{}, .drop = host->id};
  decision.changes.emplace_back(EraseHost{host->id});
  return decision;
}

Result<Decision> admin_call(State const& state, Summarise const&, Context& context) {
  Summary reply{.region = state.region.name,
                .is_quarantined = state.region.quarantine.has_value(),
                .term = state.region.term,
                .tenants = static_cast<std::int64_t>(state.tenants.size()),
                .images = static_cast<std::int64_t>(state.images.size()),
                .types = static_cast<std::int64_t>(state.types.size())};
  std::map<HostHealth, std::int64_t> hosts;
  for (auto const& [id, host] : state.hosts) {
    ++hosts[health(find(state.seen, id), context.now.monotonic, state.policy)];
  }
  reply.hosts.assign(hosts.begin(), hosts.end());
  std::map<InstanceState, std::int64_t> instances;
  for (auto const& [id, instance] : state.instances) ++instances[instance_state(instance)];
  reply.instances.assign(instances.begin(), instances.end());
  Decision zones = TRY(admin_call(state, ListZones{}, context));
  reply.zones = std::move(std::get<ZoneList>(zones.reply).items);
  return Decision{.reply = std::move(reply)};
}

}  // namespace berth::core
