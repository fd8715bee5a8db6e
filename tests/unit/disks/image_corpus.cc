#include "tests/unit/disks/image_corpus.h"

namespace berth::agent::testing {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t kBackingFormat = 0xe2792aca, kDataFile = 0x44415441,
                        kEncryption = 0x0537be77, kBitmaps = 0x23852875;

std::string sized(std::string bytes, std::size_t size = 1 << 16) {
  bytes.resize(size, '\0');
  return bytes;
}

void add_qcow2(std::vector<HostileImage>& all, std::string const& canary) {
  auto const add = [&](std::string name, std::string bytes, std::string complaint) {
    all.push_back({std::move(name), ImageFormat::qcow2, std::move(bytes), std::move(complaint)});
  };
  std::uint32_t const name_size = static_cast<std::uint32_t>(canary.size());
  for (std::uint32_t const version : {2U, 3U}) {
    std::string const v = " v" + std::to_string(version);
    QcowFields const backed{.version = version, .backing_offset = 512, .backing_size = name_size};
    add("CVE-2015-1851 backing file" + v, patched(qcow2(backed), 512, canary), "backing file");
    add("backing file, empty name" + v, qcow2({.version = version, .backing_offset = 512}),
        "backing file");
    add("backing file by json" + v,
        patched(qcow2({.version = version, .backing_offset = 512, .backing_size = name_size + 40}),
                512, "json:{\"driver\":\"raw\",\"file\":{\"filename\":\"" + canary + "\"}}"),
        "backing file");
    add("backing size without offset" + v, qcow2({.version = version, .backing_size = 8}),
        "backing file");
    add("encrypted AES" + v, qcow2({.version = version, .encryption = 1}), "encrypted");
    add("encrypted LUKS" + v, qcow2({.version = version, .encryption = 2}), "encrypted");
    add("clusters of 2^8" + v, qcow2({.version = version, .cluster_bits = 8}), "clusters");
    add("clusters of 2^22" + v, qcow2({.version = version, .cluster_bits = 22}), "clusters");
    add("clusters of 2^64" + v, qcow2({.version = version, .cluster_bits = 64}), "clusters");
    add("no virtual size" + v, qcow2({.version = version, .size = 0}), "virtual size");
    add("CVE-2013-2096 virtual size bomb" + v, qcow2({.version = version, .size = 60ULL << 40}),
        "virtual size");
    add("virtual size 2^64-1" + v, qcow2({.version = version, .size = ~0ULL}), "virtual size");
    add("L1 bomb" + v, qcow2({.version = version, .l1_entries = 0x7fffffff}), "L1 table");
    add("L1 too small" + v, qcow2({.version = version, .l1_entries = 0}), "L1 table");
    add("L1 for 2 TiB in clusters of 512" + v,
        qcow2({.version = version,
               .cluster_bits = 9,
               .size = 2ULL << 40,
               .l1_entries = 1 << 26,
               .l1_offset = 512}),
        "L1 table");
    add("L1 outside" + v, qcow2({.version = version, .l1_offset = 1 << 30}), "L1 table");
    add("L1 wraps" + v, qcow2({.version = version, .l1_offset = ~0xffffULL}), "L1 table");
    add("L1 unaligned" + v, qcow2({.version = version, .l1_offset = (3 << 16) + 8}), "L1 table");
    add("L1 at 0" + v, qcow2({.version = version, .l1_offset = 0}), "L1 table");
    add("refcounts outside" + v, qcow2({.version = version, .refcount_offset = 1 << 30}),
        "refcount table");
    add("refcounts unaligned" + v, qcow2({.version = version, .refcount_offset = 7}),
        "refcount table");
    add("refcount bomb" + v, qcow2({.version = version, .refcount_clusters = 0xffffffff}),
        "refcount table");
    add("no refcounts" + v, qcow2({.version = version, .refcount_clusters = 0}), "refcount table");
    add("snapshots" + v, qcow2({.version = version, .snapshots = 1, .snapshots_offset = 1 << 16}),
        "snapshots");
    add("snapshot bomb" + v, qcow2({.version = version, .snapshots = 65536}), "snapshots");
    add("L1 entry outside" + v,
        patched(qcow2({.version = version}), 3 << 16, be(0x8000000100000000ULL, 8)), "L1 entry");
    add("L1 entry with reserved bits" + v, patched(qcow2({.version = version}), 3 << 16, be(1, 8)),
        "L1 entry");
    add("L1 entry into a cluster's middle" + v,
        patched(qcow2({.version = version}), 3 << 16, be(0x8000000000000200ULL, 8)), "L1 entry");
  }
  add("CVE-2024-32498 data file bit", qcow2({.incompatible = 4}), "data file");
  add("CVE-2024-32498 data file",
      qcow2({.incompatible = 4, .extensions = extension(kDataFile, canary)}), "data file");
  add("CVE-2024-4467 data file by json",
      qcow2({.incompatible = 4, .extensions = extension(kDataFile, "json:{\"driver\":\"raw\"}")}),
      "data file");
  add("data file name without its bit", qcow2({.extensions = extension(kDataFile, canary)}),
      "data file");
  add("data file name behind another extension",
      qcow2({.extensions = extension(0x12345678, "xyz") + extension(kDataFile, canary)}),
      "data file");
  add("backing format without a backing file",
      qcow2({.extensions = extension(kBackingFormat, "raw")}), "backing file's format");
  add("LUKS header", qcow2({.extensions = extension(kEncryption, std::string(16, '\1'))}),
      "encrypted");
  add("bitmaps", qcow2({.extensions = extension(kBitmaps, std::string(24, '\1'))}), "bitmaps");
  add("extension past the cluster", qcow2({.extensions = be(0x1234, 4) + be(0x7fffffff, 4)}),
      "extension");
  add("dirty", qcow2({.incompatible = 1}), "dirty");
  add("corrupt", qcow2({.incompatible = 2}), "corrupt");
  add("unknown feature", qcow2({.incompatible = 1 << 5}), "features");
  add("unknown feature 63", qcow2({.incompatible = 1ULL << 63}), "features");
  add("refcount order 7", qcow2({.refcount_order = 7}), "refcounts");
  add("header too short", qcow2({.header_length = 72}), "header length");
  add("header odd", qcow2({.header_length = 107}), "header length");
  add("header longer than a cluster", qcow2({.header_length = 1 << 17}), "longer");
  add("compression without its bit", patched(qcow2({.header_length = 112}), 104, "\1"),
      "compression");
  add("unknown compression", patched(qcow2({.incompatible = 8, .header_length = 112}), 104, "\7"),
      "compression");
  add("extended L2 in small clusters",
      qcow2({.cluster_bits = 12,
             .l1_offset = 3 << 12,
             .refcount_offset = 1 << 12,
             .incompatible = 16}),
      "clusters");
  for (std::uint32_t const version : {0U, 1U, 4U, 0xffffffffU}) {
    add("version " + std::to_string(version), qcow2({.version = version}), "version");
  }
  for (std::size_t const size : {4U, 8U, 71U, 72U, 103U, 104U, 65536U}) {
    add("truncated to " + std::to_string(size), qcow2().substr(0, size), "");
  }
}

// The same bytes read as two formats by two programs.
void add_polyglots(std::vector<HostileImage>& all) {
  auto const add = [&](std::string name, std::string bytes, std::string complaint) {
    all.push_back({"polyglot: qcow2 and " + name, ImageFormat::qcow2, std::move(bytes),
                   std::move(complaint)});
  };
  add("boot sector", patched(qcow2(), 510, "\x55\xaa"), "boot sector");
  add("VHD footer", patched(qcow2(), (4 << 16) - 512, "conectix"), "vhd");
  add("DMG footer", patched(qcow2(), (4 << 16) - 512, "koly"), "dmg");
  add("ISO 9660", patched(qcow2(), 32769, "CD001"), "iso9660");
  add("VDI", patched(qcow2({.header_length = 112}), 64, "\x7f\x10\xda\xbe"), "vdi");
  add("tar", patched(qcow2(), 257, "ustar"), "tar");
  add("LUKS2's second header", patched(qcow2(), 16384, "SKUL\xba\xbe"), "luks");
}

void add_others(std::vector<HostileImage>& all, std::string const& canary) {
  std::string const descriptor =
      "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
      "createType=\"monolithicFlat\"\nRW 2048 FLAT \"" +
      canary + "\" 0\n";
  struct Other {
    std::string name, bytes, format;
  };
  std::vector<Other> const others = {
      {"CVE-2022-47951 VMDK descriptor", descriptor, "vmdk"},
      {"VMDK descriptor after blank lines", "\n  \n\t\n" + descriptor, "vmdk"},
      {"VMDK descriptor without its first line", descriptor.substr(descriptor.find('\n') + 1),
       "vmdk"},
      {"VMDK descriptor after comments",
       "# hello\n#\n" + descriptor.substr(descriptor.find('\n') + 1), "vmdk"},
      {"VMDK descriptor in capitals", "# DISK DESCRIPTORFILE\nVERSION=1\n", "vmdk"},
      {"VMDK descriptor with CR LF", "# Disk DescriptorFile\r\nversion=1\r\n", "vmdk"},
      {"VMDK sparse", sized("KDMV\1\0\0\0"s), "vmdk"},
      {"VMDK COWD", sized("COWD\1"), "vmdk"},
      {"VHDX", sized("vhdxfile"), "vhdx"},
      {"VHD dynamic", sized("conectix"), "vhd"},
      {"VHD fixed", patched(sized(""), (1 << 16) - 512, "conectix"), "vhd"},
      {"VDI", patched(sized("<<< Oracle VM VirtualBox Disk Image >>>\n"), 64, "\x7f\x10\xda\xbe"),
       "vdi"},
      {"VDI by signature only", patched(sized(""), 64, "\x7f\x10\xda\xbe"), "vdi"},
      {"QED", sized("QED\0"s), "qed"},
      {"LUKS", sized("LUKS\xba\xbe\0\1"s), "luks"},
      {"Parallels", sized("WithoutFreeSpace"), "parallels"},
      {"Parallels 2", sized("WithouFreSpacExt"), "parallels"},
      {"Bochs", sized("Bochs Virtual HD Image"), "bochs"},
      {"cloop", sized("#!/bin/sh\n#V2.0 Format\n"), "cloop"},
      {"DMG", patched(sized(""), (1 << 16) - 512, "koly"), "dmg"},
      {"ISO 9660", patched(sized(""), 32769, "CD001"), "iso9660"},
      {"ISO 9660 hybrid with a boot sector",
       patched(patched(sized(""), 510, "\x55\xaa"), 32769, "CD001"), "iso9660"},
      {"UDF", patched(sized(""), 32769, "BEA01"), "udf"},
      {"gzip", sized("\x1f\x8b\x08"), "gzip"},
      {"xz",
       sized("\xfd"
             "7zXZ\0"s),
       "xz"},
      {"zstd", sized("\x28\xb5\x2f\xfd"), "zstd"},
      {"bzip2", sized("BZh91AY"), "bzip2"},
      {"zip bomb", sized("PK\3\4"), "zip"},
      {"OVA (tar)", patched(sized(""), 257, "ustar"), "tar"},
      {"ELF",
       sized("\x7f"
             "ELF\2"),
       "elf"},
      {"OVF (XML)", sized("<?xml version=\"1.0\"?>"), "xml"},
      {"json pseudo file", sized("json:{\"driver\":\"qcow2\"}"), "json"},
  };
  for (Other const& other : others) {
    for (ImageFormat const declared : {ImageFormat::raw, ImageFormat::qcow2}) {
      all.push_back({other.name + (declared == ImageFormat::raw ? " as raw" : " as qcow2"),
                     declared, other.bytes, other.format});
    }
  }
  all.push_back({"CVE-2024-40767 qcow2 as raw", ImageFormat::raw, qcow2(), "qcow"});
  all.push_back({"CVE-2016-2140 qcow2 with a backing file as raw", ImageFormat::raw,
                 patched(qcow2({.backing_offset = 512, .backing_size = 8}), 512, canary), "qcow"});
  all.push_back({"raw as qcow2", ImageFormat::qcow2, sized(""), "raw"});
  all.push_back({"empty as raw", ImageFormat::raw, "", "empty"});
  all.push_back({"empty as qcow2", ImageFormat::qcow2, "", "empty"});
}

}  // namespace

std::string be(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
  return out;
}

std::string patched(std::string image, std::size_t offset, std::string const& bytes) {
  if (image.size() < offset + bytes.size()) image.resize(offset + bytes.size(), '\0');
  image.replace(offset, bytes.size(), bytes);
  return image;
}

std::string extension(std::uint32_t kind, std::string const& payload) {
  return be(kind, 4) + be(payload.size(), 4) + payload +
         std::string((8 - payload.size() % 8) % 8, '\0');
}

std::string qcow2(QcowFields const& f) {
  std::string out = "QFI\xfb"s + be(f.version, 4) + be(f.backing_offset, 8) +
                    be(f.backing_size, 4) + be(f.cluster_bits, 4) + be(f.size, 8) +
                    be(f.encryption, 4) + be(f.l1_entries, 4) + be(f.l1_offset, 8) +
                    be(f.refcount_offset, 8) + be(f.refcount_clusters, 4) + be(f.snapshots, 4) +
                    be(f.snapshots_offset, 8);
  if (f.version >= 3) {
    out += be(f.incompatible, 8) + be(f.compatible, 8) + be(f.autoclear, 8) +
           be(f.refcount_order, 4) + be(f.header_length, 4);
    out.resize(std::max<std::size_t>(out.size(), std::min<std::uint32_t>(f.header_length, 4096)),
               '\0');
  }
  out += f.extensions;
  if (out.size() < f.file_size) out.resize(f.file_size, '\0');
  // One refcount block, so that a program that looks finds a whole image.
  if (f.refcount_offset == 1 << 16 && f.file_size >= 3 << 16) {
    out = patched(std::move(out), 1 << 16, be(2 << 16, 8));
    for (std::size_t i = 0; i < 4; ++i) out = patched(std::move(out), (2 << 16) + 2 * i, be(1, 2));
  }
  return out;
}

std::vector<HostileImage> hostile_images(std::string const& canary) {
  std::vector<HostileImage> all;
  add_qcow2(all, canary);
  add_polyglots(all);
  add_others(all, canary);
  return all;
}

}  // namespace berth::agent::testing
