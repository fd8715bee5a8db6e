#pragma once
// SQLite's connection and statement as owners that answer with Result. For sqlite.cc; the library's
// header stays in sqlite_connection.cc.

#include <cstdint>
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

  // The file must exist. Sets WAL and synchronous=FULL; without WAL it is an error.
  [[nodiscard]] Result<void> open(std::string const& file);
  // Statements without rows, separated by ';'.
  [[nodiscard]] Result<void> run(std::string const& sql);
  // Copies the log back into the file and cuts its file to nothing. A reader may keep it from that,
  // until the next time.
  void cut_log();

  // What SQLite says of its last failure, after the file's name.
  [[nodiscard]] Error error(int sqlite_code) const;
  [[nodiscard]] std::string const& file() const { return file_; }

 private:
  friend class Statement;
  sqlite3* db_ = nullptr;
  std::string file_;
};

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
