// kill -9 at any instant: every commit whose `done` ran is there after the restart, every commit is
// there whole or not at all, and nothing is there that was not committed.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "berth/base/entropy.h"
#include "daemon/store/sqlite.h"
#include "tests/support/store_records.h"

extern char** environ;

namespace berth::store {
namespace {

struct Writer {
  pid_t pid = -1;
  int output = -1;
};

Writer start_writer(std::string const& file) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  std::string program = CRASH_WRITER;
  std::string argument = file;
  std::array<char*, 3> argv = {program.data(), argument.data(), nullptr};
  Writer writer;
  EXPECT_EQ(::posix_spawn(&writer.pid, program.c_str(), &actions, nullptr, argv.data(), environ),
            0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  writer.output = pipe[0];
  return writer;
}

void wait_for_first_line(int output) {
  pollfd wanted{.fd = output, .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&wanted, 1, 30'000), 1);
}

// Reads until the end; the highest number that came as a whole line. The lines come in order.
std::uint64_t last_acknowledged(int output, std::uint64_t before) {
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = ::read(output, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(output);
  std::uint64_t last = before;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
       at = end + 1) {
    std::uint64_t const number = std::stoull(text.substr(at, end - at));
    EXPECT_GT(number, last) << "an acknowledged number was given again: it had been lost";
    last = number;
  }
  return last;
}

void expect_whole(std::string const& file, std::uint64_t acknowledged) {
  auto const store = SqliteStore::open({.file = file});
  ASSERT_TRUE(store) << store.error().message;
  Result<std::vector<core::Change>> const loaded = (*store)->load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  std::set<InstanceId> instances;
  std::set<InstanceId> tokens;
  for (core::Change const& change : *loaded) {
    if (auto const* put = std::get_if<core::PutInstance>(&change)) {
      instances.insert(put->instance.id);
    } else {
      tokens.insert(std::get<core::PutToken>(change).row.instances.at(0));
    }
  }
  std::size_t audited = 0;
  for (std::uint64_t next = 1;;) {
    Result<std::vector<core::AuditRecord>> const page = (*store)->audit(next, 1000);
    ASSERT_TRUE(page) << page.error().message;
    if (page->empty()) break;
    for (core::AuditRecord const& record : *page) ASSERT_EQ(record.number, ++audited);
    next = audited + 1;
  }
  EXPECT_GE(audited, acknowledged);
  EXPECT_EQ(instances.size(), audited);
  EXPECT_EQ(tokens, instances);
  for (std::uint64_t n = 1; n <= audited; ++n) {
    ASSERT_TRUE(instances.contains(test::instance_id(n))) << n;
  }
}

TEST(SqliteCrash, AKilledDaemonHasLostNothingThatItAcknowledged) {
  test::TemporaryFolder const folder;
  std::string const file = folder.path() / "berth.db";
  SeededEntropy entropy(20260101);
  std::uint64_t acknowledged = 0;
  std::uint64_t rounds_with_progress = 0;
  constexpr int kRounds = 40;
  for (int round = 0; round < kRounds; ++round) {
    Writer const writer = start_writer(file);
    // Every second one at any instant of the start, the others among the commits.
    if (round % 2 == 1) wait_for_first_line(writer.output);
    std::this_thread::sleep_for(std::chrono::microseconds(entropy.below(40'000)));
    ASSERT_EQ(::kill(writer.pid, SIGKILL), 0);
    std::uint64_t const last = last_acknowledged(writer.output, acknowledged);
    int status = 0;
    ASSERT_EQ(::waitpid(writer.pid, &status, 0), writer.pid);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << WEXITSTATUS(status);
    if (last > acknowledged) ++rounds_with_progress;
    acknowledged = last;
    // Not each time: a store that was not looked at in between must be as good.
    if (round % 4 == 3) expect_whole(file, acknowledged);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(rounds_with_progress, kRounds / 2U);
  RecordProperty("acknowledged", std::to_string(acknowledged));
}

}  // namespace
}  // namespace berth::store
