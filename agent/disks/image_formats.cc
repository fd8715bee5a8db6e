// Magic numbers of the formats we refuse. Kept apart from the qcow2 rules because this list only
// ever grows: one row per format, with the place QEMU (or the format's own tools) looks at.

#include <algorithm>
#include <array>
#include <cstring>

#include "agent/disks/image_inspector.h"

namespace berth::agent {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view format;
  std::uint64_t offset;
  bool is_from_end;  // the offset counts back from the end of the file
  std::string_view bytes;
};

constexpr std::array kMagics = {
    Magic{"qcow", 0, false, "QFI\xfb"sv},
    Magic{"vmdk", 0, false, "KDMV"sv},
    Magic{"vmdk", 0, false, "COWD"sv},
    Magic{"vmdk", 0, false, "# Disk DescriptorFile"sv},
    Magic{"vmdk", 0, false, "SE\x53PARSE"sv},
    Magic{"vhdx", 0, false, "vhdxfile"sv},
    Magic{"vhd", 0, false, "conectix"sv},
    Magic{"vhd", 512, true, "conectix"sv},
    Magic{"vhd", 511, true, "conectix"sv},
    Magic{"vdi", 0, false, "<<< "sv},
    Magic{"vdi", 64, false, "\x7f\x10\xda\xbe"sv},
    Magic{"qed", 0, false, "QED\0"sv},
    Magic{"luks", 0, false, "LUKS\xba\xbe"sv},
    Magic{"luks", 0, false, "SKUL\xba\xbe"sv},
    Magic{"luks", 16384, false, "SKUL\xba\xbe"sv},
    Magic{"parallels", 0, false, "WithoutFreeSpace"sv},
    Magic{"parallels", 0, false, "WithouFreSpacExt"sv},
    Magic{"bochs", 0, false, "Bochs Virtual HD Image"sv},
    Magic{"cloop", 0, false, "#!/bin/sh\n#V2.0 Format"sv},
    Magic{"dmg", 512, true, "koly"sv},
    Magic{"iso9660", 32769, false, "CD001"sv},
    Magic{"iso9660", 34817, false, "CD001"sv},
    Magic{"udf", 32769, false, "BEA01"sv},
    Magic{"udf", 34817, false, "NSR0"sv},
    Magic{"gzip", 0, false, "\x1f\x8b"sv},
    Magic{"xz", 0, false,
          "\xfd"
          "7zXZ\0"sv},
    Magic{"zstd", 0, false, "\x28\xb5\x2f\xfd"sv},
    Magic{"lz4", 0, false, "\x04\x22\x4d\x18"sv},
    Magic{"bzip2", 0, false, "BZh"sv},
    Magic{"zip", 0, false, "PK\x03\x04"sv},
    Magic{"7z", 0, false, "7z\xbc\xaf\x27\x1c"sv},
    Magic{"tar", 257, false, "ustar"sv},
    Magic{"elf", 0, false,
          "\x7f"
          "ELF"sv},
    Magic{"xml", 0, false, "<?xml"sv},
    Magic{"json", 0, false, "json:"sv},
};

// QEMU takes a text as a VMDK descriptor when, after comment and blank lines, it says "version=".
// We are stricter than it: any upper or lower case, any white space before.
bool is_vmdk_descriptor(std::string_view head) {
  std::size_t at = 0;
  while (at < head.size()) {
    std::size_t end = head.find('\n', at);
    if (end == std::string_view::npos) end = head.size();
    std::string_view line = head.substr(at, end - at);
    at = end + 1;
    std::size_t const first = line.find_first_not_of(" \t\r\v\f");
    if (first == std::string_view::npos) continue;
    line.remove_prefix(first);
    std::string lower(line.substr(0, 24));
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    if (lower.starts_with("# disk descriptorfile")) return true;
    if (line.front() == '#') continue;
    return lower.starts_with("version=") || lower.starts_with("version ");
  }
  return false;
}

}  // namespace

Result<std::string> foreign_format(ImageReader& reader) {
  std::uint64_t const size = reader.size();
  for (Magic const& magic : kMagics) {
    if (magic.is_from_end ? magic.offset > size : magic.offset + magic.bytes.size() > size)
      continue;
    std::array<char, 32> found{};
    std::span<char> const window(found.data(), magic.bytes.size());
    TRY(reader.read(magic.is_from_end ? size - magic.offset : magic.offset, window));
    if (std::string_view(window.data(), window.size()) != magic.bytes) continue;
    return std::string(magic.format);
  }
  std::string head(std::min<std::uint64_t>(size, 4096), '\0');
  TRY(reader.read(0, head));
  if (is_vmdk_descriptor(head)) return std::string("vmdk");
  return std::string();
}

}  // namespace berth::agent
