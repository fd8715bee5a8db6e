// The program's own definitions of these functions are found before libc's, by SQLite's library
// too. Each does what libc's does, by the bare system call.

#include "tests/crash/faults.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace berth::crash {

namespace {

enum class Call { write, sync, truncate, reserve, create, remove };

constexpr std::array kFaultNames = {"none",        "kill_before", "kill_after",
                                    "full_once",   "full_healed", "full_killed",
                                    "short_write", "sync_fails",  "write_fails"};

FaultPlan plan;
void (*say)(std::string const&) = nullptr;
std::atomic<std::uint64_t> counted{0};
std::atomic<std::uint64_t> hits{0};  // calls that met the fault

[[noreturn]] void die() {
  ::syscall(SYS_kill, ::getpid(), SIGKILL);
  for (;;) ::pause();
}

void tell(char const* call, int fd) {
  std::array<char, 4096> path{};
  std::string const link = "/proc/self/fd/" + std::to_string(fd);
  ssize_t const got = fd >= 0 ? ::readlink(link.c_str(), path.data(), path.size() - 1) : -1;
  if (say != nullptr) say(std::string("fault ") + call + " " + (got > 0 ? path.data() : "-"));
}

bool needs_room(Call call) {
  return call == Call::write || call == Call::truncate || call == Call::reserve ||
         call == Call::create;
}

// What becomes of one call: 0 it is made, otherwise its errno. `half` is set when half of it is.
int fate_of(Call call, std::uint64_t number, char const* name, int fd, bool& half) {
  if (number < plan.at) return 0;
  auto const first_hits = [&](bool is_met, std::uint64_t most) {
    return is_met && hits.fetch_add(1) < most;
  };
  switch (plan.fault) {
    case Fault::none: break;
    case Fault::kill_before:
      if (number == plan.at) die();
      break;
    case Fault::kill_after: break;  // by the caller
    case Fault::full_once:
      if (first_hits(needs_room(call), 1)) return tell(name, fd), ENOSPC;
      break;
    case Fault::full_healed:
      if (first_hits(needs_room(call), plan.length)) return tell(name, fd), ENOSPC;
      break;
    case Fault::full_killed:
      if (!needs_room(call)) break;
      if (hits.fetch_add(1) >= plan.length) die();
      return ENOSPC;
    case Fault::short_write:
      if (hits == 0 && call == Call::write && first_hits(true, 1)) {
        half = true;
        return tell(name, fd), 0;
      }
      if (hits == 1 && needs_room(call) && hits.fetch_add(1) == 1) return ENOSPC;
      break;
    case Fault::sync_fails:
      if (first_hits(call == Call::sync, 1)) return tell(name, fd), EIO;
      break;
    case Fault::write_fails:
      if (first_hits(call == Call::write, 1)) return tell(name, fd), EIO;
      break;
  }
  return 0;
}

// Counts a call and makes it, or not.
template <class Make>
long counted_call(Call call, char const* name, int fd, Make const& make) {
  // Standard output and error are how the program speaks of itself.
  if (fd == STDOUT_FILENO || fd == STDERR_FILENO) return make(false);
  std::uint64_t const number = counted.fetch_add(1) + 1;
  bool half = false;
  if (int const error = fate_of(call, number, name, fd, half); error != 0) {
    errno = error;
    return -1;
  }
  long const result = make(half);
  if (plan.fault == Fault::kill_after && number == plan.at) die();
  return result;
}

}  // namespace

FaultPlan FaultPlan::parse(std::string const& text) {
  FaultPlan out;
  std::size_t const colon = text.find(':');
  std::string const name = text.substr(0, colon);
  for (std::size_t i = 0; i < kFaultNames.size(); ++i) {
    if (name == kFaultNames[i]) out.fault = static_cast<Fault>(i);
  }
  if (colon == std::string::npos || (out.fault == Fault::none && name != "none")) {
    std::fprintf(stderr, "wanted FAULT:CALL[:LENGTH], found '%s'\n", text.c_str());
    std::exit(2);
  }
  char* end = nullptr;
  out.at = std::strtoull(text.c_str() + colon + 1, &end, 10);
  if (*end == ':') out.length = std::strtoull(end + 1, nullptr, 10);
  return out;
}

void arm(FaultPlan const& wanted, void (*said)(std::string const& line)) {
  plan = wanted;
  say = said;
}

std::uint64_t calls_counted() {
  return counted;
}

}  // namespace berth::crash

using berth::crash::Call;
using berth::crash::counted_call;

extern "C" {

ssize_t pwrite64(int fd, void const* data, size_t size, off64_t at) {
  return counted_call(Call::write, "pwrite", fd, [&](bool half) {
    return ::syscall(SYS_pwrite64, fd, data, half ? size / 2 : size, at);
  });
}
ssize_t pwrite(int fd, void const* data, size_t size, off_t at) {
  return pwrite64(fd, data, size, at);
}
ssize_t write(int fd, void const* data, size_t size) {
  return counted_call(Call::write, "write", fd, [&](bool half) {
    return ::syscall(SYS_write, fd, data, half ? size / 2 : size);
  });
}
int fsync(int fd) {
  return static_cast<int>(
      counted_call(Call::sync, "fsync", fd, [&](bool) { return ::syscall(SYS_fsync, fd); }));
}
int fdatasync(int fd) {
  return static_cast<int>(counted_call(Call::sync, "fdatasync", fd,
                                       [&](bool) { return ::syscall(SYS_fdatasync, fd); }));
}
int ftruncate64(int fd, off64_t size) noexcept {
  return static_cast<int>(counted_call(Call::truncate, "ftruncate", fd,
                                       [&](bool) { return ::syscall(SYS_ftruncate, fd, size); }));
}
int ftruncate(int fd, off_t size) noexcept {
  return ftruncate64(fd, size);
}
int posix_fallocate64(int fd, off64_t from, off64_t size) {
  long const done = counted_call(Call::reserve, "fallocate", fd,
                                 [&](bool) { return ::syscall(SYS_fallocate, fd, 0, from, size); });
  return done == 0 ? 0 : errno;
}
int posix_fallocate(int fd, off_t from, off_t size) {
  return posix_fallocate64(fd, from, size);
}
int unlink(char const* path) noexcept {
  return static_cast<int>(
      counted_call(Call::remove, "unlink", -1, [&](bool) { return ::syscall(SYS_unlink, path); }));
}
int open64(char const* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  auto const make = [&](bool) { return ::syscall(SYS_openat, AT_FDCWD, path, flags, mode); };
  // Only what may make a file writes.
  if ((flags & O_CREAT) == 0) return static_cast<int>(make(false));
  return static_cast<int>(counted_call(Call::create, "open", -1, make));
}
int open(char const* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  return open64(path, flags, mode);
}
}
