// decide: who may ask, which function answers, and the audit record that goes with a change.

#include <algorithm>

#include "berth/base/overloaded.h"
#include "berth/base/plant.h"
#include "daemon/core/audit.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/healing/healing.h"

namespace berth::core {

namespace {

// Calls that change nothing by their nature; all others are audited when they succeed.
template <class Action>
constexpr bool kIsRead = false;
#define BERTH_READ(Action) \
  template <>              \
  constexpr bool kIsRead<Action> = true;
BERTH_READ(DescribeInstances)
BERTH_READ(DescribeInstanceStatus)
BERTH_READ(DescribeInstance)
BERTH_READ(ReadConsole)
BERTH_READ(DescribeInstanceTypes)
BERTH_READ(DescribeInstanceTypeOfferings)
BERTH_READ(DescribeImages)
BERTH_READ(DescribeRegions)
BERTH_READ(DescribeZones)
BERTH_READ(DescribeKeyPairs)
BERTH_READ(DescribeTags)
BERTH_READ(DescribeLaunchTemplates)
BERTH_READ(DescribeLaunchTemplateVersions)
BERTH_READ(DescribePlacementGroups)
BERTH_READ(DescribeAccountAttributes)
BERTH_READ(GetCallerIdentity)
BERTH_READ(ListZones)
BERTH_READ(ListTenants)
BERTH_READ(ListAccessKeys)
BERTH_READ(ListHosts)
BERTH_READ(ShowHost)
BERTH_READ(ListTypes)
BERTH_READ(ListImages)
BERTH_READ(ListInstances)
BERTH_READ(ShowInstance)
BERTH_READ(ExplainPlacement)
BERTH_READ(ShowCapacity)
BERTH_READ(Summarise)
BERTH_READ(ShowRegion)
#undef BERTH_READ

// Everyday work of the people on call; the rest of the changes are an administrator's.
template <class Action>
constexpr bool kIsOperating = false;
template <>
constexpr bool kIsOperating<CordonHost> = true;
template <>
constexpr bool kIsOperating<RegisterImage> = true;

template <class Action>
constexpr Role kRoleNeeded =
    kIsRead<Action> ? Role::viewer : (kIsOperating<Action> ? Role::operate : Role::admin);

// What nobody may do while the records may be older than what runs: they take away what an instance
// without a record may rest on.
template <class Action>
constexpr bool kIsRemoval =
    std::is_same_v<Action, RemoveHost> || std::is_same_v<Action, DeleteImage> ||
    std::is_same_v<Action, DeleteType>;

Error in_quarantine(Region const& region) {
  return Error{Code::unavailable, "region",
               "The region " + region.name + " is in quarantine since " +
                   iso8601(region.quarantine->since) +
                   ": its records may be older than what runs. Nothing can be changed until its "
                   "operator has ended that; what runs is left as it is"};
}

std::string subject_of(Change const& change) {
  return std::visit(overloaded{
                        [](PutRegion const& c) { return c.region.name; },
                        [](PutZone const& c) { return c.zone.name.value; },
                        [](PutTenant const& c) { return c.tenant.id.value; },
                        [](PutAccessKey const& c) { return c.key.id.value; },
                        [](EraseAccessKey const& c) { return c.id.value; },
                        [](PutInstanceType const& c) { return c.type.name.value; },
                        [](EraseInstanceType const& c) { return c.name.value; },
                        [](PutImage const& c) { return c.image.id.value; },
                        [](EraseImage const& c) { return c.id.value; },
                        [](PutKeyPair const& c) { return c.key.id.value; },
                        [](EraseKeyPair const& c) { return c.id.value; },
                        [](PutHost const& c) { return c.host.id.value; },
                        [](EraseHost const& c) { return c.id.value; },
                        [](PutInstance const& c) { return c.instance.id.value; },
                        [](EraseInstance const& c) { return c.id.value; },
                        [](PutToken const&) { return std::string(); },
                        [](EraseToken const&) { return std::string(); },
                        [](PutLaunchTemplate const& c) { return c.launch_template.id.value; },
                        [](EraseLaunchTemplate const& c) { return c.id.value; },
                        [](PutLaunchTemplateVersion const& c) {
                          return c.version.launch_template.value + "/" +
                                 std::to_string(c.version.number);
                        },
                        [](EraseLaunchTemplateVersion const& c) {
                          return c.id.value + "/" + std::to_string(c.number);
                        },
                        [](PutPlacementGroup const& c) { return c.group.id.value; },
                        [](ErasePlacementGroup const& c) { return c.id.value; },
                        [](AppendAudit const&) { return std::string(); },
                        [](SeeHost const&) { return std::string(); },
                    },
                    change);
}

struct Who {
  std::string actor;
  std::string source;
  std::string request_id;
  std::string action;
};

AppendAudit audit(State const& state, Who who, std::vector<std::string> subjects,
                  std::string outcome, Context const& context) {
  AuditRecord record{.number = state.region.audit_count + 1,
                     .time = context.now.wall,
                     .actor = std::move(who.actor),
                     .source = std::move(who.source),
                     .request_id = std::move(who.request_id),
                     .action = std::move(who.action),
                     .subjects = std::move(subjects),
                     .outcome = std::move(outcome)};
  record.digest = chained_digest(state.region.audit_digest, record);
  return AppendAudit{std::move(record)};
}

void append_audit(State const& state, Who who, Decision& decision, Context const& context) {
  std::vector<std::string> subjects;
  for (Change const& change : decision.changes) {
    std::string subject = subject_of(change);
    if (!subject.empty()) subjects.push_back(std::move(subject));
  }
  decision.changes.emplace_back(audit(state, std::move(who), std::move(subjects), "ok", context));
}

Result<void> check_caller(State const& state, Caller const& caller) {
  AccessKey const* key = find(state.access_keys, caller.key);
  Tenant const* tenant = find(state.tenants, caller.tenant);
  if (key == nullptr || (!key->enabled && !PLANTED(disabled_key_served)) ||
      key->tenant != caller.tenant || tenant == nullptr || !tenant->enabled) {
    return Error{Code::unauthenticated, "credentials",
                 "AWS was not able to validate the provided access credentials"};
  }
  return {};
}

Result<Decision> decide_api(State const& state, ApiCall const& input, Context& context) {
  TRY(check_caller(state, input.caller));
  return std::visit(
      [&]<class Action>(Action const& action) -> Result<Decision> {
        if constexpr (!kIsRead<Action>) {
          if (state.region.quarantine) return in_quarantine(state.region);
        }
        Decision decision = TRY(call(state, input.caller, action, context));
        if (input.dry_run && !PLANTED(dry_run_acts)) return Decision{.reply = WouldSucceed{}};
        if (PLANTED(audit_skipped) && std::is_same_v<Action, StopInstances>) return decision;
        if constexpr (!kIsRead<Action>) {
          append_audit(
              state,
              {.actor = "tenant/" + input.caller.tenant.value + "/" + input.caller.key.value,
               .source = input.caller.source,
               .request_id = input.caller.request_id,
               .action = input.action_name},
              decision, context);
        }
        return decision;
      },
      input.action);
}

Result<Decision> decide_admin(State const& state, AdminCall const& input, Context& context) {
  return std::visit(
      [&]<class Action>(Action const& action) -> Result<Decision> {
        if (input.role < kRoleNeeded<Action>) {
          return Error{Code::forbidden, "role", "your role may not do " + input.action_name};
        }
        if constexpr (kIsRemoval<Action>) {
          if (state.region.quarantine) return in_quarantine(state.region);
        }
        Decision decision = TRY(admin_call(state, action, context));
        if constexpr (!kIsRead<Action>) {
          append_audit(state,
                       {.actor = "admin/" + input.actor,
                        .source = input.source,
                        .request_id = input.request_id,
                        .action = "admin." + input.action_name},
                       decision, context);
        }
        return decision;
      },
      input.action);
}

Decision tick(State const& state, Context const& context) {
  Decision decision;
  watch_hosts(state, context, decision);
  if (!state.region.quarantine) reap(state, context, decision);
  return decision;
}

Decision refused_authentication(State const& state, AuthenticationRefused const& input,
                                Context const& context) {
  Decision decision;
  // What the caller claimed may be anything: kept short, and only as the actor's name.
  decision.changes.emplace_back(audit(state,
                                      {.actor = "unknown/" + input.claimed_key.substr(0, 128),
                                       .source = input.source,
                                       .request_id = input.request_id,
                                       .action = input.action_name.substr(0, 128)},
                                      {}, input.code, context));
  return decision;
}

}  // namespace

Result<Decision> decide(State const& state, Input const& input, Context& context) {
  return std::visit(
      overloaded{
          [&](ApiCall const& i) { return decide_api(state, i, context); },
          [&](AuthenticationRefused const& i) -> Result<Decision> {
            return refused_authentication(state, i, context);
          },
          [&](AdminCall const& i) { return decide_admin(state, i, context); },
          [&](AgentJoin const& i) -> Result<Decision> {
            Decision decision = TRY(join(state, i, context));
            append_audit(
                state, {.actor = "host/" + i.host.value, .source = i.source, .action = "host.join"},
                decision, context);
            return decision;
          },
          [&](AgentHello const& i) { return hello(state, i, context); },
          [&](AgentHeartbeat const& i) { return heartbeat(state, i, context); },
          [&](AgentReport const& i) -> Result<Decision> {
            Decision decision = TRY(report(state, i, context));
            bool const is_quarantine = std::ranges::any_of(
                decision.changes,
                [](Change const& change) { return std::holds_alternative<PutRegion>(change); });
            if (is_quarantine) {
              append_audit(state,
                           {.actor = "host/" + i.status.host.value, .action = "region.quarantine"},
                           decision, context);
            }
            return decision;
          },
          [&](AgentGone const& i) { return gone(state, i, context); },
          [&](Tick const&) -> Result<Decision> { return tick(state, context); },
      },
      input);
}

Decision begin(State const& state, Context& context) {
  Region region = state.region;
  if (region.name.empty()) region.name = context.policy.region;
  if (!PLANTED(term_not_raised)) ++region.term.value;
  Decision decision;
  decision.changes.emplace_back(PutRegion{std::move(region)});
  for (auto const& [id, host] : state.hosts) {
    decision.changes.emplace_back(SeeHost{.id = id,
                                          .at = context.now.monotonic,
                                          .is_connected = false,
                                          .announced = HostHealth::suspect});
  }
  return decision;
}

}  // namespace berth::core
