#pragma once
// What berthd exports and who fills it: table.cc has the table. The driver tells of each decision,
// change and commit; what others count is read when the page is asked for. The driver's thread is
// never kept waiting by a reader of the page for longer than a copy of the zones' counts takes.

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/base/metrics.h"
#include "daemon/driver/driver.h"
#include "daemon/metrics/region_counts.h"

namespace berth {

class DaemonMetrics {
 public:
  DaemonMetrics();

  // From the driver's thread.
  void decided(core::Input const& input, Result<core::Decision> const& decision, Duration took);
  void changing(core::State const& before, core::Change const& change);
  void changed(core::State const& after, core::Change const& change);
  void committed(std::vector<core::Change> const& changes, std::size_t inputs, Duration took);
  void released(Duration took);
  void ticked(core::State const& state, Instant now);

  // From any thread. `action` and `code` are of closed lists.
  void api_request(std::string_view action, std::string const& code, Duration took);
  // Read at each page, in order. Before the first page.
  void add_source(std::function<void(MetricsPage&)> source);
  // `now` is the clock of the ticks.
  [[nodiscard]] std::string page(Instant now);

 private:
  // The region as of the last tick.
  struct Snapshot {
    Instant at;
    std::map<ZoneName, ZoneCounts> zones;
    SweptCounts swept;
    std::array<Duration, kInstanceStates> oldest{};
    std::int64_t tenants = 0;
    std::int64_t images = 0;
    std::int64_t audit_records = 0;
    std::int64_t term = 0;
    std::int64_t quarantined = 0;  // 1: it is
  };

  // Looks a pair of texts up without copying them.
  struct ByText {
    using is_transparent = void;
    using View = std::pair<std::string_view, std::string_view>;
    bool operator()(View a, View b) const { return a < b; }
  };

  void show(Snapshot const& snapshot);

  MetricsPage page_;
  std::vector<MetricHistogram> decide_;  // by the input's kind
  MetricCounter lease_renewals_;
  MetricHistogram commit_, commit_changes_, commit_inputs_, release_;

  RegionCounts counts_;  // the driver's thread only
  std::mutex snapshot_mutex_;
  Snapshot snapshot_;

  // The series of the API's requests met so far: found without making labels each time.
  std::shared_mutex api_mutex_;
  static constexpr std::size_t kApiSeriesKept = 2'000;
  std::map<std::pair<std::string, std::string>, MetricCounter, ByText> api_requests_;
  std::map<std::string, MetricHistogram, std::less<>> api_seconds_;

  std::mutex page_mutex_;  // one page at a time: sources set what the page then shows
  std::vector<std::function<void(MetricsPage&)>> sources_;
};

}  // namespace berth
