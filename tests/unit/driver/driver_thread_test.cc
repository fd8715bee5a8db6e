// The driver's thread while its store hangs: who is still served, who is told to come again.

#include "daemon/driver/driver_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "daemon/store/memory.h"

namespace berth::driver {
namespace {

using namespace std::chrono_literals;

class CountingLink final : public AgentLink {
 public:
  void send(HostSpec const&) override {}
  void grant_lease(HostId const&, std::uint64_t) override { ++leases; }
  void drop(HostId const&) override {}
  void read_console(HostId const&, InstanceId const&, ConsoleDone done) override {
    done(std::string());
  }
  std::atomic<int> leases{0};
};

core::AdminCall admin(core::AdminAction action) {
  return {.actor = "root",
          .role = core::Role::admin,
          .request_id = "r",
          .action_name = "test",
          .action = std::move(action)};
}

core::ApiCall tag_call() {
  return {.caller = {.tenant = TenantId("000000000001"), .key = AccessKeyId("AKIA")},
          .action_name = "CreateTags",
          .action = core::CreateTags{}};
}

template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 2'000 && !condition(); ++i) std::this_thread::sleep_for(5ms);
  return condition();
}

class DriverThreadTest : public ::testing::Test {
 protected:
  DriverThreadTest() {
    store = *store::MemoryStore::open(disk);
    driver = std::make_unique<DriverThread>(
        *Driver::load(*store, core::Policy{}),
        Driver::Parts{.store = *store,
                      .link = link,
                      .clock = clock,
                      .entropy = entropy,
                      .observer = observer,
                      .on_store_failure = [](Error const&) { std::abort(); },
                      .post = {}});
    // Commits end when we say so: from another thread, while start() waits for the first.
    std::jthread const completes([this](std::stop_token const& stop) {
      while (!stop.stop_requested()) complete();
    });
    driver->start();
  }
  ~DriverThreadTest() override {
    std::jthread const completes([this](std::stop_token const& stop) {
      while (!stop.stop_requested()) complete();
    });
    driver->stop();
  }
  // On the driver's thread, where the store is used. Once that has ended, nothing.
  void complete() {
    auto const done = std::make_shared<std::promise<void>>();
    driver->post([this, done] {
      store->complete_next();
      done->set_value();
    });
    (void)done->get_future().wait_for(20ms);
  }
  Result<core::Reply> ask(core::Input input) {
    std::promise<Result<core::Reply>> promise;
    driver->submit(std::move(input),
                   [&](Result<core::Reply> reply) { promise.set_value(std::move(reply)); });
    auto future = promise.get_future();
    while (future.wait_for(1ms) != std::future_status::ready) complete();
    return future.get();
  }
  // Enrols a host, then leaves one commit hanging and the batch behind it full.
  HostId hang() {
    EXPECT_TRUE(ask(admin(core::PutZoneCall{.name = "us-east-1a"})));
    Result<core::Reply> enrolled =
        ask(admin(core::EnrollHost{.name = "h",
                                   .zone = "us-east-1a",
                                   .rack = "",
                                   .tags = {},
                                   .token_digest = std::string(64, 'a')}));
    EXPECT_TRUE(enrolled) << enrolled.error().message;
    HostId const host = std::get<core::Enrolled>(*enrolled).host.id;
    std::size_t const more = 4 * limits::kInputsPerBatchMax;
    for (std::size_t i = 0; i < more; ++i) {
      driver->submit(
          admin(core::PutZoneCall{.name = "us-east-1a", .operator_name = std::to_string(i)}), {});
    }
    EXPECT_TRUE(soon([&] {
      return driver->lane(core::InputClass::operation).waiting > 0 &&
             driver->lane(core::InputClass::operation).taken >= limits::kInputsPerBatchMax;
    }));
    return host;
  }

  store::MemoryDisk disk;
  std::unique_ptr<store::MemoryStore> store;
  CountingLink link;
  SystemClock clock;
  SeededEntropy entropy{1};
  Observer observer;
  std::unique_ptr<DriverThread> driver;
};

TEST_F(DriverThreadTest, LeasesAreGrantedWhileACommitHangsAndTheBatchIsFull) {
  HostId const host = hang();
  for (std::uint64_t n = 1; n <= 100; ++n) {
    driver->submit(core::AgentHeartbeat{.host = host, .number = n}, {});
  }
  EXPECT_TRUE(soon([&] { return link.leases == 100; })) << link.leases;
  EXPECT_GT(driver->lane(core::InputClass::operation).waiting, 0U) << "nothing hung";
}

TEST_F(DriverThreadTest, AFullLaneAnswersAtOnceAndTheOthersStillTake) {
  hang();
  ClassRule const& rule = driver::rule(core::InputClass::mutation);
  std::atomic<std::size_t> throttled{0};
  std::atomic<std::size_t> other{0};
  auto const count = [&](Result<core::Reply> reply) {
    ++(!reply && reply.error().code == Code::throttled ? throttled : other);
  };
  for (std::size_t i = 0; i < rule.queued_max; ++i) driver->submit(tag_call(), count);
  EXPECT_EQ(throttled, 0U);
  EXPECT_FALSE(driver->has_room(core::InputClass::mutation));
  driver->submit(tag_call(), count);
  EXPECT_EQ(throttled, 1U);
  EXPECT_TRUE(driver->has_room(core::InputClass::read));
  EXPECT_TRUE(driver->has_room(core::InputClass::operation));
  EXPECT_EQ(driver->lane(core::InputClass::mutation).full, 1U);
  while (throttled + other < rule.queued_max + 1) complete();
}

}  // namespace
}  // namespace berth::driver
