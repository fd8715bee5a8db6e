#pragma once
// Input: everything that can reach the core. Tenants' calls are EC2's actions with their text
// already parsed (daemon/ec2); operators' calls come from daemon/admin; the rest from the link and
// the driver. Ids arrive as text that may be malformed or somebody else's: deciding what to answer
// then is the core's, so that both APIs pass one authorisation.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "berth/model/host_status.h"
#include "berth/model/instance.h"
#include "berth/model/launch_template.h"
#include "berth/model/placement_group.h"
#include "berth/model/tenant.h"

namespace berth::core {

// ---- Shared pieces -----------------------------------------------------------------------------

// AND across filters, OR within values, case-sensitive; `*` any run, `?` one character, `\`
// escapes. Unknown names are refused by the core (invalid, "filter").
struct Filter {
  std::string name;
  std::vector<std::string> values;
  bool operator==(Filter const&) const = default;
};

struct Page {
  std::optional<std::int64_t> max_results;  // absent: everything in one answer
  std::string next_token;                   // empty: from the start; opaque, made by the core
  bool operator==(Page const&) const = default;
};

// A launch template as a request names it.
struct LaunchTemplateName {
  std::string id;  // one of the two
  std::string name;
};
struct LaunchTemplateVersionName {
  LaunchTemplateName of;
  std::string version;  // "$Latest", "$Default" or a number; empty: $Default
};

// A placement group as a request names it.
struct PlacementGroupName {
  std::string id;  // one of the two; neither: none is meant
  std::string name;
  [[nodiscard]] bool empty() const { return id.empty() && name.empty(); }
};

// ---- Tenants' calls: EC2's actions
// ---------------------------------------------------------------

struct RunInstances {
  std::string image_id;
  std::string type;  // empty: the template's, or EC2's m1.small, which we do not sell: refused
  std::int64_t min_count = 1;
  std::int64_t max_count = 1;
  std::string key_name;   // empty: none
  std::string zone;       // empty: the core chooses one zone for all
  std::string user_data;  // decoded
  Tags instance_tags;
  std::string client_token;       // empty: none
  std::string parameters_digest;  // over every parameter but the token; needed with a token
  std::optional<std::int64_t> root_disk_gib;  // absent: the image's virtual size
  // Absent: the launch template's; without one, no, and to stop.
  std::optional<bool> disable_api_termination;
  std::optional<bool> disable_api_stop;
  std::optional<bool> ebs_optimized;
  std::optional<bool> monitoring;
  std::optional<ShutdownBehavior> shutdown_behavior;
  std::optional<LaunchTemplateVersionName> launch_template;
  PlacementGroupName placement_group;
  std::optional<std::int64_t> partition;  // absent: with a partition group, the core chooses
};
struct DescribeInstances {
  std::vector<std::string> ids;
  std::vector<Filter> filters;
  Page page;
};
struct DescribeInstanceStatus {
  std::vector<std::string> ids;
  std::vector<Filter> filters;
  Page page;
  bool include_all = false;  // also those that are not running
};
struct DescribeInstance {
  std::string id;
};  // DescribeInstanceAttribute, GetConsoleOutput's look-up
struct ModifyInstance {  // ModifyInstanceAttribute; exactly one is set
  std::string id;
  std::optional<bool> disable_api_termination;
  std::optional<bool> disable_api_stop;
  std::optional<bool> ebs_optimized;
  std::optional<ShutdownBehavior> shutdown_behavior;
  std::optional<std::string> user_data;  // decoded; only while stopped
  std::optional<std::string> type;       // only while stopped
};
struct StartInstances {
  std::vector<std::string> ids;
};
struct StopInstances {
  std::vector<std::string> ids;
  bool force = false;
};
struct RebootInstances {
  std::vector<std::string> ids;
};
struct TerminateInstances {
  std::vector<std::string> ids;
};
struct ReadConsole {
  std::string id;
};  // reply: where to read; the front asks the link

struct DescribeInstanceTypes {
  std::vector<std::string> names;
  std::vector<Filter> filters;
  Page page;
};
struct DescribeInstanceTypeOfferings {
  std::string
      location_type;  // "region", "availability-zone", "availability-zone-id"; empty: region
  std::vector<Filter> filters;
  Page page;
};
struct DescribeImages {
  std::vector<std::string> ids;
  std::vector<std::string> owners;         // account ids, "self", "amazon"
  std::vector<std::string> executable_by;  // "self", "all", account ids
  std::vector<Filter> filters;
  Page page;
};
struct DescribeRegions {
  std::vector<std::string> names;
  std::vector<Filter> filters;
};
struct DescribeZones {
  std::vector<std::string> names;
  std::vector<std::string> ids;
  std::vector<Filter> filters;
};
// CreateKeyPair and ImportKeyPair: the key itself is made or read by the front; a private key never
// comes here.
struct AddKeyPair {
  std::string name;
  KeyKind kind = KeyKind::rsa;
  std::string public_key;
  std::string fingerprint;
  Tags tags;
};
struct DescribeKeyPairs {
  std::vector<std::string> names;
  std::vector<std::string> ids;
  std::vector<Filter> filters;
};
struct DeleteKeyPair {
  std::string name;
  std::string id;
};  // one of them; a missing pair is no error
struct CreateTags {
  std::vector<std::string> resources;
  Tags tags;
};
struct TagToDelete {
  std::string key;
  std::optional<std::string> value;
};  // absent: any value
struct DeleteTags {
  std::vector<std::string> resources;
  std::vector<TagToDelete> tags;
};  // no tags: all
struct DescribeTags {
  std::vector<Filter> filters;
  Page page;
};
struct CreateLaunchTemplate {
  std::string name;
  std::string description;  // of its first version
  LaunchTemplateData data;
  Tags tags;                      // of the template itself
  std::string client_token;       // empty: none
  std::string parameters_digest;  // over every parameter but the token; needed with a token
};
struct CreateLaunchTemplateVersion {
  LaunchTemplateName of;
  std::string source_version;  // what `data` does not say is this one's; empty: of none
  std::string description;
  LaunchTemplateData data;
  std::string client_token;
  std::string parameters_digest;
};
struct DescribeLaunchTemplates {
  std::vector<std::string> ids;
  std::vector<std::string> names;
  std::vector<Filter> filters;
  Page page;
};
struct DescribeLaunchTemplateVersions {
  LaunchTemplateName of;              // neither: of all, and then only $Latest and $Default
  std::vector<std::string> versions;  // none: all
  std::string min_version;            // numbers; empty: no bound
  std::string max_version;
  std::vector<Filter> filters;
  Page page;
};
struct ModifyLaunchTemplate {
  LaunchTemplateName of;
  std::string default_version;
  std::string client_token;
};
struct DeleteLaunchTemplate {
  LaunchTemplateName of;
};
struct DeleteLaunchTemplateVersions {
  LaunchTemplateName of;
  std::vector<std::string> versions;
};
struct CreatePlacementGroup {
  std::string name;
  PlacementStrategy strategy = PlacementStrategy::cluster;
  std::optional<std::int64_t> partition_count;  // absent: 2, with partition
  std::optional<SpreadLevel> spread_level;      // absent: rack, with spread
  Tags tags;
};
struct DescribePlacementGroups {
  std::vector<std::string> names;
  std::vector<std::string> ids;
  std::vector<Filter> filters;
};
struct DeletePlacementGroup {
  std::string name;
};
struct DescribeAccountAttributes {};
struct GetCallerIdentity {};

using ApiAction =
    std::variant<RunInstances, DescribeInstances, DescribeInstanceStatus, DescribeInstance,
                 ModifyInstance, StartInstances, StopInstances, RebootInstances, TerminateInstances,
                 ReadConsole, DescribeInstanceTypes, DescribeInstanceTypeOfferings, DescribeImages,
                 DescribeRegions, DescribeZones, AddKeyPair, DescribeKeyPairs, DeleteKeyPair,
                 CreateTags, DeleteTags, DescribeTags, CreateLaunchTemplate,
                 CreateLaunchTemplateVersion, DescribeLaunchTemplates,
                 DescribeLaunchTemplateVersions, ModifyLaunchTemplate, DeleteLaunchTemplate,
                 DeleteLaunchTemplateVersions, CreatePlacementGroup, DescribePlacementGroups,
                 DeletePlacementGroup, DescribeAccountAttributes, GetCallerIdentity>;

// Who calls, as the signature proved. The core checks again that key and tenant still stand.
struct Caller {
  TenantId tenant;
  AccessKeyId key;
  std::string source;      // peer address
  std::string request_id;  // a UUID made by the front
};

struct ApiCall {
  Caller caller;
  std::string action_name;  // "RunInstances"; for audit, logs, metrics
  bool dry_run = false;     // everything is checked, nothing is changed: reply WouldSucceed
  ApiAction action;
};

// A signature that was refused, for the audit log. No reply is waited for.
struct AuthenticationRefused {
  std::string source;
  std::string request_id;
  std::string claimed_key;  // what the request said; may be anything
  std::string action_name;
  std::string code;  // EC2's code as answered
};

// ---- Operators' calls
// ----------------------------------------------------------------------------

enum class Role { viewer, operate, admin };  // each may do what the one before may

struct PutZoneCall {
  std::string name;
  std::string jurisdiction;
  std::string operator_name;
};
struct ListZones {};
struct CreateTenant {
  std::string name;
  std::optional<std::string> id;
};  // id absent: drawn
struct SetTenant {
  std::string id;
  std::optional<bool> enabled;
  std::optional<Quota> quota;
};
struct ListTenants {};
struct CreateAccessKey {
  std::string tenant;
  std::string id;
  std::string secret_sealed;
};
struct SetAccessKey {
  std::string id;
  bool enabled = true;
};
struct DeleteAccessKey {
  std::string id;
};
struct ListAccessKeys {
  std::string tenant;
};  // empty: of all
struct EnrollHost {  // of a known name: a new token for it
  std::string name;
  std::string zone;
  std::string rack;
  Tags tags;
  std::string token_digest;
};
struct ListHosts {};
struct ShowHost {
  std::string host;
};  // id or name, here and below
struct CordonHost {
  std::string host;
  bool cordon = true;
};
struct RemoveHost {
  std::string host;
};  // only without instances
struct PutType {
  InstanceType type;
};
struct PutTypes {
  std::vector<InstanceType> types;
};
struct DeleteType {
  std::string name;
};
struct ListTypes {};
struct RegisterImage {  // the file is already in the image store under its digest
  std::string name;
  std::string description;
  std::string owner;  // tenant id; empty: the operator's
  bool is_public = false;
  ImageFormat format = ImageFormat::qcow2;
  std::string digest;
  Bytes file_size;
  Bytes virtual_size;
};
struct DeleteImage {
  std::string id;
};
struct ListImages {};
struct ListInstances {
  std::string tenant;
  std::string host;
  std::string state;
};  // empty: any
struct ShowInstance {
  std::string id;
};
// Why an instance is where it is, or why a launch was refused.
struct ExplainPlacement {
  std::string id;  // an instance's, or that of a request
};
// How many more of a type there is room for.
struct ShowCapacity {
  std::string type;
};
struct Summarise {};  // berthctl status
struct ShowRegion {};
// In quarantine: makes records of instances that run and have none, from the specs that their
// agents kept.
struct AdoptInstances {
  std::string id;  // empty: every one that can be, kAdoptedPerCallMax at most
};
struct RecordBackup {};        // a backup is about to be made: who asked for it, for the audit log
struct ReleaseRegion {         // ends the quarantine
  bool keep_unknown = false;   // though instances without a record are left; they stay untouched
  bool without_hosts = false;  // though hosts have not said yet what they run
};

using AdminAction =
    std::variant<PutZoneCall, ListZones, CreateTenant, SetTenant, ListTenants, CreateAccessKey,
                 SetAccessKey, DeleteAccessKey, ListAccessKeys, EnrollHost, ListHosts, ShowHost,
                 CordonHost, RemoveHost, PutType, PutTypes, DeleteType, ListTypes, RegisterImage,
                 DeleteImage, ListImages, ListInstances, ShowInstance, ExplainPlacement,
                 ShowCapacity, Summarise, ShowRegion, AdoptInstances, ReleaseRegion, RecordBackup>;

struct AdminCall {
  std::string actor;  // "root", the certificate's name
  Role role = Role::viewer;
  std::string source;
  std::string request_id;
  std::string action_name;  // "host.cordon"
  AdminAction action;
};

// ---- Agents and time
// -----------------------------------------------------------------------------

// First contact with a one-time token. Reply: Joined, or an error; then the link signs.
struct AgentJoin {
  HostId host;
  std::string token_digest;
  std::string host_uuid;
  std::string source;
};
// A session began; the id is the certificate's.
struct AgentHello {
  HostId host;
  std::string host_uuid;
  std::string boot_id;
};
struct AgentHeartbeat {
  HostId host;
  std::uint64_t number = 0;
};
struct AgentReport {
  HostStatus status;
};
struct AgentGone {
  HostId host;
};
// The driver's clock: due at the latest when next_wake said.
struct Tick {};

using Input = std::variant<ApiCall, AuthenticationRefused, AdminCall, AgentJoin, AgentHello,
                           AgentHeartbeat, AgentReport, AgentGone, Tick>;

}  // namespace berth::core
