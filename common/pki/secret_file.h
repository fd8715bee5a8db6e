#pragma once
// Files that must be whole or absent, and readable by nobody else.

#include <sys/types.h>
#include <string>
#include <string_view>

#include "berth/base/result.h"

namespace berth::pki {

// Writes beside `path`, syncs, renames over it, syncs the directory: after a crash the old content
// is there or the new one, never a part. The mode is set before the first byte is written.
[[nodiscard]] Result<void> write_file_atomically(std::string const& path, std::string_view bytes,
                                                 mode_t mode);

// At most 1 MiB; not_found when there is no such file.
[[nodiscard]] Result<std::string> read_small_file(std::string const& path);

}  // namespace berth::pki
