#pragma once
// What a store counts of its commits, for the metrics page. Written by the store's thread, read by
// any; each number is right by itself, not together with the others.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace berth::store {

struct CommitStats {
  // Upper bounds of the latency buckets in nanoseconds, inclusive; one more bucket takes the rest.
  static constexpr std::array<std::int64_t, 15> kBucketNs = {
      100'000,     250'000,     500'000,       1'000'000,     2'500'000,
      5'000'000,   10'000'000,  25'000'000,    50'000'000,    100'000'000,
      250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 10'000'000'000};

  std::atomic<std::uint64_t> commits{0};       // made durable
  std::atomic<std::uint64_t> changes{0};       // in those commits
  std::atomic<std::uint64_t> transactions{0};  // groups of commits that shared one sync
  std::atomic<std::uint64_t> failures{0};      // commits answered with an error
  std::atomic<std::uint64_t> retries{0};       // transactions written again, for want of space
  // From commit() to durable, waiting included.
  std::atomic<std::int64_t> latency_last_ns{0};
  std::atomic<std::int64_t> latency_total_ns{0};
  std::array<std::atomic<std::uint64_t>, kBucketNs.size() + 1> latency_buckets{};  // not cumulative

  void count_durable(std::size_t change_count, std::int64_t latency_ns) {
    std::size_t bucket = 0;
    while (bucket < kBucketNs.size() && latency_ns > kBucketNs[bucket]) ++bucket;
    latency_buckets[bucket].fetch_add(1, std::memory_order_relaxed);
    latency_last_ns.store(latency_ns, std::memory_order_relaxed);
    latency_total_ns.fetch_add(latency_ns, std::memory_order_relaxed);
    changes.fetch_add(change_count, std::memory_order_relaxed);
    commits.fetch_add(1, std::memory_order_relaxed);
  }
};

}  // namespace berth::store
