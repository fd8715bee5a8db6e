#pragma once
// Checkers: what must hold whatever happens (TRUST §1), judged from the ground truth: what the
// store made durable, what the machines really run, what clients were really told. They share no
// code with what they judge, but for the words and core::broken_invariants, which recounts.

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "daemon/core/change.h"
#include "daemon/core/reply.h"
#include "daemon/core/state.h"
#include "daemon/store/store.h"
#include "tests/sim/hypervisor.h"
#include "tests/sim/world.h"

namespace berth::sim {

class Checkers final : public GuestWatch {
 public:
  explicit Checkers(World& world) : world_(world) {}

  // A batch became durable, and the daemon was told.
  void on_committed(std::vector<core::Change> const& changes);
  // A daemon has started from what the store had.
  void on_loaded(core::State const& state, store::Store& store);
  // A client was told that its mutation succeeded.
  void on_acknowledged(std::string const& request_id);
  // The daemon sends, the agent accepts, the agent's file is lost.
  void on_spec_sent(HostSpec const& spec);
  void on_spec_saved(HostId const& host, HostSpec const& spec);
  void on_files_lost(HostId const& host) { saved_.erase(host); }
  // I4, I6 and the recounts. Costly: not at each event.
  void on_state(core::State const& state);
  // Its record went after it had ended: a listing need not show it any more.
  [[nodiscard]] bool was_reaped(std::string const& id) const {
    return reaped_.contains(InstanceId(id));
  }
  // How the hosts and the records agree when nothing is under way (I5). Empty: they do.
  [[nodiscard]] static std::string disagreement(core::State const& state,
                                                std::vector<Machine const*> const& machines);

  // GuestWatch.
  void on_process_began(HostId const& host, InstanceId const& id) override;
  void on_process_ended(HostId const& host, InstanceId const& id, End why) override;
  void on_action(HostId const& host, agent::Action const& action) override;

 private:
  struct Durable {
    core::InstanceState state = core::InstanceState::pending;
    Wanted wanted = Wanted::running;
    std::optional<Placement> placement;
    std::string uuid;
    std::uint64_t starts = 0;
  };
  using Order = std::pair<Term, Generation>;

  void on_instance(Instance const& instance);
  void on_erased(InstanceId const& id);
  void on_audit(core::AuditRecord const& record);

  World& world_;
  std::map<InstanceId, Durable> durable_;
  std::set<InstanceId> reaped_;
  std::set<InstanceId> returned_;  // run though they were stopped; their host shuts them down again
  std::map<InstanceId, HostId> runs_on_;
  // When each tombstone was first sent.
  std::map<std::pair<HostId, std::pair<InstanceId, PlacementGeneration>>, Order> tombstones_;
  std::map<HostId, Order> sent_;
  std::map<HostId, Order> saved_;
  Term term_;
  std::uint64_t audit_number_ = 0;
  std::string audit_digest_;
  std::map<std::string, int> audits_;   // by request id
  std::set<std::string> acknowledged_;  // request ids
};

}  // namespace berth::sim
