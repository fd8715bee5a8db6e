#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

Ec2Result<Parsed> parse_describe_account_attributes(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeAccountAttributesRequest>(parameters));
  return Parsed{.action = core::DescribeAccountAttributes{},
                .dry_run = r.dry_run.value_or(false),
                .echo = {.attribute_names = std::move(r.attribute_names)}};
}

Ec2Result<Parsed> parse_get_caller_identity(Parameters parameters) {
  [[maybe_unused]] auto const r = TRY(wire::read<wire::sts::GetCallerIdentityRequest>(parameters));
  return Parsed{.action = core::GetCallerIdentity{}, .dry_run = false, .echo = {}};
}

}  // namespace berth::ec2
