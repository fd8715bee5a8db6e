#include "berth/base/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace berth {

namespace {

constexpr std::string_view kWriter = "common/process_metrics.cc";

// The fields of /proc/self/stat after the program's name, which may hold anything; empty: unread.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  std::size_t const end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(line.substr(end + 1));
  return {std::istream_iterator<std::string>(rest), std::istream_iterator<std::string>()};
}

std::int64_t number(std::string const& text) {
  std::int64_t n = 0;
  for (char const c : text) {
    if (c < '0' || c > '9') return 0;
    n = n * 10 + (c - '0');
  }
  return n;
}

// Seconds since 1970 at which this machine started; 0: unread.
std::int64_t boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    if (word != "btime") continue;
    std::int64_t seconds_since_1970 = 0;
    file >> seconds_since_1970;
    return seconds_since_1970;
  }
  return 0;
}

Duration of_ticks(std::int64_t ticks) {
  return milliseconds(ticks * 1'000 / sysconf(_SC_CLK_TCK));
}

}  // namespace

std::vector<MetricRow> process_metric_rows() {
  constexpr MetricKind kCounter = MetricKind::counter;
  constexpr MetricKind kGauge = MetricKind::gauge;
  return {
      {"process_cpu_seconds_total", kCounter, "CPU time of the process", "", "seconds", kWriter},
      {"process_resident_memory_bytes", kGauge, "Memory of the process", "", "bytes", kWriter},
      {"process_virtual_memory_bytes", kGauge, "Address space of the process", "", "bytes",
       kWriter},
      {"process_open_fds", kGauge, "Open files and connections", "", "", kWriter},
      {"process_max_fds", kGauge, "As many files and connections may be open", "", "", kWriter},
      {"process_threads", kGauge, "Threads of the process", "", "", kWriter},
      {"process_start_time_seconds", kGauge, "When the process began, since 1970", "", "seconds",
       kWriter},
      {"berth_metrics_folded_total", kCounter,
       "Values of labels that were counted as \"other\", being one too many or not listed", "", "",
       "common/metrics.cc"},
  };
}

void set_process(MetricsPage& page) {
  std::vector<std::string> const f = stat_fields();
  if (f.size() > 21) {
    page.count_to("process_cpu_seconds_total", {}, of_ticks(number(f[11]) + number(f[12])));
    page.set("process_threads", {}, number(f[17]));
    page.set("process_virtual_memory_bytes", {}, number(f[20]));
    page.set("process_resident_memory_bytes", {}, number(f[21]) * sysconf(_SC_PAGESIZE));
    if (std::int64_t const boot = boot_time(); boot != 0) {
      page.set("process_start_time_seconds", {}, WallTime{boot * 1'000} + of_ticks(number(f[19])));
    }
  }
  std::error_code error;
  std::filesystem::directory_iterator const files("/proc/self/fd", error);
  if (!error) {
    // One of them is the listing's own.
    page.set("process_open_fds", {},
             std::distance(std::filesystem::begin(files), std::filesystem::end(files)) - 1);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    page.set("process_max_fds", {}, static_cast<std::int64_t>(limit.rlim_cur));
  }
}

}  // namespace berth
