#include "agent/disks/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace berth::agent {
namespace {

std::int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

Result<std::string> program_path(std::string const& name) {
  if (name.starts_with('/')) return name;
  for (char const* folder : {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"}) {
    std::string const path = folder + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return Error{Code::unavailable, "host", "program " + name + " is not installed on this host"};
}

void set_limit(int resource, std::int64_t value) {
  rlimit limit{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

// Between fork and exec only system calls: other threads may have held any lock at the fork.
[[noreturn]] void become(char const* path, char* const* argv, int output, RunLimits const& limits) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  int const null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  set_limit(RLIMIT_CPU, limits.cpu_seconds);
  set_limit(RLIMIT_AS, limits.memory_bytes);
  set_limit(RLIMIT_CORE, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  static char const* const kEnvironment[] = {"PATH=/usr/bin:/usr/sbin:/bin:/sbin", "LC_ALL=C",
                                             nullptr};
  execve(path, argv, const_cast<char* const*>(kEnvironment));
  _exit(127);
}

// Reads until the writer's side is closed; false when the deadline came first.
bool drain(int fd, std::int64_t deadline_ns, std::size_t bytes_max, std::string& out) {
  std::array<char, 4096> buffer;
  for (;;) {
    std::int64_t const left_ms = (deadline_ns - monotonic_ns()) / 1'000'000;
    if (left_ms <= 0) return false;
    pollfd p{fd, POLLIN, 0};
    int const ready = poll(&p, 1, static_cast<int>(std::min<std::int64_t>(left_ms, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    ssize_t const n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    std::size_t const room = bytes_max - std::min(bytes_max, out.size());
    out.append(buffer.data(), std::min(room, static_cast<std::size_t>(n)));
  }
}

// A program that closed its output may still run: waits for its end until the deadline.
bool wait_until(pid_t pid, std::int64_t deadline_ns, int& status) {
  for (;;) {
    pid_t const ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return true;
    if (ended < 0 && errno != EINTR) return false;
    if (monotonic_ns() >= deadline_ns) return false;
    timespec const pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace

Result<RunOutcome> run(std::vector<std::string> const& argv, RunLimits const& limits) {
  if (argv.empty()) return Error{Code::invalid, "host", "wanted a program to run, found none"};
  std::string const path = TRY(program_path(argv[0]));
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return Error{Code::unavailable, "host", std::string("pipe: ") + std::strerror(errno)};
  }
  pid_t const pid = fork();
  if (pid == 0) become(path.c_str(), pointers.data(), ends[1], limits);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return Error{Code::unavailable, "host", std::string("fork: ") + std::strerror(errno)};
  }
  RunOutcome outcome;
  std::int64_t const deadline_ns = monotonic_ns() + limits.deadline.ns;
  int status = 0;
  bool const ended = drain(ends[0], deadline_ns, limits.output_bytes_max, outcome.output) &&
                     wait_until(pid, deadline_ns, status);
  close(ends[0]);
  if (!ended) {
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return Error{Code::timeout, "host",
                 argv[0] + " did not end within " +
                     std::to_string(limits.deadline.ns / 1'000'000'000) + " s and was killed"};
  }
  outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

Result<std::string> run_ok(std::vector<std::string> const& argv, RunLimits const& limits) {
  RunOutcome outcome = TRY(run(argv, limits));
  if (outcome.exit_status == 0) return std::move(outcome.output);
  std::string last = outcome.output;
  while (!last.empty() && last.back() == '\n') last.pop_back();
  if (std::size_t const cut = last.rfind('\n'); cut != std::string::npos) last.erase(0, cut + 1);
  return Error{Code::unavailable, "host",
               argv[0] + " ended with status " + std::to_string(outcome.exit_status) + ": " + last};
}

}  // namespace berth::agent
