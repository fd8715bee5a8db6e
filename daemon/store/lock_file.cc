#include "daemon/store/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace berth::store {

namespace {

Error system_error(std::string const& path, std::string const& what) {
  return Error{Code::unavailable, "store", path + ": " + what + ": " + std::strerror(errno)};
}

std::string holder(int fd) {
  std::array<char, 32> text{};
  ssize_t const got = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

Result<LockFile> LockFile::take(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_error(path, "cannot be opened");
  LockFile lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error(path, "cannot be locked");
    return Error{Code::conflict, "store",
                 path + ": wanted this store for this process alone, found it held by process " +
                     holder(fd) + "; end that one first"};
  }
  std::string const pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return system_error(path, "cannot be written");
  }
  return lock;
}

LockFile::~LockFile() {
  if (fd_ >= 0) ::close(fd_);
}

LockFile::LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

}  // namespace berth::store
