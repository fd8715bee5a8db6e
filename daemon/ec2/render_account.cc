#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

std::string render_describe_account_attributes(core::Reply const& reply, Rendering const& about) {
  Quota const& quota = expect<core::AccountAttributes>(reply).quota;
  std::vector<std::string> const& asked = about.echo.attribute_names;
  std::vector<std::pair<std::string, std::string>> const known = {
      {"supported-platforms", "VPC"},
      {"default-vpc", "none"},
      {"max-instances", std::to_string(quota.instances)},
      {"vpc-max-security-groups-per-interface", "5"},
      {"max-elastic-ips", "0"},
      {"vpc-max-elastic-ips", "0"},
  };
  wire::DescribeAccountAttributesResult out;
  for (auto const& [name, value] : known) {
    if (!asked.empty() && std::ranges::find(asked, name) == asked.end()) continue;
    out.account_attributes.push_back(
        {.attribute_name = name, .attribute_values = {{.attribute_value = value}}});
  }
  return document(about, out);
}

std::string render_get_caller_identity(core::Reply const& reply, Rendering const& about) {
  auto const& who = expect<core::CallerIdentity>(reply);
  // A key is the account's own: EC2's form for an account's root user, the one without users.
  return document(about, wire::sts::GetCallerIdentityResponse{
                             .user_id = who.tenant.value,
                             .account = who.tenant.value,
                             .arn = "arn:aws:iam::" + who.tenant.value + ":root"});
}

}  // namespace berth::ec2
