#include "agent/disks/image_inspector.h"

#include <array>
#include <bit>
#include <vector>

namespace berth::agent {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kQcowMagic = "QFI\xfb"sv;

// QEMU's own limits (block/qcow2.h): what is past them it refuses as well, but only after it has
// already allocated for smaller absurdities.
constexpr std::uint64_t kL1BytesMax = 32u << 20;
constexpr std::uint64_t kRefcountTableBytesMax = 8u << 20;

constexpr std::uint64_t kDirty = 1, kCorrupt = 2, kDataFile = 4, kCompression = 8, kExtendedL2 = 16;

constexpr std::uint32_t kExtensionEnd = 0, kExtensionBackingFormat = 0xe2792aca,
                        kExtensionDataFile = 0x44415441, kExtensionEncryption = 0x0537be77,
                        kExtensionBitmaps = 0x23852875;

Error refused(std::string message) {
  return Error{Code::invalid, "image", std::move(message)};
}

std::uint64_t big_endian(std::string_view bytes, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}
std::uint32_t be32(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(big_endian(bytes, offset, 4));
}
std::uint64_t be64(std::string_view bytes, std::size_t offset) {
  return big_endian(bytes, offset, 8);
}

struct QcowHeader {
  std::uint32_t version = 0;
  std::uint64_t backing_offset = 0;
  std::uint32_t backing_size = 0;
  std::uint32_t cluster_bits = 0;
  std::uint64_t size = 0;
  std::uint32_t encryption = 0;
  std::uint32_t l1_entries = 0;
  std::uint64_t l1_offset = 0;
  std::uint64_t refcount_offset = 0;
  std::uint32_t refcount_clusters = 0;
  std::uint32_t snapshots = 0;
  std::uint64_t incompatible = 0;
  std::uint32_t refcount_order = 4;
  std::uint32_t length = 72;
  std::uint8_t compression = 0;

  [[nodiscard]] std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
};

Result<QcowHeader> qcow_header(ImageReader& reader) {
  if (reader.size() < 72) {
    return refused("wanted a qcow2 header of at least 72 bytes, the file has " +
                   std::to_string(reader.size()));
  }
  std::string b(std::min<std::uint64_t>(reader.size(), 112), '\0');
  TRY(reader.read(0, b));
  if (!std::string_view(b).starts_with(kQcowMagic))
    return refused("declared qcow2, found no qcow2 magic");
  QcowHeader h{.version = be32(b, 4),
               .backing_offset = be64(b, 8),
               .backing_size = be32(b, 16),
               .cluster_bits = be32(b, 20),
               .size = be64(b, 24),
               .encryption = be32(b, 32),
               .l1_entries = be32(b, 36),
               .l1_offset = be64(b, 40),
               .refcount_offset = be64(b, 48),
               .refcount_clusters = be32(b, 56),
               .snapshots = be32(b, 60)};
  if (h.version != 2 && h.version != 3) {
    return refused("wanted qcow2 version 2 or 3, found " + std::to_string(h.version));
  }
  if (h.version == 2) return h;
  if (b.size() < 104)
    return refused("wanted a version 3 header of 104 bytes, the file ends before");
  h.incompatible = be64(b, 72);
  h.refcount_order = be32(b, 96);
  h.length = be32(b, 100);
  if (h.length < 104 || h.length % 8 != 0) {
    return refused("wanted a header length of at least 104 in steps of 8, found " +
                   std::to_string(h.length));
  }
  if (h.length > 104) {
    if (b.size() < 112) return refused("the file ends inside its header");
    h.compression = static_cast<std::uint8_t>(b[104]);
  }
  return h;
}

// The rules that need nothing but the header's own figures.
Result<void> check_header(QcowHeader const& h, InspectOptions const& options) {
  if (h.backing_offset != 0 || h.backing_size != 0) {
    return refused("the image names a backing file; flatten it first (qemu-img convert)");
  }
  if (h.incompatible & kDataFile) {
    return refused("the image names an external data file; flatten it first (qemu-img convert)");
  }
  if (h.incompatible & (kDirty | kCorrupt)) {
    return refused("the image is marked dirty or corrupt; repair it first (qemu-img check -r all)");
  }
  if (std::uint64_t const unknown =
          h.incompatible & ~(kDirty | kCorrupt | kDataFile | kCompression | kExtendedL2);
      unknown != 0) {
    return refused("the image needs features we do not know: bits " + std::to_string(unknown));
  }
  if (h.compression > 1 || (h.compression == 1) != ((h.incompatible & kCompression) != 0)) {
    return refused("wanted compression type zlib or zstd, found " + std::to_string(h.compression));
  }
  if (h.encryption != 0)
    return refused("the image is encrypted; decrypt it first (qemu-img convert)");
  if (h.cluster_bits < 9 || h.cluster_bits > 21) {
    return refused("wanted clusters of 2^9 to 2^21 bytes, found 2^" +
                   std::to_string(h.cluster_bits));
  }
  if ((h.incompatible & kExtendedL2) && h.cluster_bits < 14) {
    return refused("wanted clusters of 2^14 bytes or more with extended L2 entries");
  }
  if (h.refcount_order > 6) {
    return refused("wanted refcounts of at most 2^6 bits, found 2^" +
                   std::to_string(h.refcount_order));
  }
  if (h.length > h.cluster_size()) return refused("the header is longer than one cluster");
  if (h.snapshots != 0) {
    return refused("the image holds " + std::to_string(h.snapshots) +
                   " internal snapshots; delete them first (qemu-img snapshot -d)");
  }
  if (h.size == 0) return refused("the image's virtual size is zero");
  if (h.size > static_cast<std::uint64_t>(options.virtual_size_max.value)) {
    return refused("the image's virtual size is " + std::to_string(h.size) +
                   " bytes, the limit is " + std::to_string(options.virtual_size_max.value));
  }
  return {};
}

Result<void> check_table(std::string_view what, std::uint64_t offset, std::uint64_t bytes,
                         QcowHeader const& h, std::uint64_t file_size) {
  std::string const name(what);
  if (offset == 0 || offset % h.cluster_size() != 0) {
    return refused(name + " does not begin at a cluster: offset " + std::to_string(offset));
  }
  if (offset > file_size || bytes > file_size - offset) {
    return refused(name + " lies outside the file: offset " + std::to_string(offset) + ", " +
                   std::to_string(bytes) + " bytes, the file has " + std::to_string(file_size));
  }
  return {};
}

Result<void> check_tables(QcowHeader const& h, std::uint64_t file_size) {
  std::uint64_t const entry_bytes = (h.incompatible & kExtendedL2) ? 16 : 8;
  std::uint64_t const covered_by_l2 = h.cluster_size() / entry_bytes * h.cluster_size();
  std::uint64_t const l1_wanted = (h.size + covered_by_l2 - 1) / covered_by_l2;
  std::uint64_t const l1_bytes = std::uint64_t{h.l1_entries} * 8;
  if (h.l1_entries < l1_wanted || l1_bytes > kL1BytesMax) {
    return refused("wanted an L1 table of " + std::to_string(l1_wanted) + " to " +
                   std::to_string(kL1BytesMax / 8) + " entries, found " +
                   std::to_string(h.l1_entries));
  }
  TRY(check_table("the L1 table", h.l1_offset, l1_bytes, h, file_size));
  std::uint64_t const refcount_bytes = std::uint64_t{h.refcount_clusters} << h.cluster_bits;
  if (h.refcount_clusters == 0 || refcount_bytes > kRefcountTableBytesMax) {
    return refused("wanted a refcount table of at most " + std::to_string(kRefcountTableBytesMax) +
                   " bytes, found " + std::to_string(refcount_bytes));
  }
  // The last cluster of a file may be short; the table's first entry must be there.
  return check_table("the refcount table", h.refcount_offset, 8, h, file_size);
}

// Each L1 entry points at a cluster inside the file, or at none.
Result<void> check_l1_entries(ImageReader& reader, QcowHeader const& h) {
  constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;
  constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;
  std::string chunk;
  for (std::uint64_t at = 0; at < h.l1_entries;) {
    std::uint64_t const count = std::min<std::uint64_t>(h.l1_entries - at, 8192);
    chunk.resize(count * 8);
    TRY(reader.read(h.l1_offset + at * 8, chunk));
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t const entry = be64(chunk, i * 8);
      std::uint64_t const offset = entry & kOffsetMask;
      if ((entry & ~(kOffsetMask | kCopied)) != 0 || offset % h.cluster_size() != 0 ||
          offset >= reader.size()) {
        return refused("L1 entry " + std::to_string(at + i) + " points outside the file");
      }
    }
    at += count;
  }
  return {};
}

// Header extensions tell of more than the header's bits: a data file's name, encryption, bitmaps.
Result<void> check_extensions(ImageReader& reader, QcowHeader const& h) {
  std::uint64_t const end = std::min<std::uint64_t>(h.cluster_size(), reader.size());
  for (std::uint64_t at = h.length; at + 8 <= end;) {
    std::string head(8, '\0');
    TRY(reader.read(at, head));
    std::uint32_t const kind = be32(head, 0);
    std::uint64_t const length = be32(head, 4);
    if (kind == kExtensionEnd) return {};
    if (kind == kExtensionBackingFormat) return refused("the image names a backing file's format");
    if (kind == kExtensionDataFile) return refused("the image names an external data file");
    if (kind == kExtensionEncryption) return refused("the image is encrypted");
    if (kind == kExtensionBitmaps)
      return refused("the image holds dirty bitmaps; remove them first");
    if (length > end - at - 8)
      return refused("a header extension is longer than the header's cluster");
    at += 8 + (length + 7) / 8 * 8;
  }
  return {};
}

Result<ImageFacts> inspect_qcow2(ImageReader& reader, InspectOptions const& options) {
  QcowHeader const header = TRY(qcow_header(reader));
  TRY(check_header(header, options));
  TRY(check_extensions(reader, header));
  TRY(check_tables(header, reader.size()));
  TRY(check_l1_entries(reader, header));
  return ImageFacts{.format = ImageFormat::qcow2,
                    .virtual_size = Bytes(static_cast<std::int64_t>(header.size)),
                    .file_size = Bytes(static_cast<std::int64_t>(reader.size()))};
}

Result<ImageFacts> inspect_raw(ImageReader& reader, InspectOptions const& options) {
  std::uint64_t const size = (reader.size() + 511) / 512 * 512;
  if (size > static_cast<std::uint64_t>(options.virtual_size_max.value)) {
    return refused("the image has " + std::to_string(size) + " bytes, the limit is " +
                   std::to_string(options.virtual_size_max.value));
  }
  return ImageFacts{.format = ImageFormat::raw,
                    .virtual_size = Bytes(static_cast<std::int64_t>(size)),
                    .file_size = Bytes(static_cast<std::int64_t>(reader.size()))};
}

// A reader that hides the first four bytes: what is found behind them is a second identity.
class Beheaded final : public ImageReader {
 public:
  explicit Beheaded(ImageReader& inner) : inner_(inner) {}
  [[nodiscard]] std::uint64_t size() const override { return inner_.size(); }
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<char> out) override {
    TRY(inner_.read(offset, out));
    for (std::size_t i = 0; i < out.size() && offset + i < kQcowMagic.size(); ++i) out[i] = '\0';
    return {};
  }

 private:
  ImageReader& inner_;
};

}  // namespace

Result<ImageFacts> inspect(ImageReader& reader, InspectOptions const& options) {
  if (reader.size() == 0) return refused("the image is empty");
  if (reader.size() > static_cast<std::uint64_t>(options.file_size_max.value)) {
    return refused("the file has " + std::to_string(reader.size()) + " bytes, the limit is " +
                   std::to_string(options.file_size_max.value));
  }
  std::string const found = TRY(foreign_format(reader));
  if (options.declared == ImageFormat::raw) {
    if (!found.empty()) return refused("declared raw, found " + found);
    return inspect_raw(reader, options);
  }
  if (found != "qcow") return refused("declared qcow2, found " + (found.empty() ? "raw" : found));
  Beheaded rest(reader);
  std::string const second = TRY(foreign_format(rest));
  if (!second.empty()) return refused("the image is qcow2 and " + second + " at once");
  if (reader.size() >= 512) {
    std::array<char, 2> signature{};
    TRY(reader.read(510, signature));
    if (signature[0] == '\x55' && signature[1] == '\xaa') {
      return refused("the image is qcow2 and a boot sector at once");
    }
  }
  return inspect_qcow2(reader, options);
}

Result<ImageFacts> inspect_file(std::string const& path, InspectOptions const& options) {
  FileImageReader reader = TRY(FileImageReader::open(path));
  return inspect(reader, options);
}

Result<std::string> qcow2_backing_file(std::string const& path) {
  FileImageReader reader = TRY(FileImageReader::open(path));
  Result<QcowHeader> const header = qcow_header(reader);
  if (!header) return Error{Code::corrupt, "image", path + ": " + header.error().message};
  if (header->backing_offset == 0) return std::string();
  if (header->backing_size > 1023 || header->backing_offset > reader.size() ||
      header->backing_size > reader.size() - header->backing_offset) {
    return Error{Code::corrupt, "image", path + ": its backing file's name lies outside the file"};
  }
  std::string name(header->backing_size, '\0');
  TRY(reader.read(header->backing_offset, name));
  return name;
}

}  // namespace berth::agent
