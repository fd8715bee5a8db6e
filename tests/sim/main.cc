// berth-sim: many bad days of a whole cluster, each from one seed.
//
//   berth-sim --seeds=300                 a table, and a line that reproduces each violation
//   berth-sim --seed=17 --trace           one seed, every event on standard output
//   berth-sim --seeds=1000 --hosts=20 --again_every=0     how fast

#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "berth/base/log.h"
#include "berth/base/result.h"
#include "tests/sim/run.h"

DEFINE_uint64(seeds, 300, "how many seeds to run");
DEFINE_uint64(first_seed, 1, "the first of them");
DEFINE_uint64(seed, 0, "run this one seed only; 0: --seeds from --first_seed on");
DEFINE_bool(trace, false, "write every event to standard output; with --seed");
DEFINE_string(output, "table", "table for people, json for machines (one flat object)");
DEFINE_uint32(jobs, 2, "seeds to run at the same time");
DEFINE_bool(coverage, false, "also print how often each fault met each phase of an instance");
DEFINE_uint64(hosts, 0, "hosts of each cluster; 0: as the seed says");
DEFINE_uint64(steps, 0, "end each storm after this many events; 0: as the seed says");
DEFINE_string(corpus, BERTH_SIM_CORPUS,
              "seeds that once failed, run before all others; empty: none");
DEFINE_string(ledger, "", "append what was run to this file, as a line of CSV");
DEFINE_string(commit, "unknown", "the commit that is run, for the ledger");
DEFINE_uint32(again_every, 25, "run every n-th seed twice and compare the histories; 0: none");

namespace berth::sim {
namespace {

thread_local std::uint64_t current_seed = 0;

// An ENSURE in the code under test ends this process: say at which seed.
extern "C" void on_abort(int) {
  char line[96];
  int const size = std::snprintf(line, sizeof line,
                                 "\naborted: berth-sim --seed=%" PRIu64 " --trace\n", current_seed);
  if (size > 0 && write(STDERR_FILENO, line, static_cast<std::size_t>(size)) < 0) _exit(2);
  _exit(2);
}

struct Totals {
  std::uint64_t seeds = 0, violations = 0, events = 0, calls = 0, judged = 0, repeated = 0;
  std::uint64_t corpus = 0;
  std::int64_t cpu_ns = 0;  // of the seeds, on whatever cores
  std::uint64_t hash = 0;
  std::int64_t simulated_ns = 0;
  std::vector<std::pair<std::uint64_t, std::string>> found;
  Coverage coverage;
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
};

// The same whatever the order in which seeds end.
std::uint64_t contribution(Outcome const& o) {
  std::uint64_t z = o.hash + o.seed * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  return z ^ (z >> 31);
}

void add(Totals& totals, Outcome const& o) {
  ++totals.seeds;
  totals.events += o.events;
  totals.calls += o.calls;
  totals.judged += o.judged;
  totals.simulated_ns += o.simulated.ns;
  totals.hash += contribution(o);
  if (o.violation) {
    ++totals.violations;
    totals.found.emplace_back(o.seed, *o.violation);
  }
  totals.coverage += o.coverage;
  for (auto const& [key, count] : o.counts) totals.counts[key] += count;
}

Outcome run_one(std::uint64_t seed, bool is_repeated) {
  current_seed = seed;
  RunOptions options{.seed = seed,
                     .steps_max = FLAGS_steps,
                     .hosts = FLAGS_hosts,
                     .trace = FLAGS_trace ? stdout : nullptr};
  Outcome first = run_seed(options);
  if (is_repeated && !first.violation) {
    options.trace = nullptr;
    if (run_seed(options).hash != first.hash)
      first.violation = "the same seed twice gave two histories";
  }
  return first;
}

void show_progress(std::uint64_t done, std::uint64_t all, std::uint64_t violations) {
  int const width = 40;
  int const filled = static_cast<int>(done * width / std::max<std::uint64_t>(all, 1));
  std::fprintf(stderr, "\r[%-*s] %" PRIu64 "/%" PRIu64 " seeds, %" PRIu64 " violations ", width,
               std::string(static_cast<std::size_t>(filled), '#').c_str(), done, all, violations);
  if (done == all) std::fputc('\n', stderr);
}

std::int64_t thread_cpu_ns() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::int64_t{spent.tv_sec} * 1'000'000'000 + spent.tv_nsec;
}

// One seed a line, then perhaps what it found; '#' begins prose.
Result<std::vector<std::uint64_t>> corpus_seeds(std::string const& path) {
  std::vector<std::uint64_t> seeds;
  if (path.empty()) return seeds;
  std::ifstream file(path);
  if (!file) return Error{Code::not_found, "corpus", "cannot read " + path};
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::uint64_t seed = 0;
    auto const [end, error] = std::from_chars(line.data(), line.data() + line.size(), seed);
    if (error != std::errc() || seed == 0)
      return Error{Code::invalid, "corpus", path + ": wanted a seed, found '" + line + "'"};
    seeds.push_back(seed);
  }
  return seeds;
}

Totals run_all(std::vector<std::uint64_t> const& corpus, std::uint64_t first, std::uint64_t count) {
  Totals totals;
  for (std::uint64_t const seed : corpus) {
    Outcome const outcome = run_one(seed, false);
    ++totals.corpus;
    if (outcome.violation) {
      ++totals.violations;
      totals.found.emplace_back(seed, *outcome.violation);
    }
  }
  std::mutex mutex;
  std::atomic<std::uint64_t> next{0};
  bool const has_bar = FLAGS_output == "table" && isatty(STDERR_FILENO) != 0 && !FLAGS_trace;
  auto work = [&] {
    for (std::uint64_t i = next++; i < count; i = next++) {
      bool const is_repeated = FLAGS_again_every > 0 && i % FLAGS_again_every == 0;
      std::int64_t const before = thread_cpu_ns();
      Outcome const outcome = run_one(first + i, is_repeated);
      std::int64_t const spent = (thread_cpu_ns() - before) / (is_repeated ? 2 : 1);
      std::lock_guard const lock(mutex);
      add(totals, outcome);
      totals.cpu_ns += spent;
      if (is_repeated) ++totals.repeated;
      if (has_bar) show_progress(totals.seeds, count, totals.violations);
    }
  };
  std::vector<std::jthread> threads;
  for (std::uint32_t i = 1; i < std::max(FLAGS_jobs, 1U); ++i) threads.emplace_back(work);
  work();
  threads.clear();
  std::ranges::sort(totals.found);
  return totals;
}

struct Cells {
  std::uint64_t total = 0, reached = 0, least = 0;
  std::string least_name;
};

Cells cells_of(Coverage const& coverage) {
  Cells out;
  for (std::size_t f = 0; f < kFaults; ++f) {
    for (std::size_t p = 0; p < kPhases; ++p) {
      auto const fault = static_cast<Fault>(f);
      auto const phase = static_cast<Phase>(p);
      if (!why_never(fault, phase).empty()) continue;
      std::uint64_t const n = coverage.at(fault, phase);
      if (n > 0) ++out.reached;
      if (out.total++ == 0 || n < out.least) {
        out.least = n;
        out.least_name = std::string(name(fault)) + " x " + std::string(name(phase));
      }
    }
  }
  return out;
}

double simulated_seconds(Totals const& t) {
  return static_cast<double>(t.simulated_ns) / 1e9;
}

// By the CPU that the seeds took, so that what else runs on the machine is not in it.
double speed_per_core(Totals const& t) {
  return static_cast<double>(t.simulated_ns) /
         static_cast<double>(std::max(t.cpu_ns, std::int64_t{1}));
}

void print_json(Totals const& t, double wall) {
  Cells const cells = cells_of(t.coverage);
  std::printf(
      "{\"seeds\": %" PRIu64 ", \"violations\": %" PRIu64
      ", \"simulated_hours\": %.3f, \"wall_seconds\": %.3f, \"trace_hash\": \"%016" PRIx64
      "\", \"simulated_seconds_per_wall_second\": %.0f"
      ", \"simulated_seconds_per_wall_second_and_core\": %.0f, \"events\": %" PRIu64
      ", \"calls\": %" PRIu64 ", \"replies_judged\": %" PRIu64 ", \"seeds_run_twice\": %" PRIu64
      ", \"corpus_seeds\": %" PRIu64 ", \"cells_total\": %" PRIu64 ", \"cells_reached\": %" PRIu64
      ", \"cells_least\": %" PRIu64 ", \"cells_least_name\": \"%s\"}\n",
      t.seeds, t.violations, simulated_seconds(t) / 3600, wall, t.hash, simulated_seconds(t) / wall,
      speed_per_core(t), t.events, t.calls, t.judged, t.repeated, t.corpus, cells.total,
      cells.reached, cells.least, cells.least_name.c_str());
}

void print_table(Totals const& t, double wall) {
  double const simulated = simulated_seconds(t);
  std::printf("seeds            %12" PRIu64 "   (%" PRIu64 " run twice, and %" PRIu64
              " of the corpus)\n",
              t.seeds, t.repeated, t.corpus);
  std::printf("violations       %12" PRIu64 "\n", t.violations);
  std::printf("simulated hours  %12.1f\n", simulated / 3600);
  std::printf("wall seconds     %12.1f   (%.0f simulated seconds in one)\n", wall,
              simulated / wall);
  std::printf("  and core       %12.0f\n", speed_per_core(t));
  std::printf("events           %12" PRIu64 "\n", t.events);
  std::printf("calls            %12" PRIu64 "   (%" PRIu64 " judged by the auditor)\n", t.calls,
              t.judged);
  std::printf("trace hash       %016" PRIx64 "\n", t.hash);
}

void print_coverage(Totals const& t) {
  std::printf("\nhow often a fault met an instance that was (-: it cannot):\n%-20s", "");
  for (std::size_t p = 0; p < kPhases; ++p)
    std::printf(" %11s", std::string(name(static_cast<Phase>(p))).c_str());
  for (std::size_t f = 0; f < kFaults; ++f) {
    auto const fault = static_cast<Fault>(f);
    std::printf("\n%-20s", std::string(name(fault)).c_str());
    for (std::size_t p = 0; p < kPhases; ++p) {
      auto const phase = static_cast<Phase>(p);
      if (why_never(fault, phase).empty())
        std::printf(" %11" PRIu64, t.coverage.at(fault, phase));
      else
        std::printf(" %11s", "-");
    }
  }
  Cells const cells = cells_of(t.coverage);
  std::printf("\n%" PRIu64 " of %" PRIu64 " cells, the least often: %s, %" PRIu64 "\n",
              cells.reached, cells.total, cells.least_name.c_str(), cells.least);
  std::printf("\nand how often:\n");
  for (auto const& [key, count] : t.counts) {
    std::printf("  %-28s %-24s %10" PRIu64 "\n", key.first.c_str(), key.second.c_str(), count);
  }
}

bool append_to_ledger(Totals const& t, std::uint64_t first) {
  std::ofstream file(FLAGS_ledger, std::ios::app);
  if (file.tellp() == 0)
    file << "first_seed,seeds,commit,simulated_hours,violations,trace_hash,cells_reached,date\n";
  char line[256];
  std::time_t const now = std::time(nullptr);
  std::tm date{};
  gmtime_r(&now, &date);
  char day[16];
  std::strftime(day, sizeof day, "%Y-%m-%d", &date);
  std::snprintf(line, sizeof line,
                "%" PRIu64 ",%" PRIu64 ",%.40s,%.1f,%" PRIu64 ",%016" PRIx64 ",%" PRIu64 ",%s\n",
                first, t.seeds, FLAGS_commit.c_str(), simulated_seconds(t) / 3600, t.violations,
                t.hash, cells_of(t.coverage).reached, day);
  file << line;
  return file.flush().good();
}

int main(int argc, char** argv) {
  gflags::SetUsageMessage("simulates whole clusters under faults; see tests/sim/README.md");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  if (FLAGS_output != "table" && FLAGS_output != "json") {
    std::fprintf(stderr, "berth-sim: --output is table or json, found '%s'\n",
                 FLAGS_output.c_str());
    return 2;
  }
  if (FLAGS_trace && FLAGS_seed == 0) {
    std::fprintf(stderr, "berth-sim: --trace wants one seed: --seed=N --trace\n");
    return 2;
  }
  log_start({.level = LogLevel::error, .file = "/dev/null"});
  for (int const number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) std::signal(number, on_abort);
  Result<std::vector<std::uint64_t>> const corpus = corpus_seeds(FLAGS_corpus);
  if (!corpus) {
    std::fprintf(stderr, "berth-sim: %s\n", corpus.error().message.c_str());
    return 2;
  }
  auto const begun = std::chrono::steady_clock::now();
  std::uint64_t const first = FLAGS_seed != 0 ? FLAGS_seed : FLAGS_first_seed;
  Totals const totals =
      FLAGS_seed != 0 ? run_all({}, first, 1) : run_all(*corpus, first, FLAGS_seeds);
  double const wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (FLAGS_output == "json")
    print_json(totals, wall);
  else
    print_table(totals, wall);
  if (FLAGS_coverage) print_coverage(totals);
  for (auto const& [seed, what] : totals.found) {
    std::fprintf(stderr, "violation: berth-sim --seed=%" PRIu64 " --trace   # %s\n", seed,
                 what.c_str());
  }
  if (!FLAGS_ledger.empty() && !append_to_ledger(totals, first)) {
    std::fprintf(stderr, "berth-sim: cannot append to %s\n", FLAGS_ledger.c_str());
    return 2;
  }
  return totals.violations == 0 ? 0 : 1;
}

}  // namespace
}  // namespace berth::sim

int main(int argc, char** argv) {
  return berth::sim::main(argc, argv);
}
