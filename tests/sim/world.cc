#include "tests/sim/world.h"

#include <utility>

#include "berth/base/ensure.h"

namespace berth::sim {

namespace {

constexpr std::int64_t kEpochMs = 1'800'000'000'000;  // 2027-01-15, when every history begins

}  // namespace

World::World(std::uint64_t seed, std::FILE* trace) : entropy_(seed), trace_(trace) {
  mix(seed);
}

Duration World::between(Duration low, Duration high) {
  return {entropy_.between(low.ns, high.ns)};
}

Duration World::about(Duration mean) {
  return between({mean.ns / 4}, {mean.ns / 4 * 7});
}

void World::after(Duration delay, Work work) {
  ENSURE(delay.ns >= 0);
  std::size_t slot = works_.size();
  if (free_slots_.empty()) {
    works_.push_back(std::move(work));
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    works_[slot] = std::move(work);
  }
  queue_.push({now_ + delay, ++sequence_, slot});
}

bool World::run_next(Instant until) {
  if (queue_.empty() || queue_.top().at > until) {
    now_ = until;
    return false;
  }
  Event const event = queue_.top();
  queue_.pop();
  now_ = event.at;
  ++events_;
  Work const work = std::exchange(works_[event.slot], nullptr);
  free_slots_.push_back(event.slot);
  work();
  return true;
}

void World::note(std::string_view what, std::string_view a, std::string_view b,
                 std::uint64_t number) {
  mix(static_cast<std::uint64_t>(now_.ns));
  mix(what);
  mix(a);
  mix(b);
  mix(number);
  if (trace_ == nullptr) return;
  std::fprintf(trace_, "%12.6f %-24.*s %.*s %.*s %llu\n", static_cast<double>(now_.ns) / 1e9,
               static_cast<int>(what.size()), what.data(), static_cast<int>(a.size()), a.data(),
               static_cast<int>(b.size()), b.data(), static_cast<unsigned long long>(number));
}

void World::violated(std::string what) {
  note("VIOLATION", what);
  if (!violation_) violation_ = std::move(what);
}

void World::mix(std::string_view bytes) {
  for (char const c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash_ = (hash_ ^ 0xffU) * 0x100000001b3U;
}

void World::mix(std::uint64_t word) {
  hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15U;
  hash_ ^= hash_ >> 29;
}

Now DriftingClock::now() {
  Duration const elapsed = world_.now() - booted_;
  Duration const drift{elapsed.ns / 1'000'000 * drift_ppm_};
  return {.monotonic = Instant{} + elapsed + drift,
          .wall = WallTime{kEpochMs} + (world_.now() - Instant{}) + wall_offset_};
}

}  // namespace berth::sim
