#pragma once
// The metrics page of a program: a closed table of metrics, filled by name. prometheus-cpp stays
// inside common/metrics.cc. Thread-safe; the registry has locks of its own.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/time.h"

namespace berth {

enum class MetricKind { counter, gauge, histogram };

// One row of a program's table: what docs/reference/metrics.md is made from.
struct MetricRow {
  std::string_view name;  // "berth_api_requests_total"
  MetricKind kind = MetricKind::gauge;
  std::string_view help;
  std::string_view labels;  // "action, code"; for the reference
};

using MetricLabels = std::map<std::string, std::string>;

class MetricsPage {
 public:
  // Names are unique. Histograms are of seconds, from 10 µs to 60 s, or of sizes, from 1 to 4096.
  explicit MetricsPage(std::vector<MetricRow> rows);
  ~MetricsPage();
  MetricsPage(MetricsPage const&) = delete;
  MetricsPage& operator=(MetricsPage const&) = delete;

  // Each ENSUREs that the table has the name, of that kind.
  void count(std::string_view name, MetricLabels const& labels, std::uint64_t by = 1);
  // For totals that are counted elsewhere: raises the counter to `total`.
  void count_to(std::string_view name, MetricLabels const& labels, std::uint64_t total);
  void set(std::string_view name, MetricLabels const& labels, std::int64_t value);
  void observe(std::string_view name, MetricLabels const& labels, Duration took);
  void observe_size(std::string_view name, MetricLabels const& labels, std::uint64_t size);
  // Forgets a gauge's series, so that those of things that are gone do not linger.
  void clear(std::string_view name);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::vector<MetricRow> const& rows() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth
