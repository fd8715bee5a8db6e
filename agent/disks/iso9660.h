#pragma once
// A minimal ISO 9660 writer with Rock Ridge names: a few small files in the root, the same bytes
// for the same input. Forty lines of it are less to own than one more program on every host.

#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"

namespace berth::agent {

struct IsoFile {
  std::string name;  // 1 to 64 characters, the name Linux shows
  std::string bytes;
};

// At most 8 files, distinct names; volume_label at most 32 characters. Errors: invalid.
[[nodiscard]] Result<std::string> iso9660(std::string_view volume_label,
                                          std::vector<IsoFile> const& files);

}  // namespace berth::agent
