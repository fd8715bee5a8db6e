#pragma once
// The metrics page of a program: a closed table of metrics, filled by name. prometheus-cpp stays
// inside common/metrics.cc. Thread-safe.
//
// What cannot happen: a metric or a label that the table does not have (ENSURE); more series of one
// metric than its row allows (further values become "other"). So a page is bounded in size, however
// many tenants, hosts or instances there are.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/time.h"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace berth {

enum class MetricKind { counter, gauge, histogram };

// One row of a program's table: what docs/reference/metrics.md is made from.
struct MetricRow {
  std::string_view name;  // "berth_api_requests_total"
  MetricKind kind = MetricKind::gauge;
  std::string_view help;  // a phrase without a full stop
  // The labels by comma, each with its closed list of values or with how many different values it
  // may have at most: "zone<=100, health=up|suspect|lost".
  std::string_view labels = "";
  std::string_view unit = "";    // "seconds", "bytes", …; empty: a plain number
  std::string_view writer = "";  // who sets it: the file
};

struct MetricLabel {
  std::string name;
  std::vector<std::string> values;  // empty: any, at most `most` different ones
  std::size_t most = 0;
};

// Of a row's `labels`; ENSUREs their form: tables are ours.
[[nodiscard]] std::vector<MetricLabel> labels_of(MetricRow const& row);
// How many series the row may have: the product of its labels, capped.
[[nodiscard]] std::size_t series_max(MetricRow const& row);
// Lines of the page that the row may fill, its two comment lines included.
[[nodiscard]] std::size_t lines_max(MetricRow const& row);
// What is wrong with a table's names, units and words, by Prometheus's own rules; a test wants
// none.
[[nodiscard]] std::vector<std::string> complaints_about(std::vector<MetricRow> const& rows);

using MetricLabels = std::map<std::string, std::string>;

// One series, looked up once and cheap from then on: what a hot path counts with.
class MetricCounter {
 public:
  void count(std::uint64_t by = 1) const;

 private:
  friend class MetricsPage;
  explicit MetricCounter(prometheus::Counter& counter) : counter_(&counter) {}
  prometheus::Counter* counter_;
};

class MetricHistogram {
 public:
  void observe(Duration took) const;
  void observe_size(std::uint64_t size) const;

 private:
  friend class MetricsPage;
  explicit MetricHistogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  prometheus::Histogram* histogram_;
};

class MetricsPage {
 public:
  // ENSUREs that names are unique. Histograms are of seconds, from 10 µs to 60 s, or, of any other
  // unit, of sizes from 1 to 4096.
  explicit MetricsPage(std::vector<MetricRow> rows);
  ~MetricsPage();
  MetricsPage(MetricsPage const&) = delete;
  MetricsPage& operator=(MetricsPage const&) = delete;

  // Each ENSUREs that the table has the name, of that kind, with exactly these labels. A label's
  // value that the row does not list, or one too many, is counted as "other".
  [[nodiscard]] MetricCounter counter(std::string_view name, MetricLabels const& labels);
  [[nodiscard]] MetricHistogram histogram(std::string_view name, MetricLabels const& labels);

  void count(std::string_view name, MetricLabels const& labels, std::uint64_t by = 1);
  // For totals that are counted elsewhere: raises the counter to `total`.
  void count_to(std::string_view name, MetricLabels const& labels, std::uint64_t total);
  void count_to(std::string_view name, MetricLabels const& labels, Duration total);  // seconds
  void set(std::string_view name, MetricLabels const& labels, std::int64_t value);
  void set(std::string_view name, MetricLabels const& labels, Duration value);  // seconds
  void set(std::string_view name, MetricLabels const& labels, WallTime value);  // seconds
  void observe(std::string_view name, MetricLabels const& labels, Duration took);
  void observe_size(std::string_view name, MetricLabels const& labels, std::uint64_t size);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::vector<MetricRow> const& rows() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The table as a page of the reference: one Markdown section.
[[nodiscard]] std::string reference_of(std::string_view title, std::vector<MetricRow> const& rows);

}  // namespace berth
