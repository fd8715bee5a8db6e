#include "daemon/ec2/render_common.h"

#include "daemon/ec2/facts.h"
#include "daemon/ec2/render.h"

namespace berth::ec2 {

std::vector<wire::Tag> wire_tags(Tags const& tags) {
  std::vector<wire::Tag> out;
  out.reserve(tags.size());
  for (auto const& [key, value] : tags) out.push_back({.key = key, .value = value});
  return out;
}

std::optional<std::string> wire_token(std::string const& next_token) {
  if (next_token.empty()) return {};
  return next_token;
}

wire::InstanceState wire_state(core::InstanceState state) {
  return {.code = static_cast<std::int64_t>(state), .name = std::string(core::name(state))};
}

wire::InstanceBlockDeviceMapping root_device(Instance const& instance) {
  return {.device_name = std::string(kRootDeviceName),
          .ebs = wire::EbsInstanceBlockDevice{.attach_time = instance.created,
                                              .delete_on_termination = true,
                                              .status = "attached",
                                              .volume_id = derived("vol-", instance.id.value)}};
}

std::string render_done(core::Reply const&, Rendering const& about) {
  return document(about, wire::BooleanResult{});
}

}  // namespace berth::ec2
