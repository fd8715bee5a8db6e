#include <string>

#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

std::string render_describe_regions(core::Reply const& reply, Rendering const& about) {
  wire::DescribeRegionsResult out;
  for (std::string const& name : expect<core::Regions>(reply).names) {
    out.regions.push_back({.endpoint = std::string(about.endpoint),
                           .region_name = name,
                           .opt_in_status = "opt-in-not-required"});
  }
  return document(about, out);
}

std::string render_describe_availability_zones(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::Zones>(reply);
  wire::DescribeAvailabilityZonesResult out;
  for (Zone const& zone : found.items) {
    wire::AvailabilityZone item;
    item.state = "available";
    item.opt_in_status = "opt-in-not-required";
    item.region_name = found.region;
    item.zone_name = zone.name.value;
    item.zone_id = zone.id;
    item.group_name = found.region;
    item.network_border_group = found.region;
    item.zone_type = "availability-zone";
    out.availability_zones.push_back(std::move(item));
  }
  return document(about, out);
}

}  // namespace berth::ec2
