#pragma once
// Why an instance is where it is: noted when it was placed, kept for its life, for operators only.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "berth/model/ids.h"

namespace berth {

struct PlacementNote {
  struct Removed {
    std::string reason;  // "memory"; a closed list, daemon/placement/cell_fleet.h
    std::int64_t hosts = 0;

    bool operator==(Removed const&) const = default;
  };
  struct Row {
    HostId host;
    std::vector<std::int32_t> cells;
    std::int64_t score = 0;  // smaller is better; comparable within one note only

    bool operator==(Row const&) const = default;
  };

  std::string policy;  // "default"
  // All hosts of the region; sums with `removed`: hosts = removed + scored_worse + 1. Zero: not
  // counted, because the region had more than Policy::explained_hosts_max.
  std::int64_t hosts = 0;
  std::vector<Removed> removed;   // by what removed them, cheapest check first; none twice
  std::int64_t scored_worse = 0;  // fitted too
  std::string tightest;           // "cpu", "memory"; empty: not counted
  std::vector<Row> rows;          // the chosen host first, then those that came next

  bool operator==(PlacementNote const&) const = default;
};

// A note that many copies of a record share. Never changes once it is made.
class SharedNote {
 public:
  SharedNote() = default;
  explicit SharedNote(PlacementNote note)
      : note_(std::make_shared<PlacementNote const>(std::move(note))) {}

  // nullptr: placed by a daemon that kept no notes, or adopted.
  [[nodiscard]] PlacementNote const* get() const { return note_.get(); }

  bool operator==(SharedNote const& other) const {
    if (note_ == other.note_) return true;
    return note_ != nullptr && other.note_ != nullptr && *note_ == *other.note_;
  }

 private:
  std::shared_ptr<PlacementNote const> note_;
};

}  // namespace berth
