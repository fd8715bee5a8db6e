#pragma once
// What the flags of berth-agent say, checked, as one value: nothing else reads a flag.

#include <optional>
#include <string>

#include "agent/hypervisor/libvirt.h"
#include "berth/base/flags.h"
#include "berth/base/problems.h"

namespace berth::agent {

struct Settings {
  std::string data_dir;
  std::string daemon;      // HOST:PORT
  std::string join_token;  // empty: joined before
  LibvirtOptions libvirt;
  std::optional<Address> metrics;
  bool check_only = false;  // say what is wrong, touch nothing, end
  LogOptions log;
};

// From the flags. A problem names the flag, what it wants and what it found; with any, the settings
// are of no use.
[[nodiscard]] Settings settings_from_flags(Problems& problems);
// What the files that the flags name would make a start fail with. Only reads.
void check_files(Settings const& settings, Problems& problems);

}  // namespace berth::agent
