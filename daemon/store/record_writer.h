#pragma once
// RecordWriter: changes into rows. Rows are numbered in the order in which their records came to
// be, so that new records fill one page after another instead of touching a page each: half of what
// a launch costs the disk. Which number a record has is kept in memory (about 100 bytes a record).

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "berth/base/result.h"
#include "common/wire/record.h"
#include "daemon/core/change.h"
#include "daemon/store/sqlite_connection.h"

namespace berth::store {

// For the writer's thread alone. A transaction is begun and committed by the caller, who says how
// it ended: keep() or undo().
class RecordWriter {
 public:
  // Reads the numbers of all rows. Code::corrupt: two rows are of one record.
  [[nodiscard]] Result<void> prepare(Connection& connection);
  // By how many rows the store grew: 1, 0 or -1.
  [[nodiscard]] Result<int> write(core::Change const& change);
  // The transaction since the last keep() or undo() is in the store, or is not.
  void keep() { steps_.clear(); }
  void undo();

  [[nodiscard]] std::size_t records() const { return numbers_.size(); }

 private:
  using Numbers = std::unordered_map<std::string, std::int64_t>;
  // What is to be done to the numbers to be where they were; 0: the record had none.
  using Step = std::pair<std::string, std::int64_t>;

  [[nodiscard]] Result<int> put(core::Change const& change, wire::RecordKey const& place);
  [[nodiscard]] Result<int> remove(wire::RecordKey const& place);

  Statement update_, insert_, erase_, append_;
  Numbers numbers_;
  std::int64_t newest_ = 0;
  std::vector<Step> steps_;
};

}  // namespace berth::store
