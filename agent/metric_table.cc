#include "agent/metric_table.h"

#include "berth/base/process_metrics.h"

namespace berth::agent {

namespace {

constexpr MetricKind kCounter = MetricKind::counter;
constexpr MetricKind kGauge = MetricKind::gauge;
constexpr MetricKind kHistogram = MetricKind::histogram;
constexpr std::string_view kHere = "agent/metrics.cc";
constexpr std::string_view kAgent = "agent/agent.cc";

constexpr MetricRow kRows[] = {
    // The link to the daemon.
    {"berth_agent_connected", kGauge, "1 while the daemon has a session with this agent", "", "",
     kHere},
    {"berth_agent_sessions_total", kCounter, "Sessions that the daemon welcomed", "", "", kHere},
    {"berth_agent_certificate_expires_timestamp_seconds", kGauge,
     "When the host's certificate ends, since 1970; absent before the host has joined", "",
     "seconds", kHere},
    {"berth_agent_certificates_renewed_total", kCounter, "Certificates renewed", "", "", kHere},
    {"berth_agent_lease_remaining_seconds", kGauge, "Of the host's lease; negative: run out", "",
     "seconds", kHere},
    {"berth_agent_round_trip_seconds", kHistogram, "From a heartbeat to its lease", "", "seconds",
     kAgent},

    // What is wanted here, and what is there.
    {"berth_agent_spec_term", kGauge, "Term of the spec acted on", "", "", kHere},
    {"berth_agent_spec_generation", kGauge, "Generation of the spec acted on", "", "", kHere},
    {"berth_agent_spec_instances", kGauge, "Instances in the spec by what is wanted",
     "power=running|stopped|absent", "", kHere},
    {"berth_agent_instances", kGauge, "Instances' domains on this host, as last seen",
     "state=running|shutting_down|off|paused|crashed", "", kHere},
    {"berth_agent_unpinned_instances", kGauge,
     "Guests that run, but not on the CPUs and NUMA cells of their spec", "", "", kHere},
    {"berth_agent_foreign_domains", kGauge, "Domains on this host that are not ours", "", "",
     kHere},
    {"berth_agent_images", kGauge, "Images in this host's cache", "", "", kHere},
    {"berth_agent_actions_under_way", kGauge, "Actions begun and not ended", "", "", kHere},
    {"berth_agent_actions_total", kCounter, "Actions ended; result is ok or an error's code",
     "action=fetch_image|start|shut_down|power_off|reboot|remove|evict_image|pin, "
     "result=ok|invalid|unauthenticated|forbidden|not_found|exists|conflict|quota|no_capacity|"
     "throttled|unavailable|timeout|corrupt",
     "", kHere},
    {"berth_agent_action_seconds", kHistogram, "From an action's begin to its end",
     "action=fetch_image|start|shut_down|power_off|reboot|remove|evict_image|pin", "seconds",
     kHere},

    // libvirt.
    {"berth_agent_libvirt_calls_total", kCounter, "libvirt calls", "call<=100", "", kHere},
    {"berth_agent_libvirt_errors_total", kCounter, "libvirt calls that failed", "call<=100", "",
     kHere},
    {"berth_agent_libvirt_seconds_total", kCounter, "Time spent in libvirt calls", "call<=100",
     "seconds", kHere},
    {"berth_agent_libvirt_longest_seconds", kGauge, "The longest libvirt call so far", "call<=100",
     "seconds", kHere},

    // The host and the program.
    {"berth_agent_host_cpus", kGauge, "Hardware threads of the host", "", "", kHere},
    {"berth_agent_host_memory_bytes", kGauge, "Memory of the host", "", "bytes", kHere},
    {"berth_agent_disk_bytes", kGauge, "File system of images and disks", "kind=total|free",
     "bytes", kHere},
    {"berth_agent_build_info", kGauge, "Always 1; version and kind of guests are the labels",
     "version<=4, virt_type=kvm|qemu", "", kHere},
};

}  // namespace

std::vector<MetricRow> metric_table() {
  std::vector<MetricRow> rows(std::begin(kRows), std::end(kRows));
  for (MetricRow const& row : process_metric_rows()) rows.push_back(row);
  return rows;
}

}  // namespace berth::agent
