#pragma once
// The seam to the host's hypervisor. Speaks our words: instance, disk, image; libvirt's begin
// behind it. Production: libvirt.cc. Simulation: a pretend host. Both pass
// tests/contract/hypervisor.

#include <functional>
#include <string>

#include "agent/core/action.h"
#include "berth/base/result.h"
#include "berth/model/host.h"

namespace berth::agent {

class Hypervisor {
 public:
  using ObserveDone = std::function<void(Result<Observed>)>;
  using ActionDone = std::function<void(Result<void>)>;
  using ConsoleDone = std::function<void(Result<std::string>)>;

  virtual ~Hypervisor() = default;

  // Everything there is on the host now. An error says nothing about what exists: the caller keeps
  // its hands off until the next one succeeds.
  virtual void observe(ObserveDone done) = 0;

  // Starts the action; `done` once, later, from any thread. Actions on different subjects may run
  // at the same time; the caller never has two under way on one subject.
  virtual void perform(Action const& action, ActionDone done) = 0;

  // The last `bytes_max` of an instance's serial console; empty text if there is none yet.
  virtual void read_console(InstanceId const& id, std::size_t bytes_max, ConsoleDone done) = 0;

  // What this host is. Probes at the first call, cached afterwards except the free disk.
  [[nodiscard]] virtual Result<HostInventory> inventory() = 0;
  [[nodiscard]] virtual Result<std::string> host_uuid() = 0;

  // Called from any thread when a domain of ours changed state outside of an action: a hint to
  // observe soon.
  virtual void on_change(std::function<void()> hint) = 0;
};

}  // namespace berth::agent
