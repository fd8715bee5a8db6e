// CreatePlacementGroup, DescribePlacementGroups, DeletePlacementGroup.

#include <algorithm>

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/placement_group_lookup.h"
#include "daemon/core/filter.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

struct Subject {
  PlacementGroup const& group;
  std::string const& region;
};

FilterField<Subject> const kGroupFields[] = {
    {"group-name", [](Subject const& s) { return Values{s.group.name}; }},
    {"group-arn", [](Subject const& s) { return Values{placement_group_arn(s.group, s.region)}; }},
    {"state", [](Subject const&) { return Values{"available"}; }},
    {"strategy", [](Subject const& s) { return Values{std::string(name(s.group.strategy))}; }},
    {"spread-level",
     [](Subject const& s) {
       return s.group.strategy == PlacementStrategy::spread
                  ? Values{std::string(name(s.group.spread_level))}
                  : Values{};
     }},
    {"tag", [](Subject const&) { return Values{}; }},
};

Error missing_name() {
  return Error{Code::invalid, "missing", "The request must contain the parameter groupName"};
}

// EC2: up to 255 ASCII characters.
bool is_group_name(std::string const& name) {
  return name.size() <= limits::kPlacementGroupNameCharactersMax && name.front() != ' ' &&
         name.back() != ' ' &&
         std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
}

Result<std::int32_t> partition_count(CreatePlacementGroup const& ask) {
  if (ask.strategy != PlacementStrategy::partition) {
    if (!ask.partition_count) return 0;
    return Error{Code::invalid, "combination",
                 "The parameter PartitionCount is valid only with the strategy partition"};
  }
  constexpr std::int32_t kDefault = 2;
  std::int64_t const count = ask.partition_count.value_or(kDefault);
  if (count < 1 || count > limits::kPartitionsPerGroupMax) {
    return Error{Code::invalid, "parameter",
                 "Value (" + std::to_string(count) +
                     ") for parameter partitionCount is invalid. Expecting 1 to " +
                     std::to_string(limits::kPartitionsPerGroupMax)};
  }
  return static_cast<std::int32_t>(count);
}

}  // namespace

std::string_view name(PlacementStrategy strategy) {
  switch (strategy) {
    case PlacementStrategy::cluster: return "cluster";
    case PlacementStrategy::spread: return "spread";
    case PlacementStrategy::partition: return "partition";
  }
  return "unknown";
}

std::string_view name(SpreadLevel level) {
  return level == SpreadLevel::host ? "host" : "rack";
}

std::string placement_group_arn(PlacementGroup const& group, std::string const& region) {
  return "arn:aws:ec2:" + region + ":" + group.tenant.value + ":placement-group/" + group.name;
}

Result<Decision> call(State const& state, Caller const& caller, CreatePlacementGroup const& ask,
                      Context& context) {
  if (ask.name.empty()) return missing_name();
  if (!is_group_name(ask.name)) {
    return Error{Code::invalid, "name",
                 "Value (" + ask.name.substr(0, limits::kNameCharactersMax) +
                     ") for parameter groupName is invalid. Expecting up to 255 ASCII characters "
                     "without leading or trailing spaces"};
  }
  std::int32_t const partitions = TRY(partition_count(ask));
  if (ask.spread_level && ask.strategy != PlacementStrategy::spread) {
    return Error{Code::invalid, "combination",
                 "The parameter SpreadLevel is valid only with the strategy spread"};
  }
  TRY(check_tags(ask.tags));
  if (state.derived.placement_group_by_name.contains({caller.tenant, ask.name})) {
    return Error{Code::exists, "placement-group",
                 "The placement group '" + ask.name + "' already exists."};
  }
  std::size_t count = 0;
  visit_own_groups(state, caller.tenant, [&](PlacementGroup const&) { ++count; });
  if (count >= limits::kPlacementGroupsPerTenantMax) {
    return Error{Code::quota, "placement-group",
                 "You have reached the limit of " +
                     std::to_string(limits::kPlacementGroupsPerTenantMax) + " placement groups"};
  }
  if (state.placement_groups.size() >= limits::kPlacementGroupsMax) {
    return Error{Code::quota, "placement-group",
                 "the region is at its limit of " + std::to_string(limits::kPlacementGroupsMax) +
                     " placement groups"};
  }
  PlacementGroup group{.id = drawn<PlacementGroupId>("pg-", context.entropy),
                       .tenant = caller.tenant,
                       .name = ask.name,
                       .strategy = ask.strategy,
                       .spread_level = ask.spread_level.value_or(SpreadLevel::rack),
                       .partition_count = partitions,
                       .tags = ask.tags,
                       .created = context.now.wall};
  Decision decision{.reply = OnePlacementGroup{group, state.region.name}};
  decision.changes.emplace_back(PutPlacementGroup{std::move(group)});
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, DescribePlacementGroups const& ask,
                      Context&) {
  if (ask.ids.size() + ask.names.size() > limits::kIdsPerRequestMax) {
    return Error{Code::invalid, "parameter",
                 "At most " + std::to_string(limits::kIdsPerRequestMax) +
                     " placement groups may be given; found " +
                     std::to_string(ask.ids.size() + ask.names.size())};
  }
  auto const set = TRY(FilterSet<Subject>::make(kGroupFields, ask.filters));
  std::set<PlacementGroupId> wanted;
  for (std::string const& name : ask.names) {
    PlacementGroup const* group =
        TRY(own_placement_group(state, caller.tenant, {.id = {}, .name = name}));
    wanted.insert(group->id);
  }
  for (std::string const& id : ask.ids) {
    PlacementGroup const* group =
        TRY(own_placement_group(state, caller.tenant, {.id = id, .name = {}}));
    wanted.insert(group->id);
  }
  PlacementGroups reply{.items = {}, .region = state.region.name};
  visit_own_groups(state, caller.tenant, [&](PlacementGroup const& group) {
    if (!wanted.empty() && !wanted.contains(group.id)) return;
    if (set.accepts({group, state.region.name}, &group.tags)) reply.items.push_back(group);
  });
  return Decision{.reply = std::move(reply)};
}

Result<Decision> call(State const& state, Caller const& caller, DeletePlacementGroup const& ask,
                      Context&) {
  if (ask.name.empty()) return missing_name();
  PlacementGroup const* group =
      TRY(own_placement_group(state, caller.tenant, {.id = {}, .name = ask.name}));
  if (state.derived.instances_of_group.contains(group->id) && !PLANTED(group_deleted_in_use)) {
    return Error{Code::conflict, "placement-group",
                 "The placement group '" + group->name + "' is in use and may not be deleted."};
  }
  Decision decision{.reply = Done{}};
  decision.changes.emplace_back(ErasePlacementGroup{group->id});
  return decision;
}

}  // namespace berth::core
