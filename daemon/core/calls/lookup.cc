// What the calls share: finding records by text that may be anything, and views of them.

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/placement_group_lookup.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

std::string joined(std::vector<std::string> const& ids) {
  std::string out;
  for (std::string const& id : ids) out += (out.empty() ? "" : ", ") + id;
  return out;
}

}  // namespace

Result<std::vector<Instance const*>> own_instances(State const& state, TenantId const& tenant,
                                                   std::vector<std::string> const& ids) {
  if (ids.size() > limits::kIdsPerRequestMax) {
    return Error{Code::invalid, "parameter",
                 "At most " + std::to_string(limits::kIdsPerRequestMax) +
                     " instance IDs may be given; found " + std::to_string(ids.size())};
  }
  std::vector<Instance const*> found;
  found.reserve(ids.size());
  std::vector<std::string> missing;
  std::set<std::string_view> known;
  for (std::string const& id : ids) {
    if (!is_id(id, "i-")) {
      return Error{Code::invalid, "instance-id",
                   "Invalid id: \"" + id + "\" (expecting \"i-...\")"};
    }
    if (!known.insert(id).second) continue;
    Instance const* instance = find(state.instances, InstanceId(id));
    bool const is_foreign =
        instance != nullptr && instance->tenant != tenant && !PLANTED(foreign_tenant_visible);
    if (PLANTED(foreign_error_differs) && is_foreign)
      return Error{Code::forbidden, "instance", "not yours"};
    if (instance == nullptr || is_foreign) {
      missing.push_back(id);
    } else {
      found.push_back(instance);
    }
  }
  if (missing.size() == 1) {
    return Error{Code::not_found, "instance",
                 "The instance ID '" + missing[0] + "' does not exist"};
  }
  if (!missing.empty()) {
    return Error{Code::not_found, "instance",
                 "The instance IDs '" + joined(missing) + "' do not exist"};
  }
  return found;
}

Result<Instance const*> own_instance(State const& state, TenantId const& tenant,
                                     std::string const& id) {
  if (id.empty())
    return Error{Code::invalid, "missing", "The request must contain the parameter InstanceId"};
  auto const found = TRY(own_instances(state, tenant, {id}));
  return found.front();
}

Result<Image const*> visible_image(State const& state, TenantId const& tenant,
                                   std::string const& id) {
  if (!is_id(id, "ami-")) {
    return Error{Code::invalid, "image-id", "Invalid id: \"" + id + "\" (expecting \"ami-...\")"};
  }
  Image const* image = find(state.images, ImageId(id));
  if (image == nullptr || !(image->is_public || image->owner == tenant)) {
    return Error{Code::not_found, "image", "The image id '[" + id + "]' does not exist"};
  }
  return image;
}

InstanceView view(State const& state, Instance const& instance, Context const& context) {
  InstanceView out{
      .instance = instance, .state = instance_state(instance), .host_health = HostHealth::up};
  if (instance.placement) {
    HostId const& id = instance.placement->host;
    SeeHost const* seen = find(state.seen, id);
    out.host_health = health(seen, context.now.monotonic, state.policy);
    std::string const* unpinned = seen != nullptr ? find(seen->unpinned, instance.id) : nullptr;
    if (unpinned != nullptr) out.unpinned = *unpinned;
    if (Host const* host = find(state.hosts, id)) out.host_name = host->name;
  }
  out.placement_group_name = group_name_of(state, instance);
  return out;
}

HostView host_view(State const& state, Host const& host, Context const& context) {
  SeeHost const* seen = find(state.seen, host.id);
  HostView out{.host = host};
  out.health = health(seen, context.now.monotonic, state.policy);
  if (HostRoom const* room = find(state.derived.fleet, host.id)) {
    out.capacity = room->capacity;
    out.used = room->used;
  }
  if (seen != nullptr) {
    out.is_connected = seen->is_connected;
    if (!seen->boot_id.empty()) {
      out.seconds_since_seen = (context.now.monotonic - seen->at).ns / seconds(1).ns;
    }
    out.foreign = seen->foreign;
    out.unknown = seen->unknown;
    Generation const* generation = find(state.derived.spec_generation, host.id);
    Generation const newest = generation != nullptr ? *generation : Generation(0);
    out.is_current = seen->spec_term == state.region.term && seen->spec_generation >= newest;
  }
  return out;
}

Result<Host const*> find_host(State const& state, std::string const& text) {
  if (Host const* host = find(state.hosts, HostId(text))) return host;
  if (HostId const* id = find(state.derived.host_by_name, text)) return find(state.hosts, *id);
  return Error{Code::not_found, "host", "no host has the id or name '" + text + "'"};
}

ReservationView reservation_view(State const& state, std::vector<InstanceId> const& ids,
                                 Context const& context) {
  ReservationView out;
  for (InstanceId const& id : ids) {
    if (Instance const* instance = find(state.instances, id)) {
      out.id = instance->reservation;
      out.owner = instance->tenant;
      out.instances.push_back(view(state, *instance, context));
    }
  }
  return out;
}

placement::Usage used_by(State const& state, TenantId const& tenant) {
  placement::Usage const* used = find(state.derived.used_by_tenant, tenant);
  return used != nullptr ? *used : placement::Usage{};
}

Result<void> check_quota(State const& state, TenantId const& tenant, placement::Usage const& more) {
  Quota const& quota = state.tenants.at(tenant).quota;
  placement::Usage const after = used_by(state, tenant) + more;
  auto exceeded = [](std::string subject, std::string_view what, std::int64_t wanted,
                     std::int64_t limit) {
    return Error{Code::quota, std::move(subject),
                 "You have requested more " + std::string(what) + " (" + std::to_string(wanted) +
                     ") than your current limit of " + std::to_string(limit) + " allows"};
  };
  if (more.instances > 0 && after.instances > quota.instances) {
    return exceeded("instance", "instances", after.instances, quota.instances);
  }
  if (more.vcpus > 0 && after.vcpus > quota.vcpus) {
    return exceeded("vcpu", "vCPU capacity", after.vcpus, quota.vcpus);
  }
  if (more.memory.value > 0 && after.memory > quota.memory) {
    return exceeded("memory", "memory (MiB)", after.memory.value, quota.memory.value);
  }
  if (more.disk_gib > 0 && after.disk_gib > quota.disk_gib) {
    return exceeded("disk", "disk (GiB)", after.disk_gib, quota.disk_gib);
  }
  return {};
}

}  // namespace berth::core
