#include <string>
#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

namespace {

// The reader has refused what the service model does not list.
PlacementStrategy strategy_of(std::string const& text) {
  if (text == "spread") return PlacementStrategy::spread;
  return text == "partition" ? PlacementStrategy::partition : PlacementStrategy::cluster;
}

}  // namespace

Ec2Result<Parsed> parse_create_placement_group(Parameters parameters) {
  auto const r = TRY(wire::read<wire::CreatePlacementGroupRequest>(parameters));
  core::CreatePlacementGroup call;
  call.name = r.group_name.value_or("");
  call.strategy = strategy_of(r.strategy.value_or(""));
  call.partition_count = r.partition_count;
  if (is_given(r.spread_level)) {
    call.spread_level = *r.spread_level == "host" ? SpreadLevel::host : SpreadLevel::rack;
  }
  call.tags = TRY(tags_for(r.tag_specifications, "placement-group"));
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_describe_placement_groups(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribePlacementGroupsRequest>(parameters));
  core::DescribePlacementGroups call;
  call.names = std::move(r.group_names);
  call.ids = std::move(r.group_ids);
  call.filters = filters_of(r.filters);
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_delete_placement_group(Parameters parameters) {
  auto const r = TRY(wire::read<wire::DeletePlacementGroupRequest>(parameters));
  core::DeletePlacementGroup call{.name = r.group_name.value_or("")};
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

}  // namespace berth::ec2
