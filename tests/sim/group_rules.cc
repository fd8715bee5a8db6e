#include "tests/sim/group_rules.h"

#include <set>

namespace berth::sim {

void GroupRules::on_committed(std::vector<core::Change> const& changes) {
  std::set<PlacementGroupId> touched;
  for (core::Change const& change : changes) {
    if (auto const* host = std::get_if<core::PutHost>(&change)) {
      racks_[host->host.id] = {host->host.zone, host->host.rack};
    } else if (auto const* put = std::get_if<core::PutPlacementGroup>(&change)) {
      groups_[put->group.id] = put->group;
    } else if (auto const* erase = std::get_if<core::ErasePlacementGroup>(&change)) {
      if (members_.contains(erase->id)) {
        world_.violated("groups: " + erase->id.value + " was deleted and has members");
      }
      groups_.erase(erase->id);
    } else if (auto const* instance = std::get_if<core::PutInstance>(&change)) {
      on_instance(instance->instance, true);
      if (group_of_.contains(instance->instance.id)) {
        touched.insert(instance->instance.placement_group);
      }
    }
  }
  for (PlacementGroupId const& id : touched) judge_records(id);
}

void GroupRules::on_loaded(core::State const& state) {
  racks_.clear();
  group_of_.clear();
  members_.clear();
  groups_ = state.placement_groups;
  for (auto const& [id, host] : state.hosts) racks_[id] = {host.zone, host.rack};
  for (auto const& [id, instance] : state.instances) on_instance(instance, false);
  for (auto const& [id, members] : members_) judge_records(id);
}

void GroupRules::on_instance(Instance const& i, bool is_judged) {
  auto const known = group_of_.find(i.id);
  if (is_judged && known != group_of_.end() && known->second != i.placement_group) {
    world_.violated("groups: " + i.id.value + " changed its group");
  }
  if (i.placement_group.value.empty()) return;
  if (!i.placement) {
    if (known == group_of_.end()) return;
    auto const members = members_.find(known->second);
    members->second.erase(i.id);
    if (members->second.empty()) members_.erase(members);
    group_of_.erase(known);
    return;
  }
  group_of_[i.id] = i.placement_group;
  members_[i.placement_group][i.id] = {i.id, i.placement->host, i.partition};
  auto const group = groups_.find(i.placement_group);
  if (group == groups_.end() || group->second.tenant != i.tenant) {
    world_.violated("groups: " + i.id.value + " is of no group of its tenant");
  } else if (i.zone != rack_of(i.placement->host).first) {
    world_.violated("groups: " + i.id.value + " is on a host of another zone");
  }
}

void GroupRules::on_process_began(HostId const& host, InstanceId const& id) {
  runs_[id] = host;
  auto const of = group_of_.find(id);
  if (of == group_of_.end() || !groups_.contains(of->second)) return;
  std::vector<Member> running;
  for (auto const& [member_id, member] : members_.at(of->second)) {
    auto const runs = runs_.find(member_id);
    if (runs != runs_.end()) running.push_back({member_id, runs->second, member.partition});
  }
  judge(groups_.at(of->second), running, "runs");
}

void GroupRules::judge_records(PlacementGroupId const& id) {
  auto const group = groups_.find(id);
  auto const members = members_.find(id);
  if (group == groups_.end() || members == members_.end()) return;
  std::vector<Member> placed;
  for (auto const& [member_id, member] : members->second) placed.push_back(member);
  judge(group->second, placed, "is placed");
}

GroupRules::Rack GroupRules::rack_of(HostId const& host) const {
  auto const it = racks_.find(host);
  return it == racks_.end() ? Rack{ZoneName("nowhere"), host.value} : it->second;
}

void GroupRules::judge_spread(PlacementGroup const& group, std::vector<Member> const& members,
                              std::string const& what) {
  std::set<HostId> hosts;
  std::set<Rack> racks;
  std::map<ZoneName, int> in_zone;
  for (Member const& m : members) {
    if (!hosts.insert(m.host).second) {
      world_.violated(what + " a second time on " + m.host.value);
    }
    if (group.spread_level != SpreadLevel::rack) continue;
    Rack const rack = rack_of(m.host);
    if (!racks.insert(rack).second) {
      world_.violated(what + " a second time in the rack '" + rack.second + "' of " +
                      rack.first.value);
    }
    if (++in_zone[rack.first] > 7) world_.violated(what + " more than seven times in a zone");
  }
}

void GroupRules::judge(PlacementGroup const& group, std::vector<Member> const& members,
                       char const* how) {
  std::string const what = "groups: " + group.id.value + " " + how;
  if (group.strategy == PlacementStrategy::spread) return judge_spread(group, members, what);
  std::map<Rack, std::int32_t> partitions;
  for (Member const& m : members) {
    Rack const rack = rack_of(m.host);
    std::int32_t const partition = partitions.try_emplace(rack, m.partition).first->second;
    if (group.strategy == PlacementStrategy::cluster) {
      if (partitions.size() > 1) world_.violated(what + " in two racks");
      continue;
    }
    if (m.partition < 1 || m.partition > group.partition_count) {
      world_.violated(what + " in partition " + std::to_string(m.partition) + " of " +
                      std::to_string(group.partition_count));
    }
    if (partition != m.partition) {
      world_.violated(what + " with two partitions in the rack '" + rack.second + "' of " +
                      rack.first.value);
    }
  }
}

}  // namespace berth::sim
