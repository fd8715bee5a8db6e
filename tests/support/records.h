#pragma once
// Any record, from a seed: every field filled with what its type allows, ids and digests in their
// forms. Structured bindings name each field, so a field that is added to a noun and not here does
// not compile: add it to the record's encoding too.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "berth/base/entropy.h"
#include "daemon/core/change.h"

namespace berth::test {

class Draw {
 public:
  explicit Draw(Entropy& entropy) : entropy_(entropy) {}

  template <class... Fields>
  void all(Fields&... fields) {
    (one(fields), ...);
  }

  void one(bool& v) { v = entropy_.below(2) == 1; }
  void one(std::int32_t& v) { v = static_cast<std::int32_t>(entropy_.below(1U << 31)); }
  void one(std::int64_t& v) {
    v = static_cast<std::int64_t>(entropy_.next() >> (1 + entropy_.below(63)));
  }
  void one(std::uint64_t& v) { v = entropy_.next() >> entropy_.below(64); }
  // Any bytes, also none, also such that are not UTF-8.
  void one(std::string& v) {
    v.clear();
    for (std::uint64_t n = entropy_.below(20); n > 0; --n)
      v += static_cast<char>(entropy_.below(256));
  }
  template <class Tag>
  void one(detail::Quantity<Tag>& v) {
    one(v.value);
  }
  template <class Tag>
  void one(Strong<Tag, std::uint64_t>& v) {
    one(v.value);
  }
  void one(WallTime& v) { v.ms = static_cast<std::int64_t>(entropy_.next()); }

  void one(TenantId& v) { v.value = digits(12, "0123456789"); }
  void one(AccessKeyId& v) { v.value = "AKIA" + digits(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"); }
  void one(ZoneName& v) { v.value = "zone-" + entropy_.hex(4); }
  void one(TypeName& v) { v.value = "m5." + entropy_.hex(4); }
  void one(HostId& v) { v.value = "host-" + entropy_.hex(17); }
  void one(ImageId& v) { v.value = "ami-" + entropy_.hex(17); }
  void one(KeyPairId& v) { v.value = "key-" + entropy_.hex(17); }
  void one(InstanceId& v) { v.value = "i-" + entropy_.hex(17); }
  void one(ReservationId& v) { v.value = "r-" + entropy_.hex(17); }

  void one(PlacementGroupId& v) { v.value = "pg-" + entropy_.hex(17); }
  void one(DedicatedHostId& v) { v.value = "h-" + entropy_.hex(17); }
  void one(CapacityReservationId& v) { v.value = "cr-" + entropy_.hex(17); }
  void one(SpotRequestId& v) { v.value = "sir-" + entropy_.hex(8); }
  void one(LaunchTemplateId& v) { v.value = "lt-" + entropy_.hex(17); }
  void one(PlacementGroup& v) {
    auto& [id, tenant, name, strategy, spread_level, partition_count, tags, created] = v;
    all(tenant, name, tags, created);
    id.value = "pg-" + entropy_.hex(17);
    name += '\xff';  // never empty
    strategy = static_cast<PlacementStrategy>(entropy_.below(3));
    spread_level = static_cast<SpreadLevel>(entropy_.below(2));
    partition_count = strategy == PlacementStrategy::partition
                          ? static_cast<std::int32_t>(1 + entropy_.below(7))
                          : 0;
  }

  void one(VirtType& v) { v = static_cast<VirtType>(entropy_.below(2)); }
  void one(ImageFormat& v) { v = static_cast<ImageFormat>(entropy_.below(2)); }
  void one(KeyKind& v) { v = static_cast<KeyKind>(entropy_.below(2)); }
  void one(Wanted& v) { v = static_cast<Wanted>(entropy_.below(3)); }
  void one(Seen& v) { v = static_cast<Seen>(entropy_.below(6)); }
  void one(Tenancy& v) { v = static_cast<Tenancy>(entropy_.below(3)); }
  void one(ShutdownBehavior& v) { v = static_cast<ShutdownBehavior>(entropy_.below(2)); }

  template <class T>
  void one(std::vector<T>& v) {
    v.resize(entropy_.below(4));
    for (T& element : v) one(element);
  }
  template <class T>
  void one(std::optional<T>& v) {
    v.reset();
    if (entropy_.below(2) == 1) one(v.emplace());
  }
  void one(Tags& v) {
    v.clear();
    for (std::uint64_t n = entropy_.below(4); n > 0; --n) {
      std::pair<std::string, std::string> tag;
      all(tag.first, tag.second);
      v.insert(std::move(tag));
    }
  }

  void one(HostCpu& v) {
    auto& [id, core, siblings] = v;
    all(id, core, siblings);
  }
  void one(HugePages& v) {
    auto& [size_kib, count] = v;
    all(size_kib, count);
  }
  void one(HostCell& v) {
    auto& [id, memory, cpus, huge_pages] = v;
    all(id, memory, cpus, huge_pages);
  }
  void one(HostInventory& v) {
    auto& [cells, cpu_model, cpu_vendor, virt_type, is_confined, disk_total, disk_free, hostname,
           libvirt_version, qemu_version, agent_version] = v;
    all(cells, cpu_model, cpu_vendor, virt_type, is_confined, disk_total, disk_free, hostname,
        libvirt_version, qemu_version, agent_version);
    one(cells.emplace_back());  // never empty
  }
  void one(Placement& v) {
    auto& [host, generation, cells, cpus] = v;
    all(host, generation, cells, cpus);
    for (std::size_t i = 0; i < cells.size(); ++i) {  // ascending
      cells[i] = static_cast<std::int32_t>(3 * i + entropy_.below(3));
    }
  }
  void one(Quota& v) {
    auto& [instances, vcpus, memory, disk_gib, key_pairs, images] = v;
    all(instances, vcpus, memory, disk_gib, key_pairs, images);
  }
  void one(StateReason& v) {
    auto& [code, message] = v;
    all(code, message);
  }
  void one(core::Quarantine& v) {
    auto& [since, reason] = v;
    all(since, reason);
  }
  void one(core::Region& v) {
    auto& [name, term, audit_count, audit_digest, quarantine] = v;
    all(term, audit_count, quarantine);
    name = "us-east-1";
    audit_digest = digest();
  }
  void one(Zone& v) {
    auto& [name, id, jurisdiction, operator_name, created] = v;
    all(name, id, jurisdiction, operator_name, created);
  }
  void one(Tenant& v) {
    auto& [id, name, enabled, quota, created] = v;
    all(id, name, enabled, quota, created);
  }
  void one(AccessKey& v) {
    auto& [id, tenant, secret_sealed, enabled, created] = v;
    all(id, tenant, secret_sealed, enabled, created);
    secret_sealed += '\xff';  // never empty
  }
  void one(InstanceType& v) {
    auto& [name, vcpus, memory, threads_per_core, is_burstable, is_current_generation,
           is_free_tier_eligible, network_mbps, ebs_mbps, cpu_vendor, is_cpu_dedicated] = v;
    all(name, vcpus, memory, threads_per_core, is_burstable, is_current_generation,
        is_free_tier_eligible, network_mbps, ebs_mbps, cpu_vendor, is_cpu_dedicated);
  }
  void one(Image& v) {
    auto& [id, owner, is_public, name, description, format, sha, file_size, virtual_size, tags,
           created] = v;
    all(id, is_public, name, description, format, file_size, virtual_size, tags, created);
    owner = TenantId();
    if (entropy_.below(2) == 1) one(owner);
    sha = digest();
  }
  void one(KeyPair& v) {
    auto& [id, tenant, name, kind, public_key, fingerprint, tags, created] = v;
    all(id, tenant, name, kind, public_key, fingerprint, tags, created);
    name += '\xff';  // never empty
  }
  void one(Host& v) {
    auto& [id, name, zone, rack, tags, is_cordoned, join_token_digest, join_token_expires,
           host_uuid, inventory, created] = v;
    all(id, name, zone, rack, tags, is_cordoned, join_token_expires, host_uuid, inventory, created);
    name += 'h';
    join_token_digest = entropy_.below(2) == 1 ? digest() : "";
  }
  void one(PlacementNote::Removed& v) { all(v.reason, v.hosts); }
  void one(PlacementNote::Row& v) { all(v.host, v.cells, v.score); }
  void one(SharedNote& v) {
    v = SharedNote();
    if (entropy_.below(2) == 0) return;
    PlacementNote note;
    auto& [policy, hosts, removed, scored_worse, tightest, rows] = note;
    all(policy, hosts, removed, scored_worse, tightest, rows);
    v = SharedNote(std::move(note));
  }
  void one(Instance& v) {
    auto& [id, tenant, reservation, launch_index, client_token, type, vcpus, memory, disk_gib,
           is_cpu_dedicated, image, image_digest, image_format, key_name, public_key, user_data,
           uuid, mac, disable_api_termination, disable_api_stop, ebs_optimized, is_monitored,
           shutdown_behavior, tags, placement_group, partition, tenancy, dedicated_host,
           capacity_reservation, spot_request, interruption_at, zone, placement, placement_note,
           wanted, reboots_wanted, starts_wanted, seen, seen_reason, private_ip, launch_time,
           created, ended, state_reason, transition_reason] = v;
    all(id, tenant, reservation, launch_index, client_token, type, vcpus, memory, disk_gib,
        is_cpu_dedicated, image, image_format, key_name, public_key, user_data, uuid, mac,
        disable_api_termination, disable_api_stop, ebs_optimized, is_monitored, shutdown_behavior,
        tags, zone, placement, wanted, reboots_wanted, starts_wanted, seen, seen_reason, private_ip,
        launch_time, created, ended, state_reason, transition_reason, partition, tenancy,
        interruption_at, placement_note);
    some_of(placement_group, dedicated_host, capacity_reservation, spot_request);
    image_digest = digest();
  }
  void one(core::TokenRow& v) {
    auto& [tenant, token, parameters_digest, reservation, instances, created, expires] = v;
    all(tenant, token, parameters_digest, reservation, instances, created, expires);
    token += '\xff';  // never empty
  }
  void one(LaunchTemplate& v) {
    auto& [id, tenant, name, default_version, last_version, client_token, parameters_digest, tags,
           created] = v;
    all(id, tenant, name, client_token, parameters_digest, tags, created);
    name += '\xff';  // never empty
    default_version = 1 + entropy_.below(1'000);
    last_version = 1 + entropy_.below(1'000);
  }
  void one(std::pair<std::string, std::string>& v) { all(v.first, v.second); }
  void one(LaunchTemplateData& v) {
    auto& [image_id, type, key_name, user_data, zone, placement_group_id, placement_group_name,
           partition, instance_tags, root_disk_gib, disable_api_termination, disable_api_stop,
           ebs_optimized, monitoring, shutdown_behavior, shown] = v;
    all(image_id, type, key_name, user_data, zone, placement_group_id, placement_group_name,
        partition, instance_tags, root_disk_gib, disable_api_termination, disable_api_stop,
        ebs_optimized, monitoring, shutdown_behavior, shown);
  }
  void one(LaunchTemplateVersion& v) {
    auto& [launch_template, number, tenant, description, client_token, parameters_digest, data,
           created] = v;
    all(launch_template, tenant, description, client_token, parameters_digest, data, created);
    number = 1 + entropy_.below(1'000);
  }
  void one(core::AuditRecord& v) {
    auto& [number, time, actor, source, request_id, action, subjects, outcome, sha] = v;
    all(time, actor, source, request_id, action, subjects, outcome);
    number = 1 + entropy_.below(1'000'000);
    sha = digest();
  }

  // A change of the given alternative of core::Change that writes a record.
  template <class Put>
  core::Change put() {
    Put change;
    auto& [noun] = change;
    one(noun);
    return change;
  }

  std::string digest() { return entropy_.hex(64); }

 private:
  // Ids that may be absent.
  template <class... Ids>
  void some_of(Ids&... ids) {
    ((ids = Ids(), entropy_.below(2) == 1 ? one(ids) : void()), ...);
  }
  std::string digits(std::size_t count, std::string const& alphabet) {
    std::string out;
    while (out.size() < count) out += alphabet[entropy_.below(alphabet.size())];
    return out;
  }

  Entropy& entropy_;
};

// One of each noun, in the order of core::Change, with the given entropy.
inline std::vector<core::Change> one_of_each(Entropy& entropy) {
  Draw draw(entropy);
  return {draw.put<core::PutRegion>(),
          draw.put<core::PutZone>(),
          draw.put<core::PutTenant>(),
          draw.put<core::PutAccessKey>(),
          draw.put<core::PutInstanceType>(),
          draw.put<core::PutImage>(),
          draw.put<core::PutKeyPair>(),
          draw.put<core::PutHost>(),
          draw.put<core::PutInstance>(),
          draw.put<core::PutToken>(),
          draw.put<core::AppendAudit>(),
          draw.put<core::PutLaunchTemplate>(),
          draw.put<core::PutLaunchTemplateVersion>(),
          draw.put<core::PutPlacementGroup>()};
}

}  // namespace berth::test
