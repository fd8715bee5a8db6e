#include "daemon/metrics/metrics.h"

#include "daemon/metrics/table.h"

namespace berth {

namespace {

// In the order of core::Input.
constexpr std::string_view kInputs[] = {"api",       "refused", "admin", "join", "hello",
                                        "heartbeat", "report",  "gone",  "tick"};
static_assert(std::size(kInputs) == std::variant_size_v<core::Input>);
static_assert(std::is_same_v<std::variant_alternative_t<5, core::Input>, core::AgentHeartbeat>);

// In the order of HostHealth.
constexpr std::string_view kHealths[kHostHealths] = {"never_seen", "up", "suspect", "lost"};

constexpr core::InstanceState kStates[kInstanceStates] = {
    core::InstanceState::pending,       core::InstanceState::running,
    core::InstanceState::shutting_down, core::InstanceState::terminated,
    core::InstanceState::stopping,      core::InstanceState::stopped};

std::string_view kind_of(core::Input const& input) {
  return kInputs[input.index()];
}

void set_usage(MetricsPage& page, std::string const& what, MetricLabels const& zone,
               placement::Usage const& amount) {
  page.set("berth_" + what + "_vcpus", zone, amount.vcpus);
  page.set("berth_" + what + "_memory_bytes", zone, amount.memory.value << 20);
  page.set("berth_" + what + "_disk_bytes", zone, amount.disk_gib << 30);
}

std::int64_t count_in(std::map<ZoneName, std::int64_t> const& counts, ZoneName const& zone) {
  auto const found = counts.find(zone);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

DaemonMetrics::DaemonMetrics()
    : page_(daemon_metric_table()),
      lease_renewals_(page_.counter("berth_lease_renewals_total", {})),
      commit_(page_.histogram("berth_commit_seconds", {})),
      commit_changes_(page_.histogram("berth_commit_changes", {})),
      commit_inputs_(page_.histogram("berth_commit_inputs", {})),
      release_(page_.histogram("berth_release_seconds", {})) {
  for (std::string_view const input : kInputs) {
    decide_.push_back(page_.histogram("berth_decide_seconds", {{"input", std::string(input)}}));
  }
}

void DaemonMetrics::decided(core::Input const& input, Result<core::Decision> const& decision,
                            Duration took) {
  decide_[input.index()].observe(took);
  if (decision) {
    if (std::holds_alternative<core::AgentHeartbeat>(input)) lease_renewals_.count();
    return;
  }
  page_.count(
      "berth_decisions_refused_total",
      {{"input", std::string(kind_of(input))}, {"code", std::string(name(decision.error().code))}});
}

void DaemonMetrics::changing(core::State const& before, core::Change const& change) {
  counts_.changing(before, change);
}

void DaemonMetrics::changed(core::State const& after, core::Change const& change) {
  counts_.changed(after, change);
}

void DaemonMetrics::committed(std::vector<core::Change> const& changes, std::size_t inputs,
                              Duration took) {
  commit_.observe(took);
  commit_changes_.observe_size(changes.size());
  commit_inputs_.observe_size(inputs);
}

void DaemonMetrics::released(Duration took) {
  release_.observe(took);
}

void DaemonMetrics::ticked(core::State const& state, Instant now) {
  counts_.ticked(state, now);
  Snapshot next{.at = now,
                .zones = counts_.zones(),
                .swept = counts_.swept(),
                .tenants = static_cast<std::int64_t>(state.tenants.size()),
                .images = static_cast<std::int64_t>(state.images.size()),
                .audit_records = static_cast<std::int64_t>(state.region.audit_count),
                .term = static_cast<std::int64_t>(state.region.term.value),
                .quarantined = state.region.quarantine ? 1 : 0};
  for (core::InstanceState const s : kStates) { next.oldest[index_of(s)] = counts_.oldest(s); }
  std::lock_guard const lock(snapshot_mutex_);
  std::swap(snapshot_, next);
}

void DaemonMetrics::api_request(std::string_view action, std::string const& code, Duration took) {
  {
    std::shared_lock const lock(api_mutex_);
    auto const seconds = api_seconds_.find(action);
    auto const requests =
        api_requests_.find(std::pair<std::string_view, std::string_view>(action, code));
    if (seconds != api_seconds_.end() && requests != api_requests_.end()) {
      seconds->second.observe(took);
      requests->second.count();
      return;
    }
  }
  std::string const name(action);
  MetricCounter const requests =
      page_.counter("berth_api_requests_total", {{"action", name}, {"code", code}});
  MetricHistogram const seconds = page_.histogram("berth_api_request_seconds", {{"action", name}});
  requests.count();
  seconds.observe(took);
  std::lock_guard const lock(api_mutex_);
  // Bounded as the page's series are; past that the page finds "other" by itself.
  if (api_requests_.size() >= kApiSeriesKept) return;
  api_requests_.emplace(std::pair(name, code), requests);
  api_seconds_.emplace(name, seconds);
}

void DaemonMetrics::add_source(std::function<void(MetricsPage&)> source) {
  sources_.push_back(std::move(source));
}

void DaemonMetrics::show(Snapshot const& s) {
  for (auto const& [name, counts] : s.zones) {
    std::string const& zone = name.value;
    for (std::size_t h = 0; h < kHostHealths; ++h) {
      page_.set("berth_hosts", {{"zone", zone}, {"health", std::string(kHealths[h])}},
                counts.hosts[h]);
    }
    page_.set("berth_hosts_cordoned", {{"zone", zone}}, counts.cordoned);
    page_.set("berth_hosts_behind", {{"zone", zone}}, count_in(s.swept.behind, name));
    page_.set("berth_unknown_instances", {{"zone", zone}}, count_in(s.swept.unknown, name));
    page_.set("berth_unpinned_instances", {{"zone", zone}}, count_in(s.swept.unpinned, name));
    set_usage(page_, "capacity", {{"zone", zone}}, counts.capacity);
    set_usage(page_, "used", {{"zone", zone}}, counts.used);
    set_usage(page_, "free", {{"zone", zone}}, counts.free);
    for (core::InstanceState const state : kStates) {
      page_.set("berth_instances", {{"zone", zone}, {"state", std::string(core::name(state))}},
                counts.instances[index_of(state)]);
    }
  }
  for (core::InstanceState const state :
       {core::InstanceState::pending, core::InstanceState::stopping,
        core::InstanceState::shutting_down}) {
    page_.set("berth_instances_oldest_seconds", {{"state", std::string(core::name(state))}},
              s.oldest[index_of(state)]);
  }
  page_.set("berth_hosts_behind_oldest_seconds", {}, s.swept.behind_oldest);
  page_.set("berth_tenants", {}, s.tenants);
  page_.set("berth_images", {}, s.images);
  page_.set("berth_audit_records", {}, s.audit_records);
  page_.set("berth_term", {}, s.term);
  page_.set("berth_region_quarantined", {}, s.quarantined);
}

std::string DaemonMetrics::page(Instant now) {
  std::lock_guard const one_at_a_time(page_mutex_);
  Snapshot snapshot;
  {
    std::lock_guard const lock(snapshot_mutex_);
    snapshot = snapshot_;
  }
  if (snapshot.at != Instant{}) {
    show(snapshot);
    page_.set("berth_core_silent_seconds", {}, now - snapshot.at);
  }
  for (auto const& source : sources_) source(page_);
  return page_.text();
}

}  // namespace berth
