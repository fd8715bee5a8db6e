#pragma once
// A disk that remembers what was asked of it, for power cuts: SQLite on top of its own VFS with
// each write, truncation, sync and removal written down, in order, together with what was
// acknowledged in between. From the record a disk can be made as a power cut at any moment may
// leave it: of what was not synced yet, each sector is as before or as any write since then made
// it, perhaps torn in the middle, and files have any of the lengths that they had.

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "berth/base/entropy.h"

namespace berth::crash {

// By the file's name without its folder. What is not there does not exist.
using DiskImage = std::map<std::string, std::string>;

struct DiskOp {
  enum class Kind { create, write, truncate, sync, remove, note };
  Kind kind = Kind::note;
  std::string file;         // for a note: what was noted
  std::int64_t at = 0;      // of a write; the new length of a truncation
  std::string bytes;        // of a write
  bool is_durable = false;  // of a removal: the folder was synced with it
};

// The record of one run. Thread-safe while it is recorded.
class DiskRecord {
 public:
  explicit DiskRecord(DiskImage base) : base_(std::move(base)) {}

  void add(DiskOp op) {
    std::scoped_lock const guard(mutex_);
    ops_.push_back(std::move(op));
  }
  // For what happened on the disk up to now.
  void note(std::string what) { add({.kind = DiskOp::Kind::note, .file = std::move(what)}); }

  [[nodiscard]] DiskImage const& base() const { return base_; }
  [[nodiscard]] std::vector<DiskOp> const& ops() const { return ops_; }

 private:
  DiskImage base_;
  std::mutex mutex_;
  std::vector<DiskOp> ops_;
};

// Makes SQLite's files go through `record` while it lives; one at a time. The store is opened with
// Options::vfs = kRecordedVfs.
inline constexpr char kRecordedVfs[] = "berth-recorded";
class Recording {
 public:
  explicit Recording(DiskRecord& record);
  ~Recording();
  Recording(Recording const&) = delete;
  Recording& operator=(Recording const&) = delete;
};

// How a power cut treats what was not synced.
enum class Damage {
  all_lost,
  all_kept,
  some_writes,   // each write whole or not at all
  some_sectors,  // each sector for itself
  torn_sectors,  // the same, and some are the beginning of one version and the end of another
  garbage,       // the same, and sectors that were being written for the first time hold anything
  syncs_lied,  // not a power cut: nothing ever reached the disk. A test that cannot see it is none
};
inline constexpr int kDamages = 6;  // the honest ones

// The disk after a power cut behind the first `cut` operations.
[[nodiscard]] DiskImage disk_after(DiskRecord const& record, std::size_t cut, Damage damage,
                                   Entropy& entropy);

}  // namespace berth::crash
