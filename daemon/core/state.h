#pragma once
// State: every record of the region, and what is derived from them. Only `absorb` alters it. All
// containers that a decision iterates are ordered.

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "daemon/core/change.h"
#include "daemon/core/policy.h"
#include "daemon/placement/placer.h"
#include "daemon/placement/usage.h"

namespace berth::core {

// What a host may sell and what is held of it.
struct HostRoom {
  ZoneName zone;
  bool is_up = false;  // lease valid, connected, inventory known
  bool is_cordoned = false;
  placement::Usage capacity;  // over-commit applied, reserve taken off
  placement::Usage used;      // by every instance that holds something here

  bool operator==(HostRoom const&) const = default;
};

inline constexpr std::size_t kRefusalsKept = 1'000;

// An index over the records; `absorb` keeps it, invariants.cc recounts it.
struct Derived {
  std::map<HostId, HostRoom> fleet;
  placement::Placer placer;  // the same by cells, to choose from
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
};

struct State {
  // The policy decides what a host may sell, so the derived fleet depends on it; constant for a
  // run.
  explicit State(Policy p) : policy(std::move(p)) {
    derived.placer.reserve_hosts(policy.reserve_hosts);
  }

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
  // Volatile: launches that found no room, by their request; the last kRefusalsKept.
  std::map<std::string, Refusal> refusals;
  std::deque<std::string> refusals_in_order;  // keys of `refusals`, oldest first

  Derived derived;
};

// The record, or nullptr: for a look-up that may miss.
template <class Map>
[[nodiscard]] auto const* find(Map const& map, typename Map::key_type const& key) {
  auto const it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

// What a host may sell: hardware with over-commit, less the reserve, by NUMA cell. Nothing before
// its first report.
[[nodiscard]] placement::HostOffer host_offer(Host const& host, Policy const& policy);
[[nodiscard]] placement::Usage capacity(placement::HostOffer const& offer);

// What an instance holds: disk and a place from admission until nothing is left of it on its host;
// CPU and memory unless it is known to be stopped. Of its tenant's quota:
[[nodiscard]] placement::Usage held(Instance const& instance);
// and of its host, where whole cores count for as much as could have been sold of them:
[[nodiscard]] placement::Usage held_on_host(Instance const& instance, Policy const& policy);

// The need of a running instance of that shape.
[[nodiscard]] placement::Need need_of(std::int64_t vcpus, Mebibytes memory, std::int64_t disk_gib,
                                      bool is_cpu_dedicated, Policy const& policy);

[[nodiscard]] HostHealth health(SeeHost const* seen, Instant now, Policy const& policy);

}  // namespace berth::core
