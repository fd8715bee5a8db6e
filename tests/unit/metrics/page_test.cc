// The metrics page: a closed table, bounded series, escaped values, and its own rules.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "berth/base/metrics.h"
#include "berth/base/process_metrics.h"

namespace berth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<MetricRow> rows() {
  return {
      {"berth_a_total", MetricKind::counter, "Things", "kind=x|y", "", "here"},
      {"berth_b_seconds", MetricKind::gauge, "Times", "zone<=2", "seconds", "here"},
      {"berth_c_seconds", MetricKind::histogram, "Spans", "", "seconds", "here"},
      {"berth_d_bytes", MetricKind::histogram, "Sizes", "", "bytes", "here"},
  };
}

TEST(MetricsPage, ShowsWhatWasSetWithTypeAndHelp) {
  MetricsPage page(rows());
  page.count("berth_a_total", {{"kind", "x"}}, 3);
  page.count_to("berth_a_total", {{"kind", "y"}}, 7);
  page.count_to("berth_a_total", {{"kind", "y"}}, 5);  // a total never falls
  page.set("berth_b_seconds", {{"zone", "one"}}, milliseconds(1'500));
  page.observe("berth_c_seconds", {}, milliseconds(3));
  page.observe_size("berth_d_bytes", {}, 100);
  std::string const text = page.text();
  EXPECT_THAT(text, HasSubstr("# HELP berth_a_total Things\n# TYPE berth_a_total counter\n"));
  EXPECT_THAT(text, HasSubstr("berth_a_total{kind=\"x\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("berth_a_total{kind=\"y\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("berth_b_seconds{zone=\"one\"} 1.5\n"));
  EXPECT_THAT(text, HasSubstr("berth_c_seconds_bucket{le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("berth_c_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("berth_d_bytes_bucket{le=\"128\"} 1\n"));
}

TEST(MetricsPage, ValuesOfLabelsAreEscaped) {
  MetricsPage page(rows());
  page.set("berth_b_seconds", {{"zone", "a\"b\\c\nd"}}, std::int64_t{1});
  EXPECT_THAT(page.text(), HasSubstr(R"(berth_b_seconds{zone="a\"b\\c\nd"} 1)"));
}

TEST(MetricsPage, AValueThatTheRowDoesNotListIsCountedAsOther) {
  MetricsPage page(rows());
  page.count("berth_a_total", {{"kind", "z"}}, 2);
  EXPECT_THAT(page.text(), HasSubstr("berth_a_total{kind=\"other\"} 2\n"));
  EXPECT_THAT(page.text(), HasSubstr("berth_metrics_folded_total 1\n"));
  EXPECT_THAT(page.text(), Not(HasSubstr("kind=\"z\"")));
}

TEST(MetricsPage, TheSeriesOfAMetricAreBoundedHoweverManyValuesCome) {
  MetricsPage page(rows());
  for (int i = 0; i < 1'000; ++i)
    page.set("berth_b_seconds", {{"zone", "z" + std::to_string(i)}}, std::int64_t{i});
  std::string const text = page.text();
  EXPECT_THAT(text, HasSubstr("zone=\"z1\""));
  EXPECT_THAT(text, Not(HasSubstr("zone=\"z2\"")));
  EXPECT_THAT(text, HasSubstr("berth_b_seconds{zone=\"other\"} 999\n"));
  EXPECT_THAT(text, HasSubstr("berth_metrics_folded_total 998\n"));
}

TEST(MetricsPage, ASeriesLookedUpOnceCountsIntoTheSame) {
  MetricsPage page(rows());
  MetricCounter const counter = page.counter("berth_a_total", {{"kind", "x"}});
  counter.count();
  page.count("berth_a_total", {{"kind", "x"}});
  EXPECT_THAT(page.text(), HasSubstr("berth_a_total{kind=\"x\"} 2\n"));
}

TEST(MetricsPage, ManyThreadsLoseNoCount) {
  MetricsPage page(rows());
  auto work = [&] {
    for (int i = 0; i < 2'000; ++i) page.count("berth_a_total", {{"kind", i % 2 == 0 ? "x" : "y"}});
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (int i = 0; i < 20; ++i) EXPECT_THAT(page.text(), HasSubstr("# TYPE"));
  for (std::thread& t : threads) t.join();
  EXPECT_THAT(page.text(), HasSubstr("berth_a_total{kind=\"x\"} 4000\n"));
  EXPECT_THAT(page.text(), HasSubstr("berth_a_total{kind=\"y\"} 4000\n"));
}

using MetricsPageDeathTest = ::testing::Test;

TEST(MetricsPageDeathTest, WhatTheTableDoesNotHaveCannotBeSet) {
  MetricsPage page(rows());
  EXPECT_DEATH(page.count("berth_z_total", {}), "invariant broken");
  EXPECT_DEATH(page.set("berth_a_total", {{"kind", "x"}}, std::int64_t{1}), "invariant broken");
  EXPECT_DEATH(page.count("berth_a_total", {}), "invariant broken");
  EXPECT_DEATH(page.count("berth_a_total", {{"tenant", "x"}}), "invariant broken");
  EXPECT_DEATH(page.count("berth_a_total", {{"kind", "x"}, {"more", "y"}}), "invariant broken");
  std::vector<MetricRow> twice = rows();
  twice.push_back(twice.front());
  EXPECT_DEATH(MetricsPage{twice}, "invariant broken");
}

TEST(MetricsTable, LabelsAreAListOrABound) {
  MetricRow const row{.name = "berth_x", .labels = "zone<=100, state=a|b-c"};
  std::vector<MetricLabel> const labels = labels_of(row);
  ASSERT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels[0].name, "zone");
  EXPECT_EQ(labels[0].most, 100U);
  EXPECT_THAT(labels[0].values, IsEmpty());
  EXPECT_THAT(labels[1].values, ElementsAre("a", "b-c"));
  EXPECT_EQ(series_max(row), 200U);
}

TEST(MetricsTable, EachRuleOfNamesCanFail) {
  auto complaint = [](MetricRow row) {
    if (row.help.empty()) row.help = "Help";
    if (row.writer.empty()) row.writer = "here";
    return complaints_about({row});
  };
  EXPECT_THAT(complaint({.name = "berth_good_seconds", .unit = "seconds"}), IsEmpty());
  for (MetricRow const& bad : {
           MetricRow{.name = "Berth_x"},
           MetricRow{.name = "berth_things", .kind = MetricKind::counter},
           MetricRow{.name = "berth_things_total", .kind = MetricKind::gauge},
           MetricRow{.name = "berth_x", .help = "A sentence."},
           MetricRow{.name = "berth_x", .unit = "seconds"},
           MetricRow{.name = "berth_memory_mib"},
           MetricRow{.name = "berth_x", .labels = "tenant<=5"},
           MetricRow{.name = "berth_x", .labels = "instance<=5"},
       }) {
    EXPECT_EQ(complaint(bad).size(), 1U) << bad.name << ' ' << bad.labels;
  }
  EXPECT_EQ(complaints_about({rows()[0], rows()[0]}).size(), 1U);
}

TEST(ProcessMetrics, TellOfThisProcess) {
  EXPECT_THAT(complaints_about(process_metric_rows()), IsEmpty());
  MetricsPage page(process_metric_rows());
  set_process(page);
  std::string const text = page.text();
  for (MetricRow const& row : process_metric_rows()) {
    std::size_t const at = text.find("\n" + std::string(row.name) + " ");
    ASSERT_NE(at, std::string::npos) << row.name;
    double const value = std::stod(text.substr(at + row.name.size() + 2));
    double const least = row.name == "process_start_time_seconds" ? 1.7e9 : 0;
    EXPECT_GE(value, least) << row.name;
    bool const is_memory = row.name == "process_resident_memory_bytes";
    EXPECT_GE(value, is_memory ? 1e6 : 0) << row.name;
  }
}

}  // namespace
}  // namespace berth
