#include <string>

#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

namespace {

wire::PlacementGroup wire_group(PlacementGroup const& group, std::string const& region) {
  wire::PlacementGroup out;
  out.group_name = group.name;
  out.state = "available";
  out.strategy = std::string(core::name(group.strategy));
  if (group.strategy == PlacementStrategy::partition) out.partition_count = group.partition_count;
  if (group.strategy == PlacementStrategy::spread) {
    out.spread_level = std::string(core::name(group.spread_level));
  }
  out.group_id = group.id.value;
  out.tags = wire_tags(group.tags);
  out.group_arn = core::placement_group_arn(group, region);
  return out;
}

}  // namespace

std::string render_create_placement_group(core::Reply const& reply, Rendering const& about) {
  auto const& made = expect<core::OnePlacementGroup>(reply);
  wire::CreatePlacementGroupResult out;
  out.placement_group = wire_group(made.group, made.region);
  return document(about, out);
}

std::string render_describe_placement_groups(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::PlacementGroups>(reply);
  wire::DescribePlacementGroupsResult out;
  for (PlacementGroup const& group : found.items) {
    out.placement_groups.push_back(wire_group(group, found.region));
  }
  return document(about, out);
}

}  // namespace berth::ec2
