#include "daemon/admin/routes.h"

#include <array>

namespace berth::admin {
namespace {

using core::AdminAction;
using core::Role;

constexpr std::int64_t kPageMax = 10'000;
constexpr std::int64_t kAuditPageMax = 1'000;
constexpr std::int64_t kManyMax = 1'000'000'000;

// ---- Fields

constexpr Field in_path(std::string_view name, std::string_view about) {
  return {.name = name, .about = about, .place = Place::path, .is_required = true, .min = 1};
}
constexpr Field in_query(std::string_view name, std::string_view about) {
  return {.name = name, .about = about, .place = Place::query, .min = 1};
}
constexpr Field number(std::string_view name, std::string_view about, std::int64_t min,
                       std::int64_t max) {
  return {.name = name, .about = about, .kind = Kind::integer, .min = min, .max = max};
}
constexpr Field flag(std::string_view name, std::string_view about) {
  return {.name = name, .about = about, .kind = Kind::boolean};
}
constexpr Field required(Field field) {
  field.is_required = true;
  return field;
}
constexpr Field queried(Field field) {
  field.place = Place::query;
  return field;
}
constexpr Field one_of(Field field, std::span<std::string_view const> values) {
  field.one_of = values;
  return field;
}

constexpr Field kLimit =
    queried(number("limit", "Most items in the answer; 1000 unless said.", 1, kPageMax));
constexpr Field kAfter = in_query("after", "The `next` of the answer before: go on behind it.");

constexpr auto kFormats = std::to_array<std::string_view>({"qcow2", "raw"});
constexpr auto kVendors = std::to_array<std::string_view>({"", "Intel", "AMD"});
constexpr auto kStates = std::to_array<std::string_view>(
    {"pending", "running", "shutting-down", "terminated", "stopping", "stopped"});

constexpr auto kPage = std::to_array<Field>({kLimit, kAfter});
constexpr auto kZoneFields = std::to_array<Field>({
    in_path("zone", "Its name: the region's name and a letter."),
    {.name = "jurisdiction", .about = "ISO 3166-1 alpha-2, \"DE\"; empty: not stated."},
    {.name = "operator", .about = "The legal entity that runs it; empty: not stated."},
});
constexpr auto kCreateTenantFields = std::to_array<Field>({
    {.name = "name", .about = "For people.", .is_required = true, .min = 1},
    {.name = "id", .about = "Twelve digits; absent: drawn.", .min = 12, .max = 12},
});
constexpr auto kTenantFields = std::to_array<Field>({in_path("tenant", "Tenant id.")});
constexpr auto kQuotaFields = std::to_array<Field>({
    required(number("instances", "Most instances.", 0, kManyMax)),
    required(number("vcpus", "Most virtual CPUs.", 0, kManyMax)),
    required(number("memory_mib", "Most memory, MiB.", 0, kManyMax * 1000)),
    required(number("disk_gib", "Most disk, GiB.", 0, kManyMax)),
    required(number("key_pairs", "Most key pairs.", 0, kManyMax)),
    required(number("images", "Most images.", 0, kManyMax)),
});
constexpr auto kSetTenantFields = std::to_array<Field>({
    in_path("tenant", "Tenant id."),
    flag("enabled", "False: its requests are refused, its instances run on."),
    {.name = "quota",
     .about = "The whole quota; it replaces the old one.",
     .kind = Kind::object,
     .fields = kQuotaFields},
});
constexpr auto kListKeysFields =
    std::to_array<Field>({in_query("tenant", "Of this tenant only."), kLimit, kAfter});
constexpr auto kCreateKeyFields = std::to_array<Field>({
    {.name = "tenant", .about = "Tenant id.", .is_required = true, .min = 1},
});
constexpr auto kKeyFields = std::to_array<Field>({in_path("key", "Access key id.")});
constexpr auto kSetKeyFields = std::to_array<Field>({
    in_path("key", "Access key id."),
    required(flag("enabled", "False: requests signed with it are refused.")),
});
constexpr auto kEnrollFields = std::to_array<Field>({
    {.name = "name",
     .about = "Of the host, unique in the region; a known name gets a new token.",
     .is_required = true,
     .min = 1},
    {.name = "zone", .about = "Where it stands.", .is_required = true, .min = 1},
    {.name = "rack", .about = "Failure domain inside the zone; empty: not stated."},
    {.name = "tags", .about = "The operator's own.", .kind = Kind::tags},
});
constexpr auto kHostFields = std::to_array<Field>({in_path("host", "Host id or name.")});
constexpr auto kPutTypeFields = std::to_array<Field>({
    in_path("type", "\"m5.large\"."),
    required(number("vcpus", "Virtual CPUs.", 1, 1'024)),
    required(number("memory_mib", "Memory, MiB.", 1, 64LL * 1024 * 1024)),
    number("threads_per_core", "1 unless said.", 1, 2),
    flag("burstable", "Lives on CPU credits; false unless said."),
    flag("current_generation", "True unless said."),
    flag("free_tier_eligible", "False unless said."),
    number("network_mbps", "0: not stated.", 0, kManyMax),
    number("ebs_mbps", "0: not stated.", 0, kManyMax),
    one_of({.name = "cpu_vendor", .about = "Empty: any."}, kVendors),
    flag("dedicated_cpus", "Its guests get whole cores of their own; false unless said."),
});
constexpr auto kTypeFields = std::to_array<Field>({in_path("type", "Instance type.")});
constexpr auto kImportFields = std::to_array<Field>({
    required(in_query("name", "Of the image.")),
    required(one_of(in_query("format", "What the file is; anything else found in it is refused."),
                    kFormats)),
    queried(flag("public", "Every tenant may launch it; false unless said.")),
    in_query("tenant", "Its owner; absent: the operator's."),
    in_query("description", "For people."),
});
constexpr auto kImageFields = std::to_array<Field>({in_path("image", "Image id.")});
constexpr auto kListInstancesFields = std::to_array<Field>({
    in_query("tenant", "Of this tenant only."),
    in_query("host", "On this host only; id or name."),
    one_of(in_query("state", "In this state only."), kStates),
    kLimit,
    kAfter,
});
constexpr auto kPlacementFields =
    std::to_array<Field>({in_path("id", "An instance's id, or that of a refused request.")});
constexpr auto kInstanceFields = std::to_array<Field>({in_path("instance", "Instance id.")});
constexpr auto kAdoptFields = std::to_array<Field>({
    {.name = "instance", .about = "This one only; absent: every one that can be."},
});
constexpr auto kReleaseFields = std::to_array<Field>({
    flag("keep_unknown", "Though instances without a record are left; they stay untouched."),
    flag("without_hosts", "Though hosts have not said yet what they run."),
});
constexpr auto kAuditFields = std::to_array<Field>({
    queried(number("first", "Number of the first record; 1 unless said.", 1, INT64_MAX)),
    queried(number("count", "Most records in the answer; 1000 unless said.", 1, kAuditPageMax)),
});

// ---- From fields to the core's input

AdminAction put_zone(Fields const& f) {
  return core::PutZoneCall{.name = f.text("zone"),
                           .jurisdiction = f.text("jurisdiction"),
                           .operator_name = f.text("operator")};
}
AdminAction list_zones(Fields const&) {
  return core::ListZones{};
}
AdminAction create_tenant(Fields const& f) {
  core::CreateTenant call{.name = f.text("name"), .id = std::nullopt};
  if (f.has("id")) call.id = f.text("id");
  return call;
}
AdminAction list_tenants(Fields const&) {
  return core::ListTenants{};
}
AdminAction set_tenant(Fields const& f) {
  core::SetTenant call{.id = f.text("tenant"), .enabled = f.flag("enabled"), .quota = std::nullopt};
  if (f.has("quota")) {
    call.quota = Quota{
        .instances = f.number("quota.instances"),
        .vcpus = f.number("quota.vcpus"),
        .memory = Mebibytes(f.number("quota.memory_mib")),
        .disk_gib = f.number("quota.disk_gib"),
        .key_pairs = f.number("quota.key_pairs"),
        .images = f.number("quota.images"),
    };
  }
  return call;
}
AdminAction list_keys(Fields const& f) {
  return core::ListAccessKeys{.tenant = f.text("tenant")};
}
AdminAction set_key(Fields const& f) {
  return core::SetAccessKey{.id = f.text("key"), .enabled = f.flag("enabled").value_or(true)};
}
AdminAction delete_key(Fields const& f) {
  return core::DeleteAccessKey{.id = f.text("key")};
}
AdminAction list_hosts(Fields const&) {
  return core::ListHosts{};
}
AdminAction show_host(Fields const& f) {
  return core::ShowHost{.host = f.text("host")};
}
AdminAction cordon_host(Fields const& f) {
  return core::CordonHost{.host = f.text("host"), .cordon = true};
}
AdminAction uncordon_host(Fields const& f) {
  return core::CordonHost{.host = f.text("host"), .cordon = false};
}
AdminAction remove_host(Fields const& f) {
  return core::RemoveHost{.host = f.text("host")};
}
AdminAction put_type(Fields const& f) {
  return core::PutType{InstanceType{
      .name = TypeName(f.text("type")),
      .vcpus = f.number("vcpus"),
      .memory = Mebibytes(f.number("memory_mib")),
      .threads_per_core = f.number("threads_per_core", 1),
      .is_burstable = f.flag("burstable").value_or(false),
      .is_current_generation = f.flag("current_generation").value_or(true),
      .is_free_tier_eligible = f.flag("free_tier_eligible").value_or(false),
      .network_mbps = f.number("network_mbps"),
      .ebs_mbps = f.number("ebs_mbps"),
      .cpu_vendor = f.text("cpu_vendor"),
      .is_cpu_dedicated = f.flag("dedicated_cpus").value_or(false),
  }};
}
AdminAction list_types(Fields const&) {
  return core::ListTypes{};
}
AdminAction delete_type(Fields const& f) {
  return core::DeleteType{.name = f.text("type")};
}
AdminAction list_images(Fields const&) {
  return core::ListImages{};
}
AdminAction list_instances(Fields const& f) {
  return core::ListInstances{
      .tenant = f.text("tenant"), .host = f.text("host"), .state = f.text("state")};
}
AdminAction show_instance(Fields const& f) {
  return core::ShowInstance{.id = f.text("instance")};
}
AdminAction explain_placement(Fields const& f) {
  return core::ExplainPlacement{.id = f.text("id")};
}
AdminAction show_capacity(Fields const& f) {
  return core::ShowCapacity{.type = f.text("type")};
}
AdminAction summarise(Fields const&) {
  return core::Summarise{};
}

AdminAction show_region(Fields const&) {
  return core::ShowRegion{};
}
AdminAction adopt_instances(Fields const& f) {
  return core::AdoptInstances{.id = f.text("instance")};
}
AdminAction release_region(Fields const& f) {
  return core::ReleaseRegion{.keep_unknown = f.flag("keep_unknown").value_or(false),
                             .without_hosts = f.flag("without_hosts").value_or(false)};
}

// ---- The table

// clang-format off
constexpr auto kRoutes = std::to_array<Route>({
    {"health.show", "GET", "/v1/health", Role::viewer, "Does the core answer?", {}, Noun::health, Form::one, Work::health, summarise},
    {"openapi.show", "GET", "/v1/openapi.json", Role::viewer, "This document.", {}, Noun::openapi, Form::one, Work::openapi, nullptr},
    {"status.show", "GET", "/v1/status", Role::viewer, "The region at a glance.", {}, Noun::status, Form::one, Work::call, summarise},
    {"zone.list", "GET", "/v1/zones", Role::viewer, "All zones with their room.", kPage, Noun::zone, Form::list, Work::call, list_zones},
    {"zone.put", "PUT", "/v1/zones/{zone}", Role::admin, "Makes a zone, or replaces what is said of it.", kZoneFields, Noun::zone, Form::one, Work::call, put_zone},
    {"tenant.list", "GET", "/v1/tenants", Role::viewer, "All tenants with what they hold.", kPage, Noun::tenant, Form::list, Work::call, list_tenants},
    {"tenant.create", "POST", "/v1/tenants", Role::admin, "Makes a tenant.", kCreateTenantFields, Noun::tenant, Form::one, Work::call, create_tenant, 201},
    {"tenant.show", "GET", "/v1/tenants/{tenant}", Role::viewer, "One tenant.", kTenantFields, Noun::tenant, Form::one, Work::pick, list_tenants},
    {"tenant.set", "PATCH", "/v1/tenants/{tenant}", Role::admin, "Enables or disables a tenant, or replaces its quota.", kSetTenantFields, Noun::tenant, Form::one, Work::call, set_tenant},
    {"key.list", "GET", "/v1/keys", Role::viewer, "Access keys, without their secrets.", kListKeysFields, Noun::access_key, Form::list, Work::call, list_keys},
    {"key.create", "POST", "/v1/keys", Role::admin, "Makes an access key; its secret is in this answer only.", kCreateKeyFields, Noun::new_access_key, Form::one, Work::create_key, nullptr, 201},
    {"key.set", "PATCH", "/v1/keys/{key}", Role::admin, "Enables or disables an access key.", kSetKeyFields, Noun::access_key, Form::one, Work::call, set_key},
    {"key.delete", "DELETE", "/v1/keys/{key}", Role::admin, "Deletes an access key.", kKeyFields, Noun::done, Form::one, Work::call, delete_key},
    {"host.list", "GET", "/v1/hosts", Role::viewer, "All hosts, by name.", kPage, Noun::host, Form::list, Work::call, list_hosts},
    {"host.enroll", "POST", "/v1/hosts", Role::admin, "Enrols a host; the one-time join token is in this answer only.", kEnrollFields, Noun::enrolled_host, Form::one, Work::enroll_host, nullptr, 201},
    {"host.show", "GET", "/v1/hosts/{host}", Role::viewer, "One host.", kHostFields, Noun::host, Form::one, Work::call, show_host},
    {"host.remove", "DELETE", "/v1/hosts/{host}", Role::admin, "Removes a host that holds no instance.", kHostFields, Noun::done, Form::one, Work::call, remove_host},
    {"host.cordon", "POST", "/v1/hosts/{host}/cordon", Role::operate, "Places nothing new on a host.", kHostFields, Noun::host, Form::one, Work::call, cordon_host},
    {"host.uncordon", "POST", "/v1/hosts/{host}/uncordon", Role::operate, "Takes a host back into use.", kHostFields, Noun::host, Form::one, Work::call, uncordon_host},
    {"type.list", "GET", "/v1/types", Role::viewer, "All instance types, by name.", kPage, Noun::instance_type, Form::list, Work::call, list_types},
    {"type.put", "PUT", "/v1/types/{type}", Role::admin, "Makes or replaces an instance type; running instances keep their shape.", kPutTypeFields, Noun::instance_type, Form::one, Work::call, put_type},
    {"type.delete", "DELETE", "/v1/types/{type}", Role::admin, "Takes an instance type off the catalogue.", kTypeFields, Noun::done, Form::one, Work::call, delete_type},
    {"image.list", "GET", "/v1/images", Role::viewer, "All images.", kPage, Noun::image, Form::list, Work::call, list_images},
    {"image.import", "POST", "/v1/images", Role::operate, "Imports an image: the body is the file.", kImportFields, Noun::image, Form::one, Work::import_image, nullptr, 201},
    {"image.delete", "DELETE", "/v1/images/{image}", Role::admin, "Deletes an image.", kImageFields, Noun::done, Form::one, Work::delete_image, nullptr},
    {"instance.list", "GET", "/v1/instances", Role::viewer, "Instances of all tenants.", kListInstancesFields, Noun::instance, Form::list, Work::call, list_instances},
    {"instance.show", "GET", "/v1/instances/{instance}", Role::viewer, "One instance.", kInstanceFields, Noun::instance, Form::one, Work::call, show_instance},
    {"region.show", "GET", "/v1/region", Role::viewer, "The region, and its quarantine if it is in one.", {}, Noun::region, Form::one, Work::call, show_region},
    {"placement.explain", "GET", "/v1/placements/{id}", Role::viewer, "Why an instance is where it is, or why a launch was refused.", kPlacementFields, Noun::placement, Form::one, Work::call, explain_placement},
    {"capacity.show", "GET", "/v1/capacity/{type}", Role::viewer, "How many more of an instance type find room, by zone.", kTypeFields, Noun::capacity, Form::list, Work::call, show_capacity},
    {"region.unknown", "GET", "/v1/region/unknown", Role::viewer, "Instances that hosts have and the records do not.", kPage, Noun::unknown_instance, Form::list, Work::call, show_region},
    {"region.adopt", "POST", "/v1/region/adopt", Role::admin, "In quarantine: makes records of instances that have none, 1000 at a time.", kAdoptFields, Noun::adopted, Form::one, Work::call, adopt_instances},
    {"region.release", "POST", "/v1/region/release", Role::admin, "Ends the quarantine.", kReleaseFields, Noun::done, Form::one, Work::call, release_region},
    {"backup.create", "POST", "/v1/backups", Role::admin, "Copies the store while it serves; answers when the copy is durable.", {}, Noun::backup, Form::one, Work::make_backup, nullptr, 201},
    {"backup.list", "GET", "/v1/backups", Role::viewer, "Backups on the daemon's machine, oldest first.", kPage, Noun::backup, Form::list, Work::list_backups, nullptr},
    {"audit.list", "GET", "/v1/audit", Role::operate, "Audit records in order; `next` is the number to go on with.", kAuditFields, Noun::audit_record, Form::list, Work::read_audit, nullptr},
});
// clang-format on

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    std::size_t const end = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return out;
}

}  // namespace

std::span<Route const> routes() {
  return kRoutes;
}

Match match(std::string_view method, std::string_view path) {
  Match out;
  if (!path.starts_with('/')) return out;
  std::vector<std::string_view> const given = segments(path);
  for (Route const& route : kRoutes) {
    std::vector<std::string_view> const wanted = segments(route.path);
    if (wanted.size() != given.size()) continue;
    std::map<std::string, std::string> fields;
    bool fits = true;
    for (std::size_t i = 0; fits && i < wanted.size(); ++i) {
      if (!wanted[i].starts_with('{')) {
        fits = wanted[i] == given[i];
        continue;
      }
      Result<std::string> text = percent_decoded(given[i]);
      fits = text.has_value() && !text->empty();
      if (fits) fields.emplace(wanted[i].substr(1, wanted[i].size() - 2), std::move(*text));
    }
    if (!fits) continue;
    out.allowed.push_back(route.method);
    if (route.method == method) {
      out.route = &route;
      out.path = std::move(fields);
    }
  }
  return out;
}

}  // namespace berth::admin
