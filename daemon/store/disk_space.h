#pragma once
// Room for the store on its disk. A ballast file beside the store keeps some for the transaction in
// hand when the disk fills all of a sudden; a look at the free space every so often sees the slow
// filling before that. Either way the disk counts as full until there is room again and the ballast
// lies there again: the store takes what it is given also then, but whoever gives should not.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace berth::store {

class DiskSpace {
 public:
  // With less free than the ballast has, the disk counts as full; with a quarter more, beside the
  // ballast itself, it no longer does. Entering and leaving differ, so that it does not flap.
  static constexpr std::int64_t kBallastBytes = std::int64_t{64} << 20;
  static constexpr std::chrono::milliseconds kPace{1'000};  // between two looks

  struct Options {
    std::string file;  // the store's; the ballast's name is that and ".ballast"
    std::int64_t ballast_bytes = kBallastBytes;
    std::chrono::milliseconds pace = kPace;
  };

  explicit DiskSpace(Options options) : options_(std::move(options)) {}
  ~DiskSpace();  // the ballast stays where it is

  DiskSpace(DiskSpace const&) = delete;
  DiskSpace& operator=(DiskSpace const&) = delete;

  // Makes the ballast if there is room for it, then looks every `pace`. Without room it starts
  // full.
  void start();
  // The disk said that it is full: gives it the ballast. From any thread. False: it had it already.
  bool give_ballast_back(std::string_view why);
  // Before start(): true when there was a ballast of an earlier run, which is gone now.
  bool remove_ballast();

  [[nodiscard]] bool is_full() const { return is_full_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t times_full() const {
    return times_full_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::chrono::milliseconds pace() const { return options_.pace; }

 private:
  [[nodiscard]] std::string ballast() const { return options_.file + ".ballast"; }
  void look();
  [[nodiscard]] bool make_ballast();
  void enter(std::string_view why, std::int64_t free_bytes);
  void leave(std::int64_t free_bytes);

  Options options_;
  // Makes and gives back take turns: the watching thread's and the writer's.
  std::mutex mutex_;
  bool has_ballast_ = false;
  std::atomic<bool> is_full_{false};
  std::atomic<std::uint64_t> times_full_{0};
  std::jthread thread_;
};

}  // namespace berth::store
