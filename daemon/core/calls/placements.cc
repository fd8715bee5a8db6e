// What operators ask of placement: why something is where it is or is nowhere, and how much more
// there is room for.

#include <algorithm>
#include <numeric>
#include <tuple>

#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/refusals.h"
#include "daemon/placement/relax.h"

namespace berth::core {

namespace {

PlacementView view_of(State const& state, Instance const& instance) {
  PlacementView out{.id = instance.id.value,
                    .is_placed = true,
                    .tenant = instance.tenant,
                    .type = instance.type.value,
                    .zone = instance.zone.value,
                    .placement_group = instance.placement_group.value,
                    .at = instance.created,
                    .wanted = 1,
                    .found = 1};
  if (PlacementNote const* note = instance.placement_note.get()) out.note = *note;
  for (PlacementNote::Row const& row : out.note.rows) {
    Host const* host = find(state.hosts, row.host);
    out.rows.push_back({row.host, host != nullptr ? host->name : "", row.cells, row.score});
  }
  return out;
}

placement::Need need_of(Refusal const& refusal, Policy const& policy) {
  placement::Need out =
      need_of(refusal.vcpus, refusal.memory, refusal.disk_gib, refusal.is_cpu_dedicated, policy);
  out.group = refusal.placement_group;
  out.partition = refusal.partition;
  return out;
}

// The partitions that the launch may use: the one that it named, or all of its group; {0}: it is of
// no group of partitions.
std::vector<std::int32_t> partitions_of(State const& state, Refusal const& refusal) {
  PlacementGroup const* group = find(state.placement_groups, refusal.placement_group);
  if (refusal.partition > 0 || group == nullptr || group->partition_count == 0) {
    return {refusal.partition};
  }
  std::vector<std::int32_t> out(static_cast<std::size_t>(group->partition_count));
  std::iota(out.begin(), out.end(), 1);
  return out;
}

// Types that ask for no more of anything, the largest first: of the same family before others.
std::vector<std::pair<std::string, placement::Room>> smaller_types(State const& state,
                                                                   Refusal const& refusal) {
  std::string const family = refusal.type.value.substr(0, refusal.type.value.find('.'));
  std::vector<InstanceType const*> smaller;
  for (auto const& [name, type] : state.types) {
    bool const is_smaller = type.vcpus <= refusal.vcpus && type.memory <= refusal.memory &&
                            (type.vcpus < refusal.vcpus || type.memory < refusal.memory);
    if (is_smaller && type.vcpus > 0 && type.memory.value > 0) smaller.push_back(&type);
  }
  auto const rank = [&](InstanceType const* type) {
    bool const is_other = type->name.value.substr(0, type->name.value.find('.')) != family;
    return std::tuple(is_other, -type->vcpus, -type->memory.value, type->name.value);
  };
  std::ranges::sort(smaller, [&](auto const* a, auto const* b) { return rank(a) < rank(b); });
  if (smaller.size() > placement::kRelaxShapesMax) smaller.resize(placement::kRelaxShapesMax);
  std::vector<std::pair<std::string, placement::Room>> out;
  for (InstanceType const* type : smaller) {
    placement::Need const need =
        need_of(type->vcpus, type->memory, 0, type->is_cpu_dedicated, state.policy);
    out.emplace_back(type->name.value, need.room);
  }
  return out;
}

PlacementView view_of(State const& state, Refusal const& refusal) {
  PlacementView out{.id = refusal.request_id,
                    .is_placed = false,
                    .tenant = refusal.tenant,
                    .type = refusal.type.value,
                    .zone = refusal.zone.value,
                    .placement_group = refusal.placement_group.value,
                    .at = refusal.at,
                    .wanted = refusal.wanted,
                    .found = refusal.found,
                    .note = refusal.note};
  placement::Ask ask{.need = need_of(refusal, state.policy)};
  if (!refusal.zone.value.empty()) ask.zone = refusal.zone;
  // A group that was deleted meanwhile binds nobody.
  if (!state.placement_groups.contains(refusal.placement_group)) {
    ask.need.group = PlacementGroupId();
    ask.need.partition = 0;
  } else {
    ask.need.partition = partitions_of(state, refusal).front();
  }
  out.remedies = placement::Draft(state.derived.placer)
                     .remedies(ask, refusal.wanted, smaller_types(state, refusal));
  return out;
}

}  // namespace

Refusal refusal_of(State const& state, Refusal asked) {
  std::vector<ZoneName> zones;
  if (!asked.zone.value.empty())
    zones.push_back(asked.zone);
  else
    for (auto const& [name, zone] : state.zones) zones.push_back(name);
  std::vector<std::int32_t> const partitions = partitions_of(state, asked);
  placement::NoSeat why;
  std::int64_t most = -1;
  for (ZoneName const& zone : zones) {
    placement::Draft draft(state.derived.placer);
    placement::Ask ask{.zone = zone, .need = need_of(asked, state.policy)};
    auto const place_one = [&](std::int32_t partition) {
      ask.need.partition = partition;
      return draft.place(ask).has_value();
    };
    std::int64_t found = 0;
    while (found < asked.wanted && std::ranges::any_of(partitions, place_one)) ++found;
    if (found <= most) continue;
    most = found;
    why = draft.why_not(ask);
  }
  asked.found = std::max(most, std::int64_t{0});
  asked.note = placement::note_of(why);
  return asked;
}

Result<Decision> admin_call(State const& state, ExplainPlacement const& ask, Context&) {
  if (Instance const* instance = find(state.instances, InstanceId(ask.id)))
    return Decision{.reply = view_of(state, *instance)};
  if (Refusal const* refusal = find(state.refusals, ask.id))
    return Decision{.reply = view_of(state, *refusal)};
  return Error{Code::not_found, "placement",
               "there is no instance \"" + ask.id +
                   "\", and no refused launch of that request is "
                   "remembered (the last " +
                   std::to_string(kRefusalsKept) + " since the daemon started are)"};
}

Result<Decision> admin_call(State const& state, ShowCapacity const& ask, Context&) {
  InstanceType const* type = find(state.types, TypeName(ask.type));
  if (type == nullptr)
    return Error{Code::not_found, "instance-type",
                 "there is no instance type \"" + ask.type + "\""};
  placement::Need const need =
      need_of(type->vcpus, type->memory, 0, type->is_cpu_dedicated, state.policy);
  std::map<ZoneName, std::int64_t> const room = state.derived.placer.room_for(need);
  CapacityList reply;
  for (auto const& [name, zone] : state.zones) {
    std::int64_t const* there = find(room, name);
    reply.items.push_back({name, type->name, there != nullptr ? *there : 0});
  }
  return Decision{.reply = std::move(reply)};
}

}  // namespace berth::core
