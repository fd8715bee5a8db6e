#pragma once
// A small region for tests of the core: one tenant, one image, one type, as many hosts as asked, all
// through decide and absorb, so that nothing is in it that could not be.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "berth/base/entropy.h"
#include "daemon/core/decision.h"
#include "daemon/core/invariants.h"
#include "daemon/core/state.h"

namespace berth::testing {

inline constexpr char kAccount[] = "111111111111";
inline constexpr char kKey[] = "AKIAAAAAAAAAAAAAAAAA";
inline constexpr char kOtherAccount[] = "222222222222";
inline constexpr char kOtherKey[] = "AKIABBBBBBBBBBBBBBBB";

class Region {
 public:
  explicit Region(int host_count = 1, core::Policy policy = {}) : state(std::move(policy)) {
    apply(core::begin(state, context()));
    admin(core::PutZoneCall{.name = "us-east-1a", .jurisdiction = "US"});
    admin(core::PutZoneCall{.name = "us-east-1b"});
    tenant("alice", kAccount, kKey);
    tenant("bob", kOtherAccount, kOtherKey);
    admin(core::PutTypes{{{.name = TypeName("m5.large"), .vcpus = 2, .memory = Mebibytes(8192), .threads_per_core = 2},
                          {.name = TypeName("t3.nano"), .vcpus = 2, .memory = Mebibytes(512), .threads_per_core = 2}}});
    image = std::get<core::Images>(admin(core::RegisterImage{.name = "tiny",
                                                             .is_public = true,
                                                             .digest = std::string(64, 'a'),
                                                             .file_size = Bytes(1 << 20),
                                                             .virtual_size = Bytes(1 << 30)}))
                .items[0]
                .id.value;
    for (int i = 0; i < host_count; ++i) hosts.push_back(host("h" + std::to_string(i), "us-east-1a"));
  }

  core::Context& context() { return context_; }

  Result<core::Reply> input(core::Input const& what) {
    Result<core::Decision> decided = core::decide(state, what, context_);
    if (context_.refusal) core::note_refusal(state, *std::exchange(context_.refusal, std::nullopt));
    if (!decided) return decided.error();
    core::Reply reply = decided->reply;
    apply(*std::move(decided));
    expect_no_broken_invariant();
    return reply;
  }
  // An operator's call that must succeed.
  core::Reply admin(core::AdminAction action) {
    Result<core::Reply> reply =
        input(core::AdminCall{.actor = "root", .role = core::Role::admin, .action_name = "test", .action = std::move(action)});
    EXPECT_TRUE(reply.has_value()) << (reply ? "" : reply.error().message);
    return reply ? *reply : core::Reply{};
  }
  Result<core::Reply> call(core::ApiAction action, bool dry_run = false) {
    return call_as(kAccount, kKey, std::move(action), dry_run);
  }
  Result<core::Reply> call_as(std::string account, std::string key, core::ApiAction action, bool dry_run = false) {
    return input(core::ApiCall{.caller = {TenantId(std::move(account)), AccessKeyId(std::move(key)), "127.0.0.1", "r"},
                               .action_name = "Test",
                               .dry_run = dry_run,
                               .action = std::move(action)});
  }
  core::RunInstances launch() const { return {.image_id = image, .type = "t3.nano"}; }
  // Ids of a launch that must succeed.
  std::vector<std::string> run(core::RunInstances ask) {
    Result<core::Reply> reply = call(std::move(ask));
    EXPECT_TRUE(reply.has_value()) << (reply ? "" : reply.error().message);
    std::vector<std::string> ids;
    if (!reply) return ids;
    for (auto const& v : std::get<core::Launched>(*reply).reservation.instances) ids.push_back(v.instance.id.value);
    return ids;
  }
  Instance const& instance(std::string const& id) const { return state.instances.at(InstanceId(id)); }
  core::InstanceState state_of(std::string const& id) {
    Result<core::Reply> reply = call(core::DescribeInstance{id});
    return std::get<core::OneInstance>(*reply).view.state;
  }

  // What the instance's host says of it now.
  void report(std::string const& id, Seen seen, bool by_itself = false) {
    Instance const& i = instance(id);
    InstanceStatus line{.id = i.id, .generation = i.placement->generation, .seen = seen};
    line.starts = i.starts_wanted;
    line.ended_by_itself = by_itself;
    if (seen == Seen::failed) { line.starts = 0; line.reason = "no such disk"; }
    report_host(i.placement->host, {line});
  }
  void report_host(HostId const& id, std::vector<InstanceStatus> lines) {
    HostStatus status{.host = id,
                      .host_uuid = "uuid-" + state.hosts.at(id).name,
                      .boot_id = "boot",
                      .term = state.region.term,
                      .instances = std::move(lines),
                      .inventory = inventory()};
    Result<core::Reply> const reply = input(core::AgentReport{status});
    EXPECT_TRUE(reply.has_value()) << (reply ? "" : reply.error().message);
  }
  static HostInventory inventory() {
    HostCell cell{.id = 0, .memory = Mebibytes(32 * 1024)};
    for (int i = 0; i < 8; ++i) cell.cpus.push_back({.id = i, .core = i / 2, .siblings = {i / 2 * 2, i / 2 * 2 + 1}});
    return {.cells = {cell}, .disk_total = Bytes(std::int64_t{200} << 30), .disk_free = Bytes(std::int64_t{150} << 30)};
  }
  void pass(Duration time) {
    context_.now.monotonic = context_.now.monotonic + time;
    context_.now.wall = context_.now.wall + time;
  }
  void tick() { (void)input(core::Tick{}); }

  core::State state;
  std::string image;
  std::vector<HostId> hosts;

 private:
  void tenant(std::string const& name, std::string const& account, std::string const& key) {
    admin(core::CreateTenant{.name = name, .id = account});
    admin(core::CreateAccessKey{.tenant = account, .id = key, .secret_sealed = "sealed"});
  }
  HostId host(std::string const& name, std::string const& zone) {
    core::Reply const reply = admin(core::EnrollHost{.name = name, .zone = zone, .token_digest = std::string(64, 'f')});
    HostId const id = std::get<core::Enrolled>(reply).host.id;
    (void)input(core::AgentJoin{.host = id, .token_digest = std::string(64, 'f'), .host_uuid = "uuid-" + name});
    (void)input(core::AgentHello{.host = id, .host_uuid = "uuid-" + name, .boot_id = "boot"});
    report_host(id, {});
    return id;
  }
  void apply(core::Decision decision) {
    for (core::Change const& change : decision.changes) core::absorb(state, change);
  }
  void expect_no_broken_invariant() {
    for (std::string const& broken : core::broken_invariants(state)) ADD_FAILURE() << broken;
    for (std::string const& exceeded : core::exceeded_limits(state)) ADD_FAILURE() << exceeded;
  }

  SeededEntropy entropy_{7};
  core::Context context_{{.monotonic = {seconds(1'000).ns}, .wall = {1'767'225'600'000}}, entropy_, state.policy};
};

}  // namespace berth::testing
