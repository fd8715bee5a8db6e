#pragma once
// EC2's state of an instance, derived from what is wanted and what was seen (include/berth/model/
// instance.h has the table).

#include "daemon/core/reply.h"

namespace berth::core {

[[nodiscard]] InstanceState instance_state(Instance const& instance);
[[nodiscard]] std::string private_dns_name(Instance const& instance, std::string_view region);

}  // namespace berth::core
