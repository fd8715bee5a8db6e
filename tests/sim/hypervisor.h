#pragma once
// A pretend host. `Machine` is what stays when the agent dies: domains with their metadata, disks,
// cached images, other people's domains. `SimHypervisor` is one agent's hold on it and dies with
// the agent: what was handed to the machine goes on, what was not is lost, and nobody is called
// back.
//
// The steps of an action are those of agent/hypervisor/libvirt.cc, because what a crash leaves
// between two of them is what matters: define with `is_starting`, create paused, write the
// metadata, resume, write the metadata.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/hypervisor/hypervisor.h"
#include "tests/sim/options.h"
#include "tests/sim/world.h"

namespace berth::sim {

// What happens to guests, for the checkers. Called at the very moment.
class GuestWatch {
 public:
  virtual ~GuestWatch() = default;
  enum class End { by_itself, by_fault, by_action };
  virtual void on_process_began(HostId const& host, InstanceId const& id) = 0;
  virtual void on_process_ended(HostId const& host, InstanceId const& id, End why) = 0;
  // A guest shut itself down, in the process that was begun at this count of starts.
  virtual void on_shut_down_inside(InstanceId const& /*id*/, std::uint64_t /*starts*/) {}
  virtual void on_disk_made(HostId const& /*host*/, InstanceId const& /*id*/) {}
  // A fault of the hypervisor met the action on it.
  virtual void on_fault(Fault /*fault*/, std::string const& /*subject*/) {}
  virtual void on_fault_of_host(Fault /*fault*/, HostId const& /*host*/) {}
  // An action is about to touch the domain or the disk.
  virtual void on_action(HostId const& host, agent::Action const& action) = 0;
};

struct SimDomain {
  enum class Process { none, paused, running };

  PlacementGeneration generation;
  std::string uuid;
  std::uint64_t reboots = 0;
  std::uint64_t starts = 0;
  bool stopped_by_us = false;
  bool is_starting = false;
  bool is_ended_while_starting = false;  // it powered itself off before that was written
  bool is_crashed = false;  // has no process, and libvirt says that it did not end well
  std::string boot_id;
  Process process = Process::none;
  std::uint64_t run = 0;  // counts processes; a late event of an earlier one is void
  std::string private_ip;
  agent::Pins pins;  // of its process
};

struct SimDisk {
  PlacementGeneration generation;
  std::string image;
};

class Machine {
 public:
  Machine(World& world, GuestWatch& watch, HostId id, std::string uuid);

  [[nodiscard]] HostId const& id() const { return id_; }
  [[nodiscard]] std::string const& uuid() const { return uuid_; }
  [[nodiscard]] std::string const& boot_id() const { return boot_id_; }

  // Faults and the outside world. A guest that runs not is left alone.
  void power_cut();
  void boot();
  bool kill_guest(InstanceId const& id);
  bool end_guest(InstanceId const& id);
  void wipe();  // while it is off: no disk, no image is left
  // One that does not run and has its disk.
  [[nodiscard]] bool can_lose_domain(InstanceId const& id) const;
  void lose_domain(InstanceId const& id);
  void add_leftover(InstanceId const& id);
  void add_foreign(std::string const& name) { foreign.insert(name); }
  [[nodiscard]] bool is_running(InstanceId const& id) const;
  // One that runs, rather one that has not been up for long; or none.
  [[nodiscard]] std::optional<InstanceId> any_running(Entropy& entropy) const;

  // Used by SimHypervisor.
  void begin_process(InstanceId const& id, SimDomain& domain);
  void end_process(InstanceId const& id, SimDomain& domain, GuestWatch::End why);
  [[nodiscard]] agent::Observed observed() const;

  std::map<InstanceId, SimDomain> domains;
  std::map<InstanceId, SimDisk> disks;
  std::set<std::string> images;
  std::set<std::string> foreign;
  std::set<InstanceId> leftovers;  // ours by their metadata, made by nobody that we know
  std::function<void()> hint;      // of the agent that is there now

 private:
  World& world_;
  GuestWatch& watch_;
  HostId id_;
  std::string uuid_;
  std::string boot_id_;
  std::uint64_t addresses_ = 0;

  friend class SimHypervisor;
};

class SimHypervisor final : public agent::Hypervisor {
 public:
  // An image whose digest is all zeros cannot be fetched from anywhere.
  SimHypervisor(World& world, Options const& options, Machine& machine, HostInventory inventory);
  ~SimHypervisor() override;

  void observe(ObserveDone done) override;
  void perform(agent::Action const& action, ActionDone done) override;
  void read_console(InstanceId const& id, std::size_t bytes_max, ConsoleDone done) override;
  [[nodiscard]] Result<HostInventory> inventory() override { return inventory_; }
  [[nodiscard]] Result<std::string> host_uuid() override { return machine_.uuid(); }
  void on_change(std::function<void()> hint) override { machine_.hint = std::move(hint); }

 private:
  // Runs `step` later, unless this agent has died meanwhile.
  void later(Duration delay, std::function<void()> step);
  void answer(ActionDone done, Result<void> result);
  // Conflict when a foreign domain has the name, or ours is of another generation.
  Result<SimDomain*> own(InstanceId const& id, std::optional<PlacementGeneration> generation);

  void fetch(agent::FetchImage const& a, ActionDone done);
  void start(agent::StartInstance const& a, ActionDone done);
  void define_and_create(agent::StartInstance const& a, ActionDone done);
  void let_run(InstanceId const& id, ActionDone done);
  Result<void> shut_down(agent::ShutDownInstance const& a);
  Result<void> power_off(agent::PowerOffInstance const& a);
  Result<void> reboot(agent::RebootInstance const& a);
  Result<void> remove(agent::RemoveInstance const& a);
  Result<void> evict(agent::EvictImage const& a);
  Result<void> pin(agent::PinInstance const& a);
  // Of `pins`, what this host has is applied; an error names a CPU that it has not.
  Result<void> apply(SimDomain& domain, agent::Pins const& pins);

  World& world_;
  Options const& options_;
  Machine& machine_;
  HostInventory inventory_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace berth::sim
