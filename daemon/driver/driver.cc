#include "daemon/driver/driver.h"

#include <algorithm>
#include <memory>

#include "berth/base/ensure.h"
#include "berth/base/plant.h"
#include "daemon/core/invariants.h"

namespace berth::driver {

namespace {

// Starting a guest takes seconds, so its host may hear of it this much later.
constexpr Duration kSpecInterval = milliseconds(50);

// What agents say and what a tick brings comes again by itself.
bool comes_again(core::Input const& input) {
  return std::holds_alternative<core::AgentHello>(input) ||
         std::holds_alternative<core::AgentHeartbeat>(input) ||
         std::holds_alternative<core::AgentReport>(input) ||
         std::holds_alternative<core::AgentGone>(input) ||
         std::holds_alternative<core::Tick>(input);
}

// A full store is given nothing new: whoever waits for it is told to come back.
Result<core::Decision> without_durable_changes(core::Input const& input, core::Decision decision) {
  if (std::ranges::none_of(decision.changes, core::is_durable)) return decision;
  if (comes_again(input)) return core::Decision{};
  return Error{Code::unavailable, "store",
               "changes cannot be stored at this moment (reads can be served); retry later"};
}

}  // namespace

Result<core::State> Driver::load(store::Store& store, core::Policy policy) {
  core::State state(std::move(policy));
  for (core::Change const& change : TRY(store.load())) core::absorb(state, change);
  state.derived.touched_specs.clear();
  std::vector<std::string> const broken = core::broken_invariants(state);
  if (!broken.empty()) {
    return Error{
        Code::corrupt, "store",
        "the stored records contradict each other: " + broken.front() +
            (broken.size() > 1 ? " (and " + std::to_string(broken.size() - 1) + " more)" : "")};
  }
  if (!state.region.name.empty() && state.region.name != state.policy.region) {
    return Error{Code::conflict, "region",
                 "the store is of region " + state.region.name + ", the configuration says " +
                     state.policy.region + "; give the right --region or another --data_dir"};
  }
  return state;
}

Driver::Driver(core::State state, Parts parts)
    : state_(std::move(state)), parts_(std::move(parts)) {}

void Driver::begin() {
  core::Context context{parts_.clock.now(), parts_.entropy, state_.policy};
  take(core::begin(state_, context));
  flush();
}

void Driver::on_input(core::Input input, core::Gate::Done done) {
  if (has_failed_) return;
  core::Context context{parts_.clock.now(), parts_.entropy, state_.policy};
  if (open_.inputs++ == 0) open_.opened = context.now.monotonic;
  Result<core::Decision> decided = core::decide(state_, input, context);
  if (decided && parts_.store.is_full()) {
    decided = without_durable_changes(input, *std::move(decided));
  }
  parts_.observer.decided(input, decided, parts_.clock.now().monotonic - context.now.monotonic);
  if (context.refusal) core::note_refusal(state_, *context.refusal);
  if (!decided) {
    // An agent that the core does not accept (removed, another machine) is cut off.
    if (auto const* hello = std::get_if<core::AgentHello>(&input)) open_.drop.insert(hello->host);
    if (auto const* report = std::get_if<core::AgentReport>(&input))
      open_.drop.insert(report->status.host);
    if (done) open_.replies.emplace_back(std::move(done), std::move(decided).error());
    return;
  }
  // A lease rests on nothing that is stored: it is granted at once, however slow the store is.
  if (auto const* beat = std::get_if<core::AgentHeartbeat>(&input)) {
    parts_.link.grant_lease(beat->host, beat->number);
  }
  core::Reply reply = std::move(decided->reply);
  take(*std::move(decided));
  if (done) open_.replies.emplace_back(std::move(done), std::move(reply));
}

void Driver::on_tick() {
  on_input(core::Tick{}, nullptr);
  parts_.observer.ticked(state_);
}

void Driver::take(core::Decision decision) {
  for (core::Change& change : decision.changes) {
    parts_.observer.changing(state_, change);
    core::absorb(state_, change);
    parts_.observer.changed(state_, change);
    if (core::is_durable(change)) open_.durable.push_back(std::move(change));
  }
  open_.resend.merge(state_.derived.touched_specs);
  state_.derived.touched_specs.clear();
  if (decision.resend) open_.resend.insert(*decision.resend);
  if (decision.drop) open_.drop.insert(*decision.drop);
}

bool Driver::is_full() const {
  return open_.inputs >= limits::kInputsPerBatchMax ||
         open_.durable.size() >= limits::kChangesPerCommitMax / 2;
}

// A spec is the whole of what a host should run. One that changes with every batch, because a fleet
// is being filled, is told at most so often; what waits is only told later, and newer.
void Driver::pace_specs(Batch& batch) {
  batch.resend.merge(std::exchange(spec_waits_, {}));
  std::erase_if(spec_sent_,
                [&](auto const& sent) { return sent.second + kSpecInterval <= batch.closed; });
  std::erase_if(batch.resend, [&](HostId const& host) {
    if (spec_sent_.try_emplace(host, batch.closed).second) return false;
    spec_waits_.insert(host);
    return true;
  });
}

void Driver::close(Batch& batch) {
  batch.closed = parts_.clock.now().monotonic;
  // The region's record carries the end of the audit chain: once per batch, in the commit that has
  // the records themselves, or a restart would begin the chain anew.
  bool const has_audit = std::ranges::any_of(batch.durable, [](core::Change const& change) {
    return std::holds_alternative<core::AppendAudit>(change);
  });
  if (has_audit && !PLANTED(audit_end_forgotten))
    batch.durable.emplace_back(core::PutRegion{state_.region});
  pace_specs(batch);
  for (HostId const& host : batch.resend) {
    if (state_.hosts.contains(host)) batch.specs.push_back(core::host_spec(state_, host));
  }
}

void Driver::flush() {
  if (is_in_flight_ || has_failed_) return;
  if (open_.is_empty() && spec_waits_.empty()) {
    // Heartbeats and ticks leave nothing to release. Counted on, they would fill the batch for
    // ever.
    if (!PLANTED(full_for_ever)) open_.inputs = 0;
    return;
  }
  close(open_);
  in_flight_ = std::exchange(open_, Batch{});
  if (PLANTED(replies_before_commit))
    for (auto& [done, reply] : std::exchange(in_flight_.replies, {})) done(std::move(reply));
  if (PLANTED(specs_before_commit))
    for (HostSpec const& spec : in_flight_.specs) parts_.link.send(spec);
  if (in_flight_.durable.empty()) {
    release(in_flight_);
    return;
  }
  is_in_flight_ = true;
  // The batch keeps its changes for the observer; the store gets a copy.
  parts_.store.commit(in_flight_.durable, [this](Result<void> result) {
    if (!parts_.post) {
      on_durable(std::move(result));
      return;
    }
    parts_.post([this, kept = std::make_shared<Result<void>>(std::move(result))] {
      on_durable(std::move(*kept));
    });
  });
}

void Driver::on_durable(Result<void> result) {
  ENSURE(is_in_flight_);
  is_in_flight_ = false;
  if (!result && !PLANTED(failed_commit_acknowledged)) {
    has_failed_ = true;
    parts_.on_store_failure(result.error());
    return;
  }
  Batch done = std::exchange(in_flight_, Batch{});
  parts_.observer.committed(done.durable, done.inputs, parts_.clock.now().monotonic - done.closed);
  release(done);
  flush();
}

void Driver::release(Batch& batch) {
  for (auto& [done, reply] : batch.replies) done(std::move(reply));
  for (HostSpec const& spec : batch.specs)
    parts_.link.send(PLANTED(specs_of_undurable_state) ? core::host_spec(state_, spec.host) : spec);
  for (HostId const& host : batch.drop) parts_.link.drop(host);
  if (batch.inputs > 0) parts_.observer.released(parts_.clock.now().monotonic - batch.opened);
}

}  // namespace berth::driver
