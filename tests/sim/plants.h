#pragma once
// Plants: the table behind PLANTED (berth/base/plant.h). Only berth-sim-plants has it.

#include <optional>
#include <string_view>
#include <vector>

#include "berth/base/plant.h"

namespace berth::sim {

struct PlantRow {
  Plant plant;
  std::string_view name;
  std::string_view what;  // what a careless hand did
};

[[nodiscard]] std::vector<PlantRow> const& plants();
[[nodiscard]] std::optional<PlantRow> plant_named(std::string_view name);
// This bug and no other is in the code from now on. Before any thread that runs a seed.
void plant_only(Plant plant);

}  // namespace berth::sim
