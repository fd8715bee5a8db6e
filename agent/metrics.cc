#include "agent/metrics.h"

#include <algorithm>

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
                        [](PinInstance const&) { return "pin"; },
                    },
                    action);
}

constexpr std::pair<DomainState, std::string_view> kStates[] = {
    {DomainState::running, "running"}, {DomainState::shutting_down, "shutting_down"},
    {DomainState::off, "off"},         {DomainState::paused, "paused"},
    {DomainState::crashed, "crashed"},
};

void set_observed(MetricsPage& page, Observed const& observed) {
  for (auto const& [state, text] : kStates) {
    page.set("berth_agent_instances", {{"state", std::string(text)}},
             std::ranges::count(observed.domains, state, &DomainSeen::state));
  }
  page.set("berth_agent_foreign_domains", {}, static_cast<std::int64_t>(observed.foreign.size()));
  page.set("berth_agent_images", {}, static_cast<std::int64_t>(observed.images.size()));
}

}  // namespace

void count_action(MetricsPage& page, Action const& action, Result<void> const& result,
                  Duration took) {
  std::string const kind(kind_of(action));
  std::string const outcome(result ? "ok" : name(result.error().code));
  page.count("berth_agent_actions_total", {{"action", kind}, {"result", outcome}});
  page.observe("berth_agent_action_seconds", {{"action", kind}}, took);
}

void set_driver(MetricsPage& page, Driver const& driver, Instant now) {
  // Before the first lease there is nothing to count down from.
  if (driver.lease_until() != Instant{})
    page.set("berth_agent_lease_remaining_seconds", {}, driver.lease_until() - now);
  page.set("berth_agent_actions_under_way", {},
           static_cast<std::int64_t>(driver.actions_under_way()));
  if (driver.observed()) {
    set_observed(page, *driver.observed());
    page.set("berth_agent_unpinned_instances", {}, driver.unpinned());
  }
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

void set_link(MetricsPage& page, LinkState const& link) {
  page.set("berth_agent_connected", {}, std::int64_t{link.is_connected ? 1 : 0});
  page.count_to("berth_agent_sessions_total", {}, link.sessions);
  page.count_to("berth_agent_certificates_renewed_total", {}, link.renewals);
  if (link.certificate_ends) {
    page.set("berth_agent_certificate_expires_timestamp_seconds", {}, *link.certificate_ends);
  }
}

void set_calls(MetricsPage& page, std::vector<LibvirtCallStats> const& calls) {
  for (LibvirtCallStats const& c : calls) {
    MetricLabels const labels{{"call", c.call}};
    page.count_to("berth_agent_libvirt_calls_total", labels, c.count);
    page.count_to("berth_agent_libvirt_errors_total", labels, c.errors);
    page.count_to("berth_agent_libvirt_seconds_total", labels, c.total);
    page.set("berth_agent_libvirt_longest_seconds", labels, c.longest);
  }
}

void set_inventory(MetricsPage& page, HostInventory const& inventory) {
  page.set("berth_agent_host_cpus", {}, cpu_count(inventory));
  page.set("berth_agent_host_memory_bytes", {}, memory(inventory).value << 20);
  page.set("berth_agent_disk_bytes", {{"kind", "total"}}, inventory.disk_total.value);
  page.set("berth_agent_disk_bytes", {{"kind", "free"}}, inventory.disk_free.value);
  page.set("berth_agent_build_info",
           {{"version", inventory.agent_version},
            {"virt_type", inventory.virt_type == VirtType::kvm ? "kvm" : "qemu"}},
           std::int64_t{1});
}

}  // namespace berth::agent
