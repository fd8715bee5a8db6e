#pragma once
// The seam to durable storage. A store keeps records; it does not know what they mean.
//
// One writer: opening a store takes it for this process alone. `load` is called once, before the
// first `commit`. A commit is atomic and durable when `done` is called with success; commits become
// durable in the order they were given. After a failed commit the store is not used again: the
// process ends and recovery is start-up.

#include <cstdint>
#include <functional>
#include <vector>

#include "berth/base/result.h"
#include "daemon/core/change.h"

namespace berth::store {

struct StoreSize {
  std::int64_t bytes = 0;  // on disk, journal included; 0 for memory
  std::int64_t records = 0;

  bool operator==(StoreSize const&) const = default;
};

class Store {
 public:
  using Done = std::function<void(Result<void>)>;

  virtual ~Store() = default;

  // Every stored record as the Put that would make it, plus nothing for audit records except that
  // PutRegion carries the chain's end. Order: by kind as in Change, then by id.
  [[nodiscard]] virtual Result<std::vector<core::Change>> load() = 0;

  // Takes the durable changes of one batch. `done` is called once, on a thread of the store's
  // choosing (the caller's own for memory), never from inside commit() for threaded stores.
  virtual void commit(std::vector<core::Change> changes, Done done) = 0;

  // There is no room, or hardly any: what must be stored should not be begun. A commit is taken
  // all the same and becomes durable when there is room. Thread-safe; changes by itself.
  [[nodiscard]] virtual bool is_full() const { return false; }

  [[nodiscard]] virtual StoreSize size() = 0;

  // Audit records from `first` on, at most `count`, ascending. Thread-safe against commit.
  [[nodiscard]] virtual Result<std::vector<core::AuditRecord>> audit(std::uint64_t first,
                                                                     std::size_t count) = 0;
};

}  // namespace berth::store
