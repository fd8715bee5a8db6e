#pragma once
// What the hypervisor contract (suite.h) needs from each implementation: the thing itself and a few
// hands to move the world behind its back. libvirt's pretend driver, a real QEMU and the simulated
// host each bring one.

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "agent/hypervisor/hypervisor.h"

namespace berth::agent::testing {

class HypervisorBench {
 public:
  virtual ~HypervisorBench() = default;

  [[nodiscard]] virtual Hypervisor& hypervisor() = 0;
  // Calls are asynchronous: lets the implementation work until `is_done` says yes. False: it did
  // not within a generous time. (A simulation turns its clock here, a real one sleeps.)
  [[nodiscard]] virtual bool run_until(std::function<bool()> const& is_done) = 0;

  // An image that FetchImage can bring; small. Its guest, if there is one, obeys the power button.
  struct TestImage {
    std::string digest;
    ImageFormat format = ImageFormat::qcow2;
    Bytes size;
  };
  [[nodiscard]] virtual TestImage image() = 0;

  // The agent's process dies and starts again; nothing of its memory is left, the host goes on.
  virtual void restart_agent() = 0;
  // The guest powers itself off, from inside.
  virtual void end_guest(InstanceId const& id) = 0;
  // Every guest's process is gone and the kernel has another boot id; then the agent starts again.
  virtual void reboot_host() = 0;
  // A running domain of somebody else, and whether it still runs.
  virtual void make_foreign(std::string const& name) = 0;
  [[nodiscard]] virtual bool is_foreign_running(std::string const& name) = 0;

  // libvirt's pretend driver cannot reset.
  [[nodiscard]] virtual bool can_reset() const { return true; }
  // Nor does it look whether a CPU is there.
  [[nodiscard]] virtual bool refuses_absent_cpus() const { return true; }
  // Nor does it state a host UUID.
  [[nodiscard]] virtual bool has_host_uuid() const { return true; }
};

struct HypervisorFactory {
  std::string name;  // letters and digits
  std::function<std::unique_ptr<HypervisorBench>()> make;

  friend void PrintTo(HypervisorFactory const& factory, std::ostream* out) { *out << factory.name; }
};

}  // namespace berth::agent::testing
