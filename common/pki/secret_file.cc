#include "common/pki/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace berth::pki {

namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Error system_error(std::string_view what, std::string const& path) {
  int const number = errno;
  Code const code = number == ENOENT ? Code::not_found : Code::unavailable;
  return Error{code, "file", std::string(what) + " " + path + ": " + std::strerror(number)};
}

std::string directory_of(std::string const& path) {
  std::size_t const slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_all(int fd, std::string_view bytes, std::string const& path) {
  while (!bytes.empty()) {
    ssize_t const n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<void> write_file_atomically(std::string const& path, std::string_view bytes, mode_t mode) {
  std::string const beside = path + ".new";
  // What an interrupted run left may have another mode or be a link: never write through it.
  ::unlink(beside.c_str());
  {
    Descriptor const fd(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd.get() < 0) return system_error("create", beside);
    if (::fchmod(fd.get(), mode) != 0) return system_error("set the mode of", beside);
    TRY(write_all(fd.get(), bytes, beside));
    if (::fsync(fd.get()) != 0) return system_error("sync", beside);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return system_error("rename to", path);
  std::string const directory = directory_of(path);
  Descriptor const fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return system_error("open", directory);
  if (::fsync(fd.get()) != 0) return system_error("sync", directory);
  return {};
}

Result<std::string> read_small_file(std::string const& path) {
  Descriptor const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return system_error("open", path);
  std::string bytes;
  char buffer[16 * 1024];
  for (;;) {
    ssize_t const n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("read", path);
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(n));
    if (bytes.size() > kFileBytesMax) {
      return Error{Code::invalid, "file", path + " is longer than 1 MiB"};
    }
  }
}

}  // namespace berth::pki
