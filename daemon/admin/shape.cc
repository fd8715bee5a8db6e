#include "daemon/admin/shape.h"

#include <algorithm>
#include <array>

#include "berth/base/ensure.h"

namespace berth::admin {
namespace {

constexpr auto kDone = std::to_array<Property>({
    {"done", Type::boolean, "Always true: the change is durable."},
});
constexpr auto kHealth = std::to_array<Property>({
    {"status", Type::text, "Always \"ok\": the core answered; otherwise the answer is an error."},
    {"region", Type::text, "The region's name."},
    {"version", Type::text, "The daemon's version."},
});
constexpr auto kAmount = std::to_array<Property>({
    {"vcpus", Type::integer, "Virtual CPUs."},
    {"memory_mib", Type::integer, "Memory in MiB."},
    {"disk_gib", Type::integer, "Disk in GiB."},
    {"instances", Type::integer, "Instances."},
});
constexpr auto kQuota = std::to_array<Property>({
    {"instances", Type::integer, "Most instances."},
    {"vcpus", Type::integer, "Most virtual CPUs of its instances."},
    {"memory_mib", Type::integer, "Most memory of its instances, MiB."},
    {"disk_gib", Type::integer, "Most disk of its instances, GiB."},
    {"key_pairs", Type::integer, "Most key pairs."},
    {"images", Type::integer, "Most images it owns."},
});
constexpr auto kFleetCounts = std::to_array<Property>({
    {"never_seen", Type::integer, "Enrolled, no agent has come yet."},
    {"up", Type::integer, "The lease stands."},
    {"suspect", Type::integer, "The lease ran out."},
    {"lost", Type::integer, "Not heard of for so long that it counts as gone."},
});
constexpr auto kStateCounts = std::to_array<Property>({
    {"pending", Type::integer, "On their way up."},
    {"running", Type::integer, "Running."},
    {"stopping", Type::integer, "On their way to stopped."},
    {"stopped", Type::integer, "Stopped, disk kept."},
    {"shutting_down", Type::integer, "On their way to terminated."},
    {"terminated", Type::integer, "Gone, still shown for a while."},
});
constexpr auto kZone = std::to_array<Property>({
    {"name", Type::text, "As tenants see it, \"us-east-1a\"."},
    {"id", Type::text, "EC2's zone id, \"use1-az1\"."},
    {"jurisdiction", Type::text, "ISO 3166-1 alpha-2; empty: not stated."},
    {"operator", Type::text, "The legal entity that runs it; empty: not stated."},
    {"hosts", Type::integer, "Enrolled hosts."},
    {"capacity", Type::object, "What its hosts offer, after over-commit and reserve.", false,
     Noun::amount},
    {"used", Type::object, "What instances hold.", false, Noun::amount},
    {"created", Type::time, "When it was made.", true},
});
constexpr auto kStatus = std::to_array<Property>({
    {"region", Type::text, "The region's name."},
    {"term", Type::integer, "The leader's term; raised at each start of the daemon."},
    {"quarantined", Type::boolean, "True: see region.show; nothing is changed on any host."},
    {"version", Type::text, "The daemon's version."},
    {"tenants", Type::integer, "Number of tenants."},
    {"images", Type::integer, "Number of images."},
    {"types", Type::integer, "Number of instance types."},
    {"hosts", Type::object, "Hosts by health.", false, Noun::fleet_counts},
    {"instances", Type::object, "Instances by state.", false, Noun::state_counts},
    {"zones", Type::objects, "Every zone with its room.", false, Noun::zone},
});
constexpr auto kRegion = std::to_array<Property>({
    {"region", Type::text, "The region's name."},
    {"term", Type::integer, "The leader's term."},
    {"quarantined", Type::boolean,
     "True: the records may be older than what runs; nothing is started, stopped or removed."},
    {"since", Type::time, "Since when; null: no quarantine.", true},
    {"reason", Type::text, "Why; empty: no quarantine."},
    {"unknown_instances", Type::integer, "Instances that hosts have and the records do not."},
    {"adoptable_instances", Type::integer, "Those of them of which a record can be made."},
    {"gone_instances", Type::texts, "Recorded, but nothing of them is on their hosts."},
    {"silent_hosts", Type::texts, "Hosts that have not said yet what they run, by name."},
});
constexpr auto kUnknownInstance = std::to_array<Property>({
    {"id", Type::text, "\"i-…\"."},
    {"host", Type::text, "The id of the host that has it."},
    {"host_name", Type::text, "That host's name."},
    {"tenant", Type::text, "Whose it was; empty: its agent does not know."},
    {"type", Type::text, "Its instance type; empty: its agent does not know."},
    {"obstacle", Type::text, "Why it cannot be adopted now; empty: it can."},
});
constexpr auto kAdopted = std::to_array<Property>({
    {"adopted", Type::integer, "How many records were made."},
    {"instances", Type::texts, "Their ids."},
});
constexpr auto kBackup = std::to_array<Property>({
    {"file", Type::text, "Its path on the daemon's machine."},
    {"bytes", Type::integer, "Its size."},
    {"created", Type::time, "When it was made.", true},
});
constexpr auto kPlacement = std::to_array<Property>({
    {"id", Type::text, "The instance, or the request that was refused."},
    {"outcome", Type::text, "\"placed\" or \"refused\"."},
    {"tenant", Type::text, "Whose."},
    {"type", Type::text, "Of this instance type."},
    {"zone", Type::text, "Where it was placed, or what was asked for; empty: any zone."},
    {"placement_group", Type::text, "Its id; empty: none."},
    {"at", Type::time, "When it was decided."},
    {"wanted", Type::integer, "Instances, all or none."},
    {"found", Type::integer, "So many of them would have had room; the counts are of the next."},
    {"policy", Type::text, "The placement policy; empty: refused, or no note was kept."},
    {"hosts", Type::integer,
     "Hosts of the region then: the sum of removed, scored_worse and the "
     "chosen one; 0: not counted."},
    {"removed", Type::objects, "What removed hosts, cheapest check first.", false, Noun::removed},
    {"scored_worse", Type::integer, "Hosts that fitted and were not the best."},
    {"tightest", Type::text, "\"cpu\" or \"memory\": what ran out first; empty: not known."},
    {"scores", Type::objects, "The chosen host, and those that came next.", false,
     Noun::placement_row},
    {"remedies", Type::texts, "Refused: what would place it now, each tried."},
});
constexpr auto kRemoved = std::to_array<Property>({
    {"reason", Type::text, "The first check that a host failed."},
    {"hosts", Type::integer, "How many."},
});
constexpr auto kPlacementRow = std::to_array<Property>({
    {"host", Type::text, "Its id."},
    {"host_name", Type::text, "Empty: it is no more."},
    {"cells", Type::text, "Its NUMA cells, \"0\" or \"0,1\"."},
    {"score", Type::integer, "Smaller is better; to be compared within this list only."},
});
constexpr auto kCapacity = std::to_array<Property>({
    {"zone", Type::text, "In this zone."},
    {"type", Type::text, "Of this instance type."},
    {"instances", Type::integer,
     "So many more find room, the zone's reserve kept. Of types that "
     "need several NUMA cells: at most so many."},
});
constexpr auto kTenant = std::to_array<Property>({
    {"id", Type::text, "Twelve digits, EC2's account id."},
    {"name", Type::text, "As the operator named it."},
    {"enabled", Type::boolean, "False: its requests are refused, its instances run on."},
    {"quota", Type::object, "What it may hold.", false, Noun::quota},
    {"used", Type::object, "What it holds.", false, Noun::amount},
    {"key_pairs", Type::integer, "Key pairs it has."},
    {"created", Type::time, "When it was made.", true},
});
constexpr auto kAccessKey = std::to_array<Property>({
    {"access_key_id", Type::text, "AKIA and 16 of A-Z2-7."},
    {"tenant", Type::text, "Whose it is."},
    {"enabled", Type::boolean, "False: requests signed with it are refused."},
    {"created", Type::time, "When it was made.", true},
});
constexpr auto kNewAccessKey = std::to_array<Property>({
    {"access_key_id", Type::text, "AKIA and 16 of A-Z2-7."},
    {"secret_access_key", Type::text, "Shown this once and never again."},
    {"tenant", Type::text, "Whose it is."},
});
constexpr auto kInventory = std::to_array<Property>({
    {"hostname", Type::text, "What the host calls itself."},
    {"cpu_model", Type::text, "libvirt's name of the CPU model; empty: unknown."},
    {"cpu_vendor", Type::text, "\"Intel\", \"AMD\"."},
    {"cpus", Type::integer, "Hardware threads."},
    {"memory_mib", Type::integer, "Memory in MiB."},
    {"numa_cells", Type::integer, "NUMA cells."},
    {"virt_type", Type::text, "\"kvm\" or \"qemu\" (emulation, no isolation boundary)."},
    {"is_confined", Type::boolean, "AppArmor or SELinux confines each guest."},
    {"disk_total_bytes", Type::integer, "Size of the file system of images and disks."},
    {"disk_free_bytes", Type::integer, "Free on it."},
    {"libvirt_version", Type::text, "Version of libvirt."},
    {"qemu_version", Type::text, "Version of QEMU."},
    {"agent_version", Type::text, "Version of the agent."},
});
constexpr auto kHost = std::to_array<Property>({
    {"id", Type::text, "host- and 17 hex digits."},
    {"name", Type::text, "Unique in the region."},
    {"zone", Type::text, "Where it stands."},
    {"rack", Type::text, "Failure domain inside the zone; empty: not stated."},
    {"tags", Type::tags, "The operator's."},
    {"health", Type::text, "never_seen, up, suspect or lost."},
    {"is_cordoned", Type::boolean, "True: nothing new is placed on it."},
    {"is_connected", Type::boolean, "Its agent has a session now."},
    {"is_current", Type::boolean, "It has acted on its newest spec."},
    {"has_joined", Type::boolean, "A machine has been bound to this record."},
    {"host_uuid", Type::text, "The machine's own identity; empty: not joined yet."},
    {"seconds_since_seen", Type::integer, "Null: not seen since the daemon started.", true},
    {"capacity", Type::object, "What it offers, after over-commit and reserve.", false,
     Noun::amount},
    {"used", Type::object, "What instances hold on it.", false, Noun::amount},
    {"foreign_domains", Type::texts, "Domains on it that are not Berth's; never touched."},
    {"unknown_instances", Type::texts, "Berth's by their metadata, but without a record."},
    {"inventory", Type::object, "What its agent found; null: no report yet.", true,
     Noun::inventory},
    {"created", Type::time, "When it was enrolled.", true},
});
constexpr auto kEnrolledHost = std::to_array<Property>({
    {"host_id", Type::text, "host- and 17 hex digits."},
    {"name", Type::text, "Unique in the region."},
    {"zone", Type::text, "Where it stands."},
    {"token", Type::text, "One-time join token: shown this once and never again."},
    {"token_expires", Type::time, "When the token ends.", true},
    {"daemon", Type::text, "HOST:PORT that agents dial; empty: the daemon was not told."},
});
constexpr auto kInstanceType = std::to_array<Property>({
    {"name", Type::text, "\"m5.large\"."},
    {"vcpus", Type::integer, "Virtual CPUs."},
    {"memory_mib", Type::integer, "Memory in MiB."},
    {"threads_per_core", Type::integer, "1 or 2."},
    {"burstable", Type::boolean, "Lives on CPU credits (t families)."},
    {"current_generation", Type::boolean, "As DescribeInstanceTypes says it."},
    {"free_tier_eligible", Type::boolean, "As DescribeInstanceTypes says it."},
    {"network_mbps", Type::integer, "0: not stated."},
    {"ebs_mbps", Type::integer, "0: not stated."},
    {"cpu_vendor", Type::text, "\"Intel\", \"AMD\"; empty: any."},
    {"dedicated_cpus", Type::boolean, "Its guests get whole cores of their own."},
});
constexpr auto kImage = std::to_array<Property>({
    {"id", Type::text, "ami- and 17 hex digits."},
    {"name", Type::text, "As it was registered."},
    {"description", Type::text, "For people."},
    {"owner", Type::text, "Tenant id; empty: the operator's."},
    {"public", Type::boolean, "Every tenant may launch it."},
    {"format", Type::text, "qcow2 or raw."},
    {"digest", Type::text, "SHA-256 of the file, lower-case hex."},
    {"file_bytes", Type::integer, "Size of the file."},
    {"virtual_bytes", Type::integer, "What a guest sees."},
    {"tags", Type::tags, "Its tags."},
    {"created", Type::time, "When it was registered.", true},
});
constexpr auto kInstance = std::to_array<Property>({
    {"id", Type::text, "i- and 17 hex digits."},
    {"tenant", Type::text, "Whose it is."},
    {"reservation", Type::text, "The launch it came from."},
    {"type", Type::text, "Its instance type at launch."},
    {"vcpus", Type::integer, "Virtual CPUs."},
    {"memory_mib", Type::integer, "Memory in MiB."},
    {"disk_gib", Type::integer, "Root disk in GiB."},
    {"image", Type::text, "What its root disk was made from."},
    {"state", Type::text, "EC2's state."},
    {"wanted", Type::text, "What the tenant wants: running, stopped or terminated."},
    {"seen", Type::text, "What its host last said of it."},
    {"seen_reason", Type::text, "Why it cannot be started; empty: no such reason."},
    {"state_reason", Type::text, "EC2's state reason, code and message; empty: none."},
    {"zone", Type::text, "Where it was placed."},
    {"host", Type::text, "Host id; null: it has none any more.", true},
    {"host_name", Type::text, "Its host's name; empty: none."},
    {"host_health", Type::text, "Its host's health; null: it has none.", true},
    {"generation", Type::integer, "Of its placement; null: it has none.", true},
    {"cells", Type::text, "NUMA cells of its host that it sits in, \"0,1\"; empty: any."},
    {"cpus", Type::text,
     "Host CPUs of its own, one for each vCPU in their order; empty: it shares those of its cells. "
     "While it is stopped, those it had."},
    {"unpinned", Type::text, "Why it does not run on its CPUs; empty: it does, or does not run."},
    {"private_ip", Type::text, "As its host reported; empty: not known."},
    {"mac", Type::text, "Its network card's address."},
    {"uuid", Type::text, "Of its domain."},
    {"key_name", Type::text, "Key pair given at launch; empty: none."},
    {"user_data_bytes", Type::integer, "Size of its user data, which is never shown here."},
    {"tags", Type::tags, "The tenant's."},
    {"launch_time", Type::time, "Of its last start.", true},
    {"created", Type::time, "Of its first.", true},
    {"ended", Type::time, "When its host confirmed that nothing is left.", true},
});
constexpr auto kAuditRecord = std::to_array<Property>({
    {"number", Type::integer, "1, 2, 3 without a gap."},
    {"time_ms", Type::integer, "Milliseconds since 1970 UTC; the digest covers it."},
    {"time", Type::time, "The same for people.", true},
    {"actor", Type::text, "Who did it."},
    {"source", Type::text, "From where."},
    {"request_id", Type::text, "As the caller was told."},
    {"action", Type::text, "What was asked."},
    {"subjects", Type::texts, "Ids it touched."},
    {"outcome", Type::text, "\"ok\", or the error's code."},
    {"digest", Type::text, "SHA-256 over the digest before and this record."},
});

constexpr auto kShapes = std::to_array<Shape>({
    {Noun::done, "Done", kDone},
    {Noun::health, "Health", kHealth},
    {Noun::status, "Status", kStatus},
    {Noun::zone, "Zone", kZone},
    {Noun::tenant, "Tenant", kTenant},
    {Noun::access_key, "AccessKey", kAccessKey},
    {Noun::new_access_key, "NewAccessKey", kNewAccessKey},
    {Noun::host, "Host", kHost},
    {Noun::enrolled_host, "EnrolledHost", kEnrolledHost},
    {Noun::instance_type, "InstanceType", kInstanceType},
    {Noun::image, "Image", kImage},
    {Noun::instance, "Instance", kInstance},
    {Noun::audit_record, "AuditRecord", kAuditRecord},
    {Noun::region, "Region", kRegion},
    {Noun::unknown_instance, "UnknownInstance", kUnknownInstance},
    {Noun::adopted, "Adopted", kAdopted},
    {Noun::backup, "Backup", kBackup},
    {Noun::placement, "Placement", kPlacement},
    {Noun::placement_row, "PlacementRow", kPlacementRow},
    {Noun::removed, "Removed", kRemoved},
    {Noun::capacity, "Capacity", kCapacity},
    {Noun::amount, "Amount", kAmount},
    {Noun::quota, "Quota", kQuota},
    {Noun::inventory, "Inventory", kInventory},
    {Noun::fleet_counts, "FleetCounts", kFleetCounts},
    {Noun::state_counts, "StateCounts", kStateCounts},
    {Noun::openapi, "OpenApi", {}},
});

}  // namespace

std::span<Shape const> shapes() {
  return kShapes;
}

Shape const& shape(Noun noun) {
  auto const it = std::ranges::find(kShapes, noun, &Shape::noun);
  ENSURE(it != kShapes.end());
  return *it;
}

}  // namespace berth::admin
