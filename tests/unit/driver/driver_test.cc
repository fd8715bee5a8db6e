// The daemon's driver: batches, release after durable, start-up as recovery.

#include "daemon/driver/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/core/audit.h"
#include "daemon/store/memory.h"

namespace berth::driver {
namespace {

using ::testing::SizeIs;

class StillClock final : public Clock {
 public:
  [[nodiscard]] Now now() override { return at; }
  Now at{.monotonic = Instant{1}, .wall = WallTime{1'800'000'000'000}};
};

class NoLink final : public AgentLink {
 public:
  void send(HostSpec const& spec) override { sent.push_back(spec); }
  void grant_lease(HostId const&, std::uint64_t) override { ++leases; }
  void drop(HostId const&) override { ++drops; }
  void read_console(HostId const&, InstanceId const&, ConsoleDone done) override {
    done(std::string());
  }
  std::vector<HostSpec> sent;
  int leases = 0;
  int drops = 0;
};

class DriverTest : public ::testing::Test {
 protected:
  void start() {
    driver.reset();
    store.reset();
    store = *store::MemoryStore::open(disk);
    Result<core::State> state = Driver::load(*store, core::Policy{});
    ASSERT_TRUE(state) << state.error().message;
    driver = std::make_unique<Driver>(
        *std::move(state), Driver::Parts{.store = *store,
                                         .link = link,
                                         .clock = clock,
                                         .entropy = entropy,
                                         .observer = observer,
                                         .on_store_failure = [this](Error const&) { ++failures; }});
    driver->begin();
    store->complete_next();
  }
  // Decided, and perhaps durable.
  std::shared_ptr<std::optional<Result<core::Reply>>> ask(core::AdminAction action) {
    auto const answer = std::make_shared<std::optional<Result<core::Reply>>>();
    driver->on_input(core::AdminCall{.actor = "root",
                                     .role = core::Role::admin,
                                     .request_id = "r" + std::to_string(++requests),
                                     .action_name = "test",
                                     .action = std::move(action)},
                     [answer](Result<core::Reply> reply) { answer->emplace(std::move(reply)); });
    driver->flush();
    return answer;
  }
  void settle() {
    while (store->complete_next()) {}
  }

  store::MemoryDisk disk;
  std::unique_ptr<store::MemoryStore> store;
  NoLink link;
  StillClock clock;
  SeededEntropy entropy{1};
  Observer observer;
  std::unique_ptr<Driver> driver;
  int requests = 0;
  int failures = 0;
};

TEST_F(DriverTest, AReplyWaitsUntilWhatItRestsOnIsDurable) {
  start();
  auto const answer = ask(core::CreateTenant{.name = "one"});
  EXPECT_FALSE(answer->has_value());
  settle();
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->has_value());
}

TEST_F(DriverTest, AReadWaitsForTheCommitThatItMayHaveLookedAt) {
  start();
  ask(core::CreateTenant{.name = "one"});
  auto const read = ask(core::ListTenants{});
  EXPECT_FALSE(read->has_value());
  settle();
  ASSERT_TRUE(read->has_value());
  EXPECT_THAT(std::get<core::TenantList>(**(*read)).items, SizeIs(1));
}

TEST_F(DriverTest, InputsThatLeaveNothingToReleaseNeverFillTheBatch) {
  start();
  for (std::size_t i = 0; i < limits::kInputsPerBatchMax * 3; ++i) {
    driver->on_tick();
    driver->flush();
    ASSERT_FALSE(driver->is_full()) << "after " << i << " ticks";
  }
}

TEST_F(DriverTest, TheAuditChainGoesOnAfterARestart) {
  start();
  ask(core::CreateTenant{.name = "one"});
  settle();
  std::string const digest = driver->state().region.audit_digest;
  start();
  EXPECT_EQ(driver->state().region.audit_count, 1U);
  EXPECT_EQ(driver->state().region.audit_digest, digest);
  auto const answer = ask(core::CreateTenant{.name = "two"});
  settle();
  EXPECT_EQ(failures, 0);
  ASSERT_TRUE(answer->has_value());
  Result<std::vector<core::AuditRecord>> const records = store->audit(1, 10);
  ASSERT_TRUE(records);
  ASSERT_THAT(*records, SizeIs(2));
  EXPECT_EQ((*records)[1].digest, core::chained_digest(digest, (*records)[1]));
}

TEST_F(DriverTest, ALoweredQuotaDoesNotKeepTheDaemonFromStarting) {
  start();
  TenantId const tenant("111111111111");
  ask(core::CreateTenant{.name = "one", .id = tenant.value});
  ask(core::PutZoneCall{.name = "us-east-1a"});
  ask(core::EnrollHost{.name = "h", .zone = "us-east-1a", .token_digest = std::string(64, 'a')});
  settle();
  Instance i{.id = InstanceId("i-00000000000000001"), .tenant = tenant, .vcpus = 2};
  i.placement = Placement{driver->state().hosts.begin()->first, PlacementGeneration(1)};
  store->commit({core::PutInstance{i}}, [](Result<void>) {});
  settle();
  start();
  ask(core::SetTenant{.id = tenant.value, .quota = Quota{.instances = 0, .vcpus = 0}});
  settle();
  start();
  EXPECT_EQ(driver->state().tenants.at(tenant).quota.instances, 0);
}

TEST_F(DriverTest, AFailedCommitEndsItAndAnswersNobody) {
  start();
  auto const answer = ask(core::CreateTenant{.name = "one"});
  store->fail_next(store::MemoryStore::Fate::lost, Error{Code::unavailable, "store", "EIO"});
  EXPECT_EQ(failures, 1);
  EXPECT_FALSE(answer->has_value());
  ask(core::CreateTenant{.name = "two"});
  EXPECT_EQ(store->pending(), 0U);
}

// ---- a full store ------------------------------------------------------------------------------

TEST_F(DriverTest, AFullStoreRefusesChangesAndAnswersReads) {
  start();
  ask(core::CreateTenant{.name = "one"});
  settle();
  store->set_full(true);
  auto const refused = ask(core::CreateTenant{.name = "two"});
  auto const read = ask(core::ListTenants{});
  EXPECT_EQ(store->pending(), 0U);
  ASSERT_TRUE(refused->has_value());
  ASSERT_FALSE((*refused)->has_value());
  EXPECT_EQ((*refused)->error().code, Code::unavailable);
  EXPECT_EQ((*refused)->error().subject, "store");
  ASSERT_TRUE(read->has_value());
  EXPECT_THAT(std::get<core::TenantList>(**(*read)).items, SizeIs(1));

  store->set_full(false);
  auto const taken = ask(core::CreateTenant{.name = "two"});
  settle();
  ASSERT_TRUE(taken->has_value());
  EXPECT_TRUE((*taken)->has_value());
  EXPECT_EQ(failures, 0);
}

TEST_F(DriverTest, WhatWasDecidedBeforeTheStoreWasFullIsAnsweredWhenDurable) {
  start();
  auto const in_flight = ask(core::CreateTenant{.name = "one"});
  auto const open = ask(core::CreateTenant{.name = "two"});
  store->set_full(true);
  settle();
  ASSERT_TRUE(in_flight->has_value() && open->has_value());
  EXPECT_TRUE((*in_flight)->has_value());
  EXPECT_TRUE((*open)->has_value());
}

TEST_F(DriverTest, AgentsOfAFullStoreKeepTheirLeasesAndAreHeardLater) {
  start();
  ask(core::PutZoneCall{.name = "us-east-1a"});
  std::string const token(64, 'a');
  ask(core::EnrollHost{.name = "h", .zone = "us-east-1a", .token_digest = token});
  settle();
  HostId const host = driver->state().hosts.begin()->first;
  driver->on_input(core::AgentJoin{.host = host, .token_digest = token, .host_uuid = "u"}, nullptr);
  driver->flush();
  settle();

  store->set_full(true);
  driver->on_input(core::AgentHello{.host = host, .host_uuid = "u", .boot_id = "b"}, nullptr);
  driver->on_input(core::AgentHeartbeat{.host = host, .number = 1}, nullptr);
  core::AgentReport report{{.host = host, .host_uuid = "u", .boot_id = "b"}};
  report.status.inventory.cells = {{.id = 0, .memory = Mebibytes(1024)}};
  driver->on_input(report, nullptr);
  driver->on_tick();
  driver->flush();
  EXPECT_EQ(store->pending(), 0U);
  EXPECT_EQ(link.leases, 1);
  EXPECT_EQ(link.drops, 0);
  EXPECT_TRUE(driver->state().seen.at(host).is_connected);
  EXPECT_FALSE(driver->state().hosts.at(host).inventory);

  store->set_full(false);
  driver->on_input(report, nullptr);
  driver->flush();
  settle();
  EXPECT_TRUE(driver->state().hosts.at(host).inventory);
}

TEST_F(DriverTest, AHostIsToldOfManyChangesAtOnceAndOfTheLastForCertain) {
  start();
  ask(core::PutZoneCall{.name = "us-east-1a"});
  std::string const token(64, 'a');
  ask(core::EnrollHost{.name = "h", .zone = "us-east-1a", .token_digest = token});
  settle();
  HostId const host = driver->state().hosts.begin()->first;
  driver->on_input(core::AgentJoin{.host = host, .token_digest = token, .host_uuid = "u"}, nullptr);
  driver->flush();
  settle();
  auto const hello = [&] {
    driver->on_input(core::AgentHello{.host = host, .host_uuid = "u", .boot_id = "b"}, nullptr);
    driver->flush();
  };
  hello();
  EXPECT_THAT(link.sent, SizeIs(1)) << "the first at once";
  hello();
  hello();
  EXPECT_THAT(link.sent, SizeIs(1)) << "the next ones wait";
  EXPECT_FALSE(driver->is_idle());
  clock.at.monotonic = clock.at.monotonic + milliseconds(49);
  driver->flush();
  EXPECT_THAT(link.sent, SizeIs(1));
  clock.at.monotonic = clock.at.monotonic + milliseconds(1);
  driver->flush();
  EXPECT_THAT(link.sent, SizeIs(2)) << "together, without another input";
  EXPECT_TRUE(driver->is_idle());
  clock.at.monotonic = clock.at.monotonic + milliseconds(50);
  driver->flush();
  EXPECT_THAT(link.sent, SizeIs(2)) << "and once";
}

TEST_F(DriverTest, AFullStoreLeavesNoHoleInTheAuditChain) {
  start();
  ask(core::CreateTenant{.name = "one"});
  settle();
  store->set_full(true);
  ask(core::CreateTenant{.name = "two"});
  driver->on_input(core::AuthenticationRefused{.claimed_key = "AKIA", .code = "AuthFailure"},
                   nullptr);
  driver->flush();
  EXPECT_EQ(driver->state().region.audit_count, 1U);
  store->set_full(false);
  ask(core::CreateTenant{.name = "three"});
  settle();
  Result<std::vector<core::AuditRecord>> const records = store->audit(1, 10);
  ASSERT_TRUE(records);
  ASSERT_THAT(*records, SizeIs(2));
  EXPECT_EQ((*records)[1].digest, core::chained_digest((*records)[0].digest, (*records)[1]));
}

TEST_F(DriverTest, EachStartRaisesTheTerm) {
  start();
  Term const first = driver->state().region.term;
  start();
  EXPECT_EQ(driver->state().region.term.value, first.value + 1);
}

}  // namespace
}  // namespace berth::driver
