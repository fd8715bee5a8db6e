#pragma once
// The one table of what berth-agent exports. To add a metric: a row in metric_table.cc, and the
// line that fills it; docs/reference/metrics.md is made from the rows (metrics_golden_test).

#include <vector>

#include "berth/base/metrics.h"

namespace berth::agent {

[[nodiscard]] std::vector<MetricRow> metric_table();

}  // namespace berth::agent
