#pragma once
// Reply: what a caller gets back, as values; the fronts turn it into XML or JSON. Replies hold
// copies: nothing in them points into the state.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "berth/base/result.h"
#include "berth/model/host.h"
#include "berth/model/image.h"
#include "berth/model/instance.h"
#include "berth/model/launch_template.h"
#include "berth/model/placement_group.h"
#include "berth/model/tenant.h"
#include "daemon/core/change.h"
#include "daemon/placement/usage.h"

namespace berth::core {

// EC2's instance states; the value is EC2's code.
enum class InstanceState {
  pending = 0,
  running = 16,
  shutting_down = 32,
  terminated = 48,
  stopping = 64,
  stopped = 80,
};
[[nodiscard]] std::string_view name(InstanceState state);  // "shutting-down"

// The record with what is derived from it. Internal fields (uuid, seal, placement) are there
// because operators see them; daemon/ec2 renders only what EC2 documents.
struct InstanceView {
  Instance instance;
  InstanceState state = InstanceState::pending;
  // Of its host; `up` when it has none, and in the answers that do not speak of hosts
  // (RunInstances, DescribeInstances).
  HostHealth host_health = HostHealth::never_seen;
  std::string host_name;  // empty: has no host; for operators only
  std::string unpinned;   // why it does not run on its CPUs; empty: it does; for operators only
  // Empty: it has none, or is a member no more because nothing of it is left. The name is the same
  // for as long as the instance is a member.
  std::string placement_group_name;
};

struct ReservationView {
  ReservationId id;
  TenantId owner;
  std::vector<InstanceView> instances;  // by launch index
};

struct StateChange {  // Start, Stop, Terminate
  InstanceId id;
  InstanceState previous = InstanceState::pending;
  InstanceState current = InstanceState::pending;
};

struct Offering {
  TypeName type;
  std::string location;
};
struct TagView {
  std::string resource;
  std::string resource_type;
  std::string key;
  std::string value;
};

struct Reservations {
  std::vector<ReservationView> items;
  std::string next_token;
};
struct Launched {
  ReservationView reservation;
};
struct Statuses {
  std::vector<InstanceView> items;
  std::string next_token;
};
struct OneInstance {
  InstanceView view;
};
struct StateChanges {
  std::vector<StateChange> items;
};
struct Done {};          // EC2's <return>true</return>
struct WouldSucceed {};  // DryRun
// The front reads the console from this host; no host: there is nothing to read any more.
struct ConsoleAt {
  InstanceId instance;
  std::optional<HostId> host;
};
struct Types {
  std::vector<InstanceType> items;
  std::string next_token;
};
struct Offerings {
  std::vector<Offering> items;
  std::string next_token;
  std::string location_type;
};
struct Images {
  std::vector<Image> items;
  std::string next_token;
};
struct Regions {
  std::vector<std::string> names;
};
struct Zones {
  std::vector<Zone> items;
  std::string region;
};
struct KeyPairs {
  std::vector<KeyPair> items;
};
struct OneKeyPair {
  KeyPair key;
};
struct TagList {
  std::vector<TagView> items;
  std::string next_token;
};
struct LaunchTemplateView {
  LaunchTemplate launch_template;
  std::uint64_t latest_version = 0;  // the highest that there is
};
struct LaunchTemplateVersionView {
  LaunchTemplateVersion version;
  std::string template_name;
  bool is_default = false;
};
struct LaunchTemplates {
  std::vector<LaunchTemplateView> items;
  std::string next_token;
};
struct OneLaunchTemplate {
  LaunchTemplateView view;
};
struct LaunchTemplateVersions {
  std::vector<LaunchTemplateVersionView> items;
  std::string next_token;
};
struct OneLaunchTemplateVersion {
  LaunchTemplateVersionView view;
};
// Each version that was asked to be deleted is in one of the two lists.
struct DeletedLaunchTemplateVersions {
  enum class Why { absent, is_default };
  struct Kept {
    std::uint64_t number = 0;
    Why why = Why::absent;
  };
  LaunchTemplateId id;
  std::string name;
  std::vector<std::uint64_t> deleted;
  std::vector<Kept> kept;
};
[[nodiscard]] std::string_view name(PlacementStrategy strategy);  // "cluster"
[[nodiscard]] std::string_view name(SpreadLevel level);           // "rack"
// "arn:aws:ec2:us-east-1:123456789012:placement-group/web"
[[nodiscard]] std::string placement_group_arn(PlacementGroup const& group,
                                              std::string const& region);
struct PlacementGroups {
  std::vector<PlacementGroup> items;  // by name
  std::string region;
};
struct OnePlacementGroup {
  PlacementGroup group;
  std::string region;
};
struct AccountAttributes {
  Quota quota;
};
struct CallerIdentity {
  TenantId tenant;
  AccessKeyId key;
  std::string tenant_name;
};

// ---- For operators
// --------------------------------------------------------------------------------

// Of one host, zone, tenant or region.
using Amount = placement::Usage;
struct HostView {
  Host host;
  HostHealth health = HostHealth::never_seen;
  bool is_connected = false;
  std::int64_t seconds_since_seen = -1;  // -1: not seen in this run of the daemon
  Amount capacity;                       // after over-commit and the system's reserve
  Amount used;
  std::vector<std::string> foreign;  // domains that are not ours
  std::vector<InstanceId> unknown;   // ours by their metadata, but without a record here
  bool is_current = false;           // has acted on the newest spec
};
struct TenantView {
  Tenant tenant;
  Amount used;
  std::int64_t key_pairs = 0;
};
struct ZoneView {
  Zone zone;
  std::int64_t hosts = 0;
  Amount capacity;
  Amount used;
};
struct TenantList {
  std::vector<TenantView> items;
};
struct ZoneList {
  std::vector<ZoneView> items;
};
struct HostList {
  std::vector<HostView> items;
};
struct AccessKeyList {
  std::vector<AccessKey> items;
};  // secrets stay sealed
struct InstanceList {
  std::vector<InstanceView> items;
};
struct Enrolled {
  Host host;
};
struct Joined {
  Host host;
};
struct PlacementRow {
  HostId host;
  std::string host_name;  // empty: it is no more
  std::vector<std::int32_t> cells;
  std::int64_t score = 0;
};
struct PlacementView {
  std::string id;  // as it was asked for
  bool is_placed = false;
  TenantId tenant;
  std::string type;
  std::string zone;             // where it is, or what was asked for; empty: any was
  std::string placement_group;  // its id; empty: none
  WallTime at;
  std::int64_t wanted = 1;  // refused: so many, all or nothing
  std::int64_t found = 0;   // refused: there was room for so many of them
  PlacementNote note;       // refused: without a policy and rows
  std::vector<PlacementRow> rows;
  // Refused: what would help now, each tried: "in zone us-east-1b", "3 of them".
  std::vector<std::string> remedies;
};
struct CapacityView {
  ZoneName zone;
  TypeName type;
  std::int64_t instances = 0;  // more of them
};
struct CapacityList {
  std::vector<CapacityView> items;
};
struct Summary {
  std::string region;
  bool is_quarantined = false;
  Term term;
  std::int64_t tenants = 0, images = 0, types = 0;
  std::vector<std::pair<HostHealth, std::int64_t>> hosts;
  std::vector<std::pair<InstanceState, std::int64_t>> instances;
  std::vector<ZoneView> zones;
};

// An instance that a host has and the records do not, or know otherwise.
struct UnknownInstance {
  InstanceId id;
  HostId host;
  std::string host_name;
  std::string tenant;  // empty: its agent does not know it
  std::string type;
  std::string obstacle;  // why it cannot be adopted; empty: it can
};
struct RegionView {
  Region region;
  std::vector<UnknownInstance> unknown;
  std::vector<InstanceId> gone;     // recorded as there, but their hosts have nothing of them
  std::vector<std::string> silent;  // hosts that have not reported in this term, by name
};

using Reply =
    std::variant<std::monostate, Reservations, Launched, Statuses, OneInstance, StateChanges, Done,
                 WouldSucceed, ConsoleAt, Types, Offerings, Images, Regions, Zones, KeyPairs,
                 OneKeyPair, TagList, LaunchTemplates, OneLaunchTemplate, LaunchTemplateVersions,
                 OneLaunchTemplateVersion, DeletedLaunchTemplateVersions, PlacementGroups,
                 OnePlacementGroup, AccountAttributes, CallerIdentity, TenantList, ZoneList,
                 HostList, AccessKeyList, InstanceList, Enrolled, Joined, Summary, RegionView,
                 PlacementView, CapacityList>;

// Subjects of the errors that the core answers with; with the code they select what a tenant sees
// (daemon/ec2/errors.cc has a row for each pair the core can make, and a test that says so).
//
//   code         subjects
//   invalid      "instance-id" "image-id" "key-pair-id" "resource-id" (malformed), "instance-type"
//                "instance-attribute" (a type that is not sold, for an instance that there is)
//                "zone" "count" "filter" "page" "next-token" "tag" "tag-key" "key-name" "user-data"
//                "launch-template-id" "launch-template-name" "placement-group-id" (malformed)
//                "client-token" "disk" "parameter" (a value), "combination" (parameters that
//                exclude each other), "missing" (a parameter that must be there), "name"
//   not_found    "instance" "image" "key-pair" "instance-type" "zone" "host" "tenant" "access-key"
//                "launch-template-id" "launch-template-name" "launch-template-version"
//                "placement-group"
//   exists       "key-pair" "launch-template" "placement-group" "tenant" "image" "access-key"
//                "host" "zone"
//   conflict     "region" "instance" "instance-state" "client-token" "image-in-use"
//                "host-in-use" "type-in-use" "placement-group" (in use)
//   forbidden    "termination-protection" "stop-protection" "role" "request"
//   unauthenticated  "credentials" "join-token"
//   quota        "instance" "vcpu" "memory" "disk" "key-pair" "image" "tag" "launch-template"
//                "placement-group"; "hosts" "tenants" "zones"
//   no_capacity  "instance"
//   unavailable  "queue" "store" "region"

}  // namespace berth::core
