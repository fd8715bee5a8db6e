#pragma once
// LibvirtHypervisor on a folder of its own, for the contract and for the integration tests.

#include <filesystem>
#include <memory>
#include <string>

#include "agent/hypervisor/libvirt.h"
#include "tests/contract/hypervisor/bench.h"

namespace berth::agent::testing {

struct LibvirtBenchOptions {
  std::string uri;
  std::string network = "berth-t0";  // never a name an installation would use
  std::string subnet = "192.168.213.0/24";
  std::string image_path;  // a qcow2 file
};

class LibvirtBench final : public HypervisorBench {
 public:
  explicit LibvirtBench(LibvirtBenchOptions options);
  // Removes what the test left: its domains, its foreign domains, its folder; not the network.
  ~LibvirtBench() override;

  Hypervisor& hypervisor() override { return *hypervisor_; }
  bool run_until(std::function<bool()> const& is_done) override;
  TestImage image() override { return image_; }
  void restart_agent() override;
  void end_guest(InstanceId const& id) override;
  void reboot_host() override;
  void make_foreign(std::string const& name) override;
  bool is_foreign_running(std::string const& name) override;
  bool can_reset() const override { return !is_test_driver_; }
  bool has_host_uuid() const override { return !is_test_driver_; }
  bool refuses_absent_cpus() const override { return !is_test_driver_; }

  LibvirtHypervisor& libvirt() { return *hypervisor_; }
  LibvirtApi& api() { return api_; }
  std::string const& dir() const { return dir_; }
  // The same folder opened by an agent that has been told this virtualisation.
  void reopen(VirtTypeWish wish);

 private:
  void open();

  LibvirtBenchOptions const options_;
  LibvirtApi api_;  // the outside world's hands; also keeps the pretend driver's state alive
  bool is_test_driver_ = false;
  VirtTypeWish wish_ = VirtTypeWish::qemu;
  std::string dir_;
  int boots_ = 1;
  TestImage image_;
  std::vector<std::string> foreign_;
  std::unique_ptr<LibvirtHypervisor> hypervisor_;
};

}  // namespace berth::agent::testing
