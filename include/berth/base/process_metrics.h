#pragma once
// What every program says of its own process, under the names that Prometheus's own clients use.

#include <vector>

#include "berth/base/metrics.h"

namespace berth {

[[nodiscard]] std::vector<MetricRow> process_metric_rows();
// Reads /proc/self; what cannot be read is left as it was. When the page is asked for.
void set_process(MetricsPage& page);

}  // namespace berth
