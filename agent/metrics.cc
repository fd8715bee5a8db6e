#include "agent/metrics.h"

#include "berth/base/overloaded.h"

namespace berth::agent {

namespace {

std::string_view kind_of(Action const& action) {
  return std::visit(overloaded{
                        [](FetchImage const&) { return "fetch_image"; },
                        [](StartInstance const&) { return "start"; },
                        [](ShutDownInstance const&) { return "shut_down"; },
                        [](PowerOffInstance const&) { return "power_off"; },
                        [](RebootInstance const&) { return "reboot"; },
                        [](RemoveInstance const&) { return "remove"; },
                        [](EvictImage const&) { return "evict_image"; },
                    },
                    action);
}

}  // namespace

std::vector<MetricRow> metric_table() {
  constexpr MetricKind kCounter = MetricKind::counter;
  constexpr MetricKind kGauge = MetricKind::gauge;
  return {
      {"berth_agent_connected", kGauge, "1 while the daemon has a session with this agent", ""},
      {"berth_agent_sessions_total", kCounter, "Sessions that the daemon welcomed", ""},
      {"berth_agent_certificate_seconds_left", kGauge, "Life left in the host's certificate", ""},
      {"berth_agent_renewals_total", kCounter, "Certificates renewed", ""},
      {"berth_agent_lease_seconds_left", kGauge, "Of the host's lease; negative: run out", ""},
      {"berth_agent_round_trip_seconds", MetricKind::histogram, "From a heartbeat to its lease",
       ""},
      {"berth_agent_spec_term", kGauge, "Term of the spec acted on", ""},
      {"berth_agent_spec_generation", kGauge, "Generation of the spec acted on", ""},
      {"berth_agent_spec_instances", kGauge, "Instances in the spec by what is wanted", "power"},
      {"berth_agent_actions_under_way", kGauge, "Actions begun and not ended", ""},
      {"berth_agent_actions_total", kCounter, "Actions ended", "action, result"},
      {"berth_agent_action_seconds", MetricKind::histogram, "From an action's begin to its end",
       "action"},
      {"berth_agent_libvirt_calls_total", kCounter, "libvirt calls", "call"},
      {"berth_agent_libvirt_errors_total", kCounter, "libvirt calls that failed", "call"},
      {"berth_agent_libvirt_microseconds_total", kCounter, "Time spent in libvirt calls", "call"},
      {"berth_agent_libvirt_longest_milliseconds", kGauge, "The longest libvirt call so far",
       "call"},
      {"berth_agent_host_cpus", kGauge, "Hardware threads of the host", ""},
      {"berth_agent_host_memory_mib", kGauge, "Memory of the host", ""},
      {"berth_agent_disk_bytes", kGauge, "File system of images and disks", "kind"},
      {"berth_agent_build_info", kGauge, "Always 1", "version, virt_type"},
  };
}

void count_action(MetricsPage& page, Action const& action, Result<void> const& result,
                  Duration took) {
  std::string const kind(kind_of(action));
  std::string const outcome(result ? "ok" : name(result.error().code));
  page.count("berth_agent_actions_total", {{"action", kind}, {"result", outcome}});
  page.observe("berth_agent_action_seconds", {{"action", kind}}, took);
}

void set_driver(MetricsPage& page, Driver const& driver, Instant now) {
  page.set("berth_agent_lease_seconds_left", {}, (driver.lease_until() - now).ns / seconds(1).ns);
  page.set("berth_agent_actions_under_way", {},
           static_cast<std::int64_t>(driver.actions_under_way()));
  if (!driver.spec()) return;
  page.set("berth_agent_spec_term", {}, static_cast<std::int64_t>(driver.spec()->term.value));
  page.set("berth_agent_spec_generation", {},
           static_cast<std::int64_t>(driver.spec()->generation.value));
  std::int64_t by_power[3] = {};
  for (InstanceSpec const& i : driver.spec()->instances)
    ++by_power[static_cast<std::size_t>(i.power)];
  page.set("berth_agent_spec_instances", {{"power", "running"}}, by_power[0]);
  page.set("berth_agent_spec_instances", {{"power", "stopped"}}, by_power[1]);
  page.set("berth_agent_spec_instances", {{"power", "absent"}}, by_power[2]);
}

void set_link(MetricsPage& page, LinkState const& link, WallTime now) {
  page.set("berth_agent_connected", {}, link.is_connected ? 1 : 0);
  page.count_to("berth_agent_sessions_total", {}, link.sessions);
  page.count_to("berth_agent_renewals_total", {}, link.renewals);
  if (link.certificate_ends) {
    page.set("berth_agent_certificate_seconds_left", {},
             (*link.certificate_ends - now).ns / seconds(1).ns);
  }
}

void set_calls(MetricsPage& page, std::vector<LibvirtCallStats> const& calls) {
  for (LibvirtCallStats const& c : calls) {
    MetricLabels const labels{{"call", c.call}};
    page.count_to("berth_agent_libvirt_calls_total", labels, c.count);
    page.count_to("berth_agent_libvirt_errors_total", labels, c.errors);
    page.count_to("berth_agent_libvirt_microseconds_total", labels,
                  static_cast<std::uint64_t>(c.total.ns / 1'000));
    page.set("berth_agent_libvirt_longest_milliseconds", labels, c.longest.ns / milliseconds(1).ns);
  }
}

void set_inventory(MetricsPage& page, HostInventory const& inventory) {
  page.set("berth_agent_host_cpus", {}, cpu_count(inventory));
  page.set("berth_agent_host_memory_mib", {}, memory(inventory).value);
  page.set("berth_agent_disk_bytes", {{"kind", "total"}}, inventory.disk_total.value);
  page.set("berth_agent_disk_bytes", {{"kind", "free"}}, inventory.disk_free.value);
  page.set("berth_agent_build_info",
           {{"version", inventory.agent_version},
            {"virt_type", inventory.virt_type == VirtType::kvm ? "kvm" : "qemu"}},
           1);
}

}  // namespace berth::agent
