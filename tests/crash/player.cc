// crash_player FOLDER [--run=N] [--fault=FAULT:CALL[:LENGTH]] [--judge]
//
// Plays the script on a store in FOLDER and says each answer as it comes. The answers of earlier
// runs are read from standard input, in the form in which they were said:
//
//   serving 3            milliseconds from the start of the program
//   answer 17 call-17-1 done i-0123…
//   fault fdatasync /…/berth.db-wal
//   end 5123             all answered; so many system calls that write
//   closed 5140          so many in all
//
// With --judge what the store holds is held against the answers before and after, and "broken …"
// said of whatever is not right. Exit codes: 0 fine, 1 the store does not open, 70 the store
// failed.

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "berth/base/log.h"
#include "tests/crash/faults.h"
#include "tests/crash/play.h"

namespace {

using namespace berth;
using namespace berth::crash;
using Steady = std::chrono::steady_clock;

// One write to the pipe for each line: whole or not at all.
void say(std::string const& line) {
  std::string const text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(5);
}

Answers answers_before() {
  Answers out;
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.starts_with("answer ")) continue;
    std::size_t used = 0;
    std::size_t const n = std::stoul(line.substr(7), &used);
    out[n] = Answer::parse(line.substr(7 + used));
  }
  return out;
}

bool judged(store::SqliteStore::Options const& store, Script const& script, Answers const& answers,
            std::size_t given) {
  std::vector<std::string> const broken = judge(store, script, answers, given);
  for (std::string const& sentence : broken) say("broken " + sentence);
  return broken.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Steady::time_point const start = Steady::now();
  if (argc < 2) {
    std::fprintf(stderr, "usage: crash_player FOLDER [--run=N] [--fault=F] [--judge]\n");
    return 2;
  }
  Play::Options options;
  options.store = {.file = std::string(argv[1]) + "/berth.db",
                   .ballast_bytes = 64 * 1024,
                   .pace = std::chrono::milliseconds(2),
                   .log_pages = 100};
  FaultPlan fault;
  bool is_judged = false;
  for (int i = 2; i < argc; ++i) {
    if (std::strncmp(argv[i], "--run=", 6) == 0) options.run = std::atoi(argv[i] + 6);
    if (std::strncmp(argv[i], "--fault=", 8) == 0) fault = FaultPlan::parse(argv[i] + 8);
    if (std::strcmp(argv[i], "--judge") == 0) is_judged = true;
  }
  options.on_answer = [](std::size_t n, Answer const& a) {
    say("answer " + std::to_string(n) + " " + a.line());
  };
  options.on_store_failure = [](Error const& error) {
    std::fprintf(stderr, "the store failed: %s\n", error.message.c_str());
    std::_Exit(70);
  };
  Script const script;
  Answers answers = options.run > 1 ? answers_before() : Answers{};
  arm(fault, say);
  bool is_whole = true;
  {
    auto play = Play::open(options);
    if (!play) {
      std::fprintf(stderr, "%s\n", play.error().message.c_str());
      return 1;
    }
    say("serving " +
        std::to_string(
            std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - start).count()));
    if (is_judged) {
      Result<std::vector<core::AuditRecord>> const audit = (*play)->audit();
      if (!audit) say("broken the audit: " + audit.error().message);
      for (std::string const& sentence :
           script.broken_promises(answers, script.given(answers), (*play)->state(),
                                  audit ? *audit : std::vector<core::AuditRecord>{})) {
        say("broken after the restart: " + sentence);
        is_whole = false;
      }
    }
    (*play)->to_the_end(script, answers);
    say("end " + std::to_string(calls_counted()));
  }
  say("closed " + std::to_string(calls_counted()));
  if (is_judged) is_whole = judged(options.store, script, answers, script.size()) && is_whole;
  return is_whole ? 0 : 6;
}
