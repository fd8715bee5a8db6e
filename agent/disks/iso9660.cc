// Layout, in sectors of 2048 bytes:
//   0..15 unused   16 volume descriptor   17 terminator   18, 19 path tables   20 root folder
//   21 the extension's own description    22.. the files, each from a sector's start
// ECMA-119 wants most numbers twice, little-endian then big-endian.

#include "agent/disks/iso9660.h"

#include <algorithm>
#include <cstdint>

namespace berth::agent {
namespace {

constexpr std::size_t kSector = 2048;
constexpr std::uint32_t kPathTableLittle = 18, kPathTableBig = 19, kRoot = 20, kExtension = 21,
                        kFirstFile = 22;

std::string little(std::uint32_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string big(std::uint32_t value, std::size_t bytes) {
  std::string out = little(value, bytes);
  std::ranges::reverse(out);
  return out;
}
std::string both(std::uint32_t value, std::size_t bytes) {
  return little(value, bytes) + big(value, bytes);
}
std::string padded(std::string_view text, std::size_t width, char fill) {
  std::string out(text);
  out.resize(width, fill);
  return out;
}

// One Rock Ridge entry: two letters, its own length, version 1, payload.
std::string entry(std::string_view letters, std::string_view payload) {
  return std::string(letters) + static_cast<char>(payload.size() + 4) + '\1' + std::string(payload);
}
std::string posix(std::uint32_t mode, std::uint32_t links) {
  return entry("PX", both(mode, 4) + both(links, 4) + both(0, 4) + both(0, 4));
}

std::string extension_reference() {
  static constexpr std::string_view kId = "RRIP_1991A";
  static constexpr std::string_view kWhat = "THE ROCK RIDGE INTERCHANGE PROTOCOL";
  static constexpr std::string_view kSource = "IEEE P1282";
  std::string const sizes{static_cast<char>(kId.size()), static_cast<char>(kWhat.size()),
                          static_cast<char>(kSource.size()), '\1'};
  return entry("ER", sizes + std::string(kId) + std::string(kWhat) + std::string(kSource));
}

struct Record {
  std::string name;
  std::uint32_t sector = 0;
  std::uint32_t size = 0;
  bool is_folder = false;
  std::string system_use;
};

std::string bytes_of(Record const& r) {
  std::string out = both(r.sector, 4) + both(r.size, 4);
  out += std::string{'\x50', '\1', '\1', '\0',
                     '\0',   '\0', '\0'};  // 1980-01-01: the same bytes each time
  out += r.is_folder ? '\2' : '\0';
  out += std::string(2, '\0') + both(1, 2);
  out += static_cast<char>(r.name.size());
  out += r.name;
  if (r.name.size() % 2 == 0) out += '\0';
  out += r.system_use;
  if (out.size() % 2 != 0) out += '\0';
  return std::string{static_cast<char>(out.size() + 2), '\0'} + out;
}

std::string root_folder(std::vector<IsoFile> const& files) {
  std::string const extension_at =
      entry("CE", both(kExtension, 4) + both(0, 4) +
                      both(static_cast<std::uint32_t>(extension_reference().size()), 4));
  std::string out =
      bytes_of({std::string(1, '\0'), kRoot, kSector, true,
                entry("SP", std::string{'\xbe', '\xef', '\0'}) + posix(0040555, 2) + extension_at});
  out += bytes_of({std::string(1, '\1'), kRoot, kSector, true, posix(0040555, 2)});
  std::uint32_t sector = kFirstFile;
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::uint32_t const size = static_cast<std::uint32_t>(files[i].bytes.size());
    // The plain name matters to nobody who reads Rock Ridge; it only has to be legal and unique.
    out += bytes_of({"FILE" + std::to_string(i) + ".;1", sector, size, false,
                     posix(0100444, 1) + entry("NM", '\0' + files[i].name)});
    sector += static_cast<std::uint32_t>((size + kSector - 1) / kSector);
  }
  return padded(out, kSector, '\0');
}

std::string volume_descriptor(std::string_view label, std::uint32_t sectors) {
  std::string out = std::string("\1CD001\1\0", 8);
  out += padded("LINUX", 32, ' ') + padded(label, 32, ' ') + std::string(8, '\0');
  out += both(sectors, 4) + std::string(32, '\0') + both(1, 2) + both(1, 2) + both(kSector, 2);
  out += both(10, 4) + little(kPathTableLittle, 4) + std::string(4, '\0');
  out += big(kPathTableBig, 4) + std::string(4, '\0');
  out += bytes_of({std::string(1, '\0'), kRoot, kSector, true, ""});
  out += std::string(128 * 4 + 37 * 3, ' ');
  for (int date = 0; date < 4; ++date) out += std::string(16, '0') + '\0';
  out += std::string("\1\0", 2);
  return padded(out, kSector, '\0');
}

}  // namespace

Result<std::string> iso9660(std::string_view volume_label, std::vector<IsoFile> const& files) {
  if (volume_label.size() > 32 || files.size() > 8) {
    return Error{Code::invalid, "host", "wanted a label of 32 characters and 8 files at most"};
  }
  std::uint32_t sectors = kFirstFile;
  for (IsoFile const& file : files) {
    if (file.name.empty() || file.name.size() > 64 || file.name.find('/') != std::string::npos ||
        file.bytes.size() > (std::size_t{64} << 20)) {
      return Error{Code::invalid, "host",
                   "wanted small files with plain names, found " + file.name};
    }
    sectors += static_cast<std::uint32_t>((file.bytes.size() + kSector - 1) / kSector);
  }
  std::string out(16 * kSector, '\0');
  out += volume_descriptor(volume_label, sectors);
  out += padded(std::string("\xff"
                            "CD001\1",
                            7),
                kSector, '\0');
  out += padded(std::string("\1\0", 2) + little(kRoot, 4) + little(1, 2) + std::string(2, '\0'),
                kSector, '\0');
  out += padded(std::string("\1\0", 2) + big(kRoot, 4) + big(1, 2) + std::string(2, '\0'), kSector,
                '\0');
  out += root_folder(files);
  out += padded(extension_reference(), kSector, '\0');
  for (IsoFile const& file : files) {
    out += padded(file.bytes, (file.bytes.size() + kSector - 1) / kSector * kSector, '\0');
  }
  return out;
}

}  // namespace berth::agent
