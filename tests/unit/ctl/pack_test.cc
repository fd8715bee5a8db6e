#include "ctl/pack.h"
#include "ctl/pack_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace berth::ctl {
namespace {

using testing::HasSubstr;

constexpr char const* kHeader = "time_s,event,vm_id,vcpu,mem_gib,type,tenant,priority\n";

// Gone with the test.
class TraceFile {
 public:
  explicit TraceFile(std::string const& text) {
    int const fd = ::mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    std::ofstream(path_) << text;
  }
  TraceFile(TraceFile const&) = delete;
  TraceFile& operator=(TraceFile const&) = delete;
  ~TraceFile() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "berth-trace-XXXXXX").string();
};

Result<Trace> read(std::string const& path) {
  return read_trace(path, [](std::int64_t, std::int64_t) {});
}
// The error of a trace with these rows.
std::string refused(std::string const& rows) {
  TraceFile const file(kHeader + rows);
  Result<Trace> const trace = read(file.path());
  return trace ? "nothing wrong" : trace.error().message.substr(file.path().size() + 2);
}

TEST(Trace, rows_become_instances_with_their_span_and_whole_mebibytes) {
  TraceFile const file(std::string(kHeader) +
                       "2,create,a,8,14,t,b0,\n5,create,b,1,0.75,t,b1,\n9,delete,a,,,,,\n"
                       "30,create,a,2,0.0001,t,b2,1\n40,delete,a\n");
  Result<Trace> const trace = read(file.path());
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_EQ(trace->instances.size(), 3U);
  EXPECT_EQ(trace->instances[0].need, (placement::Room{.vcpus = 8, .memory_mib = 14'336}));
  EXPECT_EQ(trace->instances[0].end_s, 9);
  EXPECT_EQ(trace->instances[1].need.memory_mib, 768);
  EXPECT_EQ(trace->instances[1].end_s, 40) << "still there when the trace ends";
  EXPECT_EQ(trace->instances[2].need.memory_mib, 1) << "rounded up";
  EXPECT_EQ(trace->events.size(), 5U);
  EXPECT_EQ(trace->end_s, 40);
}

TEST(Trace, gzip_reads_as_the_plain_file_does_and_one_cut_off_is_told) {
  std::string rows = kHeader;
  for (int i = 0; i < 2'000; ++i)
    rows += std::to_string(i) + ",create,v" + std::to_string(i * 7) + ",1,2,,,\n";
  TraceFile const packed("");
  gzFile const out = ::gzopen(packed.path().c_str(), "wb");
  ASSERT_EQ(::gzwrite(out, rows.data(), static_cast<unsigned>(rows.size())),
            static_cast<int>(rows.size()));
  ASSERT_EQ(::gzclose(out), Z_OK);
  Result<Trace> const trace = read(packed.path());
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->instances.size(), 2'000U);

  std::filesystem::resize_file(packed.path(), std::filesystem::file_size(packed.path()) / 2);
  Result<Trace> const cut = read(packed.path());
  ASSERT_FALSE(cut);
  EXPECT_THAT(cut.error().message, HasSubstr("damaged or was cut off"));
}

TEST(Trace, an_error_names_the_line_and_says_what_was_wanted) {
  EXPECT_EQ(refused("x,create,a,1,1,,,\n"), "line 2: time_s: wanted whole seconds, found 'x'");
  EXPECT_EQ(refused("1,create,a,1,1,,,\n0,create,b,1,1,,,\n"),
            "line 3: time_s: rows are in time order, found 0 after 1");
  EXPECT_EQ(refused("1,move,a,1,1,,,\n"), "line 2: event: wanted create or delete, found 'move'");
  EXPECT_EQ(refused("1,create,,1,1,,,\n"), "line 2: vm_id is empty");
  EXPECT_EQ(refused("1,create,a,0,1,,,\n"),
            "line 2: vcpu: wanted a whole number from 1 to 32768, found '0'");
  EXPECT_EQ(refused("1,create,a,1.5,1,,,\n"),
            "line 2: vcpu: wanted a whole number from 1 to 32768, found '1.5'");
  EXPECT_EQ(refused("1,create,a,1,-2,,,\n"),
            "line 2: mem_gib: wanted GiB above 0, as 3.5, found '-2'");
  EXPECT_EQ(refused("1,create,a,1\n"), "line 2: a create row wants vcpu and mem_gib");
  EXPECT_EQ(refused("1,create,a,1,1,,,\n2,create,a,1,1,,,\n"),
            "line 3: vm_id: 'a' is created again while it is there");
  EXPECT_EQ(refused("1,create,a,1,1,,,\n2,delete,a,,,,,\n3,delete,a,,,,,\n"),
            "line 4: vm_id: 'a' is deleted again");
  EXPECT_EQ(refused("2,delete,a,,,,,\n"), "line 2: vm_id: 'a' is deleted, but no row created it");
  EXPECT_EQ(refused(""), "there is no create row in it");
  EXPECT_THAT(refused("1,create,a,1,1,,,,\n"), HasSubstr("line 2: wanted time_s,"));
  EXPECT_EQ(refused(std::string(5'000, 'x') + "\n"), "line 2: longer than 4096 bytes");
}

TEST(Trace, a_file_without_the_header_or_no_file_at_all_is_refused) {
  TraceFile const bare("1,create,a,1,1,,,\n");
  EXPECT_THAT(read(bare.path()).error().message, HasSubstr("line 1: wanted the header time_s,"));
  TraceFile const empty("");
  EXPECT_THAT(read(empty.path()).error().message, HasSubstr("line 1: wanted the header"));
  EXPECT_THAT(read("/nowhere/at/all").error().message, HasSubstr("No such file"));
  EXPECT_THAT(read("/").error().message, HasSubstr("wanted a file with a trace"));
}

TEST(Pack, a_host_is_cells_by_vcpus_by_gib) {
  Result<HostShape> const shape = parse_host_shape("2x24x64.5");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->cells, 2);
  EXPECT_EQ(shape->cell, (placement::Room{.vcpus = 24, .memory_mib = 66'048}));
  for (char const* const text : {"", "1", "1x2", "0x1x1", "9x1x1", "1x0x1", "1x1x0", "1x1xq",
                                 "1x1x1x1", "1x99999x1", "x1x1"})
    EXPECT_FALSE(parse_host_shape(text)) << text;
}

Trace trace_of(std::vector<placement::Room> const& needs) {
  Trace out;
  for (placement::Room const& need : needs) {
    auto const number = static_cast<std::uint32_t>(out.instances.size());
    out.instances.push_back({.id = "", .need = need, .begin_s = number, .end_s = 100});
    out.events.push_back({.time_s = number, .instance = number, .is_create = true});
  }
  out.events.push_back({.time_s = 100, .instance = 0, .is_create = false});
  out.end_s = 100;
  return out;
}

PackAsk ask_of(std::string const& host, std::int64_t hosts, std::string_view policy) {
  return {.host = *parse_host_shape(host),
          .hosts = hosts,
          .policy = placement::find_policy(policy),
          .average_from_s = 0};
}
PackEvents const kQuiet{.on_progress = [](std::int64_t) {}, .on_placement = {}};

TEST(Pack, means_are_over_time_and_shares_over_the_whole_trace) {
  // Two of half a host from seconds 0 and 1 on; the third, of a quarter, finds no room.
  Trace const trace = trace_of({{.vcpus = 4, .memory_mib = 4'096},
                                {.vcpus = 4, .memory_mib = 2'048},
                                {.vcpus = 2, .memory_mib = 1'024}});
  PackReport const report = replay(trace, ask_of("1x8x8", 1, "first-fit"), kQuiet);
  EXPECT_EQ(report.rejected, 1);
  EXPECT_DOUBLE_EQ(report.rejected_share, 1.0 / 3);
  EXPECT_DOUBLE_EQ(report.rejected_core_hours_share, 98.0 * 2 / (100 * 4 + 99 * 4 + 98 * 2));
  EXPECT_DOUBLE_EQ(report.used_hosts_mean, 1);
  EXPECT_DOUBLE_EQ(report.density_cpu, (4.0 * 100 + 4.0 * 99) / 800);
  EXPECT_DOUBLE_EQ(report.density_mem, (4.0 * 100 + 2.0 * 99) / 800);
}

TEST(Pack, the_smallest_fleet_rejects_nothing_and_one_host_fewer_does) {
  std::vector<placement::Room> needs;
  for (int i = 0; i < 40; ++i)
    needs.push_back({.vcpus = 1 + i % 5, .memory_mib = 1'024 * (1 + i % 3)});
  Trace const trace = trace_of(needs);
  for (placement::Policy const& policy : placement::policies()) {
    PackAsk const ask = ask_of("2x4x6", 0, policy.name);
    Result<PackReport> const smallest = replay_smallest(trace, ask, kQuiet, [](std::int64_t) {});
    ASSERT_TRUE(smallest) << policy.name;
    EXPECT_EQ(smallest->rejected, 0) << policy.name;
    PackAsk fewer = ask;
    fewer.hosts = smallest->hosts - 1;
    EXPECT_GT(replay(trace, fewer, kQuiet).rejected, 0) << policy.name;
  }
}

TEST(Pack, what_is_larger_than_a_host_is_rejected_and_does_not_keep_the_smallest_from_being_found) {
  Trace const trace =
      trace_of({{.vcpus = 2, .memory_mib = 1'024}, {.vcpus = 17, .memory_mib = 1'024}});
  Result<PackReport> const smallest =
      replay_smallest(trace, ask_of("2x8x8", 0, "default"), kQuiet, [](std::int64_t) {});
  ASSERT_TRUE(smallest);
  EXPECT_EQ(smallest->hosts, 1);
  EXPECT_EQ(smallest->rejected, 1);
  EXPECT_EQ(smallest->too_large, 1);
}

TEST(Pack, moves_empty_hosts_within_their_hourly_limit_and_lose_nobody) {
  // Twenty hosts are filled, four of the five on each go again after ten minutes; then one small
  // instance comes and goes every ten minutes, and time passes.
  Trace trace;
  constexpr std::int64_t kEnd = 40 * 3'600;
  auto const add = [&](std::int32_t vcpus, std::int64_t begin_s, std::int64_t end_s) {
    auto const number = static_cast<std::uint32_t>(trace.instances.size());
    trace.instances.push_back({.id = "v" + std::to_string(number),
                               .need = {.vcpus = vcpus, .memory_mib = 1'024},
                               .begin_s = begin_s,
                               .end_s = end_s});
    trace.events.push_back({.time_s = begin_s, .instance = number, .is_create = true});
    if (end_s < kEnd)
      trace.events.push_back({.time_s = end_s, .instance = number, .is_create = false});
  };
  for (int host = 0; host < 20; ++host) {
    for (int i = 0; i < 4; ++i) add(11, 0, 600);
    add(4, 0, kEnd);
  }
  for (std::int64_t time_s = 900; time_s + 300 < kEnd; time_s += 600) add(1, time_s, time_s + 300);
  std::ranges::stable_sort(trace.events, {}, &TraceEvent::time_s);
  trace.end_s = trace.events.back().time_s;
  PackAsk ask = ask_of("1x48x64", 60, "best-fit-sum");
  PackReport const still = replay(trace, ask, kQuiet);
  EXPECT_EQ(still.moves, 0);

  ask.moves_per_hour = 3;
  std::vector<std::int64_t> moved_at;
  PackEvents events = kQuiet;
  events.on_move = [&](std::int64_t time_s, std::uint32_t, placement::Seat const&) {
    moved_at.push_back(time_s);
  };
  PackReport const moved = replay(trace, ask, events);
  EXPECT_EQ(moved.rejected, 0);
  EXPECT_EQ(moved.moves, static_cast<std::int64_t>(moved_at.size()));
  EXPECT_GT(moved.moves, 10);
  EXPECT_LT(moved.used_hosts_mean, still.used_hosts_mean);
  EXPECT_NEAR(moved.density_cpu * moved.used_hosts_mean, still.density_cpu * still.used_hosts_mean,
              1e-9)
      << "the same vCPUs are in use";
  for (std::size_t i = 3; i < moved_at.size(); ++i)
    EXPECT_GE(moved_at[i], moved_at[i - 3] + 3'600) << "four within an hour";
}

// The numbers of the n-th line of the picture: of its points, the second of each pair.
std::vector<double> heights(std::string const& svg, int n) {
  std::size_t from = 0;
  for (int i = 0; i <= n; ++i) from = svg.find("points=\"", from + 1);
  std::string const points = svg.substr(from + 8, svg.find('"', from + 8) - from - 8);
  std::vector<double> out;
  for (std::size_t at = points.find(','); at != std::string::npos; at = points.find(',', at + 1))
    out.push_back(std::strtod(points.c_str() + at + 1, nullptr));
  return out;
}

TEST(PackChart, draws_the_mean_of_each_stretch_of_time) {
  constexpr auto kStretches = static_cast<std::int64_t>(PackChart::kStretches);
  PackChart chart(kStretches * 10, {.hosts = 4, .vcpus = 32, .memory_mib = 4'096});
  chart.used(0, 5, {.hosts = 4, .vcpus = 32, .memory_mib = 1'024});   // of the first stretch half
  chart.used(5, 10, {});                                              // and nothing in the other
  chart.used(10, 30, {.hosts = 1, .vcpus = 4, .memory_mib = 1'024});  // the next two
  std::string const svg = chart.svg("a < b");
  EXPECT_THAT(svg, HasSubstr("a &lt; b"));
  std::vector<double> const hosts = heights(svg, 1);  // the line of all hosts is drawn first
  ASSERT_EQ(hosts.size(), PackChart::kStretches);
  double const zero = hosts.back(), all = heights(svg, 0).front();
  double const whole = zero - all;
  EXPECT_NEAR(zero - hosts[0], whole / 2, 0.1) << "half of the time all four";
  EXPECT_NEAR(zero - hosts[1], whole / 4, 0.1);
  EXPECT_NEAR(zero - hosts[2], whole / 4, 0.1);
  EXPECT_EQ(hosts[3], zero);
  std::vector<double> const cpu = heights(svg, 3);
  EXPECT_NEAR(cpu.back() - cpu[0], whole, 0.1) << "of the hosts in use all is sold";
  EXPECT_NEAR(cpu.back() - cpu[1], whole / 2, 0.1);
  EXPECT_EQ(svg.find("fill=\"#cc0033\""), std::string::npos) << "nothing was rejected";
}

TEST(PackChart, shows_what_was_rejected_and_ignores_what_lies_outside) {
  PackChart chart(100, {.hosts = 1, .vcpus = 1, .memory_mib = 1});
  chart.used(-5, 0, {.hosts = 1, .vcpus = 1, .memory_mib = 1});
  chart.used(100, 200, {.hosts = 1, .vcpus = 1, .memory_mib = 1});
  chart.rejected(0);
  chart.rejected(100);
  chart.rejected(100);
  std::string const svg = chart.svg("");
  std::vector<double> const hosts = heights(svg, 1);
  EXPECT_EQ(*std::ranges::min_element(hosts), *std::ranges::max_element(hosts));
  std::size_t bars = 0;
  for (std::size_t at = svg.find("fill=\"#cc0033\""); at != std::string::npos;
       at = svg.find("fill=\"#cc0033\"", at + 1))
    ++bars;
  EXPECT_EQ(bars, 2U);
}

}  // namespace
}  // namespace berth::ctl
