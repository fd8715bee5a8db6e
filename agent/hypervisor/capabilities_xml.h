#pragma once
// What libvirt says of a host, as values. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"
#include "berth/model/host.h"

namespace berth::agent {

struct HostCapabilities {
  std::string host_uuid;
  std::string cpu_model;        // empty: not stated
  std::string cpu_vendor;       // empty: not stated
  bool is_confined = false;     // AppArmor or SELinux is among the security models
  std::vector<HostCell> cells;  // empty: libvirt knows no topology

  bool operator==(HostCapabilities const&) const = default;
};

// Errors: corrupt.
[[nodiscard]] Result<HostCapabilities> parse_capabilities(std::string_view xml);

// The versioned machine type behind an alias such as "q35". Errors: corrupt.
[[nodiscard]] Result<std::string> parse_machine(std::string_view domain_capabilities_xml);

// For a host whose topology libvirt does not know: one cell, each CPU a core of its own.
[[nodiscard]] std::vector<HostCell> flat_cells(std::int64_t cpus, Mebibytes memory);

// "0-2,5" to {0, 1, 2, 5}. Errors: corrupt; at most 4,096 numbers.
[[nodiscard]] Result<std::vector<std::int32_t>> parse_cpu_list(std::string_view text);

}  // namespace berth::agent
