#include "tests/sim/store.h"

#include <algorithm>
#include <utility>

namespace berth::sim {

namespace {

std::unique_ptr<store::MemoryStore> opened(store::MemoryDisk& disk) {
  Result<std::unique_ptr<store::MemoryStore>> store = store::MemoryStore::open(disk);
  ENSURE(store.has_value());
  return *std::move(store);
}

}  // namespace

SimStore::SimStore(World& world, Options const& options, store::MemoryDisk& disk,
                   Instant const& full_until, std::function<void()> after_commit)
    : world_(world),
      options_(options),
      full_until_(full_until),
      memory_(opened(disk)),
      after_commit_(std::move(after_commit)) {}

SimStore::~SimStore() {
  *is_alive_ = false;
  // Nobody hears of it any more, but what was on its way to the disk may have arrived.
  if (memory_->pending() > 0 && world_.chance(options_.ppm.crash_after_durable)) {
    world_.note("commit durable after a crash");
    world_.met("crash", "commit in flight, durable");
    memory_->complete_next();
  }
}

void SimStore::commit(std::vector<core::Change> changes, Done done) {
  memory_->commit(std::move(changes),
                  [is_alive = is_alive_, done = std::move(done)](Result<void> result) {
                    if (*is_alive) done(std::move(result));
                  });
  Instant const begun = std::max({world_.now(), stalled_until_, full_until_});
  Duration const took = world_.between(options_.commit.low, options_.commit.high);
  if (crash_) {
    world_.after(world_.between({}, begun + took - world_.now()),
                 [is_alive = is_alive_, crash = std::exchange(crash_, nullptr)] {
                   if (*is_alive) crash();
                 });
  }
  world_.after(begun + took - world_.now(), [this, is_alive = is_alive_] {
    if (*is_alive) complete();
  });
}

void SimStore::complete() {
  // `done` may end the daemon and with it this store.
  std::shared_ptr<bool> const is_alive = is_alive_;
  if (is_full()) {  // since it was taken; it waits for room
    world_.after(full_until_ - world_.now(), [this, is_alive] {
      if (*is_alive) complete();
    });
    return;
  }
  auto const after = after_commit_;
  if (std::exchange(fails_next_, false)) {
    bool const is_durable = world_.entropy().below(2) == 0;
    world_.note("commit fails", is_durable ? "durable" : "lost");
    memory_->fail_next(
        is_durable ? store::MemoryStore::Fate::durable : store::MemoryStore::Fate::lost,
        Error{Code::unavailable, "store", "input/output error"});
  } else {
    memory_->complete_next();
  }
  if (*is_alive) after();
}

}  // namespace berth::sim
