#pragma once
// What berth-agent exports, in one table (metrics.cc).

#include <vector>

#include "agent/driver/driver.h"
#include "agent/hypervisor/libvirt.h"
#include "agent/link/link.h"
#include "berth/base/metrics.h"

namespace berth::agent {

[[nodiscard]] std::vector<MetricRow> metric_table();

void count_action(MetricsPage& page, Action const& action, Result<void> const& result,
                  Duration took);
// From the driver's thread, each tick.
void set_driver(MetricsPage& page, Driver const& driver, Instant now);
// From any thread, when the page is asked for.
void set_link(MetricsPage& page, LinkState const& link, WallTime now);
void set_calls(MetricsPage& page, std::vector<LibvirtCallStats> const& calls);
void set_inventory(MetricsPage& page, HostInventory const& inventory);

}  // namespace berth::agent
