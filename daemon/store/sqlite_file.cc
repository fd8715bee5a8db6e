#include "daemon/store/sqlite_file.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "daemon/store/sqlite_schema.h"

namespace berth::store {

namespace {

constexpr int kSchemaNewest = static_cast<int>(kSqliteSchemaSteps.size());

Error cannot(std::string const& path, std::string_view what) {
  return Error{Code::unavailable, "store",
               path + ": cannot " + std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace

// SQLite syncs the folder for the files that it makes; this one is ours. Without it a power cut
// could take the file with all that was acknowledged.
Result<void> sync_folder_of(std::string const& file) {
  std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (folder.empty()) folder = ".";
  int const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return cannot(folder, "be opened");
  bool const is_synced = ::fsync(fd) == 0;
  Error const error = cannot(folder, "be synced");
  ::close(fd);
  if (!is_synced) return error;
  return {};
}

Result<void> sync_file(std::string const& file) {
  int const fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return cannot(file, "be opened");
  bool const is_synced = ::fsync(fd) == 0;
  Error const error = cannot(file, "be synced");
  ::close(fd);
  if (!is_synced) return error;
  return {};
}

Result<void> check_whole(Connection& connection) {
  Statement statement;
  TRY(statement.prepare(connection, "PRAGMA quick_check(1)"));
  bool const has_row = TRY(statement.step());
  std::string const verdict(has_row ? statement.bytes(0) : "no answer");
  if (verdict == "ok") return {};
  return Error{Code::corrupt, "store",
               connection.file() + ": damaged: " + verdict + "; restore it from a backup"};
}

Result<void> check_is_local(std::string const& file) {
  constexpr std::uint32_t kNetwork[] = {0x6969, 0xFF534D42, 0xFE534D42,
                                        0x00C36400};  // NFS, CIFS, SMB2, Ceph
  struct statfs found{};
  if (::statfs(file.c_str(), &found) != 0) return {};
  if (std::ranges::find(kNetwork, static_cast<std::uint32_t>(found.f_type)) == std::end(kNetwork))
    return {};
  return Error{
      Code::invalid, "store",
      file + ": wanted a local disk, found a network file system; its syncs cannot be relied on"};
}

Result<void> make_file(std::string const& file) {
  // SQLite would follow the umask; the file holds tenants' user data and sealed secrets.
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool const is_new = fd >= 0;
  if (!is_new && errno == EEXIST) fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return cannot(file, "be opened");
  ::close(fd);
  return is_new ? sync_folder_of(file) : Result<void>{};
}

Result<void> migrate(Connection& connection) {
  std::int64_t const application = TRY(number_from(connection, "PRAGMA application_id"));
  std::int64_t const tables = TRY(number_from(connection, "SELECT count(*) FROM sqlite_schema"));
  if (application != kSqliteApplicationId && tables != 0) {
    return Error{Code::invalid, "store",
                 connection.file() +
                     ": wanted a Berth store or an empty file, found another program's "
                     "SQLite file (application_id " +
                     std::to_string(application) + ")"};
  }
  if (tables == 0) {
    TRY(connection.run(
        "BEGIN IMMEDIATE;"
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "INSERT INTO meta VALUES ('schema', 0), ('is_closed', 1);"
        "PRAGMA application_id=" +
        std::to_string(kSqliteApplicationId) + "; COMMIT;"));
  }
  std::int64_t const schema =
      TRY(number_from(connection, "SELECT value FROM meta WHERE key='schema'"));
  if (schema < 0 || schema > kSchemaNewest) {
    return Error{Code::invalid, "store",
                 connection.file() + ": wanted schema " + std::to_string(kSchemaNewest) +
                     " or older, found " + std::to_string(schema) +
                     "; it was written by a newer Berth: install that version again"};
  }
  if (schema < kSchemaNewest) TRY(connection.add_moved_checksum());
  for (std::int64_t step = schema; step < kSchemaNewest; ++step) {
    TRY(connection.run(
        "BEGIN IMMEDIATE;" + std::string(kSqliteSchemaSteps[static_cast<std::size_t>(step)]) +
        "UPDATE meta SET value=" + std::to_string(step + 1) + " WHERE key='schema'; COMMIT;"));
  }
  return {};
}

}  // namespace berth::store
