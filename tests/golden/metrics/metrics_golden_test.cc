// The tables of metrics: their rules, their reference, and berthd's page as text.
// BERTH_REWRITE=1 writes docs/reference/metrics.md and page.txt anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "agent/metric_table.h"
#include "daemon/metrics/metrics.h"
#include "daemon/metrics/table.h"

namespace berth {
namespace {

constexpr char kIntroduction[] =
    "# Metrics\n\n"
    "What `berthd` (port 8775) and `berth-agent` (port 8776) export at `/metrics`, for "
    "Prometheus.\n"
    "Made from the programs' own tables: `berthd --list_metrics`, `berth-agent --list_metrics`.\n\n"
    "A label has a closed list of values or a bound; values past it are counted as `other`, and\n"
    "`berth_metrics_folded_total` says that it happened. No label names a tenant, an instance or "
    "a\n"
    "host: a page is bounded in size. Prometheus adds `job` and `instance` by itself.\n\n"
    "How to wire Prometheus, Grafana and alerts: [monitoring](../operating/monitoring.md). What to "
    "do\n"
    "when an alert fires: [alerts](../operating/alerts.md).\n\n";

void expect_file(std::string const& path, std::string const& text) {
  if (std::getenv("BERTH_REWRITE") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing; BERTH_REWRITE=1 makes it";
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text)
      << path << " is stale; BERTH_REWRITE=1 writes it anew";
}

TEST(MetricsGolden, bothTablesKeepPrometheusRules) {
  EXPECT_EQ(complaints_about(daemon_metric_table()), std::vector<std::string>{});
  EXPECT_EQ(complaints_about(agent::metric_table()), std::vector<std::string>{});
}

TEST(MetricsGolden, noNameMeansTwoThings) {
  for (MetricRow const& ours : daemon_metric_table()) {
    for (MetricRow const& theirs : agent::metric_table()) {
      EXPECT_TRUE(ours.name != theirs.name || ours.help == theirs.help) << ours.name;
    }
  }
}

// A line is below 300 bytes: names below 60, at most three labels with values below 64.
TEST(MetricsGolden, aPageIsBoundedInSize) {
  auto lines = [](std::vector<MetricRow> const& rows) {
    std::size_t sum = 0;
    for (MetricRow const& row : rows) {
      EXPECT_LT(row.name.size(), 60U) << row.name;
      sum += lines_max(row);
    }
    return sum;
  };
  EXPECT_LT(lines(daemon_metric_table()), 20'000U);
  EXPECT_LT(lines(agent::metric_table()), 2'000U);
}

TEST(MetricsGolden, theReferenceIsMadeFromTheTables) {
  expect_file("docs/reference/metrics.md",
              kIntroduction + reference_of("berthd", daemon_metric_table()) + "\n" +
                  reference_of("berth-agent", agent::metric_table()));
}

// prometheus-cpp keeps series in no order.
std::string sorted(std::string const& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::ranges::sort(lines);
  std::string out;
  for (std::string const& line : lines) out += line + "\n";
  return out;
}

TEST(MetricsGolden, thePageOfASmallRegion) {
  DaemonMetrics metrics;
  core::State state{core::Policy{}};
  auto take = [&](core::Change const& change) {
    metrics.changing(state, change);
    core::absorb(state, change);
    metrics.changed(state, change);
  };
  take(core::PutZone{Zone{.name = ZoneName("us-east-1a")}});
  Host host{.id = HostId("host-1"), .name = "h1", .zone = ZoneName("us-east-1a")};
  host.inventory.emplace();
  host.inventory->cells = {HostCell{.memory = Mebibytes(8'192), .cpus = {{.id = 0}, {.id = 1}}}};
  host.inventory->disk_total = bytes(Gibibytes(100));
  take(core::PutHost{host});
  take(core::SeeHost{.id = host.id, .announced = HostHealth::up});
  Instance i{.id = InstanceId("i-1"), .tenant = TenantId("1"), .vcpus = 2, .disk_gib = 8};
  i.memory = Mebibytes(512);
  i.zone = ZoneName("us-east-1a");
  i.placement = Placement{host.id, PlacementGeneration(1)};
  take(core::PutInstance{i});
  metrics.decided(core::Tick{}, core::Decision{}, milliseconds(1));
  metrics.decided(core::AgentHeartbeat{}, core::Decision{}, milliseconds(1));
  metrics.decided(core::ApiCall{}, Error{Code::not_found, "instance", "no"}, milliseconds(2));
  metrics.committed({core::PutInstance{i}}, 3, milliseconds(4));
  metrics.released(milliseconds(5));
  metrics.api_request("RunInstances", "Success", milliseconds(6));
  metrics.api_request("RunInstances", "Success", milliseconds(6));
  metrics.api_request("-", "AuthFailure", milliseconds(1));
  metrics.ticked(state, Instant{seconds(1).ns});
  expect_file("tests/golden/metrics/page.txt", sorted(metrics.page(Instant{seconds(3).ns})));
}

}  // namespace
}  // namespace berth
