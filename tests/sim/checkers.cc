#include "tests/sim/checkers.h"

#include <algorithm>

#include "daemon/core/audit.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/invariants.h"

namespace berth::sim {

namespace {

using core::InstanceState;

// EC2's life cycle ("Instance lifecycle", the state diagram), with what may happen unseen between
// two commits: a guest that ends by itself passes "stopping" too quickly to be seen, and a start
// that fails goes back to stopped, or ends a launch.
bool may_follow(InstanceState from, InstanceState to) {
  if (from == to) return true;
  switch (from) {
    case InstanceState::pending:
      return true;  // a failed start is seen stopping until its host says so
    case InstanceState::running:
      return to == InstanceState::stopping || to == InstanceState::stopped ||
             to == InstanceState::shutting_down || to == InstanceState::terminated;
    case InstanceState::stopping:
      return to == InstanceState::stopped || to == InstanceState::shutting_down ||
             to == InstanceState::terminated;
    case InstanceState::stopped:
      return to == InstanceState::pending || to == InstanceState::shutting_down ||
             to == InstanceState::terminated;
    case InstanceState::shutting_down: return to == InstanceState::terminated;
    case InstanceState::terminated: return false;
  }
  return false;
}

}  // namespace

void Checkers::on_committed(std::vector<core::Change> const& changes) {
  for (core::Change const& change : changes) {
    if (auto const* put = std::get_if<core::PutInstance>(&change)) on_instance(put->instance);
    if (auto const* erase = std::get_if<core::EraseInstance>(&change)) on_erased(erase->id);
    if (auto const* audit = std::get_if<core::AppendAudit>(&change)) on_audit(audit->record);
    if (auto const* region = std::get_if<core::PutRegion>(&change)) {
      if (region->region.term < term_) world_.violated("I7: a term is less than the one before");
      term_ = region->region.term;
    }
  }
}

void Checkers::on_instance(Instance const& instance) {
  InstanceState const state = core::instance_state(instance);
  auto const [it, is_new] = durable_.try_emplace(instance.id);
  Durable& known = it->second;
  if (is_new) {
    if (state != InstanceState::pending) {
      world_.violated("I11: " + instance.id.value + " began as " + std::string(core::name(state)));
    }
  } else {
    // A guest shut itself down, its host was cut off and rebooted before it could hear of it, and
    // started the guest again from the spec it had: shown as what it is, until it is down again.
    bool const has_returned = known.state == InstanceState::stopped &&
                              state == InstanceState::stopping && runs_on_.contains(instance.id);
    if (has_returned) {
      world_.met("guest", "returned under an older spec");
      returned_.insert(instance.id);
    } else if (state != InstanceState::stopping) {
      returned_.erase(instance.id);
    }
    if (!has_returned && !may_follow(known.state, state)) {
      world_.violated("I11: " + instance.id.value + " went from " +
                      std::string(core::name(known.state)) + " to " +
                      std::string(core::name(state)));
    }
    if (known.wanted == Wanted::terminated && instance.wanted != Wanted::terminated) {
      world_.violated("I9: " + instance.id.value + " is wanted again after it was terminated");
    }
    if (known.placement && instance.placement && *known.placement != *instance.placement) {
      world_.violated("I8: " + instance.id.value + " moved without evidence that it had stopped");
    }
  }
  if (state != known.state || is_new) {
    world_.note("state", instance.id.value, core::name(state));
  }
  known = {.state = state,
           .wanted = instance.wanted,
           .placement = instance.placement,
           .uuid = instance.uuid,
           .starts = instance.starts_wanted};
}

void Checkers::on_erased(InstanceId const& id) {
  auto const known = durable_.find(id);
  if (known == durable_.end() || known->second.state != InstanceState::terminated) {
    world_.violated("I2: the record of " + id.value + " went before it had ended");
  }
  durable_.erase(id);
  returned_.erase(id);
  reaped_.insert(id);
}

void Checkers::on_audit(core::AuditRecord const& record) {
  if (record.number != audit_number_ + 1) {
    world_.violated("I13: audit record " + std::to_string(record.number) + " follows " +
                    std::to_string(audit_number_));
  }
  if (record.digest != core::chained_digest(audit_digest_, record)) {
    world_.violated("I13: the audit chain breaks at record " + std::to_string(record.number));
  }
  audit_number_ = record.number;
  audit_digest_ = record.digest;
  if (record.request_id.empty()) return;
  if (++audits_[record.request_id] > 1) {
    world_.violated("I13: two audit records for one request, " + record.request_id);
  }
}

void Checkers::on_loaded(core::State const& state, store::Store& store) {
  for (auto const& [id, known] : durable_) {
    Instance const* instance = core::find(state.instances, id);
    if (instance != nullptr) {
      if (known.wanted == Wanted::terminated && instance->wanted != Wanted::terminated) {
        world_.violated("I9: " + id.value + " came back with the daemon");
      }
    } else if (known.placement) {
      world_.violated("I2: " + id.value + " was durable and is not in the store any more");
    } else {
      reaped_.insert(id);
    }
  }
  std::erase_if(durable_,
                [&](auto const& entry) { return !state.instances.contains(entry.first); });
  for (auto const& [id, instance] : state.instances) {
    durable_[id] = {.state = core::instance_state(instance),
                    .wanted = instance.wanted,
                    .placement = instance.placement,
                    .uuid = instance.uuid,
                    .starts = instance.starts_wanted};
  }
  // A commit may have become durable without anybody having been told.
  Result<std::vector<core::AuditRecord>> const more = store.audit(audit_number_ + 1, 10'000);
  if (!more) {
    world_.violated("I13: the audit log cannot be read: " + more.error().message);
    return;
  }
  for (core::AuditRecord const& record : *more) on_audit(record);
  for (std::string const& request : acknowledged_) {
    if (!audits_.contains(request)) world_.violated("I13: no audit record for " + request);
  }
  if (state.region.audit_count != audit_number_ || state.region.audit_digest != audit_digest_) {
    world_.violated("I13: the daemon goes on from audit record " +
                    std::to_string(state.region.audit_count) + ", the store has " +
                    std::to_string(audit_number_));
  }
}

void Checkers::on_acknowledged(std::string const& request_id) {
  acknowledged_.insert(request_id);
  auto const it = audits_.find(request_id);
  if (it == audits_.end()) {
    world_.violated("I13: request " + request_id +
                    " was acknowledged without a durable audit record");
  }
}

void Checkers::on_spec_sent(HostSpec const& spec) {
  Order const order{spec.term, spec.generation};
  if (spec.term != term_) world_.violated("I7: a spec of a term that is not durable was sent");
  auto const last = sent_.find(spec.host);
  if (last != sent_.end() && order < last->second) {
    world_.violated("I7: the daemon sent " + spec.host.value + " an older spec after a newer one");
  }
  sent_[spec.host] = order;
  for (InstanceSpec const& i : spec.instances) {
    auto const known = durable_.find(i.id);
    if (known == durable_.end()) {
      world_.violated("I2: a spec names " + i.id.value + ", which is not durable");
      continue;
    }
    if (i.power != Power::absent) continue;
    if (known->second.wanted != Wanted::terminated) {
      world_.violated("I12: a tombstone was sent for " + i.id.value + ", which is not terminated");
    }
    tombstones_.try_emplace({spec.host, {i.id, i.generation}}, order);
  }
}

void Checkers::on_spec_saved(HostId const& host, HostSpec const& spec) {
  Order const order{spec.term, spec.generation};
  auto const [it, is_first] = saved_.try_emplace(host, order);
  if (!is_first && order <= it->second) {
    world_.violated("I7: " + host.value + " accepted a spec that is not newer than its last");
  }
  it->second = order;
}

void Checkers::on_state(core::State const& state) {
  std::vector<std::string> const broken = core::broken_invariants(state);
  if (!broken.empty()) world_.violated("I5: " + broken.front());
  if (!returned_.empty()) return;  // its host is fuller than anybody decided
  std::vector<std::string> const exceeded = core::exceeded_limits(state);
  if (!exceeded.empty()) world_.violated("I4, I6: " + exceeded.front());
}

void Checkers::on_process_began(HostId const& host, InstanceId const& id) {
  auto const [it, is_only] = runs_on_.try_emplace(id, host);
  if (!is_only) {
    world_.violated("I1: " + id.value + " runs on " + host.value + " and on " + it->second.value);
  }
  auto const known = durable_.find(id);
  if (known == durable_.end()) {
    world_.violated("I9: " + id.value + " runs on " + host.value + " without a durable record");
  } else if (!known->second.placement) {
    world_.violated("I9: " + id.value + " runs on " + host.value + " after it was terminated");
  } else if (known->second.placement->host != host) {
    world_.violated("I1: " + id.value + " runs on " + host.value + ", where it is not placed");
  }
}

void Checkers::on_process_ended(HostId const& host, InstanceId const& id, End why) {
  if (runs_on_.erase(id) != 1) world_.violated("simulator: " + id.value + " ended but did not run");
  if (why != End::by_action) return;
  auto const known = durable_.find(id);
  if (known != durable_.end() && known->second.wanted == Wanted::running) {
    world_.violated("I15: " + id.value + " on " + host.value + " was stopped though it should run");
  }
}

void Checkers::on_action(HostId const& host, agent::Action const& action) {
  auto const* removal = std::get_if<agent::RemoveInstance>(&action);
  if (removal == nullptr) return;
  auto const known = tombstones_.find({host, {removal->id, removal->generation}});
  if (known == tombstones_.end()) {
    world_.violated("I12: " + host.value + " removes " + removal->id.value +
                    " without a tombstone");
    return;
  }
  auto const& [term, generation] = known->second;
  std::size_t const slash = removal->reason.find('/');
  Order const claimed{Term(std::stoull("0" + removal->reason.substr(0, slash))),
                      Generation(std::stoull("0" + removal->reason.substr(slash + 1)))};
  if (slash == std::string::npos || claimed < Order{term, generation}) {
    world_.violated("I12: the removal of " + removal->id.value + " gives as its reason " +
                    removal->reason + ", where no tombstone is");
  }
  auto const record = durable_.find(removal->id);
  if (record != durable_.end() && record->second.uuid != removal->uuid) {
    world_.violated("I12: the removal of " + removal->id.value + " names another UUID");
  }
}

std::string Checkers::disagreement(core::State const& state,
                                   std::vector<Machine const*> const& machines) {
  for (Machine const* machine : machines) {
    for (auto const& [id, disk] : machine->disks) {
      Instance const* i = core::find(state.instances, id);
      if (i == nullptr || i->placement != Placement{machine->id(), disk.generation}) {
        return "I5: a disk of " + id.value + " is left on " + machine->id().value;
      }
    }
    for (auto const& [id, domain] : machine->domains) {
      Instance const* i = core::find(state.instances, id);
      if (i == nullptr || i->placement != Placement{machine->id(), domain.generation}) {
        return "I5: a domain of " + id.value + " is left on " + machine->id().value;
      }
    }
  }
  for (auto const& [id, instance] : state.instances) {
    InstanceState const s = core::instance_state(instance);
    std::string const is = id.value + " is " + std::string(core::name(s));
    if (s == InstanceState::terminated) continue;
    if (s != InstanceState::running && s != InstanceState::stopped) return "I14: " + is;
    auto const on = std::ranges::find(machines, instance.placement->host,
                                      [](Machine const* m) { return m->id(); });
    if (on == machines.end()) return "I5: " + is + " on a host that is not there";
    auto const domain = (*on)->domains.find(id);
    bool const runs =
        domain != (*on)->domains.end() && domain->second.process == SimDomain::Process::running;
    if (runs != (s == InstanceState::running)) {
      return "I5: " + is + ", its guest " + (runs ? "runs" : "does not run");
    }
  }
  return "";
}

}  // namespace berth::sim
