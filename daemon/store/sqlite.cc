#include "daemon/store/sqlite.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include "berth/base/thread_name.h"
#include "common/wire/record.h"
#include "daemon/store/checksum.h"
#include "daemon/store/disk_space.h"
#include "daemon/store/lock_file.h"
#include "daemon/store/record_writer.h"
#include "daemon/store/sqlite_connection.h"
#include "daemon/store/sqlite_file.h"

namespace berth::store {

namespace {

// Enough to share one sync among every commit that waits, little enough that the first of them does
// not wait long for the last.
constexpr std::size_t kChangesPerTransactionMax = 16'384;
// On a full disk the log is copied back sooner, because it takes room too.
constexpr int kLogPagesWhenFullMax = 1'000;
// A log that grew past this while a reader kept it from being begun anew is cut back.
constexpr std::int64_t kWalBytesMax = std::int64_t{128} << 20;

using SteadyClock = std::chrono::steady_clock;

std::int64_t checksum(wire::RecordKey const& place, std::string_view payload) {
  return checksum_2(static_cast<std::int64_t>(place.kind), place.id, payload);
}

std::int64_t file_bytes(std::string const& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 ? std::int64_t{found.st_size} : 0;
}

// SQLite's integers are wider than ours; none of ours is 0.
wire::RecordKind kind_of(std::int64_t stored) {
  return static_cast<wire::RecordKind>(stored > 0 && stored <= UINT8_MAX ? stored : 0);
}

struct Waiting {
  std::vector<core::Change> changes;
  Store::Done done;
  SteadyClock::time_point since;
};

}  // namespace

struct SqliteStore::Impl {
  Impl(LockFile taken, Options const& options)
      : lock(std::move(taken)),
        vfs(options.vfs),
        log_pages_max(options.log_pages),
        space(
            {.file = options.file, .ballast_bytes = options.ballast_bytes, .pace = options.pace}) {}

  LockFile lock;  // first in, last out
  std::string vfs;
  int log_pages_max;
  DiskSpace space;

  Connection writer;  // of open() and then of the writer thread alone
  Statement begin, commit;
  RecordWriter rows;
  std::int64_t wal_bytes = 0;

  // load() and audit() come from any thread, so they take turns at one connection of their own.
  std::mutex reader_mutex;
  Connection reader;
  Statement all_records, audit_page;

  std::atomic<bool> is_copied{false};  // by back_up()
  std::atomic<std::int64_t> bytes{0};
  std::atomic<std::int64_t> records{0};
  CommitStats stats;

  // A queue and not a Mailbox: it drains wholly into one transaction, and after a failure it
  // answers what still comes.
  std::mutex queue_mutex;
  std::condition_variable_any queue_changed;
  std::deque<Waiting> queue;
  std::optional<Error> failure;  // set by the writer thread, or by a full queue
  std::jthread thread;

  [[nodiscard]] Result<void> start(std::string const& file);
  [[nodiscard]] Result<void> prepare();
  void run(std::stop_token const& stop);
  [[nodiscard]] std::vector<Waiting> take_group(std::stop_token const& stop);
  void write_group(std::vector<Waiting>& group, std::stop_token const& stop);
  [[nodiscard]] Result<void> write_for_certain(std::vector<Waiting> const& group,
                                               std::stop_token const& stop);
  [[nodiscard]] Result<void> write(std::vector<Waiting> const& group);
  Error fail(Error const& error);
  [[nodiscard]] Result<void> tidy_log();
  [[nodiscard]] Result<void> copy(
      std::string const& file,
      std::function<bool(std::int64_t done, std::int64_t all)> const& go_on);
  void measure();
  void close();
};

Result<void> SqliteStore::Impl::start(std::string const& file) {
  TRY(writer.open(file, vfs));
  TRY(migrate(writer));
  if (TRY(number_from(writer, "SELECT value FROM meta WHERE key='is_closed'")) != 1) {
    TRY(check_whole(writer));
  }
  TRY(writer.run("UPDATE meta SET value=0 WHERE key='is_closed'"));
  // The log has been made by now. SQLite syncs the folder with it, but says nothing when that
  // fails.
  TRY(sync_folder_of(file));
  TRY(reader.open(file, vfs));
  TRY(prepare());
  records = TRY(
      number_from(writer, "SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM audit)"));
  measure();
  space.start();
  thread = std::jthread([this](std::stop_token const& stop) { run(stop); });
  return {};
}

Result<void> SqliteStore::Impl::prepare() {
  TRY(begin.prepare(writer, "BEGIN IMMEDIATE"));
  TRY(commit.prepare(writer, "COMMIT"));
  TRY(rows.prepare(writer));
  TRY(all_records.prepare(reader,
                          "SELECT kind, id, payload, checksum FROM record ORDER BY kind, id"));
  TRY(audit_page.prepare(
      reader,
      "SELECT number, payload, checksum FROM audit WHERE number >= ?1 ORDER BY number LIMIT ?2"));
  return {};
}

void SqliteStore::Impl::run(std::stop_token const& stop) {
  name_thread("store");
  for (;;) {
    std::vector<Waiting> group = take_group(stop);
    if (group.empty()) return;
    write_group(group, stop);
  }
}

// Everything that waits, up to a transaction's bound. Empty: stopped, and nothing waits any more.
std::vector<Waiting> SqliteStore::Impl::take_group(std::stop_token const& stop) {
  std::vector<Waiting> group;
  std::unique_lock lock_queue(queue_mutex);
  queue_changed.wait(lock_queue, stop, [this] { return !queue.empty(); });
  std::size_t changes = 0;
  while (!queue.empty() &&
         (group.empty() || changes + queue.front().changes.size() <= kChangesPerTransactionMax)) {
    changes += queue.front().changes.size();
    group.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  return group;
}

void SqliteStore::Impl::write_group(std::vector<Waiting>& group, std::stop_token const& stop) {
  std::optional<Error> broken;
  {
    std::scoped_lock const guard(queue_mutex);
    broken = failure;
  }
  if (!broken) {
    Result<void> const written = write_for_certain(group, stop);
    if (!written) broken = fail(written.error());
  }
  SteadyClock::time_point const now = SteadyClock::now();
  for (Waiting& one : group) {
    if (broken) {
      stats.failures.fetch_add(1, std::memory_order_relaxed);
      one.done(*broken);
    } else {
      stats.count_durable(
          one.changes.size(),
          std::chrono::duration_cast<std::chrono::nanoseconds>(now - one.since).count());
      one.done({});
    }
  }
  if (broken) return;
  // Behind the answers: these commits are durable, and what fails now is told to the next ones.
  Result<void> const tidied = tidy_log();
  if (!tidied) fail(tidied.error());
}

// Of the first failure; the store is not used after it.
Error SqliteStore::Impl::fail(Error const& error) {
  std::scoped_lock const guard(queue_mutex);
  if (!failure) failure = error;
  return *failure;
}

// A full disk fails no commit: nobody was promised these, but they are decided. They get the
// ballast, and if that is too little they wait until there is room. A stop waits no longer.
Result<void> SqliteStore::Impl::write_for_certain(std::vector<Waiting> const& group,
                                                  std::stop_token const& stop) {
  for (;;) {
    Result<void> const written = write(group);
    if (written || !is_out_of_space(written.error())) return written;
    TRY(writer.roll_back());
    rows.undo();
    stats.retries.fetch_add(1, std::memory_order_relaxed);
    bool const had_ballast = space.give_ballast_back(written.error().message);
    if (had_ballast) continue;
    std::unique_lock wait(queue_mutex);
    queue_changed.wait_for(wait, stop, space.pace(), [] { return false; });
    if (stop.stop_requested()) return written;
  }
}

Result<void> SqliteStore::Impl::write(std::vector<Waiting> const& group) {
  std::int64_t grown = 0;
  TRY(begin.run());
  for (Waiting const& one : group) {
    for (core::Change const& change : one.changes) grown += TRY(rows.write(change));
  }
  TRY(commit.run());
  rows.keep();
  stats.transactions.fetch_add(1, std::memory_order_relaxed);
  records.fetch_add(grown, std::memory_order_relaxed);
  return {};
}

// Copying the log back makes nothing more durable, so that a full disk only puts it off: it may
// need room to grow the file. Any other failure is one of the disk.
Result<void> SqliteStore::Impl::tidy_log() {
  Result<void> done;
  int const pages_max =
      space.is_full() ? std::min(log_pages_max, kLogPagesWhenFullMax) : log_pages_max;
  if (writer.log_pages() >= pages_max) done = writer.copy_log_back();
  measure();
  // Cutting would wait for a copy's end, and every commit with it.
  if (done && wal_bytes > kWalBytesMax && !is_copied.load(std::memory_order_relaxed)) {
    done = writer.cut_log();
    measure();
  }
  if (!done && is_out_of_space(done.error())) {
    space.give_ballast_back(done.error().message);
    return {};
  }
  return done;
}

void SqliteStore::Impl::measure() {
  wal_bytes = file_bytes(writer.file() + "-wal");
  bytes.store(file_bytes(writer.file()) + wal_bytes, std::memory_order_relaxed);
}

void SqliteStore::Impl::close() {
  if (!thread.joinable()) return;  // never started
  thread.request_stop();
  thread.join();
  // After a failure the next start checks the whole file.
  if (!failure) (void)writer.run("UPDATE meta SET value=1 WHERE key='is_closed'");
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Options options) {
  Result<LockFile> lock = LockFile::take(options.file + ".lock");
  if (!lock) return lock.error();
  TRY(make_file(options.file));
  TRY(check_is_local(options.file));
  auto impl = std::make_unique<Impl>(*std::move(lock), options);
  Result<void> started = impl->start(options.file);
  // A disk that filled while nobody watched: the ballast of the run before is for that, too.
  if (!started && is_out_of_space(started.error()) && impl->space.remove_ballast()) {
    impl = std::make_unique<Impl>(std::move(impl->lock), options);
    started = impl->start(options.file);
  }
  if (!started) return std::move(started).error();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() {
  impl_->close();
}

Result<std::vector<core::Change>> SqliteStore::load() {
  std::scoped_lock const guard(impl_->reader_mutex);
  std::vector<core::Change> changes;
  changes.reserve(static_cast<std::size_t>(impl_->records.load(std::memory_order_relaxed)));
  Statement& rows = impl_->all_records;
  auto const read = [&]() -> Result<void> {
    while (TRY(rows.step())) {
      // A kind we have no name for is refused by decode, as another kind than the body's.
      wire::RecordKey const place{kind_of(rows.integer(0)), std::string(rows.bytes(1))};
      if (rows.integer(3) != checksum(place, rows.bytes(2))) {
        return Error{Code::corrupt, "record",
                     std::string(name(place.kind)) + " " + place.id + ": wanted checksum " +
                         std::to_string(checksum(place, rows.bytes(2))) + ", found " +
                         std::to_string(rows.integer(3))};
      }
      changes.push_back(TRY(wire::decode(place, rows.bytes(2))));
    }
    return {};
  };
  Result<void> const done = read();
  rows.reset();
  if (!done) return done.error().within(impl_->reader.file());
  return changes;
}

void SqliteStore::commit(std::vector<core::Change> changes, Done done) {
  for (core::Change const& change : changes) ENSURE(core::is_durable(change));
  {
    std::scoped_lock const guard(impl_->queue_mutex);
    if (impl_->queue.size() >= kCommitsWaitingMax && !impl_->failure) {
      impl_->failure = Error{Code::unavailable, "store",
                             "wanted at most " + std::to_string(kCommitsWaitingMax) +
                                 " commits that wait, found more; the disk does not keep up"};
    }
    impl_->queue.push_back({std::move(changes), std::move(done), SteadyClock::now()});
  }
  impl_->queue_changed.notify_one();
}

StoreSize SqliteStore::size() {
  return {.bytes = impl_->bytes.load(std::memory_order_relaxed),
          .records = impl_->records.load(std::memory_order_relaxed)};
}

Result<std::vector<core::AuditRecord>> SqliteStore::audit(std::uint64_t first, std::size_t count) {
  std::scoped_lock const guard(impl_->reader_mutex);
  std::vector<core::AuditRecord> records;
  Statement& rows = impl_->audit_page;
  rows.bind(1, static_cast<std::int64_t>(std::min(first, std::uint64_t{INT64_MAX})));
  rows.bind(2, static_cast<std::int64_t>(std::min(count, kAuditPageMax)));
  auto const read = [&]() -> Result<void> {
    while (TRY(rows.step())) {
      wire::RecordKey const place{wire::RecordKind::audit, std::to_string(rows.integer(0))};
      if (rows.integer(2) != checksum(place, rows.bytes(1))) {
        return Error{Code::corrupt, "record",
                     "audit record " + place.id + ": its checksum is wrong"};
      }
      core::Change change = TRY(wire::decode(place, rows.bytes(1)));
      records.push_back(std::move(std::get<core::AppendAudit>(change).record));
    }
    return {};
  };
  Result<void> const done = read();
  rows.reset();
  if (!done) return done.error().within(impl_->reader.file());
  return records;
}

Result<void> SqliteStore::back_up(
    std::string const& file,
    std::function<bool(std::int64_t done, std::int64_t all)> const& go_on) {
  bool is_free = false;
  if (!impl_->is_copied.compare_exchange_strong(is_free, true)) {
    return Error{Code::conflict, "backup", "a backup is being made already; wait for its end"};
  }
  Result<void> const copied = impl_->copy(file, go_on);
  impl_->is_copied = false;
  return copied;
}

Result<void> SqliteStore::Impl::copy(
    std::string const& file,
    std::function<bool(std::int64_t done, std::int64_t all)> const& go_on) {
  constexpr int kPages = 256;
  constexpr std::chrono::milliseconds kPause(4);
  std::error_code unknown;
  std::filesystem::path const path(file);
  if (std::filesystem::exists(path, unknown)) {
    return Error{Code::exists, "backup", file + " is there already"};
  }
  auto const free = std::filesystem::space(path.parent_path(), unknown).available;
  auto const needed = static_cast<std::uintmax_t>(bytes.load() + 2 * DiskSpace::kBallastBytes);
  if (!unknown && free < needed) {
    return Error{Code::unavailable, "disk-space",
                 "a backup needs " + std::to_string(needed) + " bytes free beside " + file +
                     ", found " + std::to_string(free)};
  }
  std::string const part = file + ".part";
  std::filesystem::remove(part, unknown);
  auto const write = [&]() -> Result<void> {
    TRY(make_file(part));
    Connection source;
    TRY(source.open(writer.file(), vfs));
    std::int64_t const page = TRY(number_from(source, "PRAGMA page_size"));
    TRY(source.copy_to(part, kPages, kPause,
                       [&](int done, int all) { return go_on(done * page, all * page); }));
    TRY(sync_file(part));
    std::error_code refused;
    std::filesystem::rename(part, file, refused);
    if (refused) return Error{Code::unavailable, "backup", file + ": " + refused.message()};
    return sync_folder_of(file);
  };
  Result<void> const written = write();
  if (!written) std::filesystem::remove(part, unknown);
  return written;
}

bool SqliteStore::is_full() const {
  return impl_->space.is_full();
}

std::uint64_t SqliteStore::times_full() const {
  return impl_->space.times_full();
}

CommitStats const& SqliteStore::stats() const {
  return impl_->stats;
}

}  // namespace berth::store
