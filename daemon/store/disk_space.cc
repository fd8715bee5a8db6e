#include "daemon/store/disk_space.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <optional>
#include <utility>

#include "berth/base/log.h"

namespace berth::store {

namespace {

// What this process may still take of the disk that has the file; nothing when that is not known.
std::optional<std::int64_t> free_bytes_beside(std::string const& file) {
  std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (folder.empty()) folder = ".";
  struct statvfs found{};
  if (::statvfs(folder.c_str(), &found) != 0) return std::nullopt;
  return static_cast<std::int64_t>(found.f_bavail) * static_cast<std::int64_t>(found.f_frsize);
}

}  // namespace

DiskSpace::~DiskSpace() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void DiskSpace::start() {
  look();
  thread_ = std::jthread([this](std::stop_token const& stop) {
    std::mutex nobody_elses;
    std::condition_variable_any stopped;
    std::unique_lock lock(nobody_elses);
    while (!stop.stop_requested()) {
      stopped.wait_for(lock, stop, options_.pace, [] { return false; });
      look();
    }
  });
}

void DiskSpace::look() {
  std::scoped_lock const guard(mutex_);
  std::optional<std::int64_t> const free = free_bytes_beside(options_.file);
  if (!free) return;
  std::int64_t const little = options_.ballast_bytes;
  std::int64_t const enough = little + little / 4;
  if (!has_ballast_) {
    if (*free >= little + enough && make_ballast()) {
      leave(*free - little);
    } else {
      enter("there is no room for its ballast", *free);
    }
  } else if (*free < little) {
    enter("little is free", *free);
  } else if (*free >= enough) {
    leave(*free);
  }
}

bool DiskSpace::give_ballast_back(std::string_view why) {
  std::scoped_lock const guard(mutex_);
  enter(why, free_bytes_beside(options_.file).value_or(0));
  if (!std::exchange(has_ballast_, false)) return false;
  ::unlink(ballast().c_str());
  return true;
}

bool DiskSpace::remove_ballast() {
  return ::unlink(ballast().c_str()) == 0;
}

// Reserved by the file system, not a hole: a file that only looks long would give nothing back.
bool DiskSpace::make_ballast() {
  std::string const path = ballast();
  int const fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  has_ballast_ =
      options_.ballast_bytes == 0 || ::posix_fallocate(fd, 0, off_t{options_.ballast_bytes}) == 0;
  ::close(fd);
  if (!has_ballast_) ::unlink(path.c_str());
  return has_ballast_;
}

void DiskSpace::enter(std::string_view why, std::int64_t free_bytes) {
  if (is_full_.exchange(true)) return;
  times_full_.fetch_add(1, std::memory_order_relaxed);
  log_warning("the store's disk is full: reads go on, changes are refused until there is room",
              {{"file", options_.file},
               {"why", why},
               {"free_bytes", free_bytes},
               {"wanted_bytes", 2 * options_.ballast_bytes + options_.ballast_bytes / 4}});
}

void DiskSpace::leave(std::int64_t free_bytes) {
  if (!is_full_.exchange(false)) return;
  log_info("the store's disk has room again: changes are taken",
           {{"file", options_.file}, {"free_bytes", free_bytes}});
}

}  // namespace berth::store
