#pragma once
// One function per call of the API, one file per noun. Each reads the state and returns what is to
// change; decide.cc has checked who calls, and adds the audit record.

#include <set>

#include "daemon/core/decision.h"
#include "daemon/core/state.h"

namespace berth::core {

// Tenants' calls.
#define BERTH_CALL(Action)                                                           \
  Result<Decision> call(State const& state, Caller const& caller, Action const& ask, \
                        Context& context);
BERTH_CALL(RunInstances)
BERTH_CALL(DescribeInstances)
BERTH_CALL(DescribeInstanceStatus)
BERTH_CALL(DescribeInstance)
BERTH_CALL(ModifyInstance)
BERTH_CALL(StartInstances)
BERTH_CALL(StopInstances)
BERTH_CALL(RebootInstances)
BERTH_CALL(TerminateInstances)
BERTH_CALL(ReadConsole)
BERTH_CALL(DescribeInstanceTypes)
BERTH_CALL(DescribeInstanceTypeOfferings)
BERTH_CALL(DescribeImages)
BERTH_CALL(DescribeRegions)
BERTH_CALL(DescribeZones)
BERTH_CALL(AddKeyPair)
BERTH_CALL(DescribeKeyPairs)
BERTH_CALL(DeleteKeyPair)
BERTH_CALL(CreateTags)
BERTH_CALL(DeleteTags)
BERTH_CALL(DescribeTags)
BERTH_CALL(CreateLaunchTemplate)
BERTH_CALL(CreateLaunchTemplateVersion)
BERTH_CALL(DescribeLaunchTemplates)
BERTH_CALL(DescribeLaunchTemplateVersions)
BERTH_CALL(ModifyLaunchTemplate)
BERTH_CALL(DeleteLaunchTemplate)
BERTH_CALL(DeleteLaunchTemplateVersions)
BERTH_CALL(CreatePlacementGroup)
BERTH_CALL(DescribePlacementGroups)
BERTH_CALL(DeletePlacementGroup)
BERTH_CALL(DescribeAccountAttributes)
BERTH_CALL(GetCallerIdentity)
#undef BERTH_CALL

// Operators' calls.
#define BERTH_ADMIN_CALL(Action) \
  Result<Decision> admin_call(State const& state, Action const& ask, Context& context);
BERTH_ADMIN_CALL(PutZoneCall)
BERTH_ADMIN_CALL(ListZones)
BERTH_ADMIN_CALL(CreateTenant)
BERTH_ADMIN_CALL(SetTenant)
BERTH_ADMIN_CALL(ListTenants)
BERTH_ADMIN_CALL(CreateAccessKey)
BERTH_ADMIN_CALL(SetAccessKey)
BERTH_ADMIN_CALL(DeleteAccessKey)
BERTH_ADMIN_CALL(ListAccessKeys)
BERTH_ADMIN_CALL(EnrollHost)
BERTH_ADMIN_CALL(ListHosts)
BERTH_ADMIN_CALL(ShowHost)
BERTH_ADMIN_CALL(CordonHost)
BERTH_ADMIN_CALL(RemoveHost)
BERTH_ADMIN_CALL(PutType)
BERTH_ADMIN_CALL(PutTypes)
BERTH_ADMIN_CALL(DeleteType)
BERTH_ADMIN_CALL(ListTypes)
BERTH_ADMIN_CALL(RegisterImage)
BERTH_ADMIN_CALL(DeleteImage)
BERTH_ADMIN_CALL(ListImages)
BERTH_ADMIN_CALL(ListInstances)
BERTH_ADMIN_CALL(ShowInstance)
BERTH_ADMIN_CALL(ExplainPlacement)
BERTH_ADMIN_CALL(ShowCapacity)
BERTH_ADMIN_CALL(Summarise)
BERTH_ADMIN_CALL(ShowRegion)
BERTH_ADMIN_CALL(AdoptInstances)
BERTH_ADMIN_CALL(ReleaseRegion)
BERTH_ADMIN_CALL(RecordBackup)
#undef BERTH_ADMIN_CALL

// What agents say (agents.cc).
Result<Decision> join(State const& state, AgentJoin const& input, Context& context);
Result<Decision> hello(State const& state, AgentHello const& input, Context& context);
Result<Decision> heartbeat(State const& state, AgentHeartbeat const& input, Context& context);
Result<Decision> report(State const& state, AgentReport const& input, Context& context);
Result<Decision> gone(State const& state, AgentGone const& input, Context& context);

// Quarantine (quarantine.cc).
//
// A report that only a later daemon than this one can be behind: of a later term, or of a later
// spec of this term than was ever made.
[[nodiscard]] bool is_from_later_daemon(State const& state, HostStatus const& status);
// The region's record with a quarantine and a term past the one that was reported.
[[nodiscard]] Result<Region> quarantined(State const& state, HostStatus const& status,
                                         Context const& context);
// In quarantine, one line of a report: the record follows what its host has and last wanted.
void adopt_seen(Instance& instance, InstanceStatus const& line, InstanceSpec const* earlier);
// Nothing is left of it on its host (agents.cc).
void end(State const& state, Instance& instance, Context const& context, Decision& decision);

// Shared by the calls (lookup.cc).
//
// The tenant's own records by ids that may be malformed, foreign or absent; foreign and absent are
// one answer. In the order asked, without doubles.
[[nodiscard]] Result<std::vector<Instance const*>> own_instances(
    State const& state, TenantId const& tenant, std::vector<std::string> const& ids);
[[nodiscard]] Result<Instance const*> own_instance(State const& state, TenantId const& tenant,
                                                   std::string const& id);
// An image that the tenant may see.
[[nodiscard]] Result<Image const*> visible_image(State const& state, TenantId const& tenant,
                                                 std::string const& id);
// The tenant's own template, by its id or its name (launch_template_lookup.cc).
[[nodiscard]] Result<LaunchTemplate const*> own_launch_template(State const& state,
                                                                TenantId const& tenant,
                                                                LaunchTemplateName const& of);
// One of its versions: a number, "$Latest" or "$Default".
[[nodiscard]] Result<LaunchTemplateVersion const*> version_of(State const& state,
                                                              LaunchTemplate const& of,
                                                              std::string const& version);
[[nodiscard]] LaunchTemplateView view(State const& state, LaunchTemplate const& made);
// The request with what its launch template says where the request says nothing. Its instances
// carry the version they are from as system tags.
[[nodiscard]] Result<RunInstances> with_launch_template(State const& state, TenantId const& tenant,
                                                        RunInstances const& ask);
// The tenant's own group, by its id or its name (placement_group_lookup.cc).
[[nodiscard]] Result<PlacementGroup const*> own_placement_group(State const& state,
                                                                TenantId const& tenant,
                                                                PlacementGroupName const& of);
[[nodiscard]] InstanceView view(State const& state, Instance const& instance,
                                Context const& context);
[[nodiscard]] HostView host_view(State const& state, Host const& host, Context const& context);
// By id or name.
[[nodiscard]] Result<Host const*> find_host(State const& state, std::string const& text);
// All instances of one reservation, by launch index.
[[nodiscard]] ReservationView reservation_view(State const& state,
                                               std::vector<InstanceId> const& ids,
                                               Context const& context);
[[nodiscard]] placement::Usage used_by(State const& state, TenantId const& tenant);
// What a tenant would hold beyond its quota, as EC2 words it; nothing is checked that does not
// grow.
[[nodiscard]] Result<void> check_quota(State const& state, TenantId const& tenant,
                                       placement::Usage const& more);

}  // namespace berth::core
