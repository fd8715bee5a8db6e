#pragma once
// SQLite's connection and statement as owners that answer with Result. For sqlite.cc; the library's
// header stays in sqlite_connection.cc.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "berth/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace berth::store {

// One connection; used by one thread at a time.
class Connection {
 public:
  Connection() = default;
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  // The file must exist. Sets WAL and synchronous=FULL; without WAL it is an error. `vfs`: one of
  // SQLite's, empty for its own.
  [[nodiscard]] Result<void> open(std::string const& file, std::string const& vfs = {});
  // moved_checksum(kind, id, payload, checksum), for the schema's steps: the sum of schema 2 where
  // the given one was right by schema 1, else one that is wrong as well.
  [[nodiscard]] Result<void> add_moved_checksum();
  // Statements without rows, separated by ';'.
  [[nodiscard]] Result<void> run(std::string const& sql);
  // Ends a transaction that a failure left open, if one is.
  [[nodiscard]] Result<void> roll_back();

  // Pages in the log since it was last begun anew, as of this connection's last commit.
  [[nodiscard]] int log_pages() const { return log_pages_; }
  // Copies the log back into the file, so that the log can begin anew. A reader may keep it from
  // that, which is no error: until the next time. SQLite's own copying after a commit is off,
  // because it would say nothing of a failed sync.
  [[nodiscard]] Result<void> copy_log_back();
  // The same, and cuts the log's file to nothing.
  [[nodiscard]] Result<void> cut_log();

  // Copies the whole database as it is now into `file`, which is there and empty, by `pages` at a
  // time with a pause after each. `go_on` hears of pages done and of all; false ends the copy with
  // Code::unavailable. Not synced. Others may write meanwhile: their log then grows until the end.
  [[nodiscard]] Result<void> copy_to(std::string const& file, int pages,
                                     std::chrono::milliseconds pause,
                                     std::function<bool(int done, int all)> const& go_on);

  // What SQLite says of its last failure, after the file's name. Subject "disk-space": the disk is
  // full (see is_out_of_space).
  [[nodiscard]] Error error(int sqlite_code) const;
  [[nodiscard]] std::string const& file() const { return file_; }

 private:
  friend class Statement;
  [[nodiscard]] Result<void> checkpoint(int mode);

  sqlite3* db_ = nullptr;
  std::string file_;
  int log_pages_ = 0;
};

// The disk took no more, and nothing was lost by it: after roll_back() the same may be tried again.
// Never a failed sync, also when the disk says that it was full: what it dropped is not known.
[[nodiscard]] inline bool is_out_of_space(Error const& error) {
  return error.subject == "disk-space";
}

// A prepared statement; its connection must outlive it. Bound text and blobs are not copied: they
// must live until reset(), or until run() returns.
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement const&) = delete;
  Statement& operator=(Statement const&) = delete;

  [[nodiscard]] Result<void> prepare(Connection& connection, std::string_view sql);

  void bind(int at, std::int64_t value);
  void bind_text(int at, std::string_view text);
  void bind_blob(int at, std::string_view bytes);

  // True: a row is there to read. False: done.
  [[nodiscard]] Result<bool> step();
  // Runs a statement without rows; how many rows it changed.
  [[nodiscard]] Result<int> run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  // Valid until the next step() or reset().
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  Connection* connection_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

// The first column of the first row; 0 without rows.
[[nodiscard]] Result<std::int64_t> number_from(Connection& connection, std::string_view sql);

}  // namespace berth::store
