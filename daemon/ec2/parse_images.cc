#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

// In our model, of 2022, the answer to this call has no NextToken: it is always whole. MaxResults
// of newer clients is tolerated by the reader (wire/quirks.txt) and not passed on, or they would
// take the first page for everything.
Ec2Result<Parsed> parse_describe_images(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeImagesRequest>(parameters));
  return Parsed{.action = core::DescribeImages{.ids = std::move(r.image_ids),
                                               .owners = std::move(r.owners),
                                               .executable_by = std::move(r.executable_users),
                                               .filters = filters_of(r.filters),
                                               .page = {}},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

}  // namespace berth::ec2
