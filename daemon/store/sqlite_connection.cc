#include "daemon/store/sqlite_connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <thread>

#include "daemon/store/checksum.h"

namespace berth::store {

namespace {

Code code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CONSTRAINT: return Code::conflict;
    default: return Code::unavailable;  // full, I/O errors, permissions
  }
}

// The disk's space or this user's share of it. Syncs are left out: a sync that failed has perhaps
// dropped what it should have kept.
bool is_full(int sqlite_code, int system_error) {
  switch (sqlite_code) {
    case SQLITE_FULL: return true;  // a write that the disk took in part, or not at all
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_TRUNCATE:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_CANTOPEN: return system_error == ENOSPC || system_error == EDQUOT;
    default: return false;
  }
}

int count_pages(void* log_pages, sqlite3*, char const*, int pages) {
  *static_cast<int*>(log_pages) = pages;
  return SQLITE_OK;
}

void moved_checksum(sqlite3_context* context, int /*always 4*/, sqlite3_value** values) {
  auto const bytes = [&](int at) {
    auto const* data = static_cast<char const*>(sqlite3_value_blob(values[at]));
    return std::string_view(data, static_cast<std::size_t>(sqlite3_value_bytes(values[at])));
  };
  std::int64_t const kind = sqlite3_value_int64(values[0]);
  std::int64_t const found = sqlite3_value_int64(values[3]);
  std::int64_t const moved = checksum_2(kind, bytes(1), bytes(2));
  sqlite3_result_int64(context, found == checksum_1(kind, bytes(1), bytes(2)) ? moved : ~moved);
}

// Only a wrong index or a statement in mid-step can fail: our own mistakes.
void bound(int rc) {
  ENSURE(rc == SQLITE_OK);
}

}  // namespace

Connection::~Connection() {
  sqlite3_close_v2(db_);
}

Result<void> Connection::open(std::string const& file, std::string const& vfs) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  constexpr int kBusyMs = 5'000;  // another connection of ours, cutting the log
  file_ = file;
  char const* const named = vfs.empty() ? nullptr : vfs.c_str();
  if (int const rc = sqlite3_open_v2(file.c_str(), &db_, kFlags, named); rc != SQLITE_OK) {
    return error(rc);
  }
  sqlite3_wal_hook(db_, count_pages, &log_pages_);
  sqlite3_busy_timeout(db_, kBusyMs);
  {
    Statement mode;
    TRY(mode.prepare(*this, "PRAGMA journal_mode=WAL"));
    bool const has_row = TRY(mode.step());
    if (!has_row || mode.bytes(0) != "wal") {
      return Error{
          Code::unavailable, "store",
          file + ": wanted a write-ahead log, found that this file system cannot have one"};
    }
    // The answer comes before the switch is on the disk; only the end says how that went.
    TRY(mode.step());
  }
  return run(
      "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=134217728; PRAGMA temp_store=MEMORY;"
      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;");
}

Result<void> Connection::add_moved_checksum() {
  int const rc = sqlite3_create_function_v2(db_, "moved_checksum", 4,
                                            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                            nullptr, moved_checksum, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error(rc);
  return {};
}

Result<void> Connection::run(std::string const& sql) {
  int const rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error(rc);
  return {};
}

Result<void> Connection::roll_back() {
  if (sqlite3_get_autocommit(db_) != 0) return {};
  return run("ROLLBACK");
}

Result<void> Connection::copy_log_back() {
  return checkpoint(SQLITE_CHECKPOINT_PASSIVE);
}

Result<void> Connection::cut_log() {
  return checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

Result<void> Connection::checkpoint(int mode) {
  int const rc = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, nullptr, nullptr);
  int const kind = rc & 0xff;
  if (kind != SQLITE_OK && kind != SQLITE_BUSY && kind != SQLITE_LOCKED) return error(rc);
  return {};
}

Result<void> Connection::copy_to(std::string const& file, int pages,
                                 std::chrono::milliseconds pause,
                                 std::function<bool(int done, int all)> const& go_on) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  Connection to;
  to.file_ = file;
  if (int const rc = sqlite3_open_v2(file.c_str(), &to.db_, kFlags, nullptr); rc != SQLITE_OK) {
    return to.error(rc);
  }
  // What is left of a copy that was cut off is thrown away whole.
  TRY(to.run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"));
  // One snapshot for the whole copy: without it each commit of another connection would make the
  // copy begin anew, and a busy store would never be copied.
  TRY(run("BEGIN; SELECT count(*) FROM sqlite_schema;"));
  sqlite3_backup* const copy = sqlite3_backup_init(to.db_, "main", db_, "main");
  int rc = copy == nullptr ? sqlite3_errcode(to.db_) : SQLITE_OK;
  bool is_wanted = true;
  while (rc == SQLITE_OK && is_wanted) {
    rc = sqlite3_backup_step(copy, pages);
    int const all = sqlite3_backup_pagecount(copy);
    is_wanted = go_on(all - sqlite3_backup_remaining(copy), all);
    if (rc == SQLITE_OK) std::this_thread::sleep_for(pause);
  }
  sqlite3_backup_finish(copy);
  Result<void> const ended = run("COMMIT");
  if (!is_wanted) return Error{Code::unavailable, "backup", file + ": the copy was ended"};
  if (rc != SQLITE_DONE) return to.error(rc);
  return ended;
}

Error Connection::error(int sqlite_code) const {
  std::string const text = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(sqlite_code);
  int const system_error = db_ != nullptr ? sqlite3_system_errno(db_) : 0;
  std::string const number = "SQLite " + std::to_string(sqlite_code) +
                             (system_error != 0 ? ", system " + std::to_string(system_error) : "");
  return Error{code_of(sqlite_code), is_full(sqlite_code, system_error) ? "disk-space" : "store",
               file_ + ": " + text + " (" + number + ")"};
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Result<void> Statement::prepare(Connection& connection, std::string_view sql) {
  connection_ = &connection;
  int const rc = sqlite3_prepare_v3(connection.db_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (rc != SQLITE_OK) return connection.error(rc);
  return {};
}

void Statement::bind(int at, std::int64_t value) {
  bound(sqlite3_bind_int64(statement_, at, value));
}

void Statement::bind_text(int at, std::string_view text) {
  bound(sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()), nullptr));
}

void Statement::bind_blob(int at, std::string_view bytes) {
  bound(sqlite3_bind_blob(statement_, at, bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

Result<bool> Statement::step() {
  int const rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return connection_->error(rc);
}

Result<int> Statement::run() {
  Result<bool> const stepped = step();
  reset();
  if (!stepped) return stepped.error();
  return sqlite3_changes(connection_->db_);
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::bytes(int column) const {
  auto const* data = static_cast<char const*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Result<std::int64_t> number_from(Connection& connection, std::string_view sql) {
  Statement statement;
  TRY(statement.prepare(connection, sql));
  bool const has_row = TRY(statement.step());
  return has_row ? statement.integer(0) : 0;
}

}  // namespace berth::store
