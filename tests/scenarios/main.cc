// Plays stories and compares what they print with what is written below each command.
//
//   berth_scenarios launch.txt …             says where a story differs; exit code 1
//   berth_scenarios --rewrite launch.txt …   writes what it prints now into the file

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "berth/base/log.h"
#include "tests/sim/story.h"

namespace {

std::string first_difference(std::string const& wanted, std::string const& found) {
  std::istringstream a(wanted);
  std::istringstream b(found);
  std::string x;
  std::string y;
  for (int line = 1;; ++line) {
    bool const has_a = static_cast<bool>(std::getline(a, x));
    bool const has_b = static_cast<bool>(std::getline(b, y));
    if (!has_a && !has_b) return "";
    if (has_a != has_b || x != y) {
      return "line " + std::to_string(line) + ": wanted '" + (has_a ? x : "the end") +
             "', found '" + (has_b ? y : "the end") + "'";
    }
  }
}

bool play(std::string const& file, bool is_rewritten) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) {
    std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
    return false;
  }
  berth::Result<std::string> const now = berth::sim::played(text.str());
  if (!now) {
    std::fprintf(stderr, "%s: %s\n", file.c_str(), now.error().message.c_str());
    return false;
  }
  if (*now == text.str()) return true;
  if (is_rewritten) {
    std::ofstream(file) << *now;
    return true;
  }
  std::fprintf(stderr, "%s: %s; --rewrite takes it over\n", file.c_str(),
               first_difference(text.str(), *now).c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  berth::log_start({.level = berth::LogLevel::error, .file = "/dev/null"});
  std::vector<std::string> files(argv + 1, argv + argc);
  bool const is_rewritten = !files.empty() && files.front() == "--rewrite";
  if (is_rewritten) files.erase(files.begin());
  if (files.empty()) {
    std::fprintf(stderr, "berth_scenarios: wanted files with stories\n");
    return 2;
  }
  bool is_good = true;
  for (std::string const& file : files) is_good = play(file, is_rewritten) && is_good;
  return is_good ? 0 : 1;
}
