#pragma once
// What a guest is told at its first boot: a NoCloud seed, read by cloud-init from any disk whose
// label is "cidata". No network configuration is in it: guests use DHCP.

#include <string>

#include "berth/base/result.h"
#include "berth/model/host_spec.h"

namespace berth::agent {

// The two texts, for tests and people. Values are quoted, so no tenant's string can add a key.
[[nodiscard]] std::string seed_meta_data(InstanceSpec const& spec);
// The tenant's bytes as they are, or an empty cloud-config.
[[nodiscard]] std::string seed_user_data(InstanceSpec const& spec);

// Writes (or replaces) the seed image; readable by its owner only.
[[nodiscard]] Result<void> write_seed(std::string const& path, InstanceSpec const& spec);

}  // namespace berth::agent
