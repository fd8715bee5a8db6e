#pragma once
// What several render_<noun>.cc share.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "berth/base/ensure.h"
#include "daemon/ec2/call.h"
#include "daemon/ec2/wire/codec.h"

namespace berth::ec2 {

template <class T>
[[nodiscard]] T const& expect(core::Reply const& reply) {
  T const* found = std::get_if<T>(&reply);
  ENSURE(found != nullptr);
  return *found;
}

// By key, as EC2 does.
[[nodiscard]] std::vector<wire::Tag> wire_tags(Tags const& tags);
// The token of the next page; absent on the last.
[[nodiscard]] std::optional<std::string> wire_token(std::string const& next_token);

template <class Output>
[[nodiscard]] std::string document(Rendering const& about, Output const& output,
                                   wire::Ready const& ready = {}) {
  return wire::render(about.action, output, about.request_id, ready);
}

[[nodiscard]] wire::InstanceState wire_state(core::InstanceState state);
// The disk every instance has, under its derived volume id.
[[nodiscard]] wire::InstanceBlockDeviceMapping root_device(Instance const& instance);

}  // namespace berth::ec2
