#pragma once
// GroupRules: what EC2's documentation says of placement groups, judged from the durable records
// and from what really runs. Shares no code with what it judges. Counted are all members that have
// a place, as docs/reference/ec2.md says; a rack is one of its zone, and "" is one too.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/change.h"
#include "daemon/core/state.h"
#include "tests/sim/world.h"

namespace berth::sim {

class GroupRules {
 public:
  explicit GroupRules(World& world) : world_(world) {}

  // A batch became durable.
  void on_committed(std::vector<core::Change> const& changes);
  // A daemon has started from these records.
  void on_loaded(core::State const& state);
  void on_process_began(HostId const& host, InstanceId const& id);
  void on_process_ended(InstanceId const& id) { runs_.erase(id); }

 private:
  struct Member {
    InstanceId id;
    HostId host;
    std::int32_t partition = 0;
  };
  using Rack = std::pair<ZoneName, std::string>;

  void on_instance(Instance const& instance, bool is_judged);
  void judge_records(PlacementGroupId const& group);
  // `how`: "is placed", "runs".
  void judge(PlacementGroup const& group, std::vector<Member> const& members, char const* how);
  void judge_spread(PlacementGroup const& group, std::vector<Member> const& members,
                    std::string const& what);
  [[nodiscard]] Rack rack_of(HostId const& host) const;

  World& world_;
  std::map<HostId, Rack> racks_;
  std::map<PlacementGroupId, PlacementGroup> groups_;
  std::map<InstanceId, PlacementGroupId> group_of_;
  std::map<PlacementGroupId, std::map<InstanceId, Member>> members_;
  std::map<InstanceId, HostId> runs_;
};

}  // namespace berth::sim
