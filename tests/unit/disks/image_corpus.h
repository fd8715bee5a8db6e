#pragma once
// Hostile and honest image files, built byte by byte, one per rule of docs/reference/images.md and
// per CVE behind it.

#include <cstdint>
#include <string>
#include <vector>

#include "berth/model/image.h"

namespace berth::agent::testing {

// The fields of a qcow2 header that tests vary; the defaults make a small honest image of 1 MiB.
struct QcowFields {
  std::uint32_t version = 3;
  std::uint64_t backing_offset = 0;
  std::uint32_t backing_size = 0;
  std::uint32_t cluster_bits = 16;
  std::uint64_t size = 1 << 20;
  std::uint32_t encryption = 0;
  std::uint32_t l1_entries = 1;
  std::uint64_t l1_offset = 3 << 16;
  std::uint64_t refcount_offset = 1 << 16;
  std::uint32_t refcount_clusters = 1;
  std::uint32_t snapshots = 0;
  std::uint64_t snapshots_offset = 0;
  std::uint64_t incompatible = 0;
  std::uint64_t compatible = 0;
  std::uint64_t autoclear = 0;
  std::uint32_t refcount_order = 4;
  std::uint32_t header_length = 104;
  std::string extensions;  // after the header
  std::uint64_t file_size = 4 << 16;
};

std::string qcow2(QcowFields const& fields = {});
// One header extension: kind, length, payload, padding.
std::string extension(std::uint32_t kind, std::string const& payload);
// `bytes` written at `offset` of `image`, which grows as needed.
std::string patched(std::string image, std::size_t offset, std::string const& bytes);
std::string be(std::uint64_t value, std::size_t bytes);

struct HostileImage {
  std::string name;
  ImageFormat declared = ImageFormat::qcow2;
  std::string bytes;
  std::string complaint;  // a part of the error that must be told
};

// `canary` is a path that no answer may lead to.
std::vector<HostileImage> hostile_images(std::string const& canary);

}  // namespace berth::agent::testing
