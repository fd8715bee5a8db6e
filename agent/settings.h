#pragma once
// What the flags of berth-agent say, checked, as one value: nothing else reads a flag.

#include <optional>
#include <string>

#include "agent/hypervisor/libvirt.h"
#include "berth/base/flags.h"

namespace berth::agent {

struct Settings {
  std::string data_dir;
  std::string daemon;      // HOST:PORT
  std::string join_token;  // empty: joined before
  LibvirtOptions libvirt;
  std::optional<Address> metrics;
  LogOptions log;
};

// From the flags; an error names the flag, what it wants and what it found.
[[nodiscard]] Result<Settings> settings_from_flags();

}  // namespace berth::agent
