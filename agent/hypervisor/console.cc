#include "agent/hypervisor/console.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "agent/disks/files.h"
#include "agent/disks/image_inspector.h"

namespace berth::agent {
namespace {

constexpr int kRotatedMax = 8;  // virtlogd keeps 3 unless configured otherwise

Result<std::string> tail(std::string const& path, std::size_t bytes_max) {
  if (!is_file(path)) return std::string();
  FileImageReader reader = TRY(FileImageReader::open(path));
  std::uint64_t const size = reader.size();
  std::string out(std::min<std::uint64_t>(size, bytes_max), '\0');
  TRY(reader.read(size - out.size(), out));
  return out;
}

}  // namespace

Result<std::string> console_tail(Layout const& layout, InstanceId const& id,
                                 std::size_t bytes_max) {
  if (!is_well_formed(id)) {
    return Error{Code::invalid, "instance", "wanted an instance id, found '" + id.value + "'"};
  }
  std::optional<InstanceFolder> newest;
  for (InstanceFolder const& folder : TRY(layout.found())) {
    if (folder.id == id) newest = folder;
  }
  if (!newest) return std::string();
  std::string const path = layout.console(*newest);
  std::string out = TRY(tail(path, bytes_max));
  for (int i = 0; i < kRotatedMax && out.size() < bytes_max; ++i) {
    std::string const older = TRY(tail(path + "." + std::to_string(i), bytes_max - out.size()));
    if (older.empty()) break;
    out.insert(0, older);
  }
  return out;
}

}  // namespace berth::agent
