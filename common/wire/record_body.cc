// The body of each record, field by field; long because nouns have many fields, and flat. Forms are
// checked on the result (record_form.cc); here is only what the encoding itself can get wrong.
//
// TRY never stands inside a braced initialiser: GCC 12 leaks the members made before it when it
// returns.

#include "common/wire/record_body.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "berth/base/overloaded.h"
#include "common/wire/model.h"
#include "common/wire/record_parts.h"
#include "record/v1/record.pb.h"

namespace berth::wire {

namespace pb = proto::record::v1;

namespace {

// Beside its own, the overloads of record_parts.h.
using parts::fill;
using parts::read;
using parts::TagList;
using parts::unknown;

pb::KeyKind encoded(KeyKind kind) {
  switch (kind) {
    case KeyKind::rsa: return pb::KEY_KIND_RSA;
    case KeyKind::ed25519: return pb::KEY_KIND_ED25519;
  }
  return pb::KEY_KIND_UNSPECIFIED;
}

pb::Wanted encoded(Wanted wanted) {
  switch (wanted) {
    case Wanted::running: return pb::WANTED_RUNNING;
    case Wanted::stopped: return pb::WANTED_STOPPED;
    case Wanted::terminated: return pb::WANTED_TERMINATED;
  }
  return pb::WANTED_UNSPECIFIED;
}

pb::ShutdownBehavior encoded(ShutdownBehavior behavior) {
  switch (behavior) {
    case ShutdownBehavior::stop: return pb::SHUTDOWN_BEHAVIOR_STOP;
    case ShutdownBehavior::terminate: return pb::SHUTDOWN_BEHAVIOR_TERMINATE;
  }
  return pb::SHUTDOWN_BEHAVIOR_UNSPECIFIED;
}

pb::Tenancy encoded(Tenancy tenancy) {
  switch (tenancy) {
    case Tenancy::shared: return pb::TENANCY_SHARED;
    case Tenancy::dedicated: return pb::TENANCY_DEDICATED;
    case Tenancy::host: return pb::TENANCY_HOST;
  }
  return pb::TENANCY_UNSPECIFIED;
}

Result<KeyKind> decoded(pb::KeyKind kind) {
  if (kind == pb::KEY_KIND_RSA) return KeyKind::rsa;
  if (kind == pb::KEY_KIND_ED25519) return KeyKind::ed25519;
  return unknown("kind", "1 (rsa) or 2 (ed25519)", kind);
}

Result<Wanted> decoded(pb::Wanted wanted) {
  if (wanted == pb::WANTED_RUNNING) return Wanted::running;
  if (wanted == pb::WANTED_STOPPED) return Wanted::stopped;
  if (wanted == pb::WANTED_TERMINATED) return Wanted::terminated;
  return unknown("wanted", "1 (running) to 3 (terminated)", wanted);
}

Result<ShutdownBehavior> decoded(pb::ShutdownBehavior behavior) {
  if (behavior == pb::SHUTDOWN_BEHAVIOR_STOP) return ShutdownBehavior::stop;
  if (behavior == pb::SHUTDOWN_BEHAVIOR_TERMINATE) return ShutdownBehavior::terminate;
  return unknown("shutdown_behavior", "1 (stop) or 2 (terminate)", behavior);
}

Result<Tenancy> decoded(pb::Tenancy tenancy) {
  if (tenancy == pb::TENANCY_UNSPECIFIED) return Tenancy::shared;
  if (tenancy == pb::TENANCY_SHARED) return Tenancy::shared;
  if (tenancy == pb::TENANCY_DEDICATED) return Tenancy::dedicated;
  if (tenancy == pb::TENANCY_HOST) return Tenancy::host;
  return unknown("tenancy", "1 (shared) to 3 (host)", tenancy);
}

void fill(core::Region const& region, pb::Region& out) {
  out.set_name(region.name);
  out.set_term(region.term.value);
  out.set_audit_count(region.audit_count);
  out.set_audit_digest(region.audit_digest);
  if (!region.quarantine) return;
  out.mutable_quarantine()->set_since_ms(region.quarantine->since.ms);
  out.mutable_quarantine()->set_reason(region.quarantine->reason);
}

core::Change read(pb::Region const& in) {
  core::Region region{.name = in.name(),
                      .term = Term(in.term()),
                      .audit_count = in.audit_count(),
                      .audit_digest = in.audit_digest()};
  if (in.has_quarantine()) {
    region.quarantine =
        core::Quarantine{.since = {in.quarantine().since_ms()}, .reason = in.quarantine().reason()};
  }
  return core::PutRegion{std::move(region)};
}

void fill(Zone const& zone, pb::Zone& out) {
  out.set_name(zone.name.value);
  out.set_id(zone.id);
  out.set_jurisdiction(zone.jurisdiction);
  out.set_operator_name(zone.operator_name);
  out.set_created_ms(zone.created.ms);
}

core::Change read(pb::Zone const& in) {
  return core::PutZone{{.name = ZoneName(in.name()),
                        .id = in.id(),
                        .jurisdiction = in.jurisdiction(),
                        .operator_name = in.operator_name(),
                        .created = {in.created_ms()}}};
}

void fill(Tenant const& tenant, pb::Tenant& out) {
  out.set_id(tenant.id.value);
  out.set_name(tenant.name);
  out.set_enabled(tenant.enabled);
  pb::Quota& quota = *out.mutable_quota();
  quota.set_instances(tenant.quota.instances);
  quota.set_vcpus(tenant.quota.vcpus);
  quota.set_memory_mib(tenant.quota.memory.value);
  quota.set_disk_gib(tenant.quota.disk_gib);
  quota.set_key_pairs(tenant.quota.key_pairs);
  quota.set_images(tenant.quota.images);
  out.set_created_ms(tenant.created.ms);
}

Result<core::Change> read(pb::Tenant const& in) {
  if (!in.has_quota()) return Error{Code::corrupt, "record", "quota: wanted one, found nothing"};
  return core::Change(core::PutTenant{{.id = TenantId(in.id()),
                                       .name = in.name(),
                                       .enabled = in.enabled(),
                                       .quota = {.instances = in.quota().instances(),
                                                 .vcpus = in.quota().vcpus(),
                                                 .memory = Mebibytes(in.quota().memory_mib()),
                                                 .disk_gib = in.quota().disk_gib(),
                                                 .key_pairs = in.quota().key_pairs(),
                                                 .images = in.quota().images()},
                                       .created = {in.created_ms()}}});
}

void fill(AccessKey const& access_key, pb::AccessKey& out) {
  out.set_id(access_key.id.value);
  out.set_tenant(access_key.tenant.value);
  out.set_secret_sealed(access_key.secret_sealed);
  out.set_enabled(access_key.enabled);
  out.set_created_ms(access_key.created.ms);
}

core::Change read(pb::AccessKey const& in) {
  return core::PutAccessKey{{.id = AccessKeyId(in.id()),
                             .tenant = TenantId(in.tenant()),
                             .secret_sealed = in.secret_sealed(),
                             .enabled = in.enabled(),
                             .created = {in.created_ms()}}};
}

void fill(InstanceType const& type, pb::InstanceType& out) {
  out.set_name(type.name.value);
  out.set_vcpus(type.vcpus);
  out.set_memory_mib(type.memory.value);
  out.set_threads_per_core(type.threads_per_core);
  out.set_is_burstable(type.is_burstable);
  out.set_is_current_generation(type.is_current_generation);
  out.set_is_free_tier_eligible(type.is_free_tier_eligible);
  out.set_network_mbps(type.network_mbps);
  out.set_ebs_mbps(type.ebs_mbps);
  out.set_cpu_vendor(type.cpu_vendor);
  out.set_is_cpu_dedicated(type.is_cpu_dedicated);
}

core::Change read(pb::InstanceType const& in) {
  return core::PutInstanceType{{.name = TypeName(in.name()),
                                .vcpus = in.vcpus(),
                                .memory = Mebibytes(in.memory_mib()),
                                .threads_per_core = in.threads_per_core(),
                                .is_burstable = in.is_burstable(),
                                .is_current_generation = in.is_current_generation(),
                                .is_free_tier_eligible = in.is_free_tier_eligible(),
                                .network_mbps = in.network_mbps(),
                                .ebs_mbps = in.ebs_mbps(),
                                .cpu_vendor = in.cpu_vendor(),
                                .is_cpu_dedicated = in.is_cpu_dedicated()}};
}

void fill(Image const& image, pb::Image& out) {
  out.set_id(image.id.value);
  out.set_owner(image.owner.value);
  out.set_is_public(image.is_public);
  out.set_name(image.name);
  out.set_description(image.description);
  out.set_format(wire::encoded(image.format));
  out.set_digest(image.digest);
  out.set_file_size_bytes(image.file_size.value);
  out.set_virtual_size_bytes(image.virtual_size.value);
  fill(image.tags, *out.mutable_tags());
  out.set_created_ms(image.created.ms);
}

Result<core::Change> read(pb::Image const& in) {
  ImageFormat const format = TRY(wire::decoded(in.format()));
  Tags tags = TRY(read(in.tags()));
  return core::Change(core::PutImage{{.id = ImageId(in.id()),
                                      .owner = TenantId(in.owner()),
                                      .is_public = in.is_public(),
                                      .name = in.name(),
                                      .description = in.description(),
                                      .format = format,
                                      .digest = in.digest(),
                                      .file_size = Bytes(in.file_size_bytes()),
                                      .virtual_size = Bytes(in.virtual_size_bytes()),
                                      .tags = std::move(tags),
                                      .created = {in.created_ms()}}});
}

void fill(KeyPair const& pair, pb::KeyPair& out) {
  out.set_id(pair.id.value);
  out.set_tenant(pair.tenant.value);
  out.set_name(pair.name);
  out.set_kind(encoded(pair.kind));
  out.set_public_key(pair.public_key);
  out.set_fingerprint(pair.fingerprint);
  fill(pair.tags, *out.mutable_tags());
  out.set_created_ms(pair.created.ms);
}

Result<core::Change> read(pb::KeyPair const& in) {
  KeyKind const kind = TRY(decoded(in.kind()));
  Tags tags = TRY(read(in.tags()));
  return core::Change(core::PutKeyPair{{.id = KeyPairId(in.id()),
                                        .tenant = TenantId(in.tenant()),
                                        .name = in.name(),
                                        .kind = kind,
                                        .public_key = in.public_key(),
                                        .fingerprint = in.fingerprint(),
                                        .tags = std::move(tags),
                                        .created = {in.created_ms()}}});
}

void fill(Host const& host, pb::Host& out) {
  out.set_id(host.id.value);
  out.set_name(host.name);
  out.set_zone(host.zone.value);
  out.set_rack(host.rack);
  fill(host.tags, *out.mutable_tags());
  out.set_is_cordoned(host.is_cordoned);
  out.set_join_token_digest(host.join_token_digest);
  out.set_join_token_expires_ms(host.join_token_expires.ms);
  out.set_host_uuid(host.host_uuid);
  if (host.inventory) wire::fill(*host.inventory, *out.mutable_inventory());
  out.set_created_ms(host.created.ms);
}

Result<core::Change> read(pb::Host const& in) {
  Tags tags = TRY(read(in.tags()));
  Host host{.id = HostId(in.id()),
            .name = in.name(),
            .zone = ZoneName(in.zone()),
            .rack = in.rack(),
            .tags = std::move(tags),
            .is_cordoned = in.is_cordoned(),
            .join_token_digest = in.join_token_digest(),
            .join_token_expires = {in.join_token_expires_ms()},
            .host_uuid = in.host_uuid(),
            .inventory = std::nullopt,
            .created = {in.created_ms()}};
  if (in.has_inventory()) host.inventory = TRY(wire::read(in.inventory()));
  return core::Change(core::PutHost{std::move(host)});
}

void fill(Instance const& i, pb::Instance& out) {
  out.set_id(i.id.value);
  out.set_tenant(i.tenant.value);
  out.set_reservation(i.reservation.value);
  out.set_launch_index(i.launch_index);
  out.set_client_token(i.client_token);
  out.set_type(i.type.value);
  out.set_vcpus(i.vcpus);
  out.set_memory_mib(i.memory.value);
  out.set_disk_gib(i.disk_gib);
  out.set_image(i.image.value);
  out.set_image_digest(i.image_digest);
  out.set_image_format(wire::encoded(i.image_format));
  out.set_key_name(i.key_name);
  out.set_public_key(i.public_key);
  out.set_user_data(i.user_data);
  out.set_uuid(i.uuid);
  out.set_mac(i.mac);
  out.set_disable_api_termination(i.disable_api_termination);
  out.set_disable_api_stop(i.disable_api_stop);
  out.set_ebs_optimized(i.ebs_optimized);
  out.set_is_monitored(i.is_monitored);
  out.set_shutdown_behavior(encoded(i.shutdown_behavior));
  fill(i.tags, *out.mutable_tags());
  out.set_zone(i.zone.value);
  if (i.placement) wire::fill(*i.placement, *out.mutable_placement());
  out.set_wanted(encoded(i.wanted));
  out.set_reboots_wanted(i.reboots_wanted);
  out.set_starts_wanted(i.starts_wanted);
  out.set_seen(wire::encoded(i.seen));
  out.set_seen_reason(i.seen_reason);
  out.set_private_ip(i.private_ip);
  out.set_launch_time_ms(i.launch_time.ms);
  out.set_created_ms(i.created.ms);
  out.set_ended_ms(i.ended.ms);
  if (i.state_reason != StateReason{}) {
    out.mutable_state_reason()->set_code(i.state_reason.code);
    out.mutable_state_reason()->set_message(i.state_reason.message);
  }
  out.set_transition_reason(i.transition_reason);
  out.set_is_cpu_dedicated(i.is_cpu_dedicated);
  out.set_placement_group(i.placement_group.value);
  out.set_partition(i.partition);
  out.set_tenancy(encoded(i.tenancy));
  out.set_dedicated_host(i.dedicated_host.value);
  out.set_capacity_reservation(i.capacity_reservation.value);
  out.set_spot_request(i.spot_request.value);
  out.set_interruption_at_ms(i.interruption_at.ms);
  if (PlacementNote const* note = i.placement_note.get()) {
    parts::fill(*note, *out.mutable_placement_note());
  }
}

Result<core::Change> read(pb::Instance const& in) {
  ImageFormat const image_format = TRY(wire::decoded(in.image_format()));
  ShutdownBehavior const shutdown_behavior = TRY(decoded(in.shutdown_behavior()));
  Tags tags = TRY(read(in.tags()));
  Wanted const wanted = TRY(decoded(in.wanted()));
  Seen const seen = TRY(wire::decoded(in.seen()));
  Tenancy const tenancy = TRY(decoded(in.tenancy()));
  Instance i{
      .id = InstanceId(in.id()),
      .tenant = TenantId(in.tenant()),
      .reservation = ReservationId(in.reservation()),
      .launch_index = in.launch_index(),
      .client_token = in.client_token(),
      .type = TypeName(in.type()),
      .vcpus = in.vcpus(),
      .memory = Mebibytes(in.memory_mib()),
      .disk_gib = in.disk_gib(),
      .is_cpu_dedicated = in.is_cpu_dedicated(),
      .image = ImageId(in.image()),
      .image_digest = in.image_digest(),
      .image_format = image_format,
      .key_name = in.key_name(),
      .public_key = in.public_key(),
      .user_data = in.user_data(),
      .uuid = in.uuid(),
      .mac = in.mac(),
      .disable_api_termination = in.disable_api_termination(),
      .disable_api_stop = in.disable_api_stop(),
      .ebs_optimized = in.ebs_optimized(),
      .is_monitored = in.is_monitored(),
      .shutdown_behavior = shutdown_behavior,
      .tags = std::move(tags),
      .placement_group = PlacementGroupId(in.placement_group()),
      .partition = in.partition(),
      .tenancy = tenancy,
      .dedicated_host = DedicatedHostId(in.dedicated_host()),
      .capacity_reservation = CapacityReservationId(in.capacity_reservation()),
      .spot_request = SpotRequestId(in.spot_request()),
      .interruption_at = {in.interruption_at_ms()},
      .zone = ZoneName(in.zone()),
      .placement = std::nullopt,
      .placement_note = {},
      .wanted = wanted,
      .reboots_wanted = in.reboots_wanted(),
      .starts_wanted = in.starts_wanted(),
      .seen = seen,
      .seen_reason = in.seen_reason(),
      .private_ip = in.private_ip(),
      .launch_time = {in.launch_time_ms()},
      .created = {in.created_ms()},
      .ended = {in.ended_ms()},
      .state_reason = {.code = in.state_reason().code(), .message = in.state_reason().message()},
      .transition_reason = in.transition_reason()};
  if (in.has_placement()) i.placement = TRY(wire::read(in.placement()));
  if (in.has_placement_note()) i.placement_note = parts::read(in.placement_note());
  return core::Change(core::PutInstance{std::move(i)});
}

void fill(core::TokenRow const& row, pb::Token& out) {
  out.set_tenant(row.tenant.value);
  out.set_token(row.token);
  out.set_parameters_digest(row.parameters_digest);
  out.set_reservation(row.reservation.value);
  for (InstanceId const& id : row.instances) out.add_instances(id.value);
  out.set_created_ms(row.created.ms);
  out.set_expires_ms(row.expires.ms);
}

core::Change read(pb::Token const& in) {
  core::TokenRow row{.tenant = TenantId(in.tenant()),
                     .token = in.token(),
                     .parameters_digest = in.parameters_digest(),
                     .reservation = ReservationId(in.reservation()),
                     .instances = {},
                     .created = {in.created_ms()},
                     .expires = {in.expires_ms()}};
  for (std::string const& id : in.instances()) row.instances.emplace_back(id);
  return core::PutToken{std::move(row)};
}

void fill(LaunchTemplate const& t, pb::LaunchTemplate& out) {
  out.set_id(t.id.value);
  out.set_tenant(t.tenant.value);
  out.set_name(t.name);
  out.set_default_version(t.default_version);
  out.set_last_version(t.last_version);
  out.set_client_token(t.client_token);
  out.set_parameters_digest(t.parameters_digest);
  fill(t.tags, *out.mutable_tags());
  out.set_created_ms(t.created.ms);
}

Result<core::Change> read(pb::LaunchTemplate const& in) {
  Tags tags = TRY(read(in.tags()));
  return core::Change(core::PutLaunchTemplate{{.id = LaunchTemplateId(in.id()),
                                               .tenant = TenantId(in.tenant()),
                                               .name = in.name(),
                                               .default_version = in.default_version(),
                                               .last_version = in.last_version(),
                                               .client_token = in.client_token(),
                                               .parameters_digest = in.parameters_digest(),
                                               .tags = std::move(tags),
                                               .created = {in.created_ms()}}});
}

void fill(LaunchTemplateData const& data, pb::LaunchTemplateData& out) {
  if (data.image_id) out.set_image_id(*data.image_id);
  if (data.type) out.set_type(*data.type);
  if (data.key_name) out.set_key_name(*data.key_name);
  if (data.user_data) out.set_user_data(*data.user_data);
  if (data.zone) out.set_zone(*data.zone);
  if (data.placement_group_id) out.set_placement_group_id(*data.placement_group_id);
  if (data.placement_group_name) out.set_placement_group_name(*data.placement_group_name);
  if (data.partition) out.set_partition(*data.partition);
  fill(data.instance_tags, *out.mutable_instance_tags());
  if (data.root_disk_gib) out.set_root_disk_gib(*data.root_disk_gib);
  if (data.disable_api_termination) out.set_disable_api_termination(*data.disable_api_termination);
  if (data.disable_api_stop) out.set_disable_api_stop(*data.disable_api_stop);
  if (data.ebs_optimized) out.set_ebs_optimized(*data.ebs_optimized);
  if (data.monitoring) out.set_monitoring(*data.monitoring);
  if (data.shutdown_behavior) out.set_shutdown_behavior(encoded(*data.shutdown_behavior));
  for (auto const& [name, value] : data.shown) {
    pb::Parameter& parameter = *out.add_shown();
    parameter.set_name(name);
    parameter.set_value(value);
  }
}

Result<LaunchTemplateData> read(pb::LaunchTemplateData const& in) {
  LaunchTemplateData data;
  data.instance_tags = TRY(read(in.instance_tags()));
  if (in.has_image_id()) data.image_id = in.image_id();
  if (in.has_type()) data.type = in.type();
  if (in.has_key_name()) data.key_name = in.key_name();
  if (in.has_user_data()) data.user_data = in.user_data();
  if (in.has_zone()) data.zone = in.zone();
  if (in.has_placement_group_id()) data.placement_group_id = in.placement_group_id();
  if (in.has_placement_group_name()) data.placement_group_name = in.placement_group_name();
  if (in.has_partition()) data.partition = in.partition();
  if (in.has_root_disk_gib()) data.root_disk_gib = in.root_disk_gib();
  if (in.has_disable_api_termination()) {
    data.disable_api_termination = in.disable_api_termination();
  }
  if (in.has_disable_api_stop()) data.disable_api_stop = in.disable_api_stop();
  if (in.has_ebs_optimized()) data.ebs_optimized = in.ebs_optimized();
  if (in.has_monitoring()) data.monitoring = in.monitoring();
  if (in.shutdown_behavior() != pb::SHUTDOWN_BEHAVIOR_UNSPECIFIED) {
    data.shutdown_behavior = TRY(decoded(in.shutdown_behavior()));
  }
  for (pb::Parameter const& parameter : in.shown()) {
    data.shown.emplace_back(parameter.name(), parameter.value());
  }
  return data;
}

void fill(LaunchTemplateVersion const& v, pb::LaunchTemplateVersion& out) {
  out.set_launch_template(v.launch_template.value);
  out.set_number(v.number);
  out.set_tenant(v.tenant.value);
  out.set_description(v.description);
  out.set_client_token(v.client_token);
  out.set_parameters_digest(v.parameters_digest);
  fill(v.data, *out.mutable_data());
  out.set_created_ms(v.created.ms);
}

Result<core::Change> read(pb::LaunchTemplateVersion const& in) {
  LaunchTemplateData data = TRY(read(in.data()));
  return core::Change(
      core::PutLaunchTemplateVersion{{.launch_template = LaunchTemplateId(in.launch_template()),
                                      .number = in.number(),
                                      .tenant = TenantId(in.tenant()),
                                      .description = in.description(),
                                      .client_token = in.client_token(),
                                      .parameters_digest = in.parameters_digest(),
                                      .data = std::move(data),
                                      .created = {in.created_ms()}}});
}

void fill(core::AuditRecord const& record, pb::Audit& out) {
  out.set_number(record.number);
  out.set_time_ms(record.time.ms);
  out.set_actor(record.actor);
  out.set_source(record.source);
  out.set_request_id(record.request_id);
  out.set_action(record.action);
  for (std::string const& subject : record.subjects) out.add_subjects(subject);
  out.set_outcome(record.outcome);
  out.set_digest(record.digest);
}

core::Change read(pb::Audit const& in) {
  return core::AppendAudit{{.number = in.number(),
                            .time = {in.time_ms()},
                            .actor = in.actor(),
                            .source = in.source(),
                            .request_id = in.request_id(),
                            .action = in.action(),
                            .subjects = {in.subjects().begin(), in.subjects().end()},
                            .outcome = in.outcome(),
                            .digest = in.digest()}};
}

}  // namespace

void fill_body(core::Change const& change, pb::Record& record) {
  std::visit(
      overloaded{
          [&](core::PutRegion const& c) { fill(c.region, *record.mutable_region()); },
          [&](core::PutZone const& c) { fill(c.zone, *record.mutable_zone()); },
          [&](core::PutTenant const& c) { fill(c.tenant, *record.mutable_tenant()); },
          [&](core::PutAccessKey const& c) { fill(c.key, *record.mutable_access_key()); },
          [&](core::PutInstanceType const& c) { fill(c.type, *record.mutable_instance_type()); },
          [&](core::PutImage const& c) { fill(c.image, *record.mutable_image()); },
          [&](core::PutKeyPair const& c) { fill(c.key, *record.mutable_key_pair()); },
          [&](core::PutHost const& c) { fill(c.host, *record.mutable_host()); },
          [&](core::PutInstance const& c) { fill(c.instance, *record.mutable_instance()); },
          [&](core::PutToken const& c) { fill(c.row, *record.mutable_token()); },
          [&](core::AppendAudit const& c) { fill(c.record, *record.mutable_audit()); },
          [&](core::PutLaunchTemplate const& c) {
            fill(c.launch_template, *record.mutable_launch_template());
          },
          [&](core::PutLaunchTemplateVersion const& c) {
            fill(c.version, *record.mutable_launch_template_version());
          },
          [&](core::PutPlacementGroup const& c) {
            fill(c.group, *record.mutable_placement_group());
          },
          [](auto const&) {
            constexpr bool writes_a_record = false;
            ENSURE(writes_a_record);
          },
      },
      change);
}

Result<core::Change> read_body(pb::Record const& record) {
  switch (record.body_case()) {
    case pb::Record::kRegion: return read(record.region());
    case pb::Record::kZone: return read(record.zone());
    case pb::Record::kTenant: return read(record.tenant());
    case pb::Record::kAccessKey: return read(record.access_key());
    case pb::Record::kInstanceType: return read(record.instance_type());
    case pb::Record::kImage: return read(record.image());
    case pb::Record::kKeyPair: return read(record.key_pair());
    case pb::Record::kHost: return read(record.host());
    case pb::Record::kInstance: return read(record.instance());
    case pb::Record::kToken: return read(record.token());
    case pb::Record::kAudit: return read(record.audit());
    case pb::Record::kLaunchTemplate: return read(record.launch_template());
    case pb::Record::kLaunchTemplateVersion: return read(record.launch_template_version());
    case pb::Record::kPlacementGroup: return read(record.placement_group());
    case pb::Record::BODY_NOT_SET: break;
  }
  return Error{Code::corrupt, "record", "body: wanted one, found nothing"};
}

}  // namespace berth::wire
