#pragma once
// The libvirt calls we use, as values and results: no libvirt type crosses this header, and
// libvirt_api.cc is the only file that includes libvirt's.
//
// One connection, shared by all threads, opened when first needed and again after it was lost.
// Calls block: keepalive ends them when libvirtd is gone. Nothing is retried here: whether a call
// that failed had an effect is found out by looking.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "berth/base/result.h"
#include "berth/base/time.h"

namespace berth::agent {

struct LibvirtDomain {
  // Neither off nor crashed has a process. off: the guest shut down, or somebody ended it. crashed:
  // its process died, or libvirtd was restarted since and knows no reason.
  enum class State { running, paused, shutting_down, off, crashed };

  std::string name;
  std::string uuid;
  State state = State::off;
  std::optional<std::string> metadata;  // our element; absent: a domain that is not ours
  std::string live_xml;                 // of one that has our metadata and a process; else empty
};

struct LibvirtLease {
  std::string mac;
  std::string address;
};

struct LibvirtVersions {
  std::string libvirt;
  std::string hypervisor;
};

struct LibvirtNode {
  std::int64_t cpus = 0;
  std::int64_t memory_mib = 0;
};

// For metrics: one row per call.
struct LibvirtCallStats {
  std::string call;
  std::uint64_t count = 0;
  std::uint64_t errors = 0;
  Duration total;
  Duration longest;
};

class LibvirtApi {
 public:
  // `on_event`: a domain's lifecycle changed, or the connection was lost; from libvirt's event
  // thread, so it must not call back into this object.
  LibvirtApi(std::string uri, std::function<void()> on_event);
  ~LibvirtApi();
  LibvirtApi(LibvirtApi const&) = delete;
  LibvirtApi& operator=(LibvirtApi const&) = delete;

  // Errors of all calls: unavailable (no connection, or libvirt's words), not_found (no such domain
  // or network), conflict (not in this state), invalid (XML refused), timeout.

  // Grows with each new connection: what was ensured on an older one must be ensured again.
  [[nodiscard]] Result<std::uint64_t> connection_number();
  // "QEMU", or "TEST" for the pretend driver.
  [[nodiscard]] Result<std::string> driver();

  [[nodiscard]] Result<std::vector<LibvirtDomain>> domains();
  [[nodiscard]] Result<std::optional<LibvirtDomain>> domain_by_uuid(std::string const& uuid);
  [[nodiscard]] Result<std::optional<LibvirtDomain>> domain_by_name(std::string const& name);

  [[nodiscard]] Result<void> define(std::string const& xml);
  enum class StartAs { running, paused };
  [[nodiscard]] Result<void> start(std::string const& uuid, StartAs as);
  [[nodiscard]] Result<void> start_transient(std::string const& xml);
  [[nodiscard]] Result<void> resume(std::string const& uuid);
  [[nodiscard]] Result<void> press_power_button(std::string const& uuid);
  [[nodiscard]] Result<void> reset(std::string const& uuid);
  [[nodiscard]] Result<void> destroy(std::string const& uuid);
  [[nodiscard]] Result<void> destroy_by_name(std::string const& name);
  [[nodiscard]] Result<void> undefine(std::string const& uuid);
  // Of a guest with a process, from now on until it ends. `cpus`: the kernel's numbers, at least
  // one. Refused by a host without the means, or without one of the CPUs.
  [[nodiscard]] Result<void> pin_vcpu(std::string const& uuid, std::size_t vcpu,
                                      std::vector<std::int32_t> const& cpus);
  [[nodiscard]] Result<void> pin_emulator(std::string const& uuid,
                                          std::vector<std::int32_t> const& cpus);
  // In the stored definition and, when it runs, in the running one.
  [[nodiscard]] Result<void> set_metadata(std::string const& uuid, std::string const& element);

  // Absent: no such network.
  [[nodiscard]] Result<std::optional<std::string>> network(std::string const& name);
  [[nodiscard]] Result<void> define_network(std::string const& xml);
  // Starts it and has it started with libvirtd from now on; one that is active stays so.
  [[nodiscard]] Result<void> activate_network(std::string const& name);
  [[nodiscard]] Result<std::vector<LibvirtLease>> leases(std::string const& network);
  // False also when the driver has no filters at all.
  [[nodiscard]] Result<bool> has_filter(std::string const& name);

  [[nodiscard]] Result<std::string> capabilities();
  [[nodiscard]] Result<std::string> domain_capabilities(std::string const& type);
  [[nodiscard]] Result<LibvirtNode> node();
  [[nodiscard]] Result<LibvirtVersions> versions();

  [[nodiscard]] std::vector<LibvirtCallStats> call_stats() const;

 private:
  class Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth::agent
