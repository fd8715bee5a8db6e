#pragma once
// The few file operations that must be whole or not at all: written beside, synced, renamed.

#include <cstdint>
#include <string>
#include <string_view>

#include "berth/base/result.h"

namespace berth::agent {

// Errors: unavailable with the path and the system's words, here and below.
[[nodiscard]] Result<void> make_folders(std::string const& path, unsigned mode);
// Replaces `path` by a file with these bytes and this mode; a reader sees the old one or the new.
[[nodiscard]] Result<void> write_whole(std::string const& path, std::string_view bytes,
                                       unsigned mode);
// Makes a finished temporary file durable, then gives it its name.
[[nodiscard]] Result<void> publish(std::string const& temporary, std::string const& path);
[[nodiscard]] bool is_file(std::string const& path);
struct FileSystemSpace {
  std::int64_t total = 0;  // bytes
  std::int64_t free = 0;   // bytes that an ordinary user could still write
};
[[nodiscard]] Result<FileSystemSpace> file_system_space(std::string const& folder);
// Removes a folder and all in it without following symbolic links; one that is not there is fine.
[[nodiscard]] Result<void> remove_tree(std::string const& folder);

}  // namespace berth::agent
