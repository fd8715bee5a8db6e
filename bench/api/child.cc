#include "bench/api/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "berth/base/ensure.h"

namespace berth::bench {

Result<Child> Child::start(std::vector<std::string> arguments) {
  std::array<int, 2> down{};
  std::array<int, 2> up{};
  ENSURE(::pipe2(down.data(), O_CLOEXEC) == 0 && ::pipe2(up.data(), O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, down[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, up[1], STDOUT_FILENO);
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  Child child;
  int const failed = posix_spawn(&child.pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(down[0]);
  ::close(up[1]);
  child.to_ = ::fdopen(down[1], "w");
  child.from_ = ::fdopen(up[0], "r");
  if (failed != 0) {
    child.pid_ = -1;
    return Error{Code::unavailable, "program", arguments.front() + " cannot be started"};
  }
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      to_(std::exchange(other.to_, nullptr)),
      from_(std::exchange(other.from_, nullptr)) {}

Child::~Child() {
  if (to_ != nullptr) std::fclose(to_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  if (from_ != nullptr) std::fclose(from_);
}

Result<std::string> Child::line() {
  std::string out;
  for (int c = std::fgetc(from_); c != '\n'; c = std::fgetc(from_)) {
    if (c == EOF) return Error{Code::unavailable, "program", "it ended before it answered"};
    out += static_cast<char>(c);
  }
  return out;
}

void Child::say(std::string const& line) {
  std::fprintf(to_, "%s\n", line.c_str());
  std::fflush(to_);
}

std::map<std::string, double> Child::cpu_seconds() const {
  std::map<std::string, double> out;
  std::error_code ignored;
  for (auto const& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task", ignored)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    // Nanoseconds on a CPU: finer than stat's clock ticks.
    std::uint64_t ns = 0;
    std::ifstream(task.path() / "schedstat") >> ns;
    out[name] += static_cast<double>(ns) / 1e9;
  }
  return out;
}

std::int64_t Child::memory_bytes_max() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace berth::bench
