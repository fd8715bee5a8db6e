// berth-sim-plants: the simulator with one known bug in the code under test, to prove that it would
// be found. Built apart, with BERTH_PLANTS; links into nothing else.
//
//   berth-sim-plants --list_plants
//   berth-sim-plants --all                          each plant until its first violation
//   berth-sim-plants --plant=NAME                   this one
//   berth-sim-plants --plant=NAME --seed=3 --trace  that history, every event on a line

#include <fcntl.h>
#include <gflags/gflags.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>

#include "berth/base/ensure.h"
#include "berth/base/log.h"
#include "tests/sim/plants.h"
#include "tests/sim/run.h"

DEFINE_bool(list_plants, false, "print the name and the meaning of every plant");
DEFINE_bool(all, false, "hunt every plant; exit code 1 if one is not found");
DEFINE_string(plant, "", "hunt this plant only");
DEFINE_uint64(seeds, 1'000, "seeds to hunt one plant with, at most");
DEFINE_uint64(first_seed, 1, "the first of them");
DEFINE_uint64(seed, 0, "run this one seed only, with --plant");
DEFINE_bool(trace, false, "write every event to standard output; with --seed");
DEFINE_string(output, "table", "table for people, json for machines (one flat object)");
DEFINE_uint32(jobs, 2, "plants to hunt at the same time");
DEFINE_uint32(seconds_max, 60, "of CPU time for one plant");

namespace berth::sim {
namespace {

// What one hunt said: its last line, as "<seed> <what>"; nothing: the plant was not found.
struct Hunt {
  PlantRow row;
  std::uint64_t seed = 0;
  std::string what;
};

std::uint64_t current_seed = 0;

// An ENSURE of the code under test found it, and has said so on standard error; or it crashed.
extern "C" void on_abort(int signal) {
  char line[96];
  int const size =
      std::snprintf(line, sizeof line, "%" PRIu64 " ended by signal %d\n", current_seed, signal);
  if (size > 0 && write(STDERR_FILENO, line, static_cast<std::size_t>(size)) < 0) _exit(2);
  _exit(0);
}

// In a process of its own, as a plant may end it. Everything it says goes to `out`.
[[noreturn]] void hunt(PlantRow const& row, int out) {
  dup2(out, STDERR_FILENO);
  for (int const number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) std::signal(number, on_abort);
  rlimit const most{FLAGS_seconds_max, FLAGS_seconds_max};
  ENSURE(setrlimit(RLIMIT_CPU, &most) == 0);
  log_start({.level = LogLevel::error, .file = "/dev/null"});
  plant_only(row.plant);
  for (std::uint64_t i = 0; i < FLAGS_seeds; ++i) {
    current_seed = FLAGS_first_seed + i;
    Outcome const outcome = run_seed({.seed = current_seed});
    if (!outcome.violation) continue;
    plant_only(Plant::none);  // what is found without it is not its
    bool const is_clean = !run_seed({.seed = current_seed}).violation;
    plant_only(row.plant);
    if (!is_clean) continue;
    std::string const line = std::to_string(current_seed) + " " + *outcome.violation + "\n";
    if (write(STDERR_FILENO, line.data(), line.size()) < 0) _exit(2);
    break;
  }
  _exit(0);
}

Hunt ended(PlantRow const& row, int from) {
  std::string said;
  char buffer[4'096];
  for (ssize_t n = 0; (n = read(from, buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<std::size_t>(n));
  }
  close(from);
  Hunt out{.row = row, .seed = 0, .what = {}};
  if (said.empty()) return out;
  said.pop_back();
  std::size_t const line = said.rfind('\n') + 1;  // npos + 1 is 0
  std::size_t const space = said.find(' ', line);
  out.seed = std::stoull("0" + said.substr(line, space - line));
  out.what = said.substr(space + 1);
  if (std::size_t const broken = said.find("invariant broken: "); broken != std::string::npos) {
    out.what = "ENSURE: " + said.substr(broken + 18, said.find('\n', broken) - broken - 18);
  }
  return out;
}

std::vector<Hunt> hunt_all(std::vector<PlantRow> const& rows) {
  struct Running {
    PlantRow row;
    int from;
  };
  std::vector<Hunt> out;
  std::map<pid_t, Running> running;
  auto wait_for_one = [&] {
    int status = 0;
    pid_t const pid = wait(&status);
    auto const node = running.extract(pid);
    ENSURE(!node.empty());
    out.push_back(ended(node.mapped().row, node.mapped().from));
  };
  for (PlantRow const& row : rows) {
    if (running.size() >= std::max(FLAGS_jobs, 1U)) wait_for_one();
    int ends[2];
    ENSURE(pipe2(ends, O_CLOEXEC) == 0);
    std::fflush(nullptr);
    pid_t const pid = fork();
    ENSURE(pid >= 0);
    if (pid == 0) hunt(row, ends[1]);
    close(ends[1]);
    running.emplace(pid, Running{row, ends[0]});
  }
  while (!running.empty()) wait_for_one();
  std::ranges::sort(out, {}, [](Hunt const& h) { return h.row.plant; });
  return out;
}

void print_table(std::vector<Hunt> const& hunts) {
  std::printf("%-34s %8s  %s\n", "plant", "seeds", "found by");
  for (Hunt const& h : hunts) {
    std::string const seeds = h.seed == 0 ? "-" : std::to_string(h.seed - FLAGS_first_seed + 1);
    std::printf("%-34.*s %8s  %.100s\n", static_cast<int>(h.row.name.size()), h.row.name.data(),
                seeds.c_str(), h.seed == 0 ? "NOT FOUND" : h.what.c_str());
  }
}

std::string quoted(std::string const& text) {
  std::string out = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + "\"";
}

void print_json(std::vector<Hunt> const& hunts, double wall) {
  std::uint64_t found = 0;
  std::uint64_t most = 0;
  std::string rows;
  for (Hunt const& h : hunts) {
    std::uint64_t const seeds = h.seed == 0 ? 0 : h.seed - FLAGS_first_seed + 1;
    found += h.seed != 0 ? 1 : 0;
    most = std::max(most, seeds);
    rows += (rows.empty() ? "" : ", ") + quoted(std::string(h.row.name)) +
            ": {\"seeds\": " + std::to_string(seeds) + ", \"found_by\": " + quoted(h.what) + "}";
  }
  std::printf("{\"plants\": %zu, \"plants_found\": %" PRIu64 ", \"seeds_most\": %" PRIu64
              ", \"wall_seconds\": %.1f, \"hunts\": {%s}}\n",
              hunts.size(), found, most, wall, rows.c_str());
}

int replay(PlantRow const& row) {
  log_start({.level = LogLevel::error, .file = "/dev/null"});
  plant_only(row.plant);
  Outcome const outcome = run_seed({.seed = FLAGS_seed, .trace = FLAGS_trace ? stdout : nullptr});
  std::printf("%s\n", outcome.violation ? outcome.violation->c_str() : "no violation");
  return outcome.violation ? 0 : 1;
}

int main(int argc, char** argv) {
  gflags::SetUsageMessage("hunts known bugs in the code; see tests/sim/README.md");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  if (FLAGS_list_plants) {
    for (PlantRow const& row : plants()) {
      std::printf("%-34.*s %.*s\n", static_cast<int>(row.name.size()), row.name.data(),
                  static_cast<int>(row.what.size()), row.what.data());
    }
    return 0;
  }
  std::optional<PlantRow> const one = plant_named(FLAGS_plant);
  bool const is_output = FLAGS_output == "table" || FLAGS_output == "json";
  if ((FLAGS_all == one.has_value()) || !is_output || (FLAGS_seed != 0 && !one)) {
    std::fprintf(stderr,
                 "berth-sim-plants: wanted --all, or --plant=NAME with a name of --list_plants "
                 "(found '%s'), perhaps --seed=N with it; --output is table or json\n",
                 FLAGS_plant.c_str());
    return 2;
  }
  if (FLAGS_seed != 0) return replay(*one);
  auto const begun = std::chrono::steady_clock::now();
  std::vector<Hunt> const hunts = hunt_all(one ? std::vector<PlantRow>{*one} : plants());
  double const wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (FLAGS_output == "json")
    print_json(hunts, wall);
  else
    print_table(hunts);
  return std::ranges::all_of(hunts, [](Hunt const& h) { return h.seed != 0; }) ? 0 : 1;
}

}  // namespace
}  // namespace berth::sim

int main(int argc, char** argv) {
  return berth::sim::main(argc, argv);
}
