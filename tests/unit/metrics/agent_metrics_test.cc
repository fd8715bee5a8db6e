// What fills the agent's page, and with which numbers.

#include "agent/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AgentMetrics : public ::testing::Test {
 protected:
  // "name{labels} value" stands on the page as one line.
  [[nodiscard]] bool has(std::string const& line) const {
    return page.text().find("\n" + line + "\n") != std::string::npos;
  }
  MetricsPage page{metric_table()};
};

TEST_F(AgentMetrics, EveryKindOfActionIsCountedByItsResult) {
  Error const failed{Code::unavailable, "libvirt", "gone"};
  std::pair<Action, std::string> const actions[] = {
      {FetchImage{}, "fetch_image"},     {StartInstance{}, "start"},
      {ShutDownInstance{}, "shut_down"}, {PowerOffInstance{}, "power_off"},
      {RebootInstance{}, "reboot"},      {RemoveInstance{}, "remove"},
      {EvictImage{}, "evict_image"},     {PinInstance{}, "pin"},
  };
  static_assert(std::size(actions) == std::variant_size_v<Action>);
  for (auto const& [action, kind] : actions) {
    count_action(page, action, {}, milliseconds(3));
    count_action(page, action, failed, milliseconds(3));
    EXPECT_TRUE(has("berth_agent_actions_total{action=\"" + kind + "\",result=\"ok\"} 1")) << kind;
    EXPECT_TRUE(has("berth_agent_actions_total{action=\"" + kind + "\",result=\"unavailable\"} 1"));
    EXPECT_TRUE(has("berth_agent_action_seconds_count{action=\"" + kind + "\"} 2"));
  }
  EXPECT_TRUE(has("berth_metrics_folded_total 0")) << "the table lists them all";
}

TEST_F(AgentMetrics, TheCertificateIsLeftOutUntilTheHostHasJoined) {
  set_link(page, {.is_connected = false});
  EXPECT_TRUE(has("berth_agent_connected 0"));
  EXPECT_THAT(page.text(), Not(HasSubstr("\nberth_agent_certificate_expires_timestamp_seconds ")));
  set_link(page, {.is_connected = true,
                  .certificate_ends = WallTime{1'800'000'000'500},
                  .sessions = 2,
                  .renewals = 1});
  EXPECT_TRUE(has("berth_agent_connected 1"));
  EXPECT_TRUE(has("berth_agent_sessions_total 2"));
  EXPECT_TRUE(has("berth_agent_certificates_renewed_total 1"));
  EXPECT_TRUE(has("berth_agent_certificate_expires_timestamp_seconds 1800000000.5"));
}

TEST_F(AgentMetrics, LibvirtsTimesAreSeconds) {
  set_calls(page, {{.call = "define network",
                    .count = 7,
                    .errors = 2,
                    .total = milliseconds(1'500),
                    .longest = milliseconds(750)}});
  EXPECT_TRUE(has("berth_agent_libvirt_calls_total{call=\"define network\"} 7"));
  EXPECT_TRUE(has("berth_agent_libvirt_errors_total{call=\"define network\"} 2"));
  EXPECT_TRUE(has("berth_agent_libvirt_seconds_total{call=\"define network\"} 1.5"));
  EXPECT_TRUE(has("berth_agent_libvirt_longest_seconds{call=\"define network\"} 0.75"));
}

TEST_F(AgentMetrics, TheHostIsInBytes) {
  HostInventory inventory{.disk_total = Bytes(1'000), .disk_free = Bytes(400)};
  inventory.cells = {{.memory = Mebibytes(2), .cpus = {{.id = 0}, {.id = 1}}}};
  inventory.agent_version = "1.2";
  set_inventory(page, inventory);
  EXPECT_TRUE(has("berth_agent_host_cpus 2"));
  EXPECT_TRUE(has("berth_agent_host_memory_bytes 2097152"));
  EXPECT_TRUE(has("berth_agent_disk_bytes{kind=\"free\"} 400"));
  EXPECT_TRUE(has("berth_agent_build_info{version=\"1.2\",virt_type=\"qemu\"} 1"));
}

// ---- The driver's own numbers ------------------------------------------------------------------

class StillClock final : public Clock {
 public:
  [[nodiscard]] Now now() override { return at; }
  Now at{.monotonic = Instant{seconds(100).ns}, .wall = WallTime{1'800'000'000'000}};
};

class AHost final : public Hypervisor {
 public:
  void observe(ObserveDone done) override { done(seen); }
  void perform(Action const&, ActionDone done) override { pending.push_back(std::move(done)); }
  void read_console(InstanceId const&, std::size_t, ConsoleDone done) override {
    done(std::string());
  }
  Result<HostInventory> inventory() override { return HostInventory{}; }
  Result<std::string> host_uuid() override { return std::string("u"); }
  void on_change(std::function<void()>) override {}
  Observed seen;
  std::vector<ActionDone> pending;
};

class NoLink final : public DaemonLink {
 public:
  void send(HostStatus const&) override {}
  void heartbeat(std::uint64_t number) override { last = number; }
  std::uint64_t last = 0;
};

class NoSpecs final : public SpecStore {
 public:
  Result<std::optional<HostSpec>> load() override { return std::optional<HostSpec>(); }
  Result<void> save(HostSpec const&) override { return {}; }
};

TEST_F(AgentMetrics, TellOfSpecLeaseAndDomains) {
  StillClock clock;
  AHost host;
  NoLink link;
  NoSpecs specs;
  host.seen.domains = {{.id = InstanceId("i-1"), .state = DomainState::running},
                       {.id = InstanceId("i-2"), .state = DomainState::crashed}};
  host.seen.foreign = {"theirs"};
  Driver driver({.host = HostId("h"), .host_uuid = "u", .boot_id = "b"}, HostInventory{},
                {.hypervisor = host, .link = link, .specs = specs, .clock = clock});
  set_driver(page, driver, clock.at.monotonic);
  EXPECT_THAT(page.text(), Not(HasSubstr("\nberth_agent_lease_remaining_seconds ")));
  EXPECT_THAT(page.text(), Not(HasSubstr("\nberth_agent_spec_term ")));
  EXPECT_THAT(page.text(), Not(HasSubstr("\nberth_agent_instances{")));

  driver.begin();
  driver.on_connected();
  driver.on_tick();
  driver.on_lease(link.last);
  HostSpec spec{.host = HostId("h"), .term = Term(3), .generation = Generation(9)};
  spec.instances.push_back({.id = InstanceId("i-3"), .power = Power::running});
  spec.instances.push_back({.id = InstanceId("i-4"), .power = Power::absent});
  driver.on_spec(spec);
  set_driver(page, driver, clock.at.monotonic + seconds(40));
  EXPECT_TRUE(has("berth_agent_lease_remaining_seconds -10")) << "it has run out";
  EXPECT_TRUE(has("berth_agent_spec_term 3"));
  EXPECT_TRUE(has("berth_agent_spec_generation 9"));
  EXPECT_TRUE(has("berth_agent_spec_instances{power=\"running\"} 1"));
  EXPECT_TRUE(has("berth_agent_spec_instances{power=\"stopped\"} 0"));
  EXPECT_TRUE(has("berth_agent_spec_instances{power=\"absent\"} 1"));
  EXPECT_TRUE(has("berth_agent_instances{state=\"running\"} 1"));
  EXPECT_TRUE(has("berth_agent_instances{state=\"crashed\"} 1"));
  EXPECT_TRUE(has("berth_agent_instances{state=\"off\"} 0"));
  EXPECT_TRUE(has("berth_agent_foreign_domains 1"));
  EXPECT_FALSE(host.pending.empty());
  EXPECT_TRUE(has("berth_agent_actions_under_way " + std::to_string(host.pending.size())));
}

}  // namespace
}  // namespace berth::agent
