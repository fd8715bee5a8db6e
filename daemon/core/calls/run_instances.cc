// RunInstances: checks, then placement, then records. All or nothing down to MinCount.

#include <algorithm>

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/group_places.h"
#include "daemon/core/calls/placement_group_lookup.h"
#include "daemon/core/calls/refusals.h"
#include "daemon/core/cpu_sets.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

// Everything that was looked up for one launch.
struct Launch {
  InstanceType const* type = nullptr;
  Image const* image = nullptr;
  KeyPair const* key = nullptr;  // nullptr: none was asked for
  std::int64_t disk_gib = 0;
  GroupAsk group;
};

Error bad_value(std::string message) {
  return Error{Code::invalid, "parameter", std::move(message)};
}

Result<void> check_counts(RunInstances const& ask) {
  if (ask.min_count < 1 || ask.max_count < 1) {
    return bad_value("Value (" + std::to_string(std::min(ask.min_count, ask.max_count)) +
                     ") for parameter minCount or maxCount is invalid. Expecting at least 1");
  }
  if (ask.min_count > ask.max_count) {
    return bad_value("Value (" + std::to_string(ask.min_count) +
                     ") for parameter minCount is invalid. Expecting at most maxCount, " +
                     std::to_string(ask.max_count));
  }
  if (ask.max_count > limits::kInstancesPerRequestMax) {
    return Error{Code::quota, "instance",
                 "You have requested more instances (" + std::to_string(ask.max_count) +
                     ") than one request may launch (" +
                     std::to_string(limits::kInstancesPerRequestMax) + ")"};
  }
  return {};
}

Result<std::int64_t> disk_size(RunInstances const& ask, Image const& image) {
  std::int64_t const needed = (image.virtual_size.value + (std::int64_t{1} << 30) - 1) >> 30;
  std::int64_t const gib = ask.root_disk_gib.value_or(std::max(needed, std::int64_t{1}));
  if (gib < needed) {
    return Error{Code::invalid, "disk",
                 "Volume of size " + std::to_string(gib) + "GB is smaller than snapshot '" +
                     image.id.value + "', expect size >= " + std::to_string(needed) + "GB"};
  }
  if (gib > limits::kRootDiskGibMax) {
    return Error{Code::invalid, "disk",
                 "Volume of size " + std::to_string(gib) + "GB is larger than the largest, " +
                     std::to_string(limits::kRootDiskGibMax) + "GB"};
  }
  return gib;
}

Result<Launch> check(State const& state, Caller const& caller, RunInstances const& ask) {
  TRY(check_counts(ask));
  Launch launch;
  std::string const type = ask.type.empty() ? "m1.small" : ask.type;  // EC2's default
  launch.type = find(state.types, TypeName(type));
  if (launch.type == nullptr) {
    return Error{Code::invalid, "instance-type", "Invalid value '" + type + "' for InstanceType."};
  }
  if (ask.image_id.empty()) {
    return Error{Code::invalid, "missing", "The request must contain the parameter ImageId"};
  }
  launch.image = TRY(visible_image(state, caller.tenant, ask.image_id));
  if (!ask.key_name.empty()) {
    KeyPairId const* id = find(state.derived.key_pair_by_name, {caller.tenant, ask.key_name});
    if (id == nullptr) {
      return Error{Code::not_found, "key-pair",
                   "The key pair '" + ask.key_name + "' does not exist"};
    }
    launch.key = find(state.key_pairs, *id);
  }
  if (!ask.zone.empty() && !state.zones.contains(ZoneName(ask.zone))) {
    return Error{Code::invalid, "zone", "Invalid availability zone: [" + ask.zone + "]"};
  }
  if (ask.user_data.size() > limits::kUserDataBytesMax) {
    return Error{Code::invalid, "user-data",
                 "User data is limited to " + std::to_string(limits::kUserDataBytesMax) +
                     " bytes; found " + std::to_string(ask.user_data.size())};
  }
  TRY(check_tags(ask.instance_tags));
  launch.disk_gib = TRY(disk_size(ask, *launch.image));
  launch.group = TRY(asked_group(state, caller.tenant, ask));
  placement::Usage const one{launch.type->vcpus, launch.type->memory, launch.disk_gib, 1};
  std::int64_t const count = PLANTED(launch_quota_of_one) ? 1 : ask.max_count;
  TRY(check_quota(state, caller.tenant,
                  {one.vcpus * count, one.memory * count, one.disk_gib * count, count}));
  if (state.instances.size() + static_cast<std::size_t>(ask.max_count) > limits::kInstancesMax) {
    return Error{
        Code::quota, "instance",
        "the region is at its limit of " + std::to_string(limits::kInstancesMax) + " instances"};
  }
  return launch;
}

placement::Need need_of(Launch const& launch, Policy const& policy) {
  return need_of(launch.type->vcpus, launch.type->memory, launch.disk_gib,
                 launch.type->is_cpu_dedicated, policy);
}

// EC2's sentence, with the zones that do have room for the minimum.
Error no_room(State const& state, RunInstances const& ask, Launch const& launch,
              placement::Need const& need) {
  std::string others;
  for (auto const& [name, zone] : state.zones) {
    if (name.value == ask.zone) continue;
    auto const there = places_in(state, name, need, launch.group, ask.min_count, Notes::none);
    if (static_cast<std::int64_t>(there.size()) < ask.min_count) continue;
    others += (others.empty() ? "" : ", ") + name.value;
  }
  std::string const& type = launch.type->name.value;
  if (ask.zone.empty()) {
    return Error{Code::no_capacity, "instance",
                 "We currently do not have sufficient " + type +
                     " capacity in zones with support for '" + type +
                     "'. Our system will be working on provisioning additional capacity."};
  }
  std::string message = "We currently do not have sufficient " + type +
                        " capacity in the Availability Zone you requested (" + ask.zone +
                        "). Our system will be working on provisioning additional capacity.";
  if (!others.empty()) {
    message += " You can currently get " + type +
               " capacity by not specifying an Availability Zone in your request or choosing " +
               others + ".";
  }
  return Error{Code::no_capacity, "instance", std::move(message)};
}

struct Chosen {
  ZoneName zone;
  std::vector<MemberPlace> places;
};

// The zones that may take it, in the order in which they are tried: first the one that would get
// a single one, then by name.
std::vector<ZoneName> zones_to_try(State const& state, RunInstances const& ask,
                                   placement::Need const& need) {
  if (!ask.zone.empty()) return {ZoneName(ask.zone)};
  std::vector<ZoneName> out;
  placement::Draft draft(state.derived.placer);
  if (auto const best = draft.place({.zone = std::nullopt, .need = need}))
    out.push_back(state.hosts.at(best->host).zone);
  for (auto const& [name, zone] : state.zones)
    if (out.empty() || name != out.front()) out.push_back(name);
  return out;
}

// One zone for all of a request: the asked one, or the one that takes most.
Result<Chosen> choose(State const& state, RunInstances const& ask, Launch const& launch) {
  placement::Need const need = need_of(launch, state.policy);
  Chosen best;
  for (ZoneName const& zone : zones_to_try(state, ask, need)) {
    std::vector<MemberPlace> found =
        places_in(state, zone, need, launch.group, ask.max_count, Notes::kept);
    if (found.size() > best.places.size()) best = {zone, std::move(found)};
    if (static_cast<std::int64_t>(best.places.size()) == ask.max_count) break;
  }
  if (static_cast<std::int64_t>(best.places.size()) < ask.min_count) {
    return no_room(state, ask, launch, need);
  }
  return best;
}

// What is kept of a launch that finds no room.
Refusal asked(Caller const& caller, RunInstances const& ask, Launch const& launch,
              Context const& context) {
  return {.request_id = caller.request_id,
          .tenant = caller.tenant,
          .at = context.now.wall,
          .type = launch.type->name,
          .vcpus = launch.type->vcpus,
          .memory = launch.type->memory,
          .disk_gib = launch.disk_gib,
          .is_cpu_dedicated = launch.type->is_cpu_dedicated,
          .zone = ZoneName(ask.zone),
          .placement_group =
              launch.group.group != nullptr ? launch.group.group->id : PlacementGroupId(),
          .partition = launch.group.partition,
          .wanted = ask.min_count,
          .found = 0,
          .note = {}};
}

// Room is there by count, but not in whole cores: on hosts whose cores have unlike threads.
Error no_cores(Instance const& instance) {
  return Error{Code::no_capacity, "instance",
               "We currently do not have sufficient " + instance.type.value +
                   " capacity in the Availability Zone you requested (" + instance.zone.value +
                   "). Our system will be working on provisioning additional capacity."};
}

Instance record(Caller const& caller, RunInstances const& ask, Launch const& launch,
                Context& context) {
  Instance i;
  i.id = drawn<InstanceId>("i-", context.entropy);
  i.tenant = caller.tenant;
  i.client_token = ask.client_token;
  i.type = launch.type->name;
  i.vcpus = launch.type->vcpus;
  i.memory = launch.type->memory;
  i.disk_gib = launch.disk_gib;
  i.is_cpu_dedicated = launch.type->is_cpu_dedicated;
  i.image = launch.image->id;
  i.image_digest = launch.image->digest;
  i.image_format = launch.image->format;
  i.key_name = ask.key_name;
  if (launch.key != nullptr) i.public_key = launch.key->public_key;
  i.user_data = ask.user_data;
  i.uuid = drawn_instance_uuid(context.entropy);
  i.mac = drawn_mac(context.entropy);
  i.disable_api_termination = ask.disable_api_termination.value_or(false);
  i.disable_api_stop = ask.disable_api_stop.value_or(false);
  i.ebs_optimized = ask.ebs_optimized.value_or(false);
  i.is_monitored = ask.monitoring.value_or(false);
  i.shutdown_behavior = ask.shutdown_behavior.value_or(ShutdownBehavior::stop);
  i.tags = ask.instance_tags;
  if (launch.group.group != nullptr) i.placement_group = launch.group.group->id;
  if (ask.launch_template) {
    i.tags.emplace("aws:ec2launchtemplate:id", ask.launch_template->of.id);
    i.tags.emplace("aws:ec2launchtemplate:version", ask.launch_template->version);
  }
  i.wanted = Wanted::running;
  i.starts_wanted = 1;
  i.launch_time = context.now.wall;
  i.created = context.now.wall;
  return i;
}

// Same token: the first result again with its current state, or a mismatch.
Result<Decision> repeated(State const& state, RunInstances const& ask, TokenRow const& row,
                          Context const& context) {
  if (row.parameters_digest != ask.parameters_digest && !PLANTED(token_parameters_ignored)) {
    return Error{
        Code::conflict, "client-token",
        "The request uses the same client token as a previous, but non-identical request. Do "
        "not reuse a client token with different requests, unless the requests are identical"};
  }
  ReservationView view = reservation_view(state, row.instances, context);
  view.id = row.reservation;
  view.owner = row.tenant;
  return Decision{.reply = Launched{std::move(view)}};
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller, RunInstances const& request,
                      Context& context) {
  if (request.client_token.size() > limits::kClientTokenCharactersMax) {
    return Error{Code::invalid, "client-token",
                 "A client token has at most " + std::to_string(limits::kClientTokenCharactersMax) +
                     " characters; found " + std::to_string(request.client_token.size())};
  }
  if (!request.client_token.empty()) {
    TokenRow const* row = find(state.tokens, {caller.tenant, request.client_token});
    if (row != nullptr) return repeated(state, request, *row, context);
  }
  RunInstances const ask = TRY(with_launch_template(state, caller.tenant, request));
  Launch const launch = TRY(check(state, caller, ask));
  Result<Chosen> const found = choose(state, ask, launch);
  if (!found) {
    if (found.error().code == Code::no_capacity)
      context.refusal = refusal_of(state, asked(caller, ask, launch, context));
    return found.error();
  }
  Chosen const& chosen = *found;
  CpuDraft cpus(state);

  Decision decision;
  ReservationView reservation{.id = drawn<ReservationId>("r-", context.entropy),
                              .owner = caller.tenant};
  TokenRow token{.tenant = caller.tenant,
                 .token = ask.client_token,
                 .parameters_digest = ask.parameters_digest,
                 .reservation = reservation.id,
                 .created = context.now.wall};
  for (auto const& [place, partition, note] : chosen.places) {
    Instance instance = record(caller, ask, launch, context);
    instance.reservation = reservation.id;
    instance.launch_index = static_cast<std::int64_t>(reservation.instances.size());
    instance.zone = chosen.zone;
    instance.partition = partition;
    instance.placement = Placement{place.host, PlacementGeneration(1), place.cells, {}};
    instance.placement_note = note;
    if (instance.is_cpu_dedicated) {
      std::optional<std::vector<std::int32_t>> own =
          cpus.choose(place.host, place.cells, instance.vcpus);
      if (!own) return no_cores(instance);
      instance.placement->cpus = std::move(*own);
    }
    token.instances.push_back(instance.id);
    decision.events.push_back({"instance placed",
                               {{"instance", instance.id.value},
                                {"host", place.host.value},
                                {"type", instance.type.value},
                                {"tenant", caller.tenant.value}}});
    reservation.instances.push_back(
        {.instance = instance,
         .state = InstanceState::pending,
         .host_health = HostHealth::up,
         .host_name = {},
         .placement_group_name = launch.group.group != nullptr ? launch.group.group->name : ""});
    decision.changes.emplace_back(PutInstance{std::move(instance)});
  }
  if (!ask.client_token.empty() && !PLANTED(token_forgotten))
    decision.changes.emplace_back(PutToken{std::move(token)});
  decision.reply = Launched{std::move(reservation)};
  return decision;
}

}  // namespace berth::core
