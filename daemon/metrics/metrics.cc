#include "daemon/metrics/metrics.h"

#include "berth/base/overloaded.h"
#include "daemon/core/instance_state.h"

namespace berth {

namespace {

constexpr MetricKind kCounter = MetricKind::counter;
constexpr MetricKind kGauge = MetricKind::gauge;
constexpr MetricKind kHistogram = MetricKind::histogram;

std::string_view kind_of(core::Input const& input) {
  return std::visit(overloaded{
                        [](core::ApiCall const&) { return "api"; },
                        [](core::AuthenticationRefused const&) { return "refused"; },
                        [](core::AdminCall const&) { return "admin"; },
                        [](core::AgentJoin const&) { return "join"; },
                        [](core::AgentHello const&) { return "hello"; },
                        [](core::AgentHeartbeat const&) { return "heartbeat"; },
                        [](core::AgentReport const&) { return "report"; },
                        [](core::AgentGone const&) { return "gone"; },
                        [](core::Tick const&) { return "tick"; },
                    },
                    input);
}

std::string_view name_of(HostHealth health) {
  switch (health) {
    case HostHealth::never_seen: return "never_seen";
    case HostHealth::up: return "up";
    case HostHealth::suspect: return "suspect";
    case HostHealth::lost: return "lost";
  }
  return "unknown";
}

void set_amount(MetricsPage& page, std::string_view name, std::string const& zone,
                placement::Usage const& amount) {
  page.set(name, {{"zone", zone}, {"resource", "vcpus"}}, amount.vcpus);
  page.set(name, {{"zone", zone}, {"resource", "memory_mib"}}, amount.memory.value);
  page.set(name, {{"zone", zone}, {"resource", "disk_gib"}}, amount.disk_gib);
  page.set(name, {{"zone", zone}, {"resource", "instances"}}, amount.instances);
}

void set_hosts(MetricsPage& page, core::State const& state, Instant now) {
  std::map<std::pair<ZoneName, HostHealth>, std::int64_t> hosts;
  std::map<ZoneName, placement::Usage> capacity;
  std::map<ZoneName, placement::Usage> used;
  std::map<ZoneName, std::int64_t> cordoned;
  for (auto const& [name, zone] : state.zones) {
    for (HostHealth h :
         {HostHealth::never_seen, HostHealth::up, HostHealth::suspect, HostHealth::lost}) {
      hosts[{name, h}] = 0;
    }
    cordoned[name] = 0;
  }
  for (auto const& [id, host] : state.hosts) {
    ++hosts[{host.zone, core::health(core::find(state.seen, id), now, state.policy)}];
    placement::HostRoom const& room = state.derived.fleet.at(id);
    capacity[host.zone] += room.capacity;
    used[host.zone] += room.used;
    if (host.is_cordoned) ++cordoned[host.zone];
  }
  for (std::string_view name :
       {"berth_hosts", "berth_hosts_cordoned", "berth_capacity", "berth_used"}) {
    page.clear(name);
  }
  for (auto const& [key, count] : hosts) {
    page.set("berth_hosts",
             {{"zone", key.first.value}, {"health", std::string(name_of(key.second))}}, count);
  }
  for (auto const& [zone, count] : cordoned)
    page.set("berth_hosts_cordoned", {{"zone", zone.value}}, count);
  for (auto const& [zone, amount] : capacity)
    set_amount(page, "berth_capacity", zone.value, amount);
  for (auto const& [zone, amount] : used) set_amount(page, "berth_used", zone.value, amount);
}

void set_instances(MetricsPage& page, core::State const& state) {
  std::map<std::pair<TenantId, core::InstanceState>, std::int64_t> instances;
  for (auto const& [id, instance] : state.instances) {
    ++instances[{instance.tenant, core::instance_state(instance)}];
  }
  page.clear("berth_instances");
  for (auto const& [key, count] : instances) {
    page.set("berth_instances",
             {{"tenant", key.first.value}, {"state", std::string(core::name(key.second))}}, count);
  }
}

}  // namespace

std::vector<MetricRow> DaemonMetrics::table() {
  return {
      {"berth_api_requests_total", kCounter, "EC2 requests answered", "action, code"},
      {"berth_api_request_seconds", kHistogram, "From a whole request to its answer", "action"},
      {"berth_decide_seconds", kHistogram, "Deciding one input", "input"},
      {"berth_decisions_refused_total", kCounter, "Inputs answered with an error", "input, code"},
      {"berth_commit_seconds", kHistogram, "From closing a batch to its being durable", ""},
      {"berth_commit_changes_size", kHistogram, "Changes in one commit", ""},
      {"berth_commit_inputs_size", kHistogram, "Inputs decided in one commit", ""},
      {"berth_release_seconds", kHistogram, "From a batch's first input to its replies", ""},
      {"berth_queue_inputs", kGauge, "Inputs waiting for the core", ""},
      {"berth_store_bytes", kGauge, "Size of the store on disk, journal included", ""},
      {"berth_store_records", kGauge, "Records in the store", ""},
      {"berth_audit_records", kGauge, "Number of the last audit record", ""},
      {"berth_term", kGauge, "Leader term of this run", ""},
      {"berth_hosts", kGauge, "Hosts by zone and health", "zone, health"},
      {"berth_hosts_cordoned", kGauge, "Cordoned hosts by zone", "zone"},
      {"berth_capacity", kGauge, "What hosts may sell, over-commit applied", "zone, resource"},
      {"berth_used", kGauge, "What instances hold", "zone, resource"},
      {"berth_instances", kGauge, "Instances by tenant and state", "tenant, state"},
      {"berth_tenants", kGauge, "Tenants", ""},
      {"berth_images", kGauge, "Images", ""},
      {"berth_agents_connected", kGauge, "Agents with a session", ""},
      {"berth_agent_messages_total", kCounter, "Messages on the agents' link", "direction"},
      {"berth_agent_bytes_total", kCounter, "Bytes of messages on the agents' link", "direction"},
      {"berth_agent_image_bytes_total", kCounter, "Bytes of images sent to agents", ""},
      {"berth_agent_refused_total", kCounter, "Peers and messages the link refused", "what"},
      {"berth_agent_renewals_total", kCounter, "Certificates renewed for agents", ""},
      {"berth_http_connections", kGauge, "Open connections", "listener"},
      {"berth_http_connections_total", kCounter, "Connections by fate", "listener, fate"},
      {"berth_http_requests_total", kCounter, "Requests received", "listener"},
      {"berth_http_requests_refused_total", kCounter, "Requests the listener itself refused",
       "listener"},
      {"berth_http_bytes_total", kCounter, "Bytes inside TLS", "listener, direction"},
      {"berth_build_info", kGauge, "Always 1; the version is the label", "version"},
  };
}

DaemonMetrics::DaemonMetrics() : page_(table()) {}

void DaemonMetrics::decided(core::Input const& input, Result<core::Decision> const& decision,
                            Duration took) {
  std::string const kind(kind_of(input));
  page_.observe("berth_decide_seconds", {{"input", kind}}, took);
  if (!decision) {
    page_.count("berth_decisions_refused_total",
                {{"input", kind}, {"code", std::string(name(decision.error().code))}});
  }
}

void DaemonMetrics::committed(std::vector<core::Change> const& changes, std::size_t inputs,
                              Duration took) {
  page_.observe("berth_commit_seconds", {}, took);
  page_.observe_size("berth_commit_changes_size", {}, changes.size());
  page_.observe_size("berth_commit_inputs_size", {}, inputs);
}

void DaemonMetrics::released(Duration took) {
  page_.observe("berth_release_seconds", {}, took);
}

void DaemonMetrics::ticked(core::State const& state, Instant now) {
  set_hosts(page_, state, now);
  set_instances(page_, state);
  page_.set("berth_tenants", {}, static_cast<std::int64_t>(state.tenants.size()));
  page_.set("berth_images", {}, static_cast<std::int64_t>(state.images.size()));
  page_.set("berth_audit_records", {}, static_cast<std::int64_t>(state.region.audit_count));
  page_.set("berth_term", {}, static_cast<std::int64_t>(state.region.term.value));
}

void DaemonMetrics::api_request(std::string_view action, std::string const& code, Duration took) {
  std::string const name(action);
  page_.count("berth_api_requests_total", {{"action", name}, {"code", code}});
  page_.observe("berth_api_request_seconds", {{"action", name}}, took);
}

void DaemonMetrics::add_source(std::function<void(MetricsPage&)> source) {
  sources_.push_back(std::move(source));
}

std::string DaemonMetrics::page() {
  for (auto const& source : sources_) source(page_);
  return page_.text();
}

}  // namespace berth
