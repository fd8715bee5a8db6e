#include "agent/hypervisor/host_facts.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "agent/disks/files.h"
#include "agent/hypervisor/capabilities_xml.h"
#include "agent/hypervisor/probe.h"
#include "berth/base/log.h"

namespace berth::agent {
namespace {

std::string file_text(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

std::string kernel_boot_id() {
  std::string id = file_text("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::string own_hostname() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace

HostFacts::HostFacts(LibvirtOptions const& options, LibvirtApi& api)
    : options_(options),
      api_(api),
      layout_(options.dir),
      boot_id_(options.boot_id.empty() ? kernel_boot_id() : options.boot_id) {}

Result<DomainHost> HostFacts::domain_host() {
  std::lock_guard const lock(mutex_);
  TRY(look());
  TRY(ensure_network());
  return *domain_host_;
}

Result<HostInventory> HostFacts::inventory() {
  std::lock_guard const lock(mutex_);
  TRY(look());
  TRY(ensure_network());
  HostInventory out = *inventory_;
  FileSystemSpace const space = TRY(file_system_space(layout_.dir()));
  out.disk_total = Bytes(space.total);
  out.disk_free = Bytes(space.free);
  return out;
}

Result<std::string> HostFacts::host_uuid() {
  std::lock_guard const lock(mutex_);
  if (host_uuid_.empty()) {
    std::string const capabilities = TRY(api_.capabilities());
    host_uuid_ = TRY(parse_capabilities(capabilities)).host_uuid;
    if (host_uuid_.empty()) return Error{Code::unavailable, "host", "libvirt states no host UUID"};
  }
  return host_uuid_;
}

Result<void> HostFacts::look() {
  if (domain_host_ && inventory_) return {};
  is_test_ = TRY(api_.driver()) == "TEST";
  std::string const capabilities = TRY(api_.capabilities());
  HostCapabilities const found = TRY(parse_capabilities(capabilities));
  LibvirtNode const node = TRY(api_.node());
  LibvirtVersions const versions = TRY(api_.versions());

  DomainHost host{.type = "test", .network = options_.network.name};
  Subnet const subnet = TRY(parse_subnet(options_.network.subnet));
  host.gateway = dotted(subnet.address + 1);
  VirtType type = VirtType::qemu;
  if (!is_test_) {
    std::string const offers = TRY(api_.domain_capabilities("qemu"));
    host.machine = TRY(parse_machine(offers));
    type = TRY(virt_type(host.machine));
    host.type = type == VirtType::kvm ? "kvm" : "qemu";
  }
  if (!options_.network.port_filter.empty()) {
    if (TRY(api_.has_filter(options_.network.port_filter))) {
      host.port_filter = options_.network.port_filter;
    } else {
      log_warning("no such network filter on this host: guests can forge addresses",
                  {{"filter", options_.network.port_filter}});
    }
  }
  HostInventory inventory{.cells = found.cells,
                          .cpu_model = found.cpu_model,
                          .cpu_vendor = found.cpu_vendor,
                          .virt_type = type,
                          .is_confined = found.is_confined,
                          .hostname = own_hostname(),
                          .libvirt_version = versions.libvirt,
                          .qemu_version = versions.hypervisor,
                          .agent_version = options_.agent_version};
  std::int64_t cpus = cpu_count(inventory);
  // A container's libvirt may describe cells without memory or CPUs: then they say nothing.
  if (cpus == 0 || memory(inventory).value == 0) {
    inventory.cells = flat_cells(node.cpus, Mebibytes(node.memory_mib));
  }
  domain_host_ = std::move(host);
  inventory_ = std::move(inventory);
  return {};
}

Result<void> HostFacts::ensure_network() {
  std::uint64_t const connection = TRY(api_.connection_number());
  if (network_ensured_on_ == connection) return {};
  NetworkOptions const& wanted = options_.network;
  std::optional<std::string> const found = TRY(api_.network(wanted.name));
  if (!found) {
    std::string const xml = TRY(network_xml(wanted));
    TRY(api_.define_network(xml));
    log_info("network defined", {{"network", wanted.name}, {"subnet", wanted.subnet}});
  } else if (!TRY(is_same_network(*found, wanted))) {
    return Error{Code::conflict, "host",
                 "network " + wanted.name + " exists with another subnet than " + wanted.subnet +
                     "; state that subnet, or remove the network when no instance uses it"};
  }
  TRY(api_.activate_network(wanted.name));
  network_ensured_on_ = connection;
  return {};
}

Result<VirtType> HostFacts::virt_type(std::string const& machine) {
  switch (options_.virt_type) {
    case VirtTypeWish::kvm: return VirtType::kvm;
    case VirtTypeWish::qemu: return VirtType::qemu;
    case VirtTypeWish::automatic: break;
  }
  // The verdict holds for this boot of the host: an agent that restarts need not wait again.
  std::string const verdict_path = layout_.dir() + "/probe/verdict";
  std::string const verdict = file_text(verdict_path);
  if (verdict == boot_id_ + " kvm\n") return VirtType::kvm;
  if (verdict == boot_id_ + " qemu\n") return VirtType::qemu;
  TRY(make_folders(layout_.dir() + "/probe", 0711));
  bool const is_proven = is_kvm_proven(machine);
  TRY(write_whole(verdict_path, boot_id_ + (is_proven ? " kvm\n" : " qemu\n"), 0644));
  log_info("virtualisation probed", {{"type", is_proven ? "kvm" : "qemu"}});
  return is_proven ? VirtType::kvm : VirtType::qemu;
}

bool HostFacts::is_kvm_proven(std::string const& machine) {
  std::string const folder = layout_.dir() + "/probe";
  std::string const name = std::string(kProbePrefix) + std::to_string(getpid());
  ProbeAsk const ask{
      .name = name, .image = folder + "/" + name + ".img", .log = folder + "/" + name + ".log"};
  bool is_passed = false;
  Result<void> result = write_whole(ask.image, probe_image(), 0644);
  if (result) {
    result = api_.start_transient(probe_domain_xml(
        ask, {.type = "kvm", .machine = machine, .network = options_.network.name}));
  }
  if (result) {
    auto const deadline =
        std::chrono::steady_clock::now() + std::chrono::nanoseconds(options_.probe_deadline.ns);
    while (!is_passed && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      is_passed = is_probe_passed(file_text(ask.log));
    }
    if (Result<void> const ended = api_.destroy_by_name(name); !ended) {
      log_warning("the probe guest could not be ended", {{"reason", ended.error().message}});
    }
  } else {
    log_info("the probe guest did not start under KVM", {{"reason", result.error().message}});
  }
  unlink(ask.image.c_str());
  unlink(ask.log.c_str());
  return is_passed;
}

}  // namespace berth::agent
