#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

Ec2Result<Parsed> parse_describe_instance_types(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeInstanceTypesRequest>(parameters));
  return Parsed{.action = core::DescribeInstanceTypes{.names = std::move(r.instance_types),
                                                      .filters = filters_of(r.filters),
                                                      .page = page_of(r.max_results, r.next_token)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_describe_instance_type_offerings(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeInstanceTypeOfferingsRequest>(parameters));
  return Parsed{
      .action = core::DescribeInstanceTypeOfferings{.location_type = r.location_type.value_or(""),
                                                    .filters = filters_of(r.filters),
                                                    .page = page_of(r.max_results, r.next_token)},
      .dry_run = r.dry_run.value_or(false),
      .echo = {}};
}

}  // namespace berth::ec2
