// The contract on libvirt's pretend driver: true libvirt calls, no guest. It lives in this process,
// so that a machine without libvirtd runs it too. Its limits: no reset, no paused start, no
// filters.

#include <cstdlib>

#include "agent/disks/run.h"
#include "tests/contract/hypervisor/libvirt_bench.h"
#include "tests/contract/hypervisor/suite.h"

namespace berth::agent::testing {
namespace {

std::unique_ptr<HypervisorBench> pretend() {
  static std::string const image = [] {
    std::string const path = "/var/tmp/berth-contract-image-" + std::to_string(getpid()) + ".qcow2";
    ENSURE(run_ok({"qemu-img", "create", "-q", "-f", "qcow2", path, "1M"}, {}).has_value());
    static std::string const remembered = path;
    std::atexit([] { unlink(remembered.c_str()); });
    return path;
  }();
  return std::make_unique<LibvirtBench>(
      LibvirtBenchOptions{.uri = "test:///default", .image_path = image});
}

INSTANTIATE_TEST_SUITE_P(LibvirtPretend, HypervisorContract,
                         ::testing::Values(HypervisorFactory{"Pretend", pretend}), factory_name);

}  // namespace
}  // namespace berth::agent::testing
