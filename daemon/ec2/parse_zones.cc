#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

// AllRegions and AllAvailabilityZones ask also for those one has to opt in to: we have none.
Ec2Result<Parsed> parse_describe_regions(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeRegionsRequest>(parameters));
  return Parsed{.action = core::DescribeRegions{.names = std::move(r.region_names),
                                                .filters = filters_of(r.filters)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_describe_availability_zones(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeAvailabilityZonesRequest>(parameters));
  return Parsed{.action = core::DescribeZones{.names = std::move(r.zone_names),
                                              .ids = std::move(r.zone_ids),
                                              .filters = filters_of(r.filters)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

}  // namespace berth::ec2
