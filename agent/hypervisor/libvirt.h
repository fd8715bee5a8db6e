#pragma once
// The production side of the Hypervisor seam: libvirt and QEMU, disks and images as files.
//
//   A start, and what a crash of the agent or the host leaves behind after each step:
//
//     disk, seed      files only                             observed: disk without domain
//     define          metadata stopped_by_us, starting       observed: off, stopped_by_us
//     create paused   the guest has not run yet              observed: off, stopped_by_us
//     metadata        not stopped_by_us, still starting      observed: off, stopped_by_us
//     resume          the guest runs                         observed: running
//     metadata        not starting                           observed: running
//
//   So a domain that is `off` without stopped_by_us has truly run and ended by itself. One that
//   ended because its host did (another boot id in its metadata) is reported as stopped_by_us as
//   well: its guest never asked to end, and the plan starts it again. One whose process died is
//   reported as crashed, and so is one whose end libvirtd has forgotten, because it was restarted
//   since: a guest that ended by itself was reported before that, and its spec says stopped by
//   then.
//
// Of the domain's state, `running` with stopped_by_us is reported as shutting_down. Starting one
// that runs only records `starts`: a reboot it still owes stays owed. A domain is ours when its
// metadata says so and names the domain's own name as id; all others are foreign and never touched.
// An action for one placement generation never touches a domain of another: it answers conflict,
// and RemoveInstance then removes only its own generation's files.

#include <memory>
#include <string>
#include <vector>

#include "agent/disks/image_cache.h"
#include "agent/hypervisor/hypervisor.h"
#include "agent/hypervisor/libvirt_api.h"
#include "agent/network/network_xml.h"
#include "berth/base/time.h"
#include "berth/base/units.h"

namespace berth::agent {

enum class VirtTypeWish { automatic, kvm, qemu };

struct LibvirtOptions {
  std::string uri = "qemu:///system";
  std::string dir =
      "/var/lib/berth";  // absolute; images, disks and seeds lie below (disks/layout.h)
  NetworkOptions network;
  VirtTypeWish virt_type = VirtTypeWish::automatic;
  Duration probe_deadline = seconds(10);  // for the probe guest, with automatic
  Bytes free_min{std::int64_t{1} << 30};  // kept free on dir's file system when images are fetched
  std::string agent_version;
  std::string boot_id;       // empty: the kernel's; another one for hosts that are only pretended
  std::size_t workers = 4;   // libvirt calls at the same time
  std::size_t fetchers = 2;  // images fetched at the same time
  std::size_t queued_max = 4096;
  FetchImageBytes fetch;  // brings an image's bytes from the daemon; called on a fetcher's thread
};

class LibvirtHypervisor final : public Hypervisor {
 public:
  // Makes the folders. libvirtd need not be there yet: each call connects when it can. Errors:
  // invalid (an option), unavailable (a folder).
  [[nodiscard]] static Result<std::unique_ptr<LibvirtHypervisor>> open(LibvirtOptions options);
  // Waits for the calls under way and answers the queued ones with unavailable.
  ~LibvirtHypervisor() override;

  void observe(ObserveDone done) override;
  void perform(Action const& action, ActionDone done) override;
  void read_console(InstanceId const& id, std::size_t bytes_max, ConsoleDone done) override;
  // Blocks for the probe (probe_deadline at most) at the first call of each boot of the host.
  [[nodiscard]] Result<HostInventory> inventory() override;
  [[nodiscard]] Result<std::string> host_uuid() override;
  void on_change(std::function<void()> hint) override;

  // For the agent's metrics page: one row per kind of libvirt call.
  [[nodiscard]] std::vector<LibvirtCallStats> call_stats() const;

 private:
  class Inner;
  explicit LibvirtHypervisor(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth::agent
