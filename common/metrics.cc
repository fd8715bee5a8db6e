#include "berth/base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "berth/base/ensure.h"

namespace berth {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

// What a label's value becomes that the row does not list, or that is one too many.
constexpr char kOther[] = "other";
constexpr std::string_view kFolded = "berth_metrics_folded_total";

Histogram::BucketBoundaries const kSeconds{
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,    0.1,      0.25,    0.5,    1,       2.5,    5,     10,     30,    60};
Histogram::BucketBoundaries const kSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};

double as_seconds(Duration d) {
  return static_cast<double>(d.ns) / 1e9;
}

// The series of one metric that were asked for so far.
template <class Metric>
class Series {
 public:
  Series(Family<Metric>& family, MetricRow const& row)
      : family_(family), labels_(labels_of(row)), most_(series_max(row)) {
    std::ranges::sort(labels_, {}, &MetricLabel::name);  // as MetricLabels are
  }

  // `folded` tells whether a value was not the row's.
  template <class... Args>
  Metric& get(MetricLabels const& labels, bool& folded, Args const&... args) {
    ENSURE(labels.size() == labels_.size());
    std::string key;
    bool is_listed = true;
    std::size_t i = 0;
    for (auto const& [name, value] : labels) {
      MetricLabel const& label = labels_[i++];
      ENSURE(label.name == name);
      is_listed = is_listed && (label.values.empty() || std::ranges::count(label.values, value));
      key.append(value).push_back('\0');
    }
    std::lock_guard const lock(mutex_);
    if (auto const it = by_key_.find(key); it != by_key_.end()) return *it->second;
    if (is_listed && by_key_.size() < most_) {
      Metric& made = family_.Add(labels, args...);
      by_key_.emplace(std::move(key), &made);
      return made;
    }
    folded = true;
    MetricLabels others = labels;
    for (auto& [name, value] : others) value = kOther;
    return family_.Add(others, args...);
  }

 private:
  Family<Metric>& family_;
  std::vector<MetricLabel> labels_;
  std::size_t const most_;
  std::mutex mutex_;
  std::unordered_map<std::string, Metric*> by_key_;
};

template <class Metric>
using Table = std::map<std::string, Series<Metric>, std::less<>>;

template <class Metric, class Builder>
void add_to(Table<Metric>& table, prometheus::Registry& registry, Builder builder,
            MetricRow const& row) {
  Family<Metric>& family =
      builder.Name(std::string(row.name)).Help(std::string(row.help)).Register(registry);
  bool const is_new = table.try_emplace(std::string(row.name), family, row).second;
  ENSURE(is_new);
}

}  // namespace

void MetricCounter::count(std::uint64_t by) const {
  counter_->Increment(static_cast<double>(by));
}

void MetricHistogram::observe(Duration took) const {
  histogram_->Observe(as_seconds(took));
}

void MetricHistogram::observe_size(std::uint64_t size) const {
  histogram_->Observe(static_cast<double>(size));
}

struct MetricsPage::Impl {
  std::vector<MetricRow> rows;
  prometheus::Registry registry;
  Table<Counter> counters;
  Table<Gauge> gauges;
  Table<Histogram> histograms;
  std::map<std::string_view, Histogram::BucketBoundaries const*> buckets;

  Counter& counter(std::string_view name, MetricLabels const& labels) {
    auto const it = counters.find(name);
    ENSURE(it != counters.end());
    bool folded = false;
    Counter& found = it->second.get(labels, folded);
    if (folded) count_folded();
    return found;
  }
  Gauge& gauge(std::string_view name, MetricLabels const& labels) {
    auto const it = gauges.find(name);
    ENSURE(it != gauges.end());
    bool folded = false;
    Gauge& found = it->second.get(labels, folded);
    if (folded) count_folded();
    return found;
  }
  Histogram& histogram(std::string_view name, MetricLabels const& labels) {
    auto const it = histograms.find(name);
    ENSURE(it != histograms.end());
    bool folded = false;
    Histogram& found = it->second.get(labels, folded, *buckets.at(name));
    if (folded) count_folded();
    return found;
  }
  void count_folded() {
    bool ignored = false;
    counters.find(kFolded)->second.get({}, ignored).Increment();
  }
  void raise(std::string_view name, MetricLabels const& labels, double total) {
    Counter& found = counter(name, labels);
    double const more = total - found.Value();
    if (more > 0) found.Increment(more);
  }
};

MetricsPage::MetricsPage(std::vector<MetricRow> rows) : impl_(std::make_unique<Impl>()) {
  impl_->rows = std::move(rows);
  // The page's own; part of every program's table, but not of each test's.
  if (std::ranges::count(impl_->rows, kFolded, &MetricRow::name) == 0) {
    impl_->rows.push_back({kFolded, MetricKind::counter, "Values counted as \"other\""});
  }
  for (MetricRow const& row : impl_->rows) {
    switch (row.kind) {
      case MetricKind::counter:
        add_to(impl_->counters, impl_->registry, prometheus::BuildCounter(), row);
        break;
      case MetricKind::gauge:
        add_to(impl_->gauges, impl_->registry, prometheus::BuildGauge(), row);
        break;
      case MetricKind::histogram:
        add_to(impl_->histograms, impl_->registry, prometheus::BuildHistogram(), row);
        impl_->buckets[row.name] = row.unit == "seconds" ? &kSeconds : &kSizes;
        break;
    }
  }
  count(kFolded, {}, 0);
}

MetricsPage::~MetricsPage() = default;

MetricCounter MetricsPage::counter(std::string_view name, MetricLabels const& labels) {
  return MetricCounter(impl_->counter(name, labels));
}

MetricHistogram MetricsPage::histogram(std::string_view name, MetricLabels const& labels) {
  return MetricHistogram(impl_->histogram(name, labels));
}

void MetricsPage::count(std::string_view name, MetricLabels const& labels, std::uint64_t by) {
  counter(name, labels).count(by);
}

void MetricsPage::count_to(std::string_view name, MetricLabels const& labels, std::uint64_t total) {
  impl_->raise(name, labels, static_cast<double>(total));
}

void MetricsPage::count_to(std::string_view name, MetricLabels const& labels, Duration total) {
  impl_->raise(name, labels, as_seconds(total));
}

void MetricsPage::set(std::string_view name, MetricLabels const& labels, std::int64_t value) {
  impl_->gauge(name, labels).Set(static_cast<double>(value));
}

void MetricsPage::set(std::string_view name, MetricLabels const& labels, Duration value) {
  impl_->gauge(name, labels).Set(as_seconds(value));
}

void MetricsPage::set(std::string_view name, MetricLabels const& labels, WallTime value) {
  impl_->gauge(name, labels).Set(static_cast<double>(value.ms) / 1e3);
}

void MetricsPage::observe(std::string_view name, MetricLabels const& labels, Duration took) {
  histogram(name, labels).observe(took);
}

void MetricsPage::observe_size(std::string_view name, MetricLabels const& labels,
                               std::uint64_t size) {
  histogram(name, labels).observe_size(size);
}

std::string MetricsPage::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

std::vector<MetricRow> const& MetricsPage::rows() const {
  return impl_->rows;
}

std::size_t lines_max(MetricRow const& row) {
  std::size_t lines = 1;  // of one series; a histogram has its buckets, "+Inf", sum and count
  if (row.kind == MetricKind::histogram) {
    lines = (row.unit == "seconds" ? kSeconds : kSizes).size() + 3;
  }
  return 2 + (series_max(row) + 1) * lines;
}

}  // namespace berth
