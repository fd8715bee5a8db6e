#include "daemon/admin/image_store.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "berth/base/log.h"

namespace berth::admin {
namespace {

constexpr std::string_view kIncomingPrefix = ".import-";
// Written through from time to time, so that the last fsync of a large file does not outlast the
// client's patience.
constexpr std::int64_t kUnsyncedBytesMax = std::int64_t{128} << 20;

Error store_error(std::string_view what) {
  std::string const why = std::strerror(errno);
  return Error{Code::unavailable, "image-store",
               "the image store cannot " + std::string(what) + ": " + why};
}

Result<void> sync_directory(std::filesystem::path const& directory) {
  int const fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return store_error("be opened");
  int const code = ::fsync(fd);
  ::close(fd);
  if (code != 0) return store_error("be made durable");
  return {};
}

}  // namespace

ImageStore::ImageStore(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::error_code code;
  for (auto it = std::filesystem::directory_iterator(directory_, code);
       !code && it != std::filesystem::directory_iterator(); it.increment(code)) {
    if (!it->path().filename().string().starts_with(kIncomingPrefix)) continue;
    log_warning("removing an unfinished image import", {{"path", it->path().string()}});
    std::error_code ignored;
    std::filesystem::remove(it->path(), ignored);
  }
  if (code)
    log_error("the image store cannot be read",
              {{"path", directory_.string()}, {"error", code.message()}});
}

ImageStore::Incoming::~Incoming() {
  if (fd_ >= 0) ::close(fd_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> ImageStore::Incoming::write(std::string_view bytes) {
  hash_.update(bytes);
  while (!bytes.empty()) {
    ssize_t const n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return store_error("take more bytes");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    bytes_ += n;
    bytes_unsynced_ += n;
  }
  if (bytes_unsynced_ >= kUnsyncedBytesMax) {
    if (::fdatasync(fd_) != 0) return store_error("make bytes durable");
    bytes_unsynced_ = 0;
  }
  return {};
}

Result<std::string> ImageStore::Incoming::complete() {
  if (::fsync(fd_) != 0) return store_error("make bytes durable");
  int const fd = fd_;
  fd_ = -1;
  if (::close(fd) != 0) return store_error("close a file");
  return hex(hash_.finish());
}

Result<std::unique_ptr<ImageStore::Incoming>> ImageStore::begin() {
  std::filesystem::path path = directory_ / (std::string(kIncomingPrefix) + hex(secret_bytes(12)));
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return store_error("make a file");
  return std::unique_ptr<Incoming>(new Incoming(std::move(path), fd));
}

Result<void> ImageStore::install(Incoming& incoming, std::string const& digest) {
  std::filesystem::path const target = directory_ / digest;
  std::lock_guard const lock(mutex_);
  std::error_code code;
  bool const was_there = std::filesystem::exists(target, code);
  if (!was_there) {
    if (::rename(incoming.path_.c_str(), target.c_str()) != 0) return store_error("rename a file");
    incoming.path_.clear();
    if (Result<void> synced = sync_directory(directory_); !synced) {
      ::unlink(target.c_str());
      return synced;
    }
  }
  Pin& pin = pins_[digest];
  ++pin.count;
  pin.is_ours = pin.is_ours || !was_there;
  ++version_;
  return {};
}

void ImageStore::settle(std::string const& digest, bool is_registered) {
  std::lock_guard const lock(mutex_);
  auto const it = pins_.find(digest);
  ENSURE(it != pins_.end());
  Pin& pin = it->second;
  pin.is_registered = pin.is_registered || is_registered;
  ++version_;
  if (--pin.count > 0) return;
  if (pin.is_ours && !pin.is_registered) ::unlink((directory_ / digest).c_str());
  pins_.erase(it);
}

std::uint64_t ImageStore::version() const {
  std::lock_guard const lock(mutex_);
  return version_;
}

void ImageStore::remove(std::string const& digest, std::uint64_t version) {
  std::lock_guard const lock(mutex_);
  if (version != version_ || !pins_.empty()) return;
  if (::unlink((directory_ / digest).c_str()) != 0 && errno != ENOENT) {
    log_warning("an image file that nothing needs stays",
                {{"digest", digest}, {"error", std::strerror(errno)}});
  }
}

std::int64_t ImageStore::bytes_free() const {
  struct statvfs facts{};
  if (::statvfs(directory_.c_str(), &facts) != 0) return -1;
  return static_cast<std::int64_t>(facts.f_bavail) * static_cast<std::int64_t>(facts.f_frsize);
}

}  // namespace berth::admin
