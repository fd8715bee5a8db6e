#pragma once
// The agent's loop without its thread: observes, plans, acts, reports. Production gives it a thread
// and real seams (agent_thread.h), the simulator calls it directly. Not thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "agent/core/plan.h"
#include "agent/driver/daemon_link.h"
#include "agent/driver/spec_store.h"
#include "agent/hypervisor/hypervisor.h"
#include "berth/base/time.h"

namespace berth::agent {

class Driver {
 public:
  struct Parts {
    Hypervisor& hypervisor;
    DaemonLink& link;
    SpecStore& specs;
    Clock& clock;
    // Brings a callback of the hypervisor to the driver's own thread. Absent: it is already there.
    std::function<void(std::function<void()>)> post;
    // One line per action, for the log and the metrics; may be absent.
    std::function<void(Action const&, Result<void> const&, Duration)> on_action;
    // From a heartbeat to its lease, for the metrics; may be absent.
    std::function<void(Duration)> on_lease;
  };
  struct Identity {
    HostId host;            // from the certificate
    std::string host_uuid;  // libvirt's
    std::string boot_id;    // the kernel's
  };

  // `inventory` was asked of the hypervisor before.
  Driver(Identity identity, HostInventory inventory, Parts parts);

  void begin();         // once: loads the stored spec, starts to observe
  void on_connected();  // reports at once
  void on_gone();
  void on_spec(HostSpec const& spec);  // older ones are ignored
  void on_lease(std::uint64_t heartbeat);
  void on_hint();  // something changed on the host
  void on_tick();  // every second or so: heartbeats, observations, reports
  void on_inventory(HostInventory inventory);

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  [[nodiscard]] Instant lease_until() const { return lease_until_; }
  [[nodiscard]] std::optional<HostSpec> const& spec() const { return spec_; }
  // The last that was seen of the host; absent until the first success.
  [[nodiscard]] std::optional<Observed> const& observed() const { return observed_; }
  [[nodiscard]] std::size_t actions_under_way() const { return running_.size(); }
  // Guests that run, but not where the spec says.
  [[nodiscard]] std::int64_t unpinned() const { return unpinned_; }

 private:
  [[nodiscard]] bool is_for_this_machine(HostSpec const& spec) const;
  void observe();
  void on_observed(Result<Observed> observed);
  void begin_action(Action const& action);
  void on_action_done(std::string const& about, Result<void> const& result);
  void report(std::vector<InstanceStatus> statuses);
  template <class Value>
  std::function<void(Value)> posted(std::function<void(Value)> callback);

  Identity const identity_;
  HostInventory inventory_;
  Parts parts_;

  std::optional<HostSpec> spec_;
  Attempts attempts_;
  std::optional<Observed> observed_;  // absent until the first success

  struct Running {
    Action action;
    Instant since;
  };
  std::map<std::string, Running> running_;  // by subject
  std::set<std::string> touched_;           // busy at some time since the observation began
  bool is_observing_ = false;
  bool wants_observation_ = false;  // something happened since the observation began
  Instant observed_at_;
  std::int64_t unpinned_ = 0;

  bool is_connected_ = false;
  std::optional<HostStatus> reported_;  // on this connection
  Instant reported_at_;
  std::uint64_t heartbeats_ = 0;
  std::map<std::uint64_t, Instant> heartbeat_sent_;  // those not answered yet; bounded
  Instant heartbeat_at_;
  Instant lease_until_;
};

}  // namespace berth::agent
