#include "berth/base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <set>

#include "berth/base/ensure.h"

namespace berth {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

Histogram::BucketBoundaries const kSeconds{
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,    0.1,      0.25,    0.5,    1,       2.5,    5,     10,     30,    60};
Histogram::BucketBoundaries const kSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};

}  // namespace

struct MetricsPage::Impl {
  std::vector<MetricRow> rows;
  prometheus::Registry registry;
  std::map<std::string_view, Family<Counter>*> counters;
  std::map<std::string_view, Family<Gauge>*> gauges;
  std::map<std::string_view, Family<Histogram>*> histograms;
  // Gauges handed out since the last clear(); clear() may run beside set().
  std::mutex mutex;
  std::map<std::string_view, std::set<Gauge*>> series;
};

MetricsPage::MetricsPage(std::vector<MetricRow> rows) : impl_(std::make_unique<Impl>()) {
  impl_->rows = std::move(rows);
  for (MetricRow const& row : impl_->rows) {
    std::string const name(row.name);
    std::string const help(row.help);
    switch (row.kind) {
      case MetricKind::counter:
        impl_->counters[row.name] =
            &prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
        break;
      case MetricKind::gauge:
        impl_->gauges[row.name] =
            &prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
        break;
      case MetricKind::histogram:
        impl_->histograms[row.name] =
            &prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
        break;
    }
  }
}

MetricsPage::~MetricsPage() = default;

void MetricsPage::count(std::string_view name, MetricLabels const& labels, std::uint64_t by) {
  auto const it = impl_->counters.find(name);
  ENSURE(it != impl_->counters.end());
  it->second->Add(labels).Increment(static_cast<double>(by));
}

void MetricsPage::count_to(std::string_view name, MetricLabels const& labels, std::uint64_t total) {
  auto const it = impl_->counters.find(name);
  ENSURE(it != impl_->counters.end());
  Counter& counter = it->second->Add(labels);
  double const more = static_cast<double>(total) - counter.Value();
  if (more > 0) counter.Increment(more);
}

void MetricsPage::set(std::string_view name, MetricLabels const& labels, std::int64_t value) {
  auto const it = impl_->gauges.find(name);
  ENSURE(it != impl_->gauges.end());
  std::lock_guard const lock(impl_->mutex);
  Gauge& gauge = it->second->Add(labels);
  gauge.Set(static_cast<double>(value));
  impl_->series[it->first].insert(&gauge);
}

void MetricsPage::observe(std::string_view name, MetricLabels const& labels, Duration took) {
  auto const it = impl_->histograms.find(name);
  ENSURE(it != impl_->histograms.end());
  it->second->Add(labels, kSeconds).Observe(static_cast<double>(took.ns) / 1e9);
}

void MetricsPage::observe_size(std::string_view name, MetricLabels const& labels,
                               std::uint64_t size) {
  auto const it = impl_->histograms.find(name);
  ENSURE(it != impl_->histograms.end());
  it->second->Add(labels, kSizes).Observe(static_cast<double>(size));
}

void MetricsPage::clear(std::string_view name) {
  auto const it = impl_->gauges.find(name);
  ENSURE(it != impl_->gauges.end());
  std::lock_guard const lock(impl_->mutex);
  for (Gauge* gauge : std::exchange(impl_->series[it->first], {})) it->second->Remove(gauge);
}

std::string MetricsPage::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

std::vector<MetricRow> const& MetricsPage::rows() const {
  return impl_->rows;
}

}  // namespace berth
