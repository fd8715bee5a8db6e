#pragma once
// What every instance and image of ours shows alike, and ids of things that exist only as part of
// another: the root volume, the primary interface. Deriving those ids from the owner's keeps them
// stable without storing anything.

#include <string>
#include <string_view>

#include "berth/base/digest.h"

namespace berth::ec2 {

inline constexpr std::string_view kRootDeviceName = "/dev/sda1";
inline constexpr std::string_view kArchitecture = "x86_64";
// EC2's word in DescribeInstances and DescribeImages: the API Reference (Instance, "hypervisor")
// says "The value xen is used for both Xen and Nitro hypervisors", so no other value is expected by
// clients there; DescribeInstanceTypes alone tells them apart, and has "nitro" for KVM.
inline constexpr std::string_view kHypervisor = "xen";
inline constexpr std::string_view kTypeHypervisor = "nitro";
// Who owns the operator's images. Twelve digits, because clients check; no tenant has it, since
// drawn account ids do not begin with 0.
inline constexpr std::string_view kOperatorAccount = "000000000000";
inline constexpr std::string_view kOperatorAlias = "amazon";

// prefix + 17 hex digits that belong to `owner` alone: derived("vol-", "i-0123…").
[[nodiscard]] inline std::string derived(std::string_view prefix, std::string_view owner) {
  return std::string(prefix) + hex(sha256(std::string(prefix) + std::string(owner))).substr(0, 17);
}

}  // namespace berth::ec2
