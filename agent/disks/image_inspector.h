#pragma once
// What an image file really is, found from its bytes alone: nothing is executed, no other file is
// opened, a bounded number of bytes is read. Everything a tenant or an operator brings passes here
// before qemu-img or QEMU ever see it (docs/reference/images.md).
//
// Accepted are raw disks and qcow2 version 2 and 3 that stand alone. Refused: backing files, data
// files, unknown incompatible features, encryption, internal snapshots, tables that are absurdly
// large or lie outside the file, virtual sizes past the limit, every other disk format, and files
// that are more than one thing at once (polyglots): the format declared must be the one found.
//
//   Result<ImageFacts> facts = inspect(reader, {.declared = ImageFormat::qcow2});

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "berth/base/result.h"
#include "berth/base/units.h"
#include "berth/model/image.h"
#include "berth/model/limits.h"

namespace berth::agent {

// Random access to the bytes. Implementations are exact: read() fills `out` wholly or fails.
class ImageReader {
 public:
  virtual ~ImageReader() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  [[nodiscard]] virtual Result<void> read(std::uint64_t offset, std::span<char> out) = 0;
};

class MemoryImageReader final : public ImageReader {
 public:
  explicit MemoryImageReader(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<char> out) override;

 private:
  std::string bytes_;
};

// Opens without following a final symbolic link; refuses all but regular files.
class FileImageReader final : public ImageReader {
 public:
  [[nodiscard]] static Result<FileImageReader> open(std::string const& path);
  FileImageReader(FileImageReader&& other) noexcept;
  FileImageReader& operator=(FileImageReader&& other) noexcept;
  ~FileImageReader() override;
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<char> out) override;

 private:
  FileImageReader(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  int fd_;
  std::uint64_t size_;
};

struct InspectOptions {
  ImageFormat declared = ImageFormat::qcow2;
  Bytes virtual_size_max{limits::kImageVirtualGibMax << 30};
  Bytes file_size_max{limits::kImageFileBytesMax};
};

struct ImageFacts {
  ImageFormat format = ImageFormat::qcow2;
  Bytes virtual_size;  // what a guest sees; of a raw file its size rounded up to a sector
  Bytes file_size;

  bool operator==(ImageFacts const&) const = default;
};

// Errors: invalid, subject "image"; the message names the rule and the offending figure.
[[nodiscard]] Result<ImageFacts> inspect(ImageReader& reader, InspectOptions const& options);
// The same for a file at rest.
[[nodiscard]] Result<ImageFacts> inspect_file(std::string const& path,
                                              InspectOptions const& options);

// For one of our own overlays: the path its header names as backing file; empty: none. Errors:
// corrupt when the file is no qcow2.
[[nodiscard]] Result<std::string> qcow2_backing_file(std::string const& path);

// The format that the magic numbers betray: "qcow2", "vmdk", "vhdx", "vhd", "vdi", "qed", "luks",
// "parallels", "bochs", "cloop", "dmg", "iso9660", "gzip"… Empty: nothing known, so raw.
[[nodiscard]] Result<std::string> foreign_format(ImageReader& reader);

}  // namespace berth::agent
