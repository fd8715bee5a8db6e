// The projection from records to what one host should run.

#include "berth/base/ensure.h"
#include "daemon/core/cpu_sets.h"
#include "daemon/core/decision.h"
#include "daemon/core/state.h"

namespace berth::core {

namespace {

Power power_of(Wanted wanted) {
  switch (wanted) {
    case Wanted::running: return Power::running;
    case Wanted::stopped: return Power::stopped;
    case Wanted::terminated: return Power::absent;
  }
  return Power::stopped;
}

InstanceSpec instance_spec(State const& state, Instance const& i) {
  Image const* image = find(state.images, i.image);
  return {.id = i.id,
          .generation = i.placement->generation,
          .power = power_of(i.wanted),
          .reboots = i.reboots_wanted,
          .starts = i.starts_wanted,
          .uuid = i.uuid,
          .vcpus = i.vcpus,
          .memory = i.memory,
          .disk_gib = i.disk_gib,
          .image_digest = i.image_digest,
          .image_format = i.image_format,
          .image_size = image != nullptr ? image->file_size : Bytes(0),
          .mac = i.mac,
          .cells = i.placement->cells,
          .cpus = own_cpus(i),
          // EC2's resource-name hostname: known before the address is.
          .hostname = i.id.value,
          .public_key = i.public_key,
          .user_data = i.user_data,
          .tenant = i.tenant.value,
          .type = i.type.value,
          .zone = i.zone.value,
          .region = state.region.name};
}

}  // namespace

HostSpec host_spec(State const& state, HostId const& host) {
  ENSURE(state.hosts.contains(host));
  HostSpec spec{.host = host,
                .host_uuid = state.hosts.at(host).host_uuid,
                .term = state.region.term,
                .generation = Generation(0),
                .shared_cpus = shared_cpus(state, host),
                .adopt_only = state.region.quarantine.has_value()};
  if (Generation const* generation = find(state.derived.spec_generation, host)) {
    spec.generation = *generation;
  }
  if (auto const* ids = find(state.derived.instances_of_host, host)) {
    spec.instances.reserve(ids->size());
    for (InstanceId const& id : *ids) {
      spec.instances.push_back(instance_spec(state, state.instances.at(id)));
    }
  }
  return spec;
}

}  // namespace berth::core
