#pragma once
// A store in memory: the fake that the simulator and tests use, held to the same contract tests as
// SQLite. Single-threaded, and the caller decides when a commit becomes durable:
//
//   MemoryDisk disk;                                     // outlives the daemon
//   auto store = *MemoryStore::open(disk);               // by hand: commits wait
//   store->commit(changes, done);
//   store->complete_next();                              // durable; done runs here
//   store.reset();                                       // crash: what was not completed is lost
//   store = *MemoryStore::open(disk);                    // recovery is start-up
//
// The disk keeps the bytes that SQLite would keep, so a record that cannot be read back shows here
// too.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/wire/record.h"
#include "daemon/store/store.h"

namespace berth::store {

// What survives a crash.
struct MemoryDisk {
  std::map<wire::RecordKey, std::string> records;
  std::map<std::uint64_t, std::string> audit;  // by number
  bool is_taken = false;                       // a MemoryStore holds it
};

class MemoryStore final : public Store {
 public:
  enum class Completion {
    by_hand,    // a commit waits for complete_next()
    automatic,  // durable at once; `done` runs inside commit()
  };
  // What became of a commit whose `done` was an error: the daemon cannot know, so both must be
  // right.
  enum class Fate { lost, durable };

  // Code::conflict when another store holds the disk. The disk must outlive the store.
  [[nodiscard]] static Result<std::unique_ptr<MemoryStore>> open(
      MemoryDisk& disk, Completion completion = Completion::by_hand);
  ~MemoryStore()
      override;  // gives the disk back; pending commits are lost, their `done` never runs

  MemoryStore(MemoryStore const&) = delete;
  MemoryStore& operator=(MemoryStore const&) = delete;

  [[nodiscard]] Result<std::vector<core::Change>> load() override;
  void commit(std::vector<core::Change> changes, Done done) override;
  [[nodiscard]] bool is_full() const override { return is_full_; }
  [[nodiscard]] StoreSize size() override;
  [[nodiscard]] Result<std::vector<core::AuditRecord>> audit(std::uint64_t first,
                                                             std::size_t count) override;

  // Commits that wait, oldest first durable.
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }
  // Makes the oldest pending commit durable and runs its `done`. False: none was pending.
  bool complete_next();
  // Answers the oldest pending commit, all behind it and all to come with `error`. Only the oldest
  // can still have become durable. False: none was pending.
  bool fail_next(Fate fate, Error error);
  // What is_full() says from now on. Whether commits still become durable is the caller's choice:
  // complete_next() works as ever.
  void set_full(bool is_full) { is_full_ = is_full; }
  // As if the process had died and come back on the same disk: pending commits are lost, their
  // `done` never runs, an earlier failure is forgotten.
  void crash();

 private:
  struct Pending {
    std::vector<core::Change> changes;
    Done done;
  };

  MemoryStore(MemoryDisk& disk, Completion completion) : disk_(disk), completion_(completion) {}
  [[nodiscard]] Result<void> check(std::vector<core::Change> const& changes) const;
  void apply(std::vector<core::Change> const& changes);

  MemoryDisk& disk_;
  Completion completion_;
  std::deque<Pending> pending_;
  std::optional<Error> failure_;
  bool is_full_ = false;
};

}  // namespace berth::store
