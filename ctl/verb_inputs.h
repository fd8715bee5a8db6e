#pragma once
// What the verbs take and what their tables show; for verbs.cc alone.

#include <array>

#include "ctl/verb.h"

namespace berth::ctl {

constexpr std::span<Input const> none() {
  return {};
}

inline constexpr auto kZoneName = std::to_array<Input>({
    {.name = "NAME",
     .field = "zone",
     .place = Place::path,
     .about = "the region's name and a letter: us-east-1a"},
});
inline constexpr auto kZoneFlags = std::to_array<Input>({
    {.name = "jurisdiction",
     .field = "jurisdiction",
     .about = "ISO 3166-1 code of the country: DE",
     .value = "CODE"},
    {.name = "operator",
     .field = "operator",
     .about = "legal entity that runs the zone",
     .value = "NAME"},
});
inline constexpr auto kTenantName = std::to_array<Input>({
    {.name = "NAME", .field = "name", .about = "for people"},
});
inline constexpr auto kTenantFlags = std::to_array<Input>({
    {.name = "id",
     .field = "id",
     .about = "twelve digits; drawn unless given",
     .value = "TENANT_ID"},
});
inline constexpr auto kTenantId = std::to_array<Input>({
    {.name = "TENANT_ID", .field = "tenant", .place = Place::path, .about = "twelve digits"},
});
inline constexpr auto kQuotaFlags = std::to_array<Input>({
    {.name = "instances", .field = "instances", .kind = Kind::integer, .about = "most instances"},
    {.name = "vcpus", .field = "vcpus", .kind = Kind::integer, .about = "most virtual CPUs"},
    {.name = "memory_mib",
     .field = "memory_mib",
     .kind = Kind::integer,
     .about = "most memory, MiB"},
    {.name = "disk_gib", .field = "disk_gib", .kind = Kind::integer, .about = "most disk, GiB"},
    {.name = "key_pairs", .field = "key_pairs", .kind = Kind::integer, .about = "most key pairs"},
    {.name = "images", .field = "images", .kind = Kind::integer, .about = "most images"},
});
inline constexpr auto kOwner = std::to_array<Input>({
    {.name = "TENANT_ID", .field = "tenant", .about = "whose key it will be"},
});
inline constexpr auto kTenantFilter = std::to_array<Input>({
    {.name = "tenant",
     .field = "tenant",
     .place = Place::query,
     .about = "of this tenant only",
     .value = "TENANT_ID"},
});
inline constexpr auto kKeyId = std::to_array<Input>({
    {.name = "ACCESS_KEY_ID", .field = "key", .place = Place::path, .about = "AKIA..."},
});
inline constexpr auto kHost = std::to_array<Input>({
    {.name = "HOST", .field = "host", .place = Place::path, .about = "name or id"},
});
inline constexpr auto kNewHost = std::to_array<Input>({
    {.name = "NAME",
     .field = "name",
     .about = "unique in the region; a known name gets a new token"},
});
inline constexpr auto kEnrollFlags = std::to_array<Input>({
    {.name = "zone",
     .field = "zone",
     .is_required = true,
     .about = "where it stands",
     .value = "ZONE"},
    {.name = "rack", .field = "rack", .about = "failure domain inside the zone", .value = "RACK"},
    {.name = "tags", .field = "tags", .kind = Kind::tags, .about = "k=v,k2=v2: your own marks"},
    {.name = "join_file",
     .place = Place::local,
     .about = "write the token to this file (0600) instead of the terminal",
     .value = "PATH"},
});
inline constexpr auto kTypeName = std::to_array<Input>({
    {.name = "NAME", .field = "type", .place = Place::path, .about = "m5.large"},
});
inline constexpr auto kTypeFlags = std::to_array<Input>({
    {.name = "vcpus",
     .field = "vcpus",
     .kind = Kind::integer,
     .is_required = true,
     .about = "virtual CPUs"},
    {.name = "memory_mib",
     .field = "memory_mib",
     .kind = Kind::integer,
     .is_required = true,
     .about = "memory, MiB"},
    {.name = "threads_per_core",
     .field = "threads_per_core",
     .kind = Kind::integer,
     .about = "1 (default) or 2"},
    {.name = "burstable",
     .field = "burstable",
     .kind = Kind::boolean,
     .about = "lives on CPU credits"},
    {.name = "current_generation",
     .field = "current_generation",
     .kind = Kind::boolean,
     .about = "as EC2's API shows it; default true"},
    {.name = "free_tier_eligible",
     .field = "free_tier_eligible",
     .kind = Kind::boolean,
     .about = "as EC2's API shows it; default false"},
    {.name = "network_mbps",
     .field = "network_mbps",
     .kind = Kind::integer,
     .about = "0: not stated"},
    {.name = "ebs_mbps", .field = "ebs_mbps", .kind = Kind::integer, .about = "0: not stated"},
    {.name = "cpu_vendor",
     .field = "cpu_vendor",
     .about = "Intel or AMD; any unless given",
     .value = "Intel|AMD"},
    {.name = "dedicated_cpus",
     .field = "dedicated_cpus",
     .kind = Kind::boolean,
     .about = "its guests get whole cores of their own, pinned; default false"},
});
inline constexpr auto kFile = std::to_array<Input>({
    {.name = "FILE", .place = Place::local, .about = "the disk image"},
});
inline constexpr auto kImportFlags = std::to_array<Input>({
    {.name = "name",
     .field = "name",
     .place = Place::query,
     .is_required = true,
     .about = "of the image",
     .value = "NAME"},
    {.name = "format",
     .field = "format",
     .place = Place::query,
     .is_required = true,
     .about = "qcow2 or raw",
     .value = "qcow2|raw"},
    {.name = "public",
     .field = "public",
     .place = Place::query,
     .kind = Kind::boolean,
     .about = "every tenant may launch it"},
    {.name = "tenant",
     .field = "tenant",
     .place = Place::query,
     .about = "its owner; the operator's unless given",
     .value = "TENANT_ID"},
    {.name = "description", .field = "description", .place = Place::query, .about = "for people"},
});
inline constexpr auto kImageId = std::to_array<Input>({
    {.name = "IMAGE_ID", .field = "image", .place = Place::path, .about = "ami-..."},
});
inline constexpr auto kInstanceFlags = std::to_array<Input>({
    {.name = "tenant",
     .field = "tenant",
     .place = Place::query,
     .about = "of this tenant only",
     .value = "TENANT_ID"},
    {.name = "host",
     .field = "host",
     .place = Place::query,
     .about = "on this host only; name or id",
     .value = "HOST"},
    {.name = "state",
     .field = "state",
     .place = Place::query,
     .about = "pending, running, stopping, stopped, shutting-down or terminated",
     .value = "STATE"},
});
inline constexpr auto kInstanceId = std::to_array<Input>({
    {.name = "INSTANCE_ID", .field = "instance", .place = Place::path, .about = "i-..."},
});
inline constexpr auto kPlacementId = std::to_array<Input>({
    {.name = "ID",
     .field = "id",
     .place = Place::path,
     .about = "an instance's id, or that of a refused request"},
});
inline constexpr auto kCapacityFlags = std::to_array<Input>({
    {.name = "type",
     .field = "type",
     .place = Place::path,
     .is_required = true,
     .about = "of this instance type",
     .value = "TYPE"},
});
inline constexpr auto kCapacityColumns = std::to_array<Column>({
    {"ZONE", "zone"},
    {"TYPE", "type"},
    {"MORE", "instances"},
});
inline constexpr auto kAdoptFlags = std::to_array<Input>({
    {.name = "instance",
     .field = "instance",
     .about = "this one only; every one that can be unless given",
     .value = "INSTANCE_ID"},
});
inline constexpr auto kReleaseFlags = std::to_array<Input>({
    {.name = "keep_unknown",
     .field = "keep_unknown",
     .kind = Kind::boolean,
     .about = "though instances without a record are left; they stay untouched"},
    {.name = "without_hosts",
     .field = "without_hosts",
     .kind = Kind::boolean,
     .about = "though hosts have not said yet what they run"},
});
inline constexpr auto kAuditFlags = std::to_array<Input>({
    {.name = "first",
     .field = "first",
     .place = Place::query,
     .kind = Kind::integer,
     .about = "number of the first record; default 1"},
});
inline constexpr auto kTrace = std::to_array<Input>({
    {.name = "TRACE", .place = Place::local, .about = "CSV of requests, plain or gzip"},
});
inline constexpr auto kPackFlags = std::to_array<Input>({
    {.name = "host",
     .place = Place::local,
     .is_required = true,
     .about = "what each host is: NUMA cells, and vCPUs and GiB of each",
     .value = "CELLSxVCPUSxGIB"},
    {.name = "hosts",
     .place = Place::local,
     .is_required = true,
     .about = "how many there are; min: the fewest that take all",
     .value = "N|min"},
    {.name = "policy",
     .place = Place::local,
     .about = "which host is taken, by name; Berth's own unless given",
     .value = "NAME"},
    {.name = "average_from",
     .place = Place::local,
     .kind = Kind::integer,
     .about = "second of the trace from which on means are taken; default 0",
     .value = "SECONDS"},
    {.name = "moves_per_hour",
     .place = Place::local,
     .kind = Kind::integer,
     .about = "live migrations to empty hosts, at most so many in any hour; default 0",
     .value = "N"},
    {.name = "placements",
     .place = Place::local,
     .about = "write every decision to this file, as CSV",
     .value = "FILE"},
    {.name = "plot",
     .place = Place::local,
     .about = "draw hosts in use, density and rejections over time into this file, as SVG",
     .value = "FILE"},
});

inline constexpr auto kZoneColumns = std::to_array<Column>({
    {"ZONE", "name"},
    {"ID", "id"},
    {"HOSTS", "hosts"},
    {"INSTANCES", "used.instances"},
    {"VCPUS", "used.vcpus", Format::used_of, "capacity.vcpus"},
    {"MEMORY", "used.memory_mib", Format::used_of_mib, "capacity.memory_mib"},
    {"JURISDICTION", "jurisdiction"},
    {"OPERATOR", "operator"},
});
inline constexpr auto kTenantColumns = std::to_array<Column>({
    {"TENANT", "id"},
    {"NAME", "name"},
    {"ENABLED", "enabled", Format::yes_no},
    {"INSTANCES", "used.instances", Format::used_of, "quota.instances"},
    {"VCPUS", "used.vcpus", Format::used_of, "quota.vcpus"},
    {"MEMORY", "used.memory_mib", Format::used_of_mib, "quota.memory_mib"},
    {"CREATED", "created", Format::time},
});
inline constexpr auto kKeyColumns = std::to_array<Column>({
    {"ACCESS KEY", "access_key_id"},
    {"TENANT", "tenant"},
    {"ENABLED", "enabled", Format::yes_no},
    {"CREATED", "created", Format::time},
});
inline constexpr auto kHostColumns = std::to_array<Column>({
    {"NAME", "name"},
    {"ID", "id"},
    {"ZONE", "zone"},
    {"RACK", "rack"},
    {"HEALTH", "health"},
    {"CORDONED", "is_cordoned", Format::yes_no},
    {"INSTANCES", "used.instances"},
    {"VCPUS", "used.vcpus", Format::used_of, "capacity.vcpus"},
    {"MEMORY", "used.memory_mib", Format::used_of_mib, "capacity.memory_mib"},
    {"VIRT", "inventory.virt_type"},
    {"AGENT", "inventory.agent_version"},
});
inline constexpr auto kTypeColumns = std::to_array<Column>({
    {"TYPE", "name"},
    {"VCPUS", "vcpus"},
    {"MEMORY", "memory_mib", Format::mib},
    {"THREADS", "threads_per_core"},
    {"BURSTABLE", "burstable", Format::yes_no},
    {"VENDOR", "cpu_vendor"},
    {"OWN-CPUS", "dedicated_cpus", Format::yes_no},
});
inline constexpr auto kImageColumns = std::to_array<Column>({
    {"IMAGE", "id"},
    {"NAME", "name"},
    {"OWNER", "owner"},
    {"PUBLIC", "public", Format::yes_no},
    {"FORMAT", "format"},
    {"FILE", "file_bytes", Format::bytes},
    {"DISK", "virtual_bytes", Format::bytes},
    {"CREATED", "created", Format::time},
});
inline constexpr auto kInstanceColumns = std::to_array<Column>({
    {"INSTANCE", "id"},
    {"TENANT", "tenant"},
    {"TYPE", "type"},
    {"STATE", "state"},
    {"ZONE", "zone"},
    {"HOST", "host_name"},
    {"IP", "private_ip"},
    {"LAUNCHED", "launch_time", Format::time},
    {"REASON", "seen_reason"},
});
inline constexpr auto kUnknownColumns = std::to_array<Column>({
    {"INSTANCE", "id"},
    {"HOST", "host_name"},
    {"TENANT", "tenant"},
    {"TYPE", "type"},
    {"OBSTACLE", "obstacle"},
});
inline constexpr auto kBackupColumns = std::to_array<Column>({
    {"FILE", "file"},
    {"SIZE", "bytes", Format::bytes},
    {"CREATED", "created", Format::time},
});
inline constexpr auto kAuditColumns = std::to_array<Column>({
    {"NUMBER", "number"},
    {"TIME", "time", Format::time},
    {"ACTOR", "actor"},
    {"SOURCE", "source"},
    {"ACTION", "action"},
    {"SUBJECTS", "subjects"},
    {"OUTCOME", "outcome"},
});

}  // namespace berth::ctl
