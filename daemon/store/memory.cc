#include "daemon/store/memory.h"

#include <utility>

namespace berth::store {

Result<std::unique_ptr<MemoryStore>> MemoryStore::open(MemoryDisk& disk, Completion completion) {
  if (disk.is_taken) {
    return Error{Code::conflict, "store", "this store is in use: end its other user first"};
  }
  disk.is_taken = true;
  return std::unique_ptr<MemoryStore>(new MemoryStore(disk, completion));
}

MemoryStore::~MemoryStore() {
  disk_.is_taken = false;
}

Result<std::vector<core::Change>> MemoryStore::load() {
  std::vector<core::Change> changes;
  changes.reserve(disk_.records.size());
  for (auto const& [place, bytes] : disk_.records) {
    changes.push_back(TRY(wire::decode(place, bytes)));
  }
  return changes;
}

void MemoryStore::commit(std::vector<core::Change> changes, Done done) {
  for (core::Change const& change : changes) ENSURE(core::is_durable(change));
  if (failure_) {
    done(*failure_);
    return;
  }
  pending_.push_back({std::move(changes), std::move(done)});
  if (completion_ == Completion::automatic) complete_next();
}

StoreSize MemoryStore::size() {
  return {.bytes = 0,
          .records = static_cast<std::int64_t>(disk_.records.size() + disk_.audit.size())};
}

Result<std::vector<core::AuditRecord>> MemoryStore::audit(std::uint64_t first, std::size_t count) {
  std::vector<core::AuditRecord> records;
  for (auto it = disk_.audit.lower_bound(first); it != disk_.audit.end() && records.size() < count;
       ++it) {
    core::Change const change =
        TRY(wire::decode({wire::RecordKind::audit, std::to_string(it->first)}, it->second));
    records.push_back(std::get<core::AppendAudit>(change).record);
  }
  return records;
}

bool MemoryStore::complete_next() {
  if (pending_.empty()) return false;
  if (Result<void> const storable = check(pending_.front().changes); !storable) {
    return fail_next(Fate::lost, storable.error());
  }
  Pending const oldest = std::move(pending_.front());
  pending_.pop_front();
  apply(oldest.changes);
  oldest.done({});
  return true;
}

bool MemoryStore::fail_next(Fate fate, Error error) {
  if (pending_.empty()) return false;
  failure_ = std::move(error);
  // What would be refused anyway is never durable.
  if (fate == Fate::durable && check(pending_.front().changes)) apply(pending_.front().changes);
  std::deque<Pending> const failed = std::exchange(pending_, {});
  Error const answer = *failure_;  // a `done` may crash() us
  for (Pending const& one : failed) one.done(answer);
  return true;
}

void MemoryStore::crash() {
  pending_.clear();
  failure_.reset();
}

Result<void> MemoryStore::check(std::vector<core::Change> const& changes) const {
  for (core::Change const& change : changes) {
    TRY(wire::well_formed(change));
    auto const* append = std::get_if<core::AppendAudit>(&change);
    if (append != nullptr && disk_.audit.contains(append->record.number)) {
      return Error{Code::conflict, "store",
                   "audit record " + std::to_string(append->record.number) +
                       ": wanted a new number, found one that is stored"};
    }
  }
  return {};
}

void MemoryStore::apply(std::vector<core::Change> const& changes) {
  for (core::Change const& change : changes) {
    wire::RecordKey place = wire::key(change);
    if (auto const* append = std::get_if<core::AppendAudit>(&change)) {
      disk_.audit.emplace(append->record.number, wire::encode(change));
    } else if (wire::is_put(change)) {
      disk_.records.insert_or_assign(std::move(place), wire::encode(change));
    } else {
      disk_.records.erase(place);
    }
  }
}

}  // namespace berth::store
