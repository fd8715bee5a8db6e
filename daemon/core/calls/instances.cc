// Start, stop, reboot, terminate, modify. Each batch is all or nothing: one bad id stops it.

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/cpu_sets.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

Error no_instances() {
  return Error{Code::invalid, "combination", "No instances specified"};
}

Error wrong_state(Instance const& instance, std::string_view verb) {
  return Error{Code::conflict, "instance-state",
               "The instance '" + instance.id.value + "' is not in a state from which it can be " +
                   std::string(verb) + "; it is " + std::string(name(instance_state(instance)))};
}

Error no_room(Instance const& instance) {
  return Error{Code::no_capacity, "instance",
               "We currently do not have sufficient " + instance.type.value +
                   " capacity to start the instance '" + instance.id.value + "' in " +
                   instance.zone.value};
}

StateChange change_of(Instance const& before, Instance const& after) {
  return {.id = before.id, .previous = instance_state(before), .current = instance_state(after)};
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller, StartInstances const& ask,
                      Context& context) {
  if (ask.ids.empty()) return no_instances();
  Decision decision;
  StateChanges reply;
  placement::Usage more;
  placement::Draft draft(state.derived.placer);
  CpuDraft cpus(state);
  for (Instance const* instance : TRY(own_instances(state, caller.tenant, ask.ids))) {
    InstanceState const now = instance_state(*instance);
    Instance next = *instance;
    if (now == InstanceState::stopped) {
      placement::Need const need = need_of(instance->vcpus, instance->memory, instance->disk_gib,
                                           instance->is_cpu_dedicated, state.policy);
      // On the host of its disk, with the same judgement as a new one; a cordon keeps new instances
      // away, not those that live there.
      std::optional<placement::Place> const place =
          draft.place_on(instance->placement->host, need.room);
      if (!place && !PLANTED(start_without_room)) { return no_room(*instance); }
      if (place) next.placement->cells = place->cells;
      if (place && instance->is_cpu_dedicated) {
        std::optional<std::vector<std::int32_t>> own =
            cpus.choose(next.placement->host, next.placement->cells, instance->vcpus);
        if (!own) return no_room(*instance);
        next.placement->cpus = std::move(*own);
      } else {
        next.placement->cpus.clear();
      }
      more += {.vcpus = instance->vcpus, .memory = instance->memory};
      next.wanted = Wanted::running;
      next.seen = Seen::preparing;
      next.seen_reason.clear();
      ++next.starts_wanted;
      next.launch_time = context.now.wall;
      next.state_reason = {};
      next.transition_reason.clear();
      decision.changes.emplace_back(PutInstance{next});
    } else if (now != InstanceState::running && now != InstanceState::pending) {
      return wrong_state(*instance, "started");
    }
    reply.items.push_back(change_of(*instance, next));
  }
  if (!PLANTED(start_without_quota)) TRY(check_quota(state, caller.tenant, more));
  decision.reply = std::move(reply);
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, StopInstances const& ask,
                      Context& context) {
  if (ask.ids.empty()) return no_instances();
  Decision decision;
  StateChanges reply;
  for (Instance const* instance : TRY(own_instances(state, caller.tenant, ask.ids))) {
    InstanceState const now = instance_state(*instance);
    Instance next = *instance;
    if (now == InstanceState::running) {
      if (instance->disable_api_stop) {
        return Error{
            Code::forbidden, "stop-protection",
            "The instance '" + instance->id.value +
                "' may not be stopped. Modify its 'disableApiStop' instance attribute and try "
                "again."};
      }
      next.wanted = Wanted::stopped;
      next.state_reason = {"Client.UserInitiatedShutdown",
                           "Client.UserInitiatedShutdown: User initiated shutdown"};
      next.transition_reason = transition_reason("User initiated", context.now.wall);
      decision.changes.emplace_back(PutInstance{next});
    } else if (now != InstanceState::stopping && now != InstanceState::stopped) {
      // EC2 refuses a pending one too; waiters depend on it never going pending -> stopping.
      return wrong_state(*instance, "stopped");
    }
    reply.items.push_back(change_of(*instance, next));
  }
  decision.reply = std::move(reply);
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, RebootInstances const& ask,
                      Context&) {
  if (ask.ids.empty()) return no_instances();
  Decision decision{.reply = Done{}};
  for (Instance const* instance : TRY(own_instances(state, caller.tenant, ask.ids))) {
    InstanceState const now = instance_state(*instance);
    if (now == InstanceState::pending) continue;  // it is booting anyway
    if (now != InstanceState::running) return wrong_state(*instance, "rebooted");
    Instance next = *instance;
    ++next.reboots_wanted;
    decision.changes.emplace_back(PutInstance{std::move(next)});
  }
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, TerminateInstances const& ask,
                      Context& context) {
  if (ask.ids.empty()) return no_instances();
  Decision decision;
  StateChanges reply;
  for (Instance const* instance : TRY(own_instances(state, caller.tenant, ask.ids))) {
    Instance next = *instance;
    if (instance->wanted != Wanted::terminated) {
      if (instance->disable_api_termination && !PLANTED(protection_ignored)) {
        return Error{
            Code::forbidden, "termination-protection",
            "The instance '" + instance->id.value +
                "' may not be terminated. Modify its 'disableApiTermination' instance attribute "
                "and try again."};
      }
      next.wanted = Wanted::terminated;
      if (PLANTED(ended_at_terminate)) next.placement.reset();
      next.state_reason = {"Client.UserInitiatedShutdown",
                           "Client.UserInitiatedShutdown: User initiated shutdown"};
      next.transition_reason = transition_reason("User initiated", context.now.wall);
      decision.changes.emplace_back(PutInstance{next});
    }
    reply.items.push_back(change_of(*instance, next));
  }
  decision.reply = std::move(reply);
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, ModifyInstance const& ask,
                      Context&) {
  Instance const* instance = TRY(own_instance(state, caller.tenant, ask.id));
  InstanceState const now = instance_state(*instance);
  if (now == InstanceState::terminated || now == InstanceState::shutting_down) {
    return wrong_state(*instance, "modified");
  }
  if ((ask.user_data || ask.type) && now != InstanceState::stopped) {
    return Error{Code::conflict, "instance-state",
                 "The instance '" + ask.id + "' is not in the 'stopped' state."};
  }
  Instance next = *instance;
  if (ask.disable_api_termination) next.disable_api_termination = *ask.disable_api_termination;
  if (ask.disable_api_stop) next.disable_api_stop = *ask.disable_api_stop;
  if (ask.ebs_optimized) next.ebs_optimized = *ask.ebs_optimized;
  if (ask.shutdown_behavior) next.shutdown_behavior = *ask.shutdown_behavior;
  if (ask.user_data) {
    if (ask.user_data->size() > limits::kUserDataBytesMax) {
      return Error{Code::invalid, "user-data",
                   "User data is limited to " + std::to_string(limits::kUserDataBytesMax) +
                       " bytes; found " + std::to_string(ask.user_data->size())};
    }
    next.user_data = *ask.user_data;
  }
  if (ask.type) {
    InstanceType const* type = find(state.types, TypeName(*ask.type));
    if (type == nullptr) {
      return Error{Code::invalid, "instance-attribute",
                   "Invalid value '" + *ask.type + "' for InstanceType."};
    }
    next.type = type->name;
    next.vcpus = type->vcpus;
    next.memory = type->memory;
    next.is_cpu_dedicated = type->is_cpu_dedicated;
  }
  Decision decision{.reply = Done{}};
  if (next != *instance) decision.changes.emplace_back(PutInstance{std::move(next)});
  return decision;
}

}  // namespace berth::core
