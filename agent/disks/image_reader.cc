#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/disks/image_inspector.h"

namespace berth::agent {
namespace {

Error read_error(std::string what) {
  return Error{Code::unavailable, "image", std::move(what)};
}

Error past_end(std::uint64_t offset, std::size_t count, std::uint64_t size) {
  return Error{Code::invalid, "image",
               "wanted " + std::to_string(count) + " bytes at offset " + std::to_string(offset) +
                   ", the file has " + std::to_string(size)};
}

bool is_inside(std::uint64_t offset, std::size_t count, std::uint64_t size) {
  return offset <= size && count <= size - offset;
}

}  // namespace

Result<void> MemoryImageReader::read(std::uint64_t offset, std::span<char> out) {
  if (!is_inside(offset, out.size(), size())) return past_end(offset, out.size(), size());
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return {};
}

Result<FileImageReader> FileImageReader::open(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return read_error("open " + path + ": " + std::strerror(errno));
  struct stat found{};
  if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
    ::close(fd);
    return Error{Code::invalid, "image", "wanted a regular file, found something else at " + path};
  }
  return FileImageReader(fd, static_cast<std::uint64_t>(found.st_size));
}

FileImageReader::FileImageReader(FileImageReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

FileImageReader& FileImageReader::operator=(FileImageReader&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  return *this;
}

FileImageReader::~FileImageReader() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> FileImageReader::read(std::uint64_t offset, std::span<char> out) {
  if (!is_inside(offset, out.size(), size_)) return past_end(offset, out.size(), size_);
  std::size_t done = 0;
  while (done < out.size()) {
    ssize_t const n =
        pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return read_error(std::string("read: ") + std::strerror(errno));
    if (n == 0) return read_error("the file became shorter while it was read");
    done += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace berth::agent
