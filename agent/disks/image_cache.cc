#include "agent/disks/image_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <mutex>

#include "agent/disks/files.h"
#include "berth/base/digest.h"

namespace berth::agent {
namespace {

// Sees to it that a partial file's bytes so far are part of the digest, and adds to both.
class PartialFile {
 public:
  explicit PartialFile(std::string path) : path_(std::move(path)) {}
  ~PartialFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  PartialFile(PartialFile const&) = delete;
  PartialFile& operator=(PartialFile const&) = delete;

  Result<void> open() {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd_ < 0) return failed("create");
    std::string buffer(std::size_t{1} << 20, '\0');
    for (;;) {
      ssize_t const n = ::read(fd_, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("read");
      if (n == 0) return {};
      std::size_t const count = static_cast<std::size_t>(n);
      digest_.update(std::string_view(buffer.data(), count));
      size_ += count;
    }
  }
  Result<void> append(std::string_view bytes) {
    digest_.update(bytes);
    size_ += bytes.size();
    while (!bytes.empty()) {
      ssize_t const n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("write");
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::string digest() { return hex(digest_.finish()); }

 private:
  Error failed(char const* what) const {
    return Error{errno == ENOSPC ? Code::no_capacity : Code::unavailable, "image",
                 std::string(what) + " " + path_ + ": " + std::strerror(errno)};
  }

  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  Sha256Stream digest_;
};

}  // namespace

Result<void> drop_stale_parts(Layout const& layout, Duration age) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::error_code code;
  for (auto at = std::filesystem::directory_iterator(layout.images(), code);
       !code && at != std::filesystem::directory_iterator(); at.increment(code)) {
    std::string const path = at->path().string();
    struct stat found{};
    if (!path.ends_with(".part") || ::lstat(path.c_str(), &found) != 0) continue;
    if ((now.tv_sec - found.st_mtim.tv_sec) > age.ns / seconds(1).ns) ::unlink(path.c_str());
  }
  if (code) {
    return Error{Code::unavailable, "host", "list " + layout.images() + ": " + code.message()};
  }
  return {};
}

ImageCache::ImageCache(Layout layout, FetchImageBytes fetch, Bytes free_min)
    : layout_(std::move(layout)), fetch_(std::move(fetch)), free_min_(free_min) {}

std::string ImageCache::path(std::string const& digest) const {
  return layout_.images() + "/" + digest;
}

Result<void> ImageCache::bring(std::string const& digest, ImageFormat format, Bytes size) {
  if (!is_digest(digest)) {
    return Error{Code::invalid, "image",
                 "wanted a SHA-256 of 64 hex digits, found '" + digest + "'"};
  }
  if (is_file(path(digest))) return {};
  if (size.value <= 0 || size.value > limits::kImageFileBytesMax) {
    return Error{Code::invalid, "image",
                 "wanted an image of 1 to " + std::to_string(limits::kImageFileBytesMax) +
                     " bytes, found " + std::to_string(size.value)};
  }
  std::string const part = path(digest) + ".part";
  TRY(append_rest(part, digest, size));
  Result<ImageFacts> const facts = inspect_file(part, {.declared = format});
  if (!facts) {
    ::unlink(part.c_str());
    return facts.error().within("image " + digest);
  }
  return publish(part, path(digest));
}

Result<void> ImageCache::append_rest(std::string const& part, std::string const& digest,
                                     Bytes size) {
  std::uint64_t const wanted = static_cast<std::uint64_t>(size.value);
  struct stat found{};
  // Longer than the image can only be somebody else's bytes.
  if (::lstat(part.c_str(), &found) == 0 && found.st_size > size.value) ::unlink(part.c_str());
  PartialFile file(part);
  TRY(file.open());
  std::int64_t const room = TRY(file_system_space(layout_.images())).free;
  std::int64_t const missing = size.value - static_cast<std::int64_t>(file.size());
  if (room - missing < free_min_.value) {
    return Error{Code::no_capacity, "host",
                 "image " + digest + " needs " + std::to_string(missing) + " bytes beside the " +
                     std::to_string(free_min_.value) + " kept free, " + std::to_string(room) +
                     " are free"};
  }
  if (file.size() < wanted) {
    TRY(fetch_(digest, file.size(), [&](std::string_view bytes) -> Result<void> {
      if (bytes.size() > wanted - file.size()) {
        ::unlink(part.c_str());
        return Error{
            Code::corrupt, "image",
            "image " + digest + " is longer than the " + std::to_string(wanted) + " bytes stated"};
      }
      return file.append(bytes);
    }));
  }
  if (file.size() < wanted) {
    return Error{Code::unavailable, "image",
                 "image " + digest + " stopped at byte " + std::to_string(file.size()) + " of " +
                     std::to_string(wanted)};
  }
  if (std::string const arrived = file.digest(); arrived != digest) {
    ::unlink(part.c_str());
    return Error{Code::corrupt, "image",
                 "wanted image " + digest + ", the bytes have digest " + arrived};
  }
  return {};
}

Result<std::vector<std::string>> ImageCache::list() const {
  std::vector<std::string> digests;
  std::error_code code;
  for (auto at = std::filesystem::directory_iterator(layout_.images(), code);
       !code && at != std::filesystem::directory_iterator(); at.increment(code)) {
    std::string name = at->path().filename().string();
    if (is_digest(name)) digests.push_back(std::move(name));
  }
  if (code)
    return Error{Code::unavailable, "host", "list " + layout_.images() + ": " + code.message()};
  std::ranges::sort(digests);
  return digests;
}

Result<void> ImageCache::evict(std::string const& digest) {
  if (!is_digest(digest)) {
    return Error{Code::invalid, "image",
                 "wanted a SHA-256 of 64 hex digits, found '" + digest + "'"};
  }
  std::unique_lock const alone(evicting_);
  for (InstanceFolder const& folder : TRY(layout_.found())) {
    std::string const disk = layout_.disk(folder);
    if (!is_file(disk)) continue;
    // An overlay that cannot be read may rest on anything: keep the image.
    if (TRY(qcow2_backing_file(disk)) == path(digest)) {
      return Error{Code::conflict, "image",
                   "image " + digest + " stays: the disk of " + folder.id.value + " rests on it"};
    }
  }
  for (std::string const& name : {path(digest), path(digest) + ".part"}) {
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) {
      return Error{Code::unavailable, "host", "remove " + name + ": " + std::strerror(errno)};
    }
  }
  return {};
}

}  // namespace berth::agent
