#pragma once
// Who fills what berth-agent exports; metric_table.h has the table.

#include <vector>

#include "agent/driver/driver.h"
#include "agent/hypervisor/libvirt.h"
#include "agent/link/link.h"
#include "agent/metric_table.h"
#include "berth/base/metrics.h"

namespace berth::agent {

void count_action(MetricsPage& page, Action const& action, Result<void> const& result,
                  Duration took);
// From the driver's thread, each tick.
void set_driver(MetricsPage& page, Driver const& driver, Instant now);
// From any thread, when the page is asked for.
void set_link(MetricsPage& page, LinkState const& link);
void set_calls(MetricsPage& page, std::vector<LibvirtCallStats> const& calls);
void set_inventory(MetricsPage& page, HostInventory const& inventory);

}  // namespace berth::agent
