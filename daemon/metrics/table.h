#pragma once
// The one table of what berthd exports. To add a metric: a row in table.cc, and the line that fills
// it; docs/reference/metrics.md is made from the rows (metrics_golden_test, BERTH_REWRITE=1).

#include <vector>

#include "berth/base/metrics.h"

namespace berth {

[[nodiscard]] std::vector<MetricRow> daemon_metric_table();

}  // namespace berth
