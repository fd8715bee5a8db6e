#pragma once
// A store in one SQLite file on a local disk, for a region with one daemon.
//
//   std::unique_ptr<SqliteStore> store = TRY(SqliteStore::open({.file =
//   "/var/lib/berth/berth.db"}));
//
// Beside the file lie SQLite's "-wal" and "-shm", our ".lock", which holds the pid of the daemon
// that has the store, and our ".ballast" (disk_space.h). WAL with synchronous=FULL: when `done`
// says success the commit is on the disk.
//
// A full disk fails no commit: the transaction is rolled back, the ballast given to the disk and
// the same transaction written again, however long that takes. Any other failure of a write or a
// sync fails the commit and the store.
//
// Threads: commit() may be called from any thread and never blocks on the disk; one writer thread
// takes every commit that waits, writes them in one transaction and runs their `done` in order.
// load(), audit() and size() may be called from any thread at any time.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/store/commit_stats.h"
#include "daemon/store/disk_space.h"
#include "daemon/store/store.h"

namespace berth::store {

class SqliteStore final : public Store {
 public:
  struct Options {
    std::string file;  // made with mode 0600 if absent; its folder must exist
    // For tests: a small disk, a short wait, SQLite on other system calls than the real ones.
    std::int64_t ballast_bytes = DiskSpace::kBallastBytes;
    std::chrono::milliseconds pace = DiskSpace::kPace;  // of looks at the disk and of retries
    // The log is copied back when it has so many pages. No commit becomes durable while it is,
    // which takes a tenth of a second: seldom, so that it meets less than one request in a hundred
    // even when the disk is as busy as it can be. A log of 64 MiB is read in a moment at the next
    // start.
    int log_pages = 16'384;
    std::string vfs;  // a name registered with SQLite; empty: its own
  };

  // Commits that may wait; one more is answered with Code::unavailable and ends the store.
  static constexpr std::size_t kCommitsWaitingMax = 16'384;
  // Largest page that audit() returns.
  static constexpr std::size_t kAuditPageMax = 10'000;

  // Takes the lock, checks the whole file if the last user did not close it, brings an older schema
  // to ours. Code::conflict: another process (named by pid) has the store. Code::invalid: a newer
  // schema, not a Berth store, or a network file system. Code::corrupt: damaged.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(Options options);

  // Waits until every commit given is answered (on a full disk: with its error), then marks the
  // file as closed in order.
  ~SqliteStore() override;

  SqliteStore(SqliteStore const&) = delete;
  SqliteStore& operator=(SqliteStore const&) = delete;

  // A record that cannot be read is an error that names it; nothing is ever skipped.
  [[nodiscard]] Result<std::vector<core::Change>> load() override;
  void commit(std::vector<core::Change> changes, Done done) override;
  [[nodiscard]] StoreSize size() override;
  [[nodiscard]] Result<std::vector<core::AuditRecord>> audit(std::uint64_t first,
                                                             std::size_t count) override;

  // Copies the store as it is now to `file`, which must not exist, while commits go on: a few pages
  // at a time, then a pause. The file has mode 0600 and is there whole and durable, or not at all.
  // `go_on` hears of bytes done and of all; false ends it. From any thread, one at a time
  // (Code::conflict). Code::unavailable, "disk-space": the copy would not leave room for the store.
  [[nodiscard]] Result<void> back_up(
      std::string const& file,
      std::function<bool(std::int64_t done, std::int64_t all)> const& go_on);

  [[nodiscard]] bool is_full() const override;

  // How often the disk was full since the start. Thread-safe.
  [[nodiscard]] std::uint64_t times_full() const;
  [[nodiscard]] CommitStats const& stats() const;

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::store
