// The region's counts as the driver tells of its changes: a real core decides, and after each
// change the counts are what a recount says.

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>

#include "daemon/driver/driver.h"
#include "daemon/metrics/region_counts.h"
#include "daemon/store/memory.h"

namespace berth {
namespace {

class StillClock final : public Clock {
 public:
  [[nodiscard]] Now now() override { return at; }
  void pass(Duration d) { at = {at.monotonic + d, at.wall + d}; }
  Now at{.monotonic = Instant{1'000'000'000}, .wall = WallTime{1'800'000'000'000}};
};

class NoLink final : public driver::AgentLink {
 public:
  void send(HostSpec const& spec) override { specs[spec.host] = spec; }
  void grant_lease(HostId const&, std::uint64_t) override {}
  void drop(HostId const&) override {}
  void read_console(HostId const&, InstanceId const&, ConsoleDone done) override {
    done(std::string());
  }
  std::map<HostId, HostSpec> specs;  // the newest of each
};

class Recounter final : public driver::Observer {
 public:
  void changing(core::State const& before, core::Change const& change) override {
    counts.changing(before, change);
  }
  void changed(core::State const& after, core::Change const& change) override {
    counts.changed(after, change);
    ++changes;
    if (counts.zones() != RegionCounts::recounted(after)) ++wrong;
  }
  RegionCounts counts;
  std::size_t changes = 0;
  std::size_t wrong = 0;
};

class RegionThroughDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    start();
    tell(core::PutZoneCall{.name = "us-east-1a"});
    tell(core::PutZoneCall{.name = "us-east-1b"});
    tell(core::CreateTenant{.name = "one", .id = tenant.value});
    tell(core::CreateAccessKey{.tenant = tenant.value, .id = key.value, .secret_sealed = "s"});
    tell(core::PutType{{.name = TypeName("t3.nano"), .vcpus = 2, .memory = Mebibytes(512)}});
    tell(core::RegisterImage{.name = "image",
                             .is_public = true,
                             .digest = std::string(64, 'd'),
                             .file_size = Bytes(1),
                             .virtual_size = Bytes(1)});
    for (std::size_t n = 0; n < kHosts; ++n) enroll(n);
  }
  void start() {
    Result<core::State> state = driver::Driver::load(*store, core::Policy{});
    ASSERT_TRUE(state) << state.error().message;
    recounter = std::make_unique<Recounter>();
    driver = std::make_unique<driver::Driver>(
        *std::move(state),
        driver::Driver::Parts{.store = *store,
                              .link = link,
                              .clock = clock,
                              .entropy = entropy,
                              .observer = *recounter,
                              .on_store_failure = [](Error const& e) { FAIL() << e.message; }});
    driver->begin();
    settle();
  }
  void settle() {
    do driver->flush();
    while (store->complete_next());
  }
  void input(core::Input what) {
    driver->on_input(std::move(what), {});
    settle();
  }
  void tell(core::AdminAction action) {
    input(core::AdminCall{.actor = "root",
                          .role = core::Role::admin,
                          .request_id = "r",
                          .action_name = "test",
                          .action = std::move(action)});
  }
  void call(core::ApiAction action) {
    input(core::ApiCall{.caller = {.tenant = tenant, .key = key, .request_id = "r"},
                        .action_name = "Test",
                        .action = std::move(action)});
  }
  void enroll(std::size_t n) {
    tell(core::EnrollHost{.name = "host-" + std::to_string(n),
                          .zone = n % 2 == 0 ? "us-east-1a" : "us-east-1b",
                          .token_digest = digest(n)});
  }
  static std::string digest(std::size_t n) { return std::string(64, static_cast<char>('a' + n)); }
  HostId host(std::size_t n) const {
    return driver->state().derived.host_by_name.at("host-" + std::to_string(n));
  }
  std::size_t draw(std::size_t below) { return random() % below; }
  InstanceId some_instance() {
    auto const& all = driver->state().instances;
    if (all.empty()) return InstanceId("i-00000000000000000");
    return std::next(all.begin(), static_cast<std::ptrdiff_t>(draw(all.size())))->first;
  }

  // The host does some of what its spec wants, and says so.
  void report(std::size_t n) {
    HostSpec const& spec = link.specs[host(n)];
    HostStatus status{.host = host(n), .host_uuid = "machine-" + std::to_string(n)};
    status.boot_id = "boot";
    status.term = spec.term;
    status.generation = spec.generation;
    for (InstanceSpec const& i : spec.instances) {
      Seen const done =
          std::array{Seen::running, Seen::stopped, Seen::absent}[static_cast<std::size_t>(i.power)];
      Seen const seen = draw(3) == 0 ? (draw(8) == 0 ? Seen::failed : Seen::preparing) : done;
      status.instances.push_back({.id = i.id, .generation = i.generation, .seen = seen});
      status.instances.back().starts = i.starts;
    }
    HostCell cell{.memory = Mebibytes(16 * 1'024)};
    for (std::int32_t i = 0; i < 4; ++i) cell.cpus.push_back({.id = i, .core = i, .siblings = {i}});
    status.inventory.cells = {cell};
    status.inventory.disk_total = bytes(Gibibytes(100));
    input(core::AgentReport{std::move(status)});
  }
  void step() {
    std::size_t const n = draw(kHosts);
    switch (draw(14)) {
      case 0:
        return input(core::AgentJoin{host(n), digest(n), "machine-" + std::to_string(n), "p"});
      case 1: return input(core::AgentHello{host(n), "machine-" + std::to_string(n), "boot"});
      case 2: return input(core::AgentGone{host(n)});
      case 3: return tell(core::CordonHost{.host = host(n).value, .cordon = draw(3) == 0});
      case 4: return call(core::StopInstances{.ids = {some_instance().value}});
      case 5: return call(core::StartInstances{.ids = {some_instance().value}});
      case 6:
      case 7: return call(core::TerminateInstances{.ids = {some_instance().value}});
      case 8:
        tell(core::RemoveHost{.host = host(n).value});  // refused while it has instances
        if (!driver->state().derived.host_by_name.contains("host-" + std::to_string(n))) enroll(n);
        return;
      case 9:
        clock.pass(seconds(static_cast<std::int64_t>(draw(40))));
        driver->on_tick();
        recounter->counts.ticked(driver->state(), clock.at.monotonic);
        return settle();
      case 10:
      case 11: return report(n);
      default:
        return call(core::RunInstances{.image_id = driver->state().images.begin()->first.value,
                                       .type = "t3.nano",
                                       .max_count = static_cast<std::int64_t>(1 + draw(3))});
    }
  }

  static constexpr std::size_t kHosts = 4;
  TenantId const tenant{"111111111111"};
  AccessKeyId const key{"AKIAAAAAAAAAAAAAAAAA"};
  store::MemoryDisk disk;
  std::unique_ptr<store::MemoryStore> store = *store::MemoryStore::open(disk);
  NoLink link;
  StillClock clock;
  SeededEntropy entropy{1};
  std::unique_ptr<Recounter> recounter;
  std::unique_ptr<driver::Driver> driver;
  std::mt19937 random{11};
};

TEST_F(RegionThroughDriver, TheCountsAreWhatARecountSaysAlsoAfterARestart) {
  std::set<core::InstanceState> met;
  for (int run = 0; run < 3; ++run) {
    for (int i = 0; i < 600; ++i) {
      step();
      ASSERT_EQ(recounter->wrong, 0U) << "run " << run << ", step " << i;
      for (auto const& [id, instance] : driver->state().instances)
        met.insert(core::instance_state(instance));
    }
    EXPECT_GT(recounter->changes, 300U);
    driver.reset();
    store.reset();
    store = *store::MemoryStore::open(disk);
    start();
  }
  EXPECT_EQ(met.size(), kInstanceStates) << "the steps should bring every state about";
}

}  // namespace
}  // namespace berth
