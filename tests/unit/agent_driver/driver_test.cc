// The agent's loop: whose specs it obeys, and which answers it believes.

#include "agent/driver/driver.h"

#include <gtest/gtest.h>

#include <vector>

#include "berth/model/limits.h"

namespace berth::agent {
namespace {

class AgentDriverTest : public ::testing::Test,
                        public Hypervisor,
                        public DaemonLink,
                        public SpecStore,
                        public Clock {
 protected:
  // A life of the agent on the machine with that UUID.
  Driver life(std::string uuid) {
    Driver driver({host, std::move(uuid), "boot"}, {}, {*this, *this, *this, *this, {}, {}, {}});
    driver.begin();
    driver.on_connected();
    return driver;
  }
  static HostSpec spec(std::string host_uuid) {
    HostSpec out{.host = host,
                 .host_uuid = std::move(host_uuid),
                 .term = Term(1),
                 .generation = Generation(1)};
    out.instances.push_back({.id = InstanceId("i-00000000000000001"), .image_digest = "image"});
    return out;
  }

  // Hypervisor: an empty host.
  void observe(ObserveDone done) override { done(Observed{}); }
  void perform(Action const& action, ActionDone) override { begun.push_back(action); }
  void read_console(InstanceId const&, std::size_t, ConsoleDone) override {}
  Result<HostInventory> inventory() override { return HostInventory{}; }
  Result<std::string> host_uuid() override { return std::string("machine"); }
  void on_change(std::function<void()>) override {}
  // DaemonLink.
  void send(HostStatus const&) override {}
  void heartbeat(std::uint64_t number) override { beats.push_back(number); }
  // SpecStore.
  Result<std::optional<HostSpec>> load() override { return file; }
  Result<void> save(HostSpec const& s) override {
    file = s;
    return {};
  }
  // Clock.
  Now now() override { return {.monotonic = at, .wall = {}}; }

  inline static HostId const host{"host-00000000000000001"};
  Instant at = Instant{} + seconds(100);
  std::optional<HostSpec> file;
  std::vector<Action> begun;
  std::vector<std::uint64_t> beats;
};

TEST_F(AgentDriverTest, AStoredSpecIsObeyedByItsMachine) {
  file = spec("machine");
  Driver const driver = life("machine");
  EXPECT_EQ(begun.size(), 1u);
}

TEST_F(AgentDriverTest, ACloneOfTheMachineDoesNotObeyTheStoredSpec) {
  file = spec("machine");
  Driver const driver = life("clone");
  EXPECT_FALSE(driver.spec());
  EXPECT_TRUE(begun.empty());
}

TEST_F(AgentDriverTest, ACloneOfTheMachineDoesNotObeyASpecThatItIsSent) {
  Driver driver = life("clone");
  driver.on_spec(spec("machine"));
  EXPECT_FALSE(file);
  EXPECT_TRUE(begun.empty());
}

TEST_F(AgentDriverTest, ASpecThatNamesNoMachineIsObeyed) {
  file = spec("");  // of a daemon that did not know the field
  Driver const driver = life("machine");
  EXPECT_EQ(begun.size(), 1u);
}

TEST_F(AgentDriverTest, ALeaseIsCountedFromItsHeartbeat) {
  Driver driver = life("machine");
  driver.on_tick();
  Instant const sent = at;
  at = at + seconds(3);
  driver.on_lease(beats.at(0));
  EXPECT_EQ(driver.lease_until(), sent + limits::kLease);
}

TEST_F(AgentDriverTest, AnAnswerToTheLifeBeforeGivesNoLease) {
  life("machine").on_tick();
  at = at + seconds(2);
  Driver driver = life("machine");
  driver.on_tick();
  ASSERT_EQ(beats.size(), 2u);
  driver.on_lease(beats[0]);
  EXPECT_EQ(driver.lease_until(), Instant{});
}

}  // namespace
}  // namespace berth::agent
