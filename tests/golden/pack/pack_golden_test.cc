// What berthctl pack makes of a small trace, as files; BERTH_REWRITE=1 writes them anew. A policy
// that decides otherwise shows here, and the table of placements is counted again from nothing.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "ctl/command_line.h"
#include "ctl/run.h"
#include "daemon/placement/policy.h"

namespace berth::ctl {
namespace {

constexpr char const* kTraceFile = "tests/golden/pack/trace.csv";

std::string read_file(std::string const& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void expect_file(std::string const& path, std::string const& found) {
  if (std::getenv("BERTH_REWRITE") != nullptr) std::ofstream(path) << found;
  EXPECT_EQ(read_file(path), found) << path << "; BERTH_REWRITE=1 writes it anew";
}

std::string packed(std::vector<std::string> const& flags) {
  std::vector<std::string> words = {"pack", kTraceFile};
  words.insert(words.end(), flags.begin(), flags.end());
  Result<CommandLine> const line = parse(words);
  if (!line) return line.error().message;
  std::ostringstream out, err;
  Session session{.exchange = [](Request const&) -> Result<Response> {
                    ADD_FAILURE() << "no daemon is to be asked";
                    return Response{};
                  },
                  .is_json = true,
                  .out = out,
                  .err = err};
  Result<void> const done = run(std::get<Command>(line->what), session);
  if (!done) return done.error().message;
  EXPECT_EQ(err.str(), "") << "JSON in a file has no progress beside it";
  return out.str();
}

// Without the one figure that is the machine's.
std::string without_speed(std::string text) {
  std::size_t const from = text.find("\"decisions_per_second\"");
  if (from != std::string::npos) text.erase(from, text.find("\"moves\"") - from);
  return text;
}

TEST(PackGolden, every_policy_reports_the_same_figures_as_ever) {
  std::string found;
  for (placement::Policy const& policy : placement::policies()) {
    for (std::vector<std::string> const& fleet :
         {std::vector<std::string>{"--host=2x8x24", "--hosts=min"},
          std::vector<std::string>{"--host=1x16x44", "--hosts=14", "--average_from=600"}}) {
      std::vector<std::string> flags = fleet;
      flags.push_back("--policy=" + std::string(policy.name));
      found += without_speed(packed(flags));
    }
  }
  expect_file("tests/golden/pack/reports.txt", found);
}

TEST(PackGolden, the_file_of_placements_is_as_ever_and_over_commits_nothing) {
  std::string const file =
      (std::filesystem::temp_directory_path() / ("berth-pack-" + std::to_string(::getpid())))
          .string();
  packed({"--host=2x8x24", "--hosts=12", "--policy=best-fit-sum", "--placements=" + file});
  std::string const found = read_file(file);
  std::filesystem::remove(file);
  expect_file("tests/golden/pack/placements.csv", found);

  struct Held {
    std::int64_t vcpus = 0, memory_mib = 0;
  };
  struct Row {
    std::string host, cells;
    Held part;
  };
  std::map<std::string, Row> placed;
  std::istringstream rows(found);
  std::string line;
  std::getline(rows, line);
  while (std::getline(rows, line)) {
    std::istringstream fields(line);
    std::string time, event, id, vcpus, memory;
    Row row;
    std::getline(fields, time, ',');
    std::getline(fields, event, ',');
    std::getline(fields, id, ',');
    std::getline(fields, row.host, ',');
    std::getline(fields, row.cells, ',');
    std::getline(fields, vcpus, ',');
    std::getline(fields, memory, ',');
    if (event == "reject") continue;
    row.part = {.vcpus = std::stoll(vcpus), .memory_mib = std::stoll(memory)};
    ASSERT_TRUE(placed.emplace(id, row).second) << id << " is placed twice";
  }
  ASSERT_GT(placed.size(), 100U);
  // Once more through the trace, cell by cell.
  std::map<std::string, Held> held;
  std::istringstream trace(read_file(kTraceFile));
  std::getline(trace, line);
  while (std::getline(trace, line)) {
    std::istringstream fields(line);
    std::string time, event, id;
    std::getline(fields, time, ',');
    std::getline(fields, event, ',');
    std::getline(fields, id, ',');
    auto const at = placed.find(id);
    if (at == placed.end()) continue;
    std::int64_t const sign = event == "create" ? 1 : -1;
    std::istringstream cells(at->second.cells);
    for (std::string cell; std::getline(cells, cell, '+');) {
      Held& on = held[at->second.host + "/" + cell];
      on.vcpus += sign * at->second.part.vcpus;
      on.memory_mib += sign * at->second.part.memory_mib;
      EXPECT_LE(on.vcpus, 8) << line;
      EXPECT_LE(on.memory_mib, 24 * 1024) << line;
    }
  }
}

}  // namespace
}  // namespace berth::ctl
