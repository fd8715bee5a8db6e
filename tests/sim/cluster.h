#pragma once
// Cluster: one daemon and its hosts, real cores and real drivers on simulated seams. Each process
// can die and come back at any event; what would be on a disk outlives it.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "agent/driver/driver.h"
#include "daemon/driver/driver.h"
#include "tests/sim/checkers.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/network.h"
#include "tests/sim/store.h"

namespace berth::sim {

class Cluster;

// One host: the machine, the agent's file, and the agent's process while it lives.
class SimHost final : public AgentEnd, public agent::SpecStore, public agent::DaemonLink {
 public:
  SimHost(Cluster& cluster, std::size_t index, HostId id, std::string uuid);

  [[nodiscard]] std::size_t index() const { return index_; }
  void start_agent();
  // `is_silent`: the machine went down with it.
  void kill_agent(bool is_silent);
  void stall_agent(Duration length);
  // From now on everything takes it a thousand times as long.
  void slow_agent(Duration length);
  void power_cut();  // with the agent; nothing runs any more
  void power_on();   // boots, and starts the agent
  void lose_files() { file_.reset(); }
  void take_files_of(SimHost const& other) { file_ = other.file_; }
  [[nodiscard]] DriftingClock& clock() { return clock_; }
  [[nodiscard]] bool is_agent_up() const { return life_ != nullptr; }
  [[nodiscard]] bool is_powered() const { return is_powered_; }
  [[nodiscard]] Machine& machine() { return machine_; }
  [[nodiscard]] Machine const& machine() const { return machine_; }
  [[nodiscard]] agent::Driver const* driver() const {
    return life_ ? life_->driver.get() : nullptr;
  }

  // AgentEnd.
  void on_connected() override;
  void on_message(Downward message) override;
  void on_gone() override;
  // SpecStore.
  [[nodiscard]] Result<std::optional<HostSpec>> load() override { return file_; }
  [[nodiscard]] Result<void> save(HostSpec const& spec) override;
  // DaemonLink.
  void send(HostStatus const& status) override;
  void heartbeat(std::uint64_t number) override;

 private:
  struct Life {
    std::unique_ptr<SimHypervisor> hypervisor;
    std::unique_ptr<agent::Driver> driver;
    Instant stalled_until{};
    Instant slow_until{};
    std::deque<std::function<void()>> held;  // while stalled or slow
    bool is_draining = false;
  };

  // Runs now, or when the stalled process runs again.
  void run(std::function<void()> work);
  void drain(std::shared_ptr<Life> const& life);
  void tick(std::shared_ptr<Life> const& life);

  Cluster& cluster_;
  std::size_t index_;
  Machine machine_;
  DriftingClock clock_;
  std::optional<HostSpec> file_;
  std::shared_ptr<Life> life_;
  bool is_powered_ = true;
  std::map<std::uint64_t, Instant> beats_sent_;  // of this life; by the world's clock
};

class SimDaemon final : public DaemonEnd, public driver::AgentLink, public driver::Observer {
 public:
  explicit SimDaemon(Cluster& cluster);

  std::function<void()> on_crash;  // the clients notice

  void start();
  void crash();
  [[nodiscard]] bool is_up() const { return driver_ != nullptr; }
  [[nodiscard]] driver::Driver const* driver() const { return driver_.get(); }
  [[nodiscard]] SimStore* store() { return store_.get(); }
  [[nodiscard]] DriftingClock& clock() { return clock_; }
  [[nodiscard]] WallTime wall() { return clock_.now().wall; }
  void fill_store(Duration length);
  // As a front would: queued, decided in order. A dead daemon never answers.
  void submit(core::Input input, core::Gate::Done done);
  // Runs the world until it is answered; for the set-up, when nothing fails.
  Result<core::Reply> call(core::Input input);

  // DaemonEnd.
  void on_hello(std::size_t host) override;
  void on_message(std::size_t host, Upward message) override;
  void on_gone(std::size_t host) override;
  // driver::AgentLink.
  void send(HostSpec const& spec) override;
  void grant_lease(HostId const& host, std::uint64_t heartbeat) override;
  void drop(HostId const& host) override;
  void read_console(HostId const& host, InstanceId const& instance, ConsoleDone done) override;
  // driver::Observer.
  void decided(core::Input const& input, Result<core::Decision> const& decision,
               Duration took) override;
  void committed(std::vector<core::Change> const& changes, std::size_t inputs,
                 Duration took) override;

 private:
  struct Call {
    core::Input input;
    core::Gate::Done done;
  };

  void pump();
  void want_pump();
  void tick(std::uint64_t life);

  Cluster& cluster_;
  DriftingClock clock_;
  store::MemoryDisk disk_;
  Instant full_until_{};
  std::unique_ptr<SimStore> store_;
  std::unique_ptr<driver::Driver> driver_;
  std::deque<Call> queue_;
  std::uint64_t life_ = 0;
  bool is_pump_due_ = false;
  std::uint64_t commits_since_check_ = 0;
};

class Cluster {
 public:
  Cluster(World& world, Options const& options);

  // Zones, types, images, tenants, hosts; then the agents start. Nothing fails yet.
  void set_up();

  // Where the last machine that said it is this host is connected.
  [[nodiscard]] std::optional<std::size_t> index_of(HostId const& id) const;
  void route(HostId const& id, std::size_t index) { by_id_[id] = index; }
  // A real host, or the impostor, who has the last place in the network.
  [[nodiscard]] SimHost& host_at(std::size_t index) {
    return index < hosts.size() ? *hosts[index] : *impostor;
  }
  // Another machine with the identity of `host`, but for its UUID.
  void begin_impostor(std::size_t host);
  void end_impostor();
  // The real one.
  [[nodiscard]] Machine const* machine_of(HostId const& id) const;
  // What the fault meets, for the coverage.
  void hit_host(Fault fault, HostId const& host);
  void hit_instance(Fault fault, InstanceId const& instance);
  void hit_all(Fault fault);

  World& world;
  Options options;  // calmed when the storm is over
  Checkers checkers;
  Network network;
  SimDaemon daemon;
  std::vector<std::unique_ptr<SimHost>> hosts;
  std::unique_ptr<SimHost> impostor;
  std::vector<std::string> zones;
  struct Tenant {
    TenantId id;
    AccessKeyId key;
    std::string private_image;
  };
  std::vector<Tenant> tenants;
  std::vector<std::string> public_images;
  std::vector<std::string> types;

 private:
  Result<core::Reply> admin(std::string name, core::AdminAction action);
  void set_up_catalogue();
  void set_up_tenants();
  void set_up_hosts();

  std::map<HostId, std::size_t> by_id_;     // of the connection
  std::map<HostId, std::size_t> machines_;  // of the real one
  std::uint64_t requests_ = 0;
};

[[nodiscard]] HostInventory inventory_of(Options const& options);

}  // namespace berth::sim
