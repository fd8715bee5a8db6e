#pragma once
// The simulated store: store::MemoryStore (the bytes that SQLite would keep) with time in it. A
// commit takes a while, may hang for long, may fail; a crash loses what was not durable, or finds
// that it was durable after all though nobody was told.

#include <memory>

#include "daemon/store/memory.h"
#include "tests/sim/options.h"
#include "tests/sim/world.h"

namespace berth::sim {

class SimStore final : public store::Store {
 public:
  // `after_commit` runs after each commit's `done`.
  SimStore(World& world, Options const& options, store::MemoryDisk& disk, Instant const& full_until,
           std::function<void()> after_commit);
  ~SimStore() override;  // a crash

  [[nodiscard]] Result<std::vector<core::Change>> load() override { return memory_->load(); }
  void commit(std::vector<core::Change> changes, Done done) override;
  [[nodiscard]] bool is_full() const override { return world_.now() < full_until_; }
  [[nodiscard]] store::StoreSize size() override { return memory_->size(); }
  [[nodiscard]] Result<std::vector<core::AuditRecord>> audit(std::uint64_t first,
                                                             std::size_t count) override {
    return memory_->audit(first, count);
  }

  // Faults: the next commit fails (perhaps after it became durable); commits hang until then.
  void fail_next() { fails_next_ = true; }
  // `crash` at some moment of the next commit.
  void crash_in_next(std::function<void()> crash) { crash_ = std::move(crash); }
  void mend() {
    fails_next_ = false;
    crash_ = nullptr;
  }
  void stall(Duration length) { stalled_until_ = world_.now() + length; }

 private:
  void complete();

  World& world_;
  Options const& options_;
  Instant const& full_until_;  // of the disk, which outlives this store
  std::unique_ptr<store::MemoryStore> memory_;
  std::function<void()> after_commit_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
  std::function<void()> crash_;
  bool fails_next_ = false;
  Instant stalled_until_{};
};

}  // namespace berth::sim
