#pragma once
// A placement group: which failures its instances may share. EC2: "Placement groups for your Amazon
// EC2 instances".
//
// Racks are the operator's word (Host::rack). Hosts of a zone that state none count as one rack:
// nobody knows that they do not fail together.

#include <cstdint>
#include <string>

#include "berth/base/time.h"
#include "berth/model/ids.h"
#include "berth/model/tenant.h"

namespace berth {

enum class PlacementStrategy {
  cluster,    // all in one rack
  spread,     // no two on one host, or in one rack
  partition,  // instances are in numbered partitions; no two partitions share a rack
};

enum class SpreadLevel { rack, host };

struct PlacementGroup {
  PlacementGroupId id;
  TenantId tenant;
  std::string name;  // unique in the tenant
  PlacementStrategy strategy = PlacementStrategy::cluster;
  SpreadLevel spread_level = SpreadLevel::rack;  // read with spread only
  std::int32_t partition_count = 0;              // 1 to 7 with partition, else 0
  Tags tags;
  WallTime created;

  bool operator==(PlacementGroup const&) const = default;
};

}  // namespace berth
