#include "tests/sim/checkers.h"

#include <algorithm>
#include <utility>

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
  groups_.on_committed(changes);
  for (core::Change const& change : changes) {
    if (auto const* put = std::get_if<core::PutInstance>(&change)) on_instance(put->instance);
    if (auto const* erase = std::get_if<core::EraseInstance>(&change)) on_erased(erase->id);
    if (auto const* put_host = std::get_if<core::PutHost>(&change)) {
      if (put_host->host.is_cordoned)
        cordoned_.insert(put_host->host.id);
      else
        cordoned_.erase(put_host->host.id);
    }
    if (auto const* audit = std::get_if<core::AppendAudit>(&change)) on_audit(audit->record);
    if (auto const* region = std::get_if<core::PutRegion>(&change)) {
      if (region->region.term < term_) world_.violated("I7: a term is less than the one before");
      term_ = region->region.term;
    }
  }
}

Checkers::Durable Checkers::durable(Instance const& i) {
  return {.state = core::instance_state(i),
          .wanted = i.wanted,
          .placement = i.placement,
          .uuid = i.uuid,
          .starts = i.starts_wanted,
          .reboots = i.reboots_wanted,
          .memory = i.memory,
          .ended = i.ended,
          .is_shut_down_inside = i.state_reason.code == "Client.InstanceInitiatedShutdown",
          .is_known_stopped = i.wanted != Wanted::running && i.seen == Seen::stopped,
          .own_cpus =
              i.is_cpu_dedicated && i.placement ? i.placement->cpus : std::vector<std::int32_t>()};
}

void Checkers::on_new(Instance const& instance) {
  InstanceState const state = core::instance_state(instance);
  if (state != InstanceState::pending) {
    world_.violated("I11: " + instance.id.value + " began as " + std::string(core::name(state)));
  }
  if (instance.placement && cordoned_.contains(instance.placement->host)) {
    world_.violated("I4: " + instance.id.value + " was placed on the cordoned " +
                    instance.placement->host.value);
  }
}

// What a guest did itself must have been done by it, in this very start.
void Checkers::on_shut_down_told(Instance const& instance, bool was_told) {
  auto const inside = shut_down_inside_.find(instance.id);
  if (!was_told && (inside == shut_down_inside_.end() || inside->second < instance.starts_wanted)) {
    world_.violated("I11: " + instance.id.value +
                    " is said to have shut itself down since its last start, and has not");
  }
  if (instance.shutdown_behavior == ShutdownBehavior::terminate &&
      instance.wanted != Wanted::terminated && !was_told) {
    world_.violated("I11: " + instance.id.value +
                    " shut itself down and was to be terminated by that");
  }
}

void Checkers::on_instance(Instance const& instance) {
  InstanceState const state = core::instance_state(instance);
  auto const [it, is_new] = durable_.try_emplace(instance.id);
  Durable& known = it->second;
  if (is_new) {
    on_new(instance);
  } else {
    // A guest shut itself down, its host was cut off and rebooted before it could hear of it, and
    // started the guest again from the spec it had: shown as what it is, until it is down again.
    bool const has_returned = known.state == InstanceState::stopped &&
                              state == InstanceState::stopping &&
                              began_again_.contains(instance.id);
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
    if (known.placement && instance.placement &&
        !instance.placement->is_at(known.placement->host, known.placement->generation)) {
      world_.violated("I8: " + instance.id.value + " moved without evidence that it had stopped");
    }
  }
  if (instance.starts_wanted > known.starts) began_again_.erase(instance.id);
  if (state != known.state || is_new) {
    world_.note("state", instance.id.value, core::name(state));
  }
  bool const was_told = known.is_shut_down_inside;
  Durable const before = std::exchange(known, durable(instance));
  check_own_cpus(instance.id, known, is_new ? known : before);
  if (known.is_shut_down_inside) on_shut_down_told(instance, was_told);
}

void Checkers::on_erased(InstanceId const& id) {
  auto const known = durable_.find(id);
  if (known == durable_.end() || known->second.state != InstanceState::terminated) {
    world_.violated("I2: the record of " + id.value + " went before it had ended");
  } else if (known->second.ended + promises_.terminated_retention > wall_highest_) {
    world_.violated("I2: the record of " + id.value + " went before it was shown long enough");
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
  groups_.on_loaded(state);
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
  for (auto const& [id, instance] : state.instances) { durable_[id] = durable(instance); }
  cordoned_.clear();
  for (auto const& [id, host] : state.hosts) {
    if (host.is_cordoned) cordoned_.insert(id);
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
  saved_ever_[host] = std::max(saved_ever_[host], order);
  for (InstanceSpec const& i : spec.instances) {
    std::pair const key{host, i.id};
    if (i.power == Power::running) {
      std::uint64_t& starts = starts_saved_[key];
      starts = std::max(starts, i.starts);
    } else if (i.power == Power::stopped) {
      stops_saved_.insert(key);
    }
  }
}

void Checkers::on_lease(HostId const& host, Instant granted, Instant counted_from) {
  // The daemon counts from its answer. Clocks that drift are not part of this: each has its margin.
  if (counted_from > granted + milliseconds(1)) {
    world_.violated("I8: " + host.value + " counts its lease from after the daemon's answer");
  }
}

void Checkers::on_power_cut(HostId const& host) {
  std::erase_if(ended_inside_, [&](auto const& entry) { return entry.second == host; });
}

void Checkers::on_state(core::State const& state) {
  std::vector<std::string> const broken = core::broken_invariants(state);
  if (!broken.empty()) world_.violated("I5: " + broken.front());
  // Its host is fuller than anybody decided, also while the report of it is not durable yet.
  bool const has_returned =
      !returned_.empty() || std::ranges::any_of(began_again_, [&](InstanceId const& id) {
        auto const known = durable_.find(id);
        return known != durable_.end() && known->second.is_known_stopped;
      });
  if (has_returned) return;
  std::vector<std::string> const exceeded = core::exceeded_limits(state);
  if (!exceeded.empty()) world_.violated("I4, I6: " + exceeded.front());
}

void Checkers::on_process_began(HostId const& host, InstanceId const& id) {
  groups_.on_process_began(host, id);
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
  if (ended_inside_.erase(id) > 0 && known != durable_.end() &&
      known->second.starts <= shut_down_inside_[id]) {
    world_.violated("I11: " + id.value + " shut itself down and was started again unasked");
  }
  ran_.insert(id);
  if (shut_down_inside_.contains(id)) began_again_.insert(id);
  check_room(host, id);
}

// I4 by the ground truth: what really runs on a host fits into it. What its record calls stopped
// has given its room back, and runs only because its host knows no better yet.
void Checkers::check_room(HostId const& host, InstanceId const& beginning) {
  Mebibytes sum;
  for (auto const& [id, on] : runs_on_) {
    auto const known = durable_.find(id);
    if (on != host || known == durable_.end()) continue;
    if (known->second.is_known_stopped || returned_.contains(id)) return;
    sum += known->second.memory;
  }
  if (sum > promises_.host_memory) {
    world_.violated("I4: with " + beginning.value + " the guests on " + host.value + " have " +
                    std::to_string(sum.value) + " MiB of memory, it may sell " +
                    std::to_string(promises_.host_memory.value));
  }
}

void Checkers::on_shut_down_inside(InstanceId const& id, std::uint64_t starts) {
  shut_down_inside_[id] = std::max(shut_down_inside_[id], starts);
  auto const on = runs_on_.find(id);
  auto const known = durable_.find(id);
  if (known == durable_.end() || !known->second.placement) return;
  ended_inside_[id] = on != runs_on_.end() ? on->second : known->second.placement->host;
}

void Checkers::on_disk_made(HostId const& host, InstanceId const& id) {
  if (ran_.contains(id)) {
    world_.violated("I2: " + host.value + " gives " + id.value +
                    " a fresh disk, and it ran with another before");
  }
}

// I7: an agent stores a spec before it acts on it, or it falls back behind it when it starts again.
void Checkers::check_is_stored(HostId const& host, agent::Action const& action) {
  std::pair const key{host, InstanceId(agent::subject(action))};
  auto const* start = std::get_if<agent::StartInstance>(&action);
  auto const starts = starts_saved_.find(key);
  bool const is_unknown_start =
      start != nullptr && (starts == starts_saved_.end() || starts->second < start->spec.starts);
  bool const is_unknown_stop =
      std::holds_alternative<agent::ShutDownInstance>(action) && !stops_saved_.contains(key);
  if (is_unknown_start || is_unknown_stop) {
    world_.violated("I7: " + host.value + " acts on " + key.second.value +
                    " as in a spec that it has not stored");
  }
}

void Checkers::on_process_ended(HostId const& host, InstanceId const& id, End why) {
  groups_.on_process_ended(id);
  if (runs_on_.erase(id) != 1) world_.violated("simulator: " + id.value + " ended but did not run");
  if (why != End::by_action) return;
  auto const known = durable_.find(id);
  if (known != durable_.end() && known->second.wanted == Wanted::running) {
    world_.violated("I15: " + id.value + " on " + host.value + " was stopped though it should run");
  }
}

void Checkers::on_action(HostId const& host, agent::Action const& action) {
  check_is_stored(host, action);
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
  if (saved_ever_[host] < claimed) {
    world_.violated("I7: " + host.value + " removes by a spec that it has not stored");
  }
  auto const record = durable_.find(removal->id);
  if (record != durable_.end() && record->second.uuid != removal->uuid) {
    world_.violated("I12: the removal of " + removal->id.value + " names another UUID");
  }
}

HostId Checkers::host_of(InstanceId const& id) const {
  auto const known = durable_.find(id);
  return known != durable_.end() && known->second.placement ? known->second.placement->host
                                                            : HostId();
}

void Checkers::on_identity(HostId const& host, bool is_its_machine, bool is_accepted) {
  if (is_its_machine == is_accepted) return;
  world_.violated("I7: " + host.value +
                  (is_accepted ? ": another machine was taken for it"
                               : ": the host's own machine was refused"));
}

void Checkers::for_each_phase(
    std::function<Machine const*(HostId const&)> const& machine,
    std::function<void(InstanceId const&, HostId const&, Phase)> const& see) const {
  for (auto const& [id, known] : durable_) {
    if (!known.placement) continue;
    HostId const& host = known.placement->host;
    Machine const* const on = machine(host);
    if (on == nullptr) continue;
    auto const domain = on->domains.find(id);
    Phase phase = Phase::running;
    switch (known.state) {
      case InstanceState::pending:
        phase = known.starts > 1 ? Phase::starting : Phase::launching;
        break;
      case InstanceState::running:
        if (domain != on->domains.end() && domain->second.reboots < known.reboots)
          phase = Phase::rebooting;
        break;
      case InstanceState::stopping: phase = Phase::stopping; break;
      case InstanceState::stopped: phase = Phase::stopped; break;
      case InstanceState::shutting_down:
      case InstanceState::terminated:
        phase = domain == on->domains.end() && !on->disks.contains(id) ? Phase::unconfirmed
                                                                       : Phase::terminating;
        break;
    }
    see(id, host, phase);
  }
}

std::string Checkers::disagreement(core::State const& state,
                                   std::vector<Machine const*> const& machines) {
  for (Machine const* machine : machines) {
    for (InstanceId const& id : machine->leftovers) {
      if (!machine->domains.contains(id) || !machine->disks.contains(id)) {
        return "I12: " + id.value + " of nobody is gone from " + machine->id().value;
      }
    }
    for (auto const& [id, disk] : machine->disks) {
      if (machine->leftovers.contains(id)) continue;
      Instance const* i = core::find(state.instances, id);
      if (i == nullptr || !i->placement || !i->placement->is_at(machine->id(), disk.generation)) {
        return "I5: a disk of " + id.value + " is left on " + machine->id().value;
      }
    }
    for (auto const& [id, domain] : machine->domains) {
      if (machine->leftovers.contains(id)) continue;
      Instance const* i = core::find(state.instances, id);
      if (i == nullptr || !i->placement || !i->placement->is_at(machine->id(), domain.generation)) {
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
  for (Machine const* machine : machines) {
    if (std::string found = misplaced(state, *machine); !found.empty()) return found;
  }
  return "";
}

}  // namespace berth::sim
