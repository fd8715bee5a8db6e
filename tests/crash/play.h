#pragma once
// A daemon without its sockets, for crashes by the thousand: the real store, driver and core, hosts
// that do what they are told at once, and a client that plays the script. All on the caller's
// thread but for the store's own two, so that the same run makes the same system calls in the same
// order.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "berth/base/entropy.h"
#include "daemon/driver/driver.h"
#include "daemon/store/sqlite.h"
#include "tests/crash/script.h"

namespace berth::crash {

class Play {
 public:
  struct Options {
    store::SqliteStore::Options store;
    int run = 1;  // which start of the daemon this is: request ids and drawn ids differ by it
    // Called as soon as an answer is there, in the order of the answers.
    std::function<void(std::size_t, Answer const&)> on_answer;
    // The store failed: nothing may be answered any more. Must not return.
    std::function<void(Error const&)> on_store_failure;
  };

  // Serving when it returns: the records are loaded and the new term is durable.
  static Result<std::unique_ptr<Play>> open(Options options);
  ~Play();

  // Plays what `answers` lacks and adds to them, up to the group of call `end`. A call that the
  // full store refuses is repeated.
  void to_the_end(Script const& script, Answers& answers, std::size_t end = SIZE_MAX);

  [[nodiscard]] core::State const& state() const { return driver_->state(); }
  // Every audit record, as stored.
  [[nodiscard]] Result<std::vector<core::AuditRecord>> audit();
  [[nodiscard]] store::SqliteStore& store() { return *store_; }

 private:
  class Link final : public driver::AgentLink {
   public:
    void send(HostSpec const& spec) override { specs[spec.host] = spec; }
    void grant_lease(HostId const&, std::uint64_t) override {}
    void drop(HostId const&) override {}
    void read_console(HostId const&, InstanceId const&, ConsoleDone done) override {
      done(std::string());
    }
    std::map<HostId, HostSpec> specs;
  };
  class TickingClock final : public Clock {
   public:
    [[nodiscard]] Now now() override {
      at.monotonic.ns += 1'000;
      at.wall.ms += 1;
      return at;
    }
    Now at{.monotonic = Instant{1}, .wall = WallTime{1'800'000'000'000}};
  };

  explicit Play(Options options);
  // Runs what the store's thread hands over until `is_reached`.
  void work_until(std::function<bool()> const& is_reached);
  void settle();
  void let_hosts_report();
  void play_group(Script const& script, std::size_t first, std::size_t end, bool is_repeated,
                  Answers& answers);

  Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;

  TickingClock clock_;
  SeededEntropy entropy_;
  driver::Observer observer_;
  Link link_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<driver::Driver> driver_;
};

// What is wrong with the store in `folder`, as a daemon and a person would find it: opened, loaded,
// every promise asked for, every page read.
[[nodiscard]] std::vector<std::string> judge(store::SqliteStore::Options const& store,
                                             Script const& script, Answers const& answers,
                                             std::size_t given);

}  // namespace berth::crash
