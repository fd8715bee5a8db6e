#pragma once
// What berthd exports, in one table (metrics.cc), and who fills it. The driver tells it of each
// decision and commit; counters that others keep are read when the page is asked for.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/metrics.h"
#include "daemon/driver/driver.h"

namespace berth {

class DaemonMetrics {
 public:
  DaemonMetrics();

  // From the driver's thread.
  void decided(core::Input const& input, Result<core::Decision> const& decision, Duration took);
  void committed(std::vector<core::Change> const& changes, std::size_t inputs, Duration took);
  void released(Duration took);
  void ticked(core::State const& state, Instant now);

  // From any thread.
  void api_request(std::string_view action, std::string const& code, Duration took);
  // Read at each page, in order.
  void add_source(std::function<void(MetricsPage&)> source);
  [[nodiscard]] std::string page();

  [[nodiscard]] static std::vector<MetricRow> table();

 private:
  MetricsPage page_;
  std::vector<std::function<void(MetricsPage&)>> sources_;
};

}  // namespace berth
