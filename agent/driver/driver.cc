#include "agent/driver/driver.h"

#include <algorithm>
#include <utility>

#include "berth/base/log.h"
#include "berth/base/plant.h"
#include "berth/model/limits.h"

namespace berth::agent {

namespace {

constexpr Duration kObserveInterval = seconds(5);
constexpr std::size_t kHeartbeatsKept = 16;

}  // namespace

Driver::Driver(Identity identity, HostInventory inventory, Parts parts)
    : identity_(std::move(identity)), inventory_(std::move(inventory)), parts_(std::move(parts)) {}

template <class Value>
std::function<void(Value)> Driver::posted(std::function<void(Value)> callback) {
  if (!parts_.post) return callback;
  return [post = parts_.post, callback = std::move(callback)](Value value) {
    post([callback, value = std::move(value)] { callback(value); });
  };
}

// A clone of a host's disks has its identity and its stored spec. Guests of it would run twice.
bool Driver::is_for_this_machine(HostSpec const& spec) const {
  if (spec.host != identity_.host) return false;
  bool const is_other = !spec.host_uuid.empty() && spec.host_uuid != identity_.host_uuid;
  if (is_other && !PLANTED(clone_obeys)) {
    log_error("a spec for another machine is not acted on: is this host a clone?",
              {{"host", spec.host.value}, {"for", spec.host_uuid}, {"this", identity_.host_uuid}});
    return false;
  }
  return true;
}

void Driver::begin() {
  // Not from one: the answer to a heartbeat of the agent's life before may still be on its way, and
  // would pass for the answer to a later one, with a lease that nobody gave.
  heartbeats_ = static_cast<std::uint64_t>(parts_.clock.now().monotonic.ns);
  Result<std::optional<HostSpec>> stored = parts_.specs.load();
  if (!stored) {
    log_warning("stored spec cannot be read; waiting for the daemon",
                {{"error", stored.error().message}});
  } else if (*stored && is_for_this_machine(**stored)) {
    spec_ = **stored;
  }
  observe();
}

void Driver::on_connected() {
  is_connected_ = true;
  reported_.reset();
  heartbeat_sent_.clear();
  heartbeat_at_ = parts_.clock.now().monotonic - limits::kHeartbeat;
  observe();
}

void Driver::on_gone() {
  is_connected_ = false;
}

void Driver::on_spec(HostSpec const& spec) {
  if (!is_for_this_machine(spec)) return;
  bool const is_behind = PLANTED(term_ignored) ? spec_ && spec.generation <= spec_->generation
                                               : spec_ && !is_newer(spec, *spec_);
  bool const is_old = is_behind && !PLANTED(older_specs_accepted);
  if (is_old) return;
  // Stored before it is acted on: after a restart this agent must not fall back behind it.
  HostSpec next = accepted(spec_, spec);
  if (Result<void> const saved = parts_.specs.save(next); !saved && !PLANTED(acts_before_stored)) {
    log_error("a spec cannot be stored, so it is not acted on", {{"error", saved.error().message}});
    return;
  }
  spec_ = std::move(next);
  forget_stale(attempts_, *spec_);
  observe();
}

void Driver::on_lease(std::uint64_t heartbeat) {
  auto const it = heartbeat_sent_.find(heartbeat);
  if (it == heartbeat_sent_.end()) return;
  if (parts_.on_lease) parts_.on_lease(parts_.clock.now().monotonic - it->second);
  // Counted from sending: the daemon counts from answering, which is later.
  lease_until_ = std::max(
      lease_until_,
      (PLANTED(lease_from_reply) ? parts_.clock.now().monotonic : it->second) + limits::kLease);
  heartbeat_sent_.erase(heartbeat_sent_.begin(), std::next(it));
}

void Driver::on_hint() {
  observe();
}

void Driver::on_inventory(HostInventory inventory) {
  inventory_ = std::move(inventory);
}

void Driver::on_tick() {
  Instant const now = parts_.clock.now().monotonic;
  if (is_connected_ && now - heartbeat_at_ >= limits::kHeartbeat) {
    heartbeat_at_ = now;
    heartbeat_sent_[++heartbeats_] = now;
    while (heartbeat_sent_.size() > kHeartbeatsKept) heartbeat_sent_.erase(heartbeat_sent_.begin());
    parts_.link.heartbeat(heartbeats_);
  }
  bool const is_report_due = is_connected_ && now - reported_at_ >= limits::kReportInterval;
  if (now - observed_at_ >= kObserveInterval || is_report_due || !observed_) observe();
}

void Driver::observe() {
  if (is_observing_) {
    wants_observation_ = true;
    return;
  }
  is_observing_ = true;
  wants_observation_ = false;
  touched_.clear();
  for (auto const& [about, running] : running_) touched_.insert(about);
  parts_.hypervisor.observe(posted<Result<Observed>>(
      [this](Result<Observed> observed) { on_observed(std::move(observed)); }));
}

void Driver::on_observed(Result<Observed> observed) {
  is_observing_ = false;
  Instant const now = parts_.clock.now().monotonic;
  observed_at_ = now;
  if (!observed) {
    // Nothing is known, so nothing is done and nothing is claimed until it can be seen again.
    log_warning("the host cannot be observed", {{"error", observed.error().message}});
    return;
  }
  observed_ = *std::move(observed);
  if (PLANTED(stale_observation))
    std::erase_if(touched_, [this](std::string const& about) { return !running_.contains(about); });
  Plan next = plan({.spec = spec_,
                    .observed = *observed_,
                    .attempts = attempts_,
                    .busy = touched_,
                    .now = now,
                    .inventory = &inventory_});
  unpinned_ = std::ranges::count_if(
      next.statuses, [](InstanceStatus const& status) { return !status.unpinned.empty(); });
  for (Action const& action : next.actions) begin_action(action);
  report(std::move(next.statuses));
  if (wants_observation_) observe();
}

void Driver::begin_action(Action const& action) {
  Instant const now = parts_.clock.now().monotonic;
  std::string const about = subject(action);
  remember_begun(attempts_, action, *observed_, now);
  running_.insert({about, {action, now}});
  touched_.insert(about);
  parts_.hypervisor.perform(action, posted<Result<void>>([this, about](Result<void> result) {
                              on_action_done(about, result);
                            }));
}

void Driver::on_action_done(std::string const& about, Result<void> const& result) {
  auto const node = running_.extract(about);
  if (node.empty()) return;
  Running const& done = node.mapped();
  Instant const now = parts_.clock.now().monotonic;
  remember_ended(attempts_, spec_, done.action, result, now);
  if (parts_.on_action) parts_.on_action(done.action, result, now - done.since);
  observe();
}

void Driver::report(std::vector<InstanceStatus> statuses) {
  if (!is_connected_) return;
  HostStatus status{.host = identity_.host,
                    .host_uuid = identity_.host_uuid,
                    .boot_id = identity_.boot_id,
                    .term = spec_ ? spec_->term : Term(0),
                    .generation = spec_ ? spec_->generation : Generation(0),
                    .instances = std::move(statuses),
                    .foreign = observed_->foreign,
                    .images = observed_->images,
                    .inventory = inventory_};
  if (spec_ && spec_->adopt_only) status.earlier = earlier_to_report(*spec_);
  Instant const now = parts_.clock.now().monotonic;
  bool const is_due = now - reported_at_ >= limits::kReportInterval;
  if (reported_ && *reported_ == status && !is_due) return;
  parts_.link.send(status);
  reported_ = std::move(status);
  reported_at_ = now;
}

}  // namespace berth::agent
