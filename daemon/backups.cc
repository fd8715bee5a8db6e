#include "daemon/backups.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "berth/base/log.h"
#include "berth/base/thread_name.h"

namespace berth {

namespace fs = std::filesystem;

Backups::Backups(std::string directory, std::string region, store::SqliteStore& store, Clock& clock)
    : directory_(std::move(directory)), region_(std::move(region)), store_(store), clock_(clock) {}

Backups::~Backups() {
  stop();
}

void Backups::stop() {
  std::scoped_lock const guard(mutex_);
  is_stopped_ = true;
  is_ended_ = true;
  if (thread_.joinable()) thread_.join();
}

void Backups::make(std::function<void(Result<admin::BackupFile>)> done) {
  std::unique_lock guard(mutex_);
  bool is_free = false;
  if (is_stopped_ || !is_busy_.compare_exchange_strong(is_free, true)) {
    guard.unlock();
    return done(
        Error{Code::conflict, "backup", "a backup is being made already; wait for its end"});
  }
  if (thread_.joinable()) thread_.join();  // of one that has ended
  thread_ = std::jthread([this, done = std::move(done)] {
    name_thread("backup");
    Result<admin::BackupFile> made = make_now();
    is_busy_ = false;
    if (!made) log_error("a backup could not be made", {{"error", made.error().message}});
    done(std::move(made));
  });
}

Result<admin::BackupFile> Backups::make_now() {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error || chmod(directory_.c_str(), 0700) != 0) {
    return Error{Code::unavailable, "backup", directory_ + " cannot be made: " + error.message()};
  }
  std::vector<admin::BackupFile> const before = TRY(all());
  if (before.size() >= kFilesMax) {
    return Error{Code::quota, "backup",
                 directory_ + " has " + std::to_string(before.size()) + " backups, at most " +
                     std::to_string(kFilesMax) + " are kept there; move the oldest elsewhere"};
  }
  WallTime const begun = clock_.now().wall;
  std::string const file = directory_ + "/" + region_ + "-" + iso8601_basic(begun) + ".db";
  std::int64_t told = 0;
  TRY(store_.back_up(file, [&](std::int64_t done, std::int64_t whole) {
    std::int64_t const percent = whole > 0 ? done * 100 / whole : 100;
    if (percent >= told + 10 && percent < 100) {
      told = percent;
      log_info("backup", {{"file", file}, {"percent", percent}, {"bytes", done}});
    }
    return !is_ended_.load(std::memory_order_relaxed);
  }));
  auto const bytes = static_cast<std::int64_t>(fs::file_size(file, error));
  log_info("backup made",
           {{"file", file}, {"bytes", bytes}, {"milliseconds", clock_.now().wall.ms - begun.ms}});
  return admin::BackupFile{.path = file, .bytes = bytes, .created = begun};
}

Result<std::vector<admin::BackupFile>> Backups::all() const {
  std::vector<admin::BackupFile> out;
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != ".db") continue;
    struct stat found{};
    if (::stat(it->path().c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    out.push_back(
        {.path = it->path().string(),
         .bytes = found.st_size,
         .created = WallTime{found.st_mtim.tv_sec * 1'000 + found.st_mtim.tv_nsec / 1'000'000}});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Error{Code::unavailable, "backup", directory_ + ": " + error.message()};
  }
  std::ranges::sort(out, {}, &admin::BackupFile::path);
  return out;
}

}  // namespace berth
