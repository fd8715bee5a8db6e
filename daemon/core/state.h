#pragma once
// State: every record of the region, and what is derived from them. Only `absorb` alters it. All
// containers that a decision iterates are ordered.

#include <map>
#include <set>
#include <string>
#include <utility>

#include "daemon/core/change.h"
#include "daemon/core/policy.h"
#include "daemon/placement/place.h"

namespace berth::core {

// An index over the records; `absorb` keeps it, invariants.cc recounts it.
struct Derived {
  placement::Fleet fleet;  // capacity, use and fitness of each host
  std::map<HostId, std::set<InstanceId>> instances_of_host;
  std::map<TenantId, std::set<InstanceId>> instances_of_tenant;
  std::map<TenantId, placement::Usage> used_by_tenant;
  std::map<std::pair<TenantId, std::string>, KeyPairId> key_pair_by_name;
  std::map<std::pair<TenantId, std::string>, LaunchTemplateId> launch_template_by_name;
  std::map<TenantId, std::int64_t> launch_template_versions;  // of a tenant's templates together
  std::map<std::pair<TenantId, std::string>, PlacementGroupId> placement_group_by_name;
  // Those that hold something on their host; a group of none has no entry.
  std::map<PlacementGroupId, std::set<InstanceId>> instances_of_group;
  std::map<TenantId, std::set<AccessKeyId>> access_keys_of_tenant;
  std::map<std::string, HostId> host_by_name;
  std::map<ImageId, std::int64_t> instances_of_image;  // those not yet ended
  std::set<std::pair<WallTime, InstanceId>> ended;     // in order of their end
  std::set<std::pair<WallTime, std::pair<TenantId, std::string>>> expiring_tokens;
  // Of each host's spec within this term; grows with each change that the spec can show.
  std::map<HostId, Generation> spec_generation;
  // Hosts whose spec changed since the driver last took this set.
  std::set<HostId> touched_specs;

  bool operator==(Derived const&) const = default;
};

struct State {
  // The policy decides what a host may sell, so the derived fleet depends on it; constant for a
  // run.
  explicit State(Policy p) : policy(std::move(p)) {}

  Policy policy;
  Region region;
  std::map<ZoneName, Zone> zones;
  std::map<TenantId, Tenant> tenants;
  std::map<AccessKeyId, AccessKey> access_keys;
  std::map<TypeName, InstanceType> types;
  std::map<ImageId, Image> images;
  std::map<KeyPairId, KeyPair> key_pairs;
  std::map<LaunchTemplateId, LaunchTemplate> launch_templates;
  std::map<std::pair<LaunchTemplateId, std::uint64_t>, LaunchTemplateVersion>
      launch_template_versions;  // each template has at least its default one
  std::map<PlacementGroupId, PlacementGroup> placement_groups;
  std::map<HostId, Host> hosts;
  std::map<InstanceId, Instance> instances;
  std::map<std::pair<TenantId, std::string>, TokenRow> tokens;
  std::map<HostId, SeeHost> seen;  // volatile: this run of the daemon only

  Derived derived;

  bool operator==(State const&) const = default;
};

// The record, or nullptr: for a look-up that may miss.
template <class Map>
[[nodiscard]] auto const* find(Map const& map, typename Map::key_type const& key) {
  auto const it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

// What a host may sell: hardware with over-commit, less the reserve. Nothing before its first
// report.
[[nodiscard]] placement::Usage capacity(Host const& host, Policy const& policy);

// What an instance holds on its host: disk and a place from admission until nothing is left of it
// there; CPU and memory unless it is known to be stopped.
[[nodiscard]] placement::Usage held(Instance const& instance);

[[nodiscard]] HostHealth health(SeeHost const* seen, Instant now, Policy const& policy);

}  // namespace berth::core
