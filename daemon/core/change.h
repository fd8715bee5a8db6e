#pragma once
// Change: the only way the state is altered. `decide` makes them, `absorb` applies them, the store
// keeps the durable ones in the same order. Each durable change stands for one stored record: Put
// replaces it whole, Erase removes it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "berth/model/host.h"
#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"
#include "berth/model/image.h"
#include "berth/model/instance.h"
#include "berth/model/launch_template.h"
#include "berth/model/placement_group.h"
#include "berth/model/tenant.h"

namespace berth::core {

// The records may be older than what runs on the hosts: a backup was restored. Nothing is started,
// stopped or removed, and tenants can change nothing, until an operator ends it.
struct Quarantine {
  WallTime since;
  std::string reason;  // for people

  bool operator==(Quarantine const&) const = default;
};

// What one region remembers about itself. One record.
struct Region {
  std::string name;               // "us-east-1"
  Term term;                      // raised by every start, before anything else is decided
  std::uint64_t audit_count = 0;  // of the last audit record; 0: none yet
  std::string audit_digest;       // hex SHA-256 over the chain so far
  std::optional<Quarantine> quarantine;

  bool operator==(Region const&) const = default;
};

// A ClientToken of RunInstances: what was asked under it, and what it made.
struct TokenRow {
  TenantId tenant;
  std::string token;
  std::string parameters_digest;  // of the request without the token
  ReservationId reservation;
  std::vector<InstanceId> instances;
  WallTime created;
  WallTime expires;  // zero while an instance of it lives; set when the last one has ended

  bool operator==(TokenRow const&) const = default;
};

// One acknowledged mutation. Committed with it, chained by digest.
struct AuditRecord {
  std::uint64_t number = 0;  // 1, 2, 3 … without a gap
  WallTime time;
  std::string actor;   // "tenant/123456789012/AKIA…", "admin/root", "host/host-…", "berth"
  std::string source;  // peer address
  std::string request_id;
  std::string action;                 // "RunInstances", "admin.host.cordon"
  std::vector<std::string> subjects;  // ids it touched
  std::string outcome;                // "ok", or the error's code for refused authentication
  std::string digest;                 // hex SHA-256(previous digest + this record's canonical text)

  bool operator==(AuditRecord const&) const = default;
};

struct PutRegion {
  Region region;
  bool operator==(PutRegion const&) const = default;
};
struct PutZone {
  Zone zone;
  bool operator==(PutZone const&) const = default;
};
struct PutTenant {
  Tenant tenant;
  bool operator==(PutTenant const&) const = default;
};
struct PutAccessKey {
  AccessKey key;
  bool operator==(PutAccessKey const&) const = default;
};
struct EraseAccessKey {
  AccessKeyId id;
  bool operator==(EraseAccessKey const&) const = default;
};
struct PutInstanceType {
  InstanceType type;
  bool operator==(PutInstanceType const&) const = default;
};
struct EraseInstanceType {
  TypeName name;
  bool operator==(EraseInstanceType const&) const = default;
};
struct PutImage {
  Image image;
  bool operator==(PutImage const&) const = default;
};
struct EraseImage {
  ImageId id;
  bool operator==(EraseImage const&) const = default;
};
struct PutKeyPair {
  KeyPair key;
  bool operator==(PutKeyPair const&) const = default;
};
struct EraseKeyPair {
  KeyPairId id;
  bool operator==(EraseKeyPair const&) const = default;
};
struct PutHost {
  Host host;
  bool operator==(PutHost const&) const = default;
};
struct EraseHost {
  HostId id;
  bool operator==(EraseHost const&) const = default;
};
struct PutInstance {
  Instance instance;
  bool operator==(PutInstance const&) const = default;
};
struct EraseInstance {
  InstanceId id;
  bool operator==(EraseInstance const&) const = default;
};
struct PutToken {
  TokenRow row;
  bool operator==(PutToken const&) const = default;
};
struct EraseToken {
  TenantId tenant;
  std::string token;
  bool operator==(EraseToken const&) const = default;
};
struct PutLaunchTemplate {
  LaunchTemplate launch_template;
  bool operator==(PutLaunchTemplate const&) const = default;
};
struct EraseLaunchTemplate {
  LaunchTemplateId id;
  bool operator==(EraseLaunchTemplate const&) const = default;
};
struct PutLaunchTemplateVersion {
  LaunchTemplateVersion version;
  bool operator==(PutLaunchTemplateVersion const&) const = default;
};
struct EraseLaunchTemplateVersion {
  LaunchTemplateId id;
  std::uint64_t number = 0;
  bool operator==(EraseLaunchTemplateVersion const&) const = default;
};
struct PutPlacementGroup {
  PlacementGroup group;
  bool operator==(PutPlacementGroup const&) const = default;
};
struct ErasePlacementGroup {
  PlacementGroupId id;
  bool operator==(ErasePlacementGroup const&) const = default;
};
struct AppendAudit {
  AuditRecord record;
  bool operator==(AppendAudit const&) const = default;
};

// Volatile: what is true only for this run of the daemon. Never stored.
struct SeeHost {
  HostId id;
  Instant at;  // of the last sign of life
  bool is_connected = true;
  std::string boot_id;
  Term spec_term;  // the spec its last report was about
  Generation spec_generation;
  std::vector<std::string> images;   // digests in its cache
  std::vector<std::string> foreign;  // domains that are not ours
  std::vector<InstanceId> unknown;   // carry our metadata, but no record or another generation
  // Of the report's `earlier`: what was wanted of instances before the quarantine.
  std::vector<InstanceSpec> earlier;
  // Of its guests that run, those that do not sit where their spec says, and why not, for people.
  std::map<InstanceId, std::string> unpinned;
  HostHealth announced = HostHealth::never_seen;  // what the last event about its health said
  bool operator==(SeeHost const&) const = default;
};

// A launch that found no room. For operators; of this run of the daemon only, and of no influence
// on any decision, so not a Change.
struct Refusal {
  std::string request_id;
  TenantId tenant;
  WallTime at;
  TypeName type;
  std::int64_t vcpus = 0;  // of the type as it was then
  Mebibytes memory;
  std::int64_t disk_gib = 0;
  bool is_cpu_dedicated = false;
  ZoneName zone;                     // empty: any
  PlacementGroupId placement_group;  // empty: none
  std::int32_t partition = 0;
  std::int64_t wanted = 1;  // all or nothing
  std::int64_t found = 0;   // of them; the counts below are of the one after
  PlacementNote note;       // `hosts` and `removed`; no policy, no rows

  bool operator==(Refusal const&) const = default;
};

using Change =
    std::variant<PutRegion, PutZone, PutTenant, PutAccessKey, EraseAccessKey, PutInstanceType,
                 EraseInstanceType, PutImage, EraseImage, PutKeyPair, EraseKeyPair, PutHost,
                 EraseHost, PutInstance, EraseInstance, PutToken, EraseToken, AppendAudit, SeeHost,
                 PutLaunchTemplate, EraseLaunchTemplate, PutLaunchTemplateVersion,
                 EraseLaunchTemplateVersion, PutPlacementGroup, ErasePlacementGroup>;

[[nodiscard]] inline bool is_durable(Change const& change) {
  return !std::holds_alternative<SeeHost>(change);
}

}  // namespace berth::core
