#include "agent/disks/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace berth::agent {
namespace {

Error system_error(std::string const& what, std::string const& path) {
  return Error{errno == ENOSPC ? Code::no_capacity : Code::unavailable, "host",
               what + " " + path + ": " + std::strerror(errno)};
}

Result<void> sync_path(std::string const& path, int flags) {
  int const fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return system_error("open", path);
  bool const is_synced = fsync(fd) == 0;
  Result<void> result;
  if (!is_synced) result = system_error("sync", path);
  close(fd);
  return result;
}

}  // namespace

Result<void> make_folders(std::string const& path, unsigned mode) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    std::string const prefix = path.substr(0, at);
    if (!prefix.empty() && mkdir(prefix.c_str(), mode) != 0 && errno != EEXIST) {
      return system_error("make folder", prefix);
    }
    if (at == std::string::npos) return {};
  }
}

Result<void> write_whole(std::string const& path, std::string_view bytes, unsigned mode) {
  std::string const temporary = path + ".part";
  int const fd =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return system_error("create", temporary);
  while (!bytes.empty()) {
    ssize_t const n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      Error error = system_error("write", temporary);
      close(fd);
      unlink(temporary.c_str());
      return error;
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  close(fd);
  return publish(temporary, path);
}

Result<void> publish(std::string const& temporary, std::string const& path) {
  TRY(sync_path(temporary, O_RDONLY));
  if (rename(temporary.c_str(), path.c_str()) != 0) return system_error("rename to", path);
  return sync_path(path.substr(0, path.rfind('/')), O_RDONLY | O_DIRECTORY);
}

bool is_file(std::string const& path) {
  struct stat found{};
  return lstat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

Result<FileSystemSpace> file_system_space(std::string const& folder) {
  struct statvfs found{};
  if (statvfs(folder.c_str(), &found) != 0) return system_error("ask the free space of", folder);
  std::int64_t const block = static_cast<std::int64_t>(found.f_frsize);
  return FileSystemSpace{.total = static_cast<std::int64_t>(found.f_blocks) * block,
                         .free = static_cast<std::int64_t>(found.f_bavail) * block};
}

Result<void> remove_tree(std::string const& folder) {
  std::error_code code;
  std::filesystem::remove_all(folder, code);
  if (code) return Error{Code::unavailable, "host", "remove " + folder + ": " + code.message()};
  return {};
}

}  // namespace berth::agent
