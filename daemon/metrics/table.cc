#include "daemon/metrics/table.h"

#include "berth/base/process_metrics.h"

namespace berth {

namespace {

constexpr MetricKind kCounter = MetricKind::counter;
constexpr MetricKind kGauge = MetricKind::gauge;
constexpr MetricKind kHistogram = MetricKind::histogram;

// Who writes: the driver's thread, the region's counts, and what is read when the page is asked
// for.
constexpr std::string_view kDriver = "daemon/metrics/metrics.cc";
constexpr std::string_view kRegion = "daemon/metrics/region_counts.cc";
constexpr std::string_view kSources = "daemon/sources.cc";

// Grouped as a person looks for them.
constexpr MetricRow kRows[] = {
    // The EC2 API. A request refused before its action was known has the action "-".
    {"berth_api_requests_total", kCounter, "EC2 requests answered; code is Success or EC2's error",
     "action<=120, code<=150", "", kDriver},
    {"berth_api_throttled_total", kCounter,
     "EC2 requests told to come again: past the tenant's rate, no room in the region, or too late "
     "to be started",
     "reason=tenant|region|late", "", kSources},
    {"berth_api_request_seconds", kHistogram, "From a whole EC2 request to its answer",
     "action<=120", "seconds", kDriver},

    // The core and its queue.
    {"berth_decide_seconds", kHistogram, "Deciding one input, on the core's only thread",
     "input=api|refused|admin|join|hello|heartbeat|report|gone|tick", "seconds", kDriver},
    {"berth_decisions_refused_total", kCounter, "Inputs answered with an error",
     "input=api|refused|admin|join|hello|heartbeat|report|gone|tick, "
     "code=invalid|unauthenticated|forbidden|not_found|exists|conflict|quota|no_capacity|throttled|"
     "unavailable|timeout|corrupt",
     "", kDriver},
    {"berth_lease_renewals_total", kCounter, "Heartbeats of agents that renewed their host's lease",
     "", "", kDriver},
    {"berth_core_silent_seconds", kGauge,
     "Since the core's last tick; it ticks every second, so more says that it is stuck", "",
     "seconds", kDriver},
    {"berth_queue_inputs", kGauge, "Tenants' requests and operators' lists waiting for the core",
     "", "", kSources},
    {"berth_queue_inputs_max", kGauge,
     "As many of them may wait at this moment; less when the core is slow. One more is told to "
     "slow down",
     "", "", kSources},
    {"berth_queue_class_inputs", kGauge, "Inputs of each class waiting for the core",
     "class=lease|operation|mutation|read|list", "", kSources},
    {"berth_queue_class_inputs_max", kGauge, "As many of each class may wait at this moment",
     "class=lease|operation|mutation|read|list", "", kSources},
    {"berth_queue_class_age_seconds", kGauge, "How long the oldest of each class has waited",
     "class=lease|operation|mutation|read|list", "seconds", kSources},
    {"berth_queue_class_taken_total", kCounter, "Inputs that the core has taken from its queue",
     "class=lease|operation|mutation|read|list", "", kSources},
    {"berth_queue_class_shed_total", kCounter,
     "Inputs refused or dropped: the queue was full, it stood for too long, or the input was past "
     "its deadline",
     "class=lease|operation|mutation|read|list, reason=full|standing|late", "", kSources},

    // Commits and the store.
    {"berth_commit_seconds", kHistogram, "From closing a batch to its being durable", "", "seconds",
     kDriver},
    {"berth_commit_changes", kHistogram, "Changes in one commit", "", "", kDriver},
    {"berth_commit_inputs", kHistogram, "Inputs decided in one commit", "", "", kDriver},
    {"berth_release_seconds", kHistogram, "From a batch's first input to its replies", "",
     "seconds", kDriver},
    {"berth_store_bytes", kGauge, "Size of the store on disk, journal included", "", "bytes",
     kSources},
    {"berth_store_records", kGauge, "Records in the store", "", "", kSources},
    {"berth_store_full", kGauge, "1 while the disk is full: reads go on, changes are refused", "",
     "", kSources},
    {"berth_store_full_total", kCounter, "Times the disk became full", "", "", kSources},
    {"berth_store_disk_bytes", kGauge, "File system of the data directory", "kind=total|free",
     "bytes", kSources},
    {"berth_audit_records", kGauge, "Number of the last audit record; it only ever grows", "", "",
     kRegion},
    {"berth_term", kGauge, "Leader term of this run; raised by each start", "", "", kRegion},
    {"berth_region_quarantined", kGauge,
     "1 while the region is in quarantine: its records may be older than what runs", "", "",
     kRegion},
    {"berth_backup_created_timestamp_seconds", kGauge, "When the newest backup was made", "",
     "seconds", kSources},
    {"berth_backup_bytes", kGauge, "Size of the newest backup", "", "bytes", kSources},

    // The region.
    {"berth_hosts", kGauge, "Hosts by zone and health",
     "zone<=100, health=never_seen|up|suspect|lost", "", kRegion},
    {"berth_hosts_cordoned", kGauge, "Cordoned hosts by zone", "zone<=100", "", kRegion},
    {"berth_hosts_behind", kGauge,
     "Hosts that are up, but whose last report is about an older spec than the newest", "zone<=100",
     "", kRegion},
    {"berth_unknown_instances", kGauge,
     "Domains on hosts that carry our metadata but that no spec names; never touched", "zone<=100",
     "", kRegion},
    {"berth_unpinned_instances", kGauge,
     "Instances that run, but not on the CPUs and NUMA cells of their record", "zone<=100", "",
     kRegion},
    {"berth_hosts_behind_oldest_seconds", kGauge, "How long the slowest of those has been behind",
     "", "seconds", kRegion},
    {"berth_capacity_vcpus", kGauge, "vCPUs that hosts may sell, over-commit applied", "zone<=100",
     "", kRegion},
    {"berth_capacity_memory_bytes", kGauge, "Memory that hosts may sell, reserve taken off",
     "zone<=100", "bytes", kRegion},
    {"berth_capacity_disk_bytes", kGauge, "Disk that hosts may sell, reserve taken off",
     "zone<=100", "bytes", kRegion},
    {"berth_used_vcpus", kGauge, "vCPUs that instances hold", "zone<=100", "", kRegion},
    {"berth_used_memory_bytes", kGauge, "Memory that instances hold", "zone<=100", "bytes",
     kRegion},
    {"berth_used_disk_bytes", kGauge, "Disk that instances hold", "zone<=100", "bytes", kRegion},
    {"berth_free_vcpus", kGauge, "vCPUs left on hosts that are up and not cordoned", "zone<=100",
     "", kRegion},
    {"berth_free_memory_bytes", kGauge, "Memory left on hosts that are up and not cordoned",
     "zone<=100", "bytes", kRegion},
    {"berth_free_disk_bytes", kGauge, "Disk left on hosts that are up and not cordoned",
     "zone<=100", "bytes", kRegion},
    {"berth_instances", kGauge, "Instances by zone and EC2 state",
     "zone<=100, state=pending|running|shutting-down|terminated|stopping|stopped", "", kRegion},
    {"berth_instances_oldest_seconds", kGauge,
     "How long the oldest instance in a passing state has been in it, in this run of the daemon",
     "state=pending|stopping|shutting-down", "seconds", kRegion},
    {"berth_tenants", kGauge, "Tenants", "", "", kRegion},
    {"berth_images", kGauge, "Images", "", "", kRegion},

    // The agents' link.
    {"berth_agents_connected", kGauge, "Agents with a session", "", "", kSources},
    {"berth_link_messages_total", kCounter, "Messages on the agents' link", "direction=in|out", "",
     kSources},
    {"berth_link_bytes_total", kCounter, "Bytes of messages on the agents' link",
     "direction=in|out", "bytes", kSources},
    {"berth_link_image_bytes_total", kCounter, "Bytes of images sent to agents", "", "bytes",
     kSources},
    {"berth_link_refused_total", kCounter, "Peers, messages and joins that the link refused",
     "what=peer|message|join", "", kSources},
    {"berth_link_certificates_renewed_total", kCounter, "Certificates renewed for agents", "", "",
     kSources},

    // Listeners.
    {"berth_http_connections", kGauge, "Open connections", "listener=ec2|admin_socket|admin", "",
     kSources},
    {"berth_http_connections_total", kCounter, "Connections by fate",
     "listener=ec2|admin_socket|admin, fate=accepted|refused|handshake_failed|too_slow", "",
     kSources},
    {"berth_http_requests_total", kCounter, "Requests received", "listener=ec2|admin_socket|admin",
     "", kSources},
    {"berth_http_requests_refused_total", kCounter, "Requests the listener itself refused",
     "listener=ec2|admin_socket|admin", "", kSources},
    {"berth_http_bytes_total", kCounter, "Bytes inside TLS",
     "listener=ec2|admin_socket|admin, direction=in|out", "bytes", kSources},

    // The program.
    {"berth_certificate_expires_timestamp_seconds", kGauge, "When a certificate ends, since 1970",
     "certificate=ca|daemon", "seconds", kSources},
    {"berth_build_info", kGauge, "Always 1; the version is the label", "version<=4", "", kSources},
};

}  // namespace

std::vector<MetricRow> daemon_metric_table() {
  std::vector<MetricRow> rows(std::begin(kRows), std::end(kRows));
  for (MetricRow const& row : process_metric_rows()) rows.push_back(row);
  return rows;
}

}  // namespace berth
