#pragma once
// The backups of a region's store: files of one folder, made one at a time while the daemon serves.
// Each is a whole store as it was at one moment, and of use only with the region's key.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "daemon/admin/render.h"
#include "daemon/store/sqlite.h"

namespace berth {

class Backups {
 public:
  // Past it a new one is refused until some are moved away.
  static constexpr std::size_t kFilesMax = 100;

  // The folder is made, 0700, with the first backup. The store and the clock must outlive this.
  Backups(std::string directory, std::string region, store::SqliteStore& store, Clock& clock);
  // stop()
  ~Backups();

  // `done` is called once: at once with Code::conflict while another is being made, else on the
  // thread that made it. Thread-safe.
  void make(std::function<void(Result<admin::BackupFile>)> done);
  // Ends one that is being made; its `done` is called before this returns, and no other begins.
  void stop();
  // Oldest first. Thread-safe.
  [[nodiscard]] Result<std::vector<admin::BackupFile>> all() const;

 private:
  Result<admin::BackupFile> make_now();

  std::string const directory_;
  std::string const region_;
  store::SqliteStore& store_;
  Clock& clock_;
  std::mutex mutex_;
  bool is_stopped_ = false;
  std::atomic<bool> is_busy_{false};
  std::atomic<bool> is_ended_{false};
  std::jthread thread_;
};

}  // namespace berth
