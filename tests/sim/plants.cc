#include "tests/sim/plants.h"

#include <algorithm>

namespace berth {

namespace {
Plant the_one = Plant::none;
}  // namespace

bool is_planted(Plant plant) {
  return plant == the_one;
}

namespace sim {

std::vector<PlantRow> const& plants() {
  static std::vector<PlantRow> const kPlants = {
#define BERTH_PLANT(name, what) {Plant::name, #name, what},
      BERTH_EVERY_PLANT(BERTH_PLANT)
#undef BERTH_PLANT
  };
  return kPlants;
}

std::optional<PlantRow> plant_named(std::string_view name) {
  auto const it = std::ranges::find(plants(), name, &PlantRow::name);
  if (it == plants().end()) return std::nullopt;
  return *it;
}

void plant_only(Plant plant) {
  the_one = plant;
}

}  // namespace sim
}  // namespace berth
