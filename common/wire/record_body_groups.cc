// The body of a placement group's record.

#include <utility>

#include "common/wire/record_parts.h"

namespace berth::wire::parts {

namespace {

pb::PlacementStrategy encoded(PlacementStrategy strategy) {
  switch (strategy) {
    case PlacementStrategy::cluster: return pb::PLACEMENT_STRATEGY_CLUSTER;
    case PlacementStrategy::spread: return pb::PLACEMENT_STRATEGY_SPREAD;
    case PlacementStrategy::partition: return pb::PLACEMENT_STRATEGY_PARTITION;
  }
  return pb::PLACEMENT_STRATEGY_UNSPECIFIED;
}

Result<PlacementStrategy> decoded(pb::PlacementStrategy in) {
  switch (in) {
    case pb::PLACEMENT_STRATEGY_CLUSTER: return PlacementStrategy::cluster;
    case pb::PLACEMENT_STRATEGY_SPREAD: return PlacementStrategy::spread;
    case pb::PLACEMENT_STRATEGY_PARTITION: return PlacementStrategy::partition;
    default: return unknown("strategy", "1 to 3", in);
  }
}

pb::SpreadLevel encoded(SpreadLevel level) {
  switch (level) {
    case SpreadLevel::rack: return pb::SPREAD_LEVEL_RACK;
    case SpreadLevel::host: return pb::SPREAD_LEVEL_HOST;
  }
  return pb::SPREAD_LEVEL_UNSPECIFIED;
}

Result<SpreadLevel> decoded(pb::SpreadLevel in) {
  switch (in) {
    case pb::SPREAD_LEVEL_RACK: return SpreadLevel::rack;
    case pb::SPREAD_LEVEL_HOST: return SpreadLevel::host;
    default: return unknown("spread_level", "1 or 2", in);
  }
}

}  // namespace

void fill(PlacementGroup const& group, pb::PlacementGroup& out) {
  out.set_id(group.id.value);
  out.set_tenant(group.tenant.value);
  out.set_name(group.name);
  out.set_strategy(encoded(group.strategy));
  out.set_spread_level(encoded(group.spread_level));
  out.set_partition_count(group.partition_count);
  fill(group.tags, *out.mutable_tags());
  out.set_created_ms(group.created.ms);
}

Result<core::Change> read(pb::PlacementGroup const& in) {
  PlacementStrategy const strategy = TRY(decoded(in.strategy()));
  SpreadLevel const spread_level = TRY(decoded(in.spread_level()));
  Tags tags = TRY(read(in.tags()));
  return core::Change(core::PutPlacementGroup{{.id = PlacementGroupId(in.id()),
                                               .tenant = TenantId(in.tenant()),
                                               .name = in.name(),
                                               .strategy = strategy,
                                               .spread_level = spread_level,
                                               .partition_count = in.partition_count(),
                                               .tags = std::move(tags),
                                               .created = {in.created_ms()}}});
}

}  // namespace berth::wire::parts
