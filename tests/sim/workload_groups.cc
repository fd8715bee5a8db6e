// Tenants that keep placement groups, and launch into them.

#include "tests/sim/workload.h"

namespace berth::sim {

core::CreatePlacementGroup Workload::drawn_group(std::string name) {
  Entropy& e = world_.entropy();
  core::CreatePlacementGroup ask{.name = std::move(name)};
  ask.strategy = static_cast<PlacementStrategy>(e.below(3));
  bool const is_odd = e.below(12) == 0;
  if (ask.strategy == PlacementStrategy::partition || is_odd) {
    if (e.below(3) != 0) ask.partition_count = e.between(1, 4);
    if (e.below(12) == 0) ask.partition_count = e.below(2) == 0 ? 0 : 8;
  }
  if (ask.strategy == PlacementStrategy::spread || is_odd) {
    if (e.below(2) == 0) ask.spread_level = e.below(2) == 0 ? SpreadLevel::host : SpreadLevel::rack;
  }
  if (e.below(4) == 0) ask.tags = {{"team", "red"}};
  return ask;
}

void Workload::launch_into_group(std::size_t tenant, core::PlacementGroupName of) {
  Entropy& e = world_.entropy();
  core::RunInstances ask{.image_id = cluster_.public_images[e.below(2)],
                         .type = cluster_.types[e.below(cluster_.types.size())],
                         .placement_group = std::move(of)};
  ask.max_count = e.below(2) == 0 ? e.between(1, 5) : 1;
  if (e.below(8) == 0) ask.max_count = e.between(6, 9);  // also more than seven at once
  ask.min_count = e.below(2) == 0 ? 1 : ask.max_count;
  if (e.below(3) == 0) ask.zone = cluster_.zones[e.below(cluster_.zones.size())];
  if (e.below(4) == 0) ask.partition = e.between(0, 4);
  if (e.below(2) == 0) {
    ask.client_token = "token-" + std::to_string(++tokens_);
    ask.parameters_digest = e.hex(16);
  }
  send(tenant, "RunInstances", std::move(ask), e.below(12) == 0);
}

void Workload::change_groups(std::size_t tenant) {
  Entropy& e = world_.entropy();
  std::string const name = "apart-" + std::to_string(e.below(3));
  auto const known = group_ids_[tenant].find(name);
  std::string const id = known != group_ids_[tenant].end() ? known->second : "pg-" + e.hex(17);
  bool const dry_run = e.below(12) == 0;
  std::uint64_t const kind = e.below(16);
  if (kind < 3) {
    send(tenant, "CreatePlacementGroup", drawn_group(name), dry_run);
  } else if (kind == 3) {
    send(tenant, "DeletePlacementGroup", core::DeletePlacementGroup{name}, dry_run);
  } else if (kind == 4) {
    send(tenant, "CreateTags", core::CreateTags{{id}, {{"Name", tag_word()}}}, dry_run);
  } else if (kind == 5) {
    ask_about_foreign_group(tenant);
  } else if (kind < 8) {
    launch_into_group(tenant, {.id = id, .name = {}});
  } else {
    launch_into_group(tenant, {.id = {}, .name = name});
  }
}

// Somebody else's group and one of nobody read alike.
void Workload::ask_about_foreign_group(std::size_t tenant) {
  Entropy& e = world_.entropy();
  std::size_t const other = e.below(group_ids_.size());
  if (other == tenant || group_ids_[other].empty()) return;
  std::string const foreign = group_ids_[other].begin()->second;
  std::string const absent = "pg-" + e.hex(17);
  bool const is_launch = e.below(2) == 0;
  auto const action = [&, this](std::string const& id) -> core::ApiAction {
    if (!is_launch) return core::DescribePlacementGroups{.names = {}, .ids = {id}, .filters = {}};
    return core::RunInstances{.image_id = cluster_.public_images[0],
                              .type = cluster_.types[0],
                              .placement_group = {.id = id, .name = {}}};
  };
  auto const first = std::make_shared<std::optional<Result<core::Reply>>>();
  // A dry run: the pair is about what is said, whatever happens meanwhile.
  cluster_.daemon.submit(call(tenant, "Pair", action(foreign), is_launch),
                         [first](Result<core::Reply> reply) { first->emplace(std::move(reply)); });
  cluster_.daemon.submit(call(tenant, "Pair", action(absent), is_launch),
                         [this, first, foreign, absent](Result<core::Reply> reply) {
                           if (*first) auditor_.judge_pair(foreign, **first, absent, reply);
                         });
}

}  // namespace berth::sim
