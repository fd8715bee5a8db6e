// What a durable commit costs on this disk, beside what the disk's own sync costs in the same
// seconds.
//
//   berth-bench-store [--folder=DIR] [--seconds=N] [--output=text|json]

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <semaphore>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/ensure.h"
#include "daemon/store/sqlite.h"
#include "tests/support/store_records.h"

namespace {

using namespace berth;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string folder = ".";  // /tmp may be memory, where a sync costs nothing
  int seconds = 3;           // of each case
  bool json = false;
};

struct Case {
  char const* name;
  int changes;  // in each commit
  int waiting;  // commits given before the first is answered
};

constexpr std::array kCases = {Case{"batch_1", 1, 1}, Case{"batch_64", 64, 1},
                               Case{"waiting_64", 1, 64}};

struct Figures {
  double append_syncs_per_second = 0;     // of a file that grows by a page each time
  double overwrite_syncs_per_second = 0;  // of a page that the file already has
  double commits_per_second = 0;
  double changes_per_second = 0;
  double mean_ms = 0;
  double worst_ms = 0;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

enum class Write { append, overwrite };

// Writes a page and syncs, as a log does, for half a second.
double syncs_per_second(std::string const& file, Write how) {
  int const fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ENSURE(fd >= 0);
  std::string const page(4096, 'x');
  int syncs = 0;
  Clock::time_point const start = Clock::now();
  while (seconds_since(start) < 0.5) {
    off_t const at = how == Write::append ? off_t{syncs} * 4096 : 0;
    ENSURE(::pwrite(fd, page.data(), page.size(), at) == static_cast<ssize_t>(page.size()));
    ENSURE(::fdatasync(fd) == 0);
    ++syncs;
  }
  double const rate = syncs / seconds_since(start);
  ::close(fd);
  ::unlink(file.c_str());
  return rate;
}

Figures measured(Case const& one, std::filesystem::path const& folder, int seconds) {
  std::string const file = folder / (std::string(one.name) + ".db");
  auto opened = store::SqliteStore::open({.file = file});
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    std::exit(1);
  }
  store::SqliteStore& store = **opened;
  std::counting_semaphore<> slots(one.waiting);
  double worst_ms = 0;  // of the store's thread until it is closed
  std::uint64_t next = 0;
  Clock::time_point const start = Clock::now();
  while (seconds_since(start) < seconds) {
    std::vector<core::Change> changes;
    for (int i = 0; i < one.changes; ++i) {
      // Never the same twice: SQLite does not write what has not changed.
      Instance instance = test::instance(next % 10'000);
      instance.reboots_wanted = ++next;
      changes.push_back(core::PutInstance{std::move(instance)});
    }
    slots.acquire();
    Clock::time_point const given = Clock::now();
    store.commit(std::move(changes), [&, given](Result<void> const& r) {
      ENSURE(r);
      worst_ms = std::max(worst_ms, seconds_since(given) * 1e3);
      slots.release();
    });
  }
  for (int i = 0; i < one.waiting; ++i) slots.acquire();
  double const took = seconds_since(start);
  store::CommitStats const& stats = store.stats();
  auto const commits = static_cast<double>(stats.commits.load());
  return {.append_syncs_per_second = syncs_per_second(folder / "sync", Write::append),
          .overwrite_syncs_per_second = syncs_per_second(folder / "sync", Write::overwrite),
          .commits_per_second = commits / took,
          .changes_per_second = static_cast<double>(stats.changes.load()) / took,
          .mean_ms = static_cast<double>(stats.latency_total_ns.load()) / commits / 1e6,
          .worst_ms = worst_ms};
}

void print_text(std::vector<Figures> const& figures) {
  std::printf("%-12s %14s %17s %12s %12s %10s %10s\n", "case", "append syncs/s",
              "overwrite syncs/s", "commits/s", "changes/s", "mean ms", "worst ms");
  for (std::size_t i = 0; i < figures.size(); ++i) {
    Figures const& f = figures[i];
    std::printf("%-12s %14.0f %17.0f %12.0f %12.0f %10.2f %10.2f\n", kCases[i].name,
                f.append_syncs_per_second, f.overwrite_syncs_per_second, f.commits_per_second,
                f.changes_per_second, f.mean_ms, f.worst_ms);
  }
}

void print_json(std::vector<Figures> const& figures) {
  std::printf("{");
  for (std::size_t i = 0; i < figures.size(); ++i) {
    Figures const& f = figures[i];
    char const* name = kCases[i].name;
    std::printf(
        "%s\"%s_append_syncs_per_second\": %.1f, \"%s_overwrite_syncs_per_second\": %.1f, "
        "\"%s_commits_per_second\": %.1f, "
        "\"%s_changes_per_second\": %.1f, \"%s_mean_ms\": %.3f, \"%s_worst_ms\": %.3f",
        i == 0 ? "" : ", ", name, f.append_syncs_per_second, name, f.overwrite_syncs_per_second,
        name, f.commits_per_second, name, f.changes_per_second, name, f.mean_ms, name, f.worst_ms);
  }
  std::printf("}\n");
}

int usage() {
  std::fprintf(stderr, "usage: berth-bench-store [--folder=DIR] [--seconds=N] [--output=text|json]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (std::string_view const argument : std::vector<std::string_view>(argv + 1, argv + argc)) {
    std::string_view const value =
        argument.substr(std::min(argument.find('=') + 1, argument.size()));
    if (argument.starts_with("--folder=")) {
      options.folder = value;
    } else if (argument.starts_with("--seconds=") && std::atoi(value.data()) > 0) {
      options.seconds = std::atoi(value.data());
    } else if (argument == "--output=json" || argument == "--output=text") {
      options.json = value == "json";
    } else {
      return usage();
    }
  }
  std::filesystem::path const folder =
      std::filesystem::path(options.folder) / ("store_bench." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::vector<Figures> figures;
  for (Case const& one : kCases) figures.push_back(measured(one, folder, options.seconds));
  std::filesystem::remove_all(folder);
  options.json ? print_json(figures) : print_text(figures);
  return 0;
}
