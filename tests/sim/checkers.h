#pragma once
// Checkers: what must hold whatever happens (TRUST §1), judged from the ground truth: what the
// store made durable, what the machines really run, what clients were really told. They share no
// code with what they judge, but for the words and core::broken_invariants, which recounts.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "daemon/core/change.h"
#include "daemon/core/reply.h"
#include "daemon/core/state.h"
#include "daemon/store/store.h"
#include "tests/sim/group_rules.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/world.h"

namespace berth::sim {

class Checkers final : public GuestWatch {
 public:
  // What a host may hold of memory; and how long an ended instance is listed.
  struct Promises {
    Mebibytes host_memory{std::int64_t{1} << 40};
    Duration terminated_retention{};
  };
  explicit Checkers(World& world) : Checkers(world, Promises()) {}
  Checkers(World& world, Promises const& promises)
      : world_(world), promises_(promises), groups_(world) {}

  // A batch became durable, and the daemon was told.
  void on_committed(std::vector<core::Change> const& changes);
  // What the daemon's clock says is the date; it may go backwards.
  void on_wall(WallTime now) { wall_highest_ = std::max(wall_highest_, now); }
  // A machine's hello or report was accepted, or refused.
  void on_identity(HostId const& host, bool is_its_machine, bool is_accepted);
  // A daemon has started from what the store had.
  void on_loaded(core::State const& state, store::Store& store);
  // A client was told that its mutation succeeded.
  void on_acknowledged(std::string const& request_id);
  // The daemon sends, the agent accepts, the agent's file is lost.
  void on_spec_sent(HostSpec const& spec);
  void on_spec_saved(HostId const& host, HostSpec const& spec);
  void on_files_lost(HostId const& host) { saved_.erase(host); }
  // An agent has just taken a lease that the daemon granted at `granted`, and counts it from
  // `counted_from`; both by the world's clock.
  void on_lease(HostId const& host, Instant granted, Instant counted_from);
  // All that ran there ended; what a guest said at its end is forgotten with the boot.
  void on_power_cut(HostId const& host);
  // The hypervisor forgot it, and how it ended.
  void on_domain_lost(InstanceId const& id) { ended_inside_.erase(id); }
  // I4, I6 and the recounts. Costly: not at each event.
  void on_state(core::State const& state);
  // Its record went after it had ended: a listing need not show it any more.
  [[nodiscard]] bool was_reaped(std::string const& id) const {
    return reaped_.contains(InstanceId(id));
  }
  // Where it is placed; empty: nowhere.
  [[nodiscard]] HostId host_of(InstanceId const& id) const;
  // What is under way at each instance that has a place; `machine` of a host: its own.
  void for_each_phase(
      std::function<Machine const*(HostId const&)> const& machine,
      std::function<void(InstanceId const&, HostId const&, Phase)> const& see) const;
  // How the hosts and the records agree when nothing is under way (I5). Empty: they do.
  [[nodiscard]] static std::string disagreement(core::State const& state,
                                                std::vector<Machine const*> const& machines);
  // How the guests that run on one machine sit otherwise than their records say: on their own
  // CPUs, or on what their cells have left when the own ones of others are taken off with their
  // whole cores. Empty: they sit so.
  [[nodiscard]] static std::string misplaced(core::State const& state, Machine const& machine);

  // GuestWatch.
  void on_process_began(HostId const& host, InstanceId const& id) override;
  void on_process_ended(HostId const& host, InstanceId const& id, End why) override;
  void on_action(HostId const& host, agent::Action const& action) override;
  void on_shut_down_inside(InstanceId const& id, std::uint64_t starts) override;
  void on_disk_made(HostId const& host, InstanceId const& id) override;
  void on_fault(Fault fault, std::string const& subject) override {
    if (on_fault_of_instance) on_fault_of_instance(fault, InstanceId(subject));
  }
  void on_fault_of_host(Fault fault, HostId const& host) override {
    if (on_host_fault) on_host_fault(fault, host);
  }
  // Whoever counts what faults met; may be empty.
  std::function<void(Fault, InstanceId const&)> on_fault_of_instance;
  std::function<void(Fault, HostId const&)> on_host_fault;

 private:
  struct Durable {
    core::InstanceState state = core::InstanceState::pending;
    Wanted wanted = Wanted::running;
    std::optional<Placement> placement;
    std::string uuid;
    std::uint64_t starts = 0;
    std::uint64_t reboots = 0;
    Mebibytes memory;
    WallTime ended;
    bool is_shut_down_inside = false;
    bool is_known_stopped = false;       // has given its CPUs and memory back
    std::vector<std::int32_t> own_cpus;  // those it has to itself, also when it is stopped
  };
  [[nodiscard]] static Durable durable(Instance const& instance);
  using Order = std::pair<Term, Generation>;

  void on_instance(Instance const& instance);
  void on_new(Instance const& instance);
  void on_shut_down_told(Instance const& instance, bool was_told);
  void on_erased(InstanceId const& id);
  void check_own_cpus(InstanceId const& id, Durable const& now, Durable const& before);
  void check_room(HostId const& host, InstanceId const& beginning);
  void check_is_stored(HostId const& host, agent::Action const& action);
  void on_audit(core::AuditRecord const& record);

  World& world_;
  Promises promises_;
  GroupRules groups_;
  WallTime wall_highest_;
  std::set<HostId> cordoned_;
  std::map<InstanceId, Durable> durable_;
  std::map<InstanceId, std::uint64_t> shut_down_inside_;  // at which count of starts, the last one
  std::map<InstanceId, HostId> ended_inside_;  // since its host booted, and not begun again
  std::set<InstanceId> began_again_;           // after they shut themselves down, in the same start
  std::set<InstanceId> ran_;
  std::set<InstanceId> reaped_;
  std::set<InstanceId> returned_;  // run though they were stopped; their host shuts them down again
  std::map<InstanceId, HostId> runs_on_;
  // When each tombstone was first sent.
  std::map<std::pair<HostId, std::pair<InstanceId, PlacementGeneration>>, Order> tombstones_;
  std::map<HostId, Order> sent_;
  std::map<HostId, Order> saved_;
  // Of all specs that each agent ever stored: the highest count of starts, and who was to stop.
  std::map<std::pair<HostId, InstanceId>, std::uint64_t> starts_saved_;
  std::set<std::pair<HostId, InstanceId>> stops_saved_;
  std::map<HostId, Order> saved_ever_;  // also those whose file was lost since
  Term term_;
  std::uint64_t audit_number_ = 0;
  std::string audit_digest_;
  std::map<std::string, int> audits_;   // by request id
  std::set<std::string> acknowledged_;  // request ids
};

}  // namespace berth::sim
