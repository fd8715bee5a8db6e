#pragma once
// What this host is, found once and kept: machine type, virtualisation, filters, topology; and its
// network, ensured on each new connection.

#include <mutex>
#include <optional>
#include <string>

#include "agent/disks/layout.h"
#include "agent/hypervisor/domain_xml.h"
#include "agent/hypervisor/libvirt.h"
#include "agent/hypervisor/libvirt_api.h"
#include "berth/base/result.h"
#include "berth/model/host.h"

namespace berth::agent {

inline constexpr std::string_view kProbePrefix = "berth-probe-";

// Thread-safe. One caller at a time looks, the others wait: a probe is not run twice.
class HostFacts {
 public:
  HostFacts(LibvirtOptions const& options, LibvirtApi& api);

  // What domains are built with; ensures the network.
  [[nodiscard]] Result<DomainHost> domain_host();
  [[nodiscard]] Result<HostInventory> inventory();
  [[nodiscard]] Result<std::string> host_uuid();
  [[nodiscard]] std::string const& boot_id() const { return boot_id_; }

 private:
  [[nodiscard]] Result<void> look();
  [[nodiscard]] Result<void> ensure_network();
  [[nodiscard]] Result<VirtType> virt_type(std::string const& machine);
  [[nodiscard]] bool is_kvm_proven(std::string const& machine);

  LibvirtOptions const options_;
  LibvirtApi& api_;
  Layout const layout_;
  std::string boot_id_;
  std::mutex mutex_;  // facts are asked for by every worker
  bool is_test_ = false;
  std::optional<DomainHost> domain_host_;
  std::optional<HostInventory> inventory_;
  std::string host_uuid_;
  std::uint64_t network_ensured_on_ = 0;  // number of the connection
};

}  // namespace berth::agent
