#pragma once
// A region in a test: state, time and randomness in one hand, so that only what matters shows.

#include <gtest/gtest.h>

#include <string>

#include "daemon/core/decision.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/state.h"

namespace berth::core::testing {

class TestRegion {
 public:
  explicit TestRegion(Policy p = {}) : policy(std::move(p)), state(policy) {
    Context context = now_context();
    take(begin(state, context));
    absorb(state, PutZone{Zone{.name = ZoneName("us-east-1a"), .id = "use1-az1"}});
    absorb(state, PutTenant{Tenant{.id = tenant, .name = "one", .quota = policy.default_quota}});
    absorb(state, PutAccessKey{AccessKey{.id = key, .tenant = tenant}});
    absorb(state, PutInstanceType{InstanceType{
                      .name = TypeName("t3.nano"), .vcpus = 2, .memory = Mebibytes(512)}});
    absorb(state, PutImage{Image{.id = image,
                                 .is_public = true,
                                 .digest = std::string(64, 'd'),
                                 .file_size = Bytes(1),
                                 .virtual_size = Bytes(1)}});
    absorb(
        state,
        PutHost{Host{
            .id = host, .name = "host-a", .zone = ZoneName("us-east-1a"), .host_uuid = "machine"}});
  }

  Context now_context() { return {.now = now, .entropy = entropy, .policy = policy}; }
  Result<Reply> tell(Input input) {
    Context context = now_context();
    Result<Decision> decision = decide(state, input, context);
    if (!decision) return decision.error();
    Reply reply = decision->reply;
    take(*std::move(decision));
    return reply;
  }
  Result<Reply> call(ApiAction action) {
    return tell(ApiCall{.caller = {.tenant = tenant, .key = key, .request_id = "r"},
                        .action_name = "Test",
                        .action = std::move(action)});
  }
  void pass(Duration d) {
    now.monotonic = now.monotonic + d;
    now.wall = now.wall + d;
  }

  // The host says who it is and what it sees.
  Result<Reply> hello() { return tell(AgentHello{host, "machine", "boot"}); }
  Result<Reply> report(std::vector<InstanceStatus> lines) {
    HostStatus status{.host = host,
                      .host_uuid = "machine",
                      .boot_id = "boot",
                      .term = state.region.term,
                      .instances = std::move(lines)};
    HostCell cell{.memory = Mebibytes(16 * 1'024)};
    for (std::int32_t i = 0; i < 4; ++i) cell.cpus.push_back({.id = i, .core = i, .siblings = {i}});
    status.inventory.cells = {cell};
    status.inventory.disk_total = bytes(Gibibytes(100));
    return tell(AgentReport{std::move(status)});
  }
  // Up, with an inventory.
  void host_comes() {
    ASSERT_TRUE(hello());
    ASSERT_TRUE(report({}));
  }
  InstanceId launch(std::string token = "", ShutdownBehavior behavior = ShutdownBehavior::stop) {
    Result<Reply> const reply = call(RunInstances{.image_id = image.value,
                                                  .type = "t3.nano",
                                                  .client_token = std::move(token),
                                                  .parameters_digest = "p",
                                                  .shutdown_behavior = behavior});
    if (!reply) {
      ADD_FAILURE() << reply.error().message;
      return InstanceId("none");
    }
    return std::get<Launched>(*reply).reservation.instances.front().instance.id;
  }
  InstanceStatus line(InstanceId const& id, Seen seen, std::uint64_t starts = 1) {
    return {.id = id, .generation = PlacementGeneration(1), .seen = seen, .starts = starts};
  }
  InstanceState state_of(InstanceId const& id) { return instance_state(state.instances.at(id)); }
  placement::Usage used() { return state.derived.fleet.at(host).used; }

  TenantId tenant{"111111111111"};
  AccessKeyId key{"AKIAAAAAAAAAAAAAAAAA"};
  ImageId image{"ami-00000000000000001"};
  HostId host{"host-00000000000000001"};
  Policy policy;
  SeededEntropy entropy{1};
  Now now{.monotonic = Instant{1'000}, .wall = WallTime{1'800'000'000'000}};
  State state;

 private:
  void take(Decision decision) {
    for (Change const& change : decision.changes) absorb(state, change);
  }
};

}  // namespace berth::core::testing
