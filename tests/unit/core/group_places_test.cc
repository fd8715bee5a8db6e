// Where the instances of placement groups go: the rules, with MinCount and MaxCount honoured.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/core/invariants.h"
#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TestRegion;
using ::testing::UnorderedElementsAre;

// A host takes eight t3.nano, as many as its CPUs give.
class GroupPlacesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    region.policy.cpu_overcommit_permille = 4'000;
    region.state = State(region.policy);
    Context context = region.now_context();
    for (Change const& change : begin(region.state, context).changes) absorb(region.state, change);
    absorb(region.state,
           PutTenant{
               Tenant{.id = region.tenant, .name = "one", .quota = region.policy.default_quota}});
    absorb(region.state, PutAccessKey{AccessKey{.id = region.key, .tenant = region.tenant}});
    absorb(region.state, PutInstanceType{InstanceType{
                             .name = TypeName("t3.nano"), .vcpus = 2, .memory = Mebibytes(512)}});
    absorb(region.state, PutImage{Image{.id = region.image,
                                        .is_public = true,
                                        .digest = std::string(64, 'd'),
                                        .file_size = Bytes(1),
                                        .virtual_size = Bytes(1)}});
  }
  void TearDown() override {
    EXPECT_TRUE(broken_invariants(region.state).empty()) << broken_invariants(region.state)[0];
    EXPECT_TRUE(exceeded_limits(region.state).empty()) << exceeded_limits(region.state)[0];
  }
  // Named by its number; up, with room.
  void add_host(int number, std::string const& rack, std::string const& zone = "us-east-1a") {
    absorb(region.state, PutZone{Zone{.name = ZoneName(zone), .id = "id-" + zone}});
    region.host = host_id(number);
    absorb(region.state, PutHost{Host{.id = region.host,
                                      .name = "host-" + std::to_string(number),
                                      .zone = ZoneName(zone),
                                      .rack = rack,
                                      .host_uuid = "machine"}});
    region.host_comes();
  }
  static HostId host_id(int number) {
    std::string const digits = std::to_string(number);
    return HostId("host-" + std::string(17 - digits.size(), '0') + digits);
  }
  void create(CreatePlacementGroup ask) {
    Result<Reply> const reply = region.call(std::move(ask));
    ASSERT_TRUE(reply) << reply.error().message;
  }
  void create(std::string name, PlacementStrategy strategy) {
    create(CreatePlacementGroup{.name = std::move(name), .strategy = strategy});
  }
  struct Launching {
    std::string group;
    std::int64_t min = 1;
    std::int64_t max = 1;
    std::string zone = {};
    std::optional<std::int64_t> partition = std::nullopt;
  };
  Result<Reply> ask(Launching const& what) {
    return region.call(RunInstances{.image_id = region.image.value,
                                    .type = "t3.nano",
                                    .min_count = what.min,
                                    .max_count = what.max,
                                    .zone = what.zone,
                                    .placement_group = {.id = {}, .name = what.group},
                                    .partition = what.partition});
  }
  std::vector<Instance> run(Launching const& what) {
    Result<Reply> const reply = ask(what);
    std::vector<Instance> out;
    if (!reply) {
      ADD_FAILURE() << reply.error().message;
      return out;
    }
    for (auto const& v : std::get<Launched>(*reply).reservation.instances) {
      out.push_back(v.instance);
    }
    return out;
  }
  // "" when it is launched.
  std::string no_room(Launching const& what) {
    Result<Reply> const reply = ask(what);
    if (reply) return "";
    EXPECT_EQ(reply.error().code, Code::no_capacity);
    return reply.error().message;
  }
  std::string rack_of(Instance const& i) { return region.state.hosts.at(i.placement->host).rack; }
  std::vector<std::string> racks(std::vector<Instance> const& all) {
    std::vector<std::string> out;
    for (Instance const& i : all) out.push_back(rack_of(i));
    return out;
  }
  static std::vector<std::int32_t> partitions(std::vector<Instance> const& all) {
    std::vector<std::int32_t> out;
    for (Instance const& i : all) out.push_back(i.partition);
    return out;
  }
  void terminate(Instance const& i) {
    ASSERT_TRUE(region.call(TerminateInstances{{i.id.value}}));
    region.host = i.placement->host;
    ASSERT_TRUE(region.report({region.line(i.id, Seen::absent)}));
    ASSERT_EQ(region.state_of(i.id), InstanceState::terminated);
  }

  TestRegion region;
};

TEST_F(GroupPlacesTest, SpreadOverRacksTakesEachRackOnceAndHonoursMinAndMax) {
  add_host(1, "r1");
  add_host(2, "r1");
  add_host(3, "r2");
  add_host(4, "");
  add_host(5, "");
  create("s", PlacementStrategy::spread);
  EXPECT_FALSE(no_room({.group = "s", .min = 4, .max = 4}).empty());
  EXPECT_TRUE(region.state.instances.empty());
  EXPECT_THAT(racks(run({.group = "s", .min = 2, .max = 7})), UnorderedElementsAre("r1", "r2", ""));
  EXPECT_FALSE(no_room({.group = "s"}).empty());
  add_host(6, "r3");
  EXPECT_THAT(racks(run({.group = "s"})), ElementsAre("r3"));
}

TEST_F(GroupPlacesTest, ARefusalNamesTheZonesWhoseRacksAreFree) {
  add_host(1, "r1");
  add_host(2, "r1", "us-east-1b");
  add_host(3, "r1", "us-east-1c");
  create("s", PlacementStrategy::spread);
  run({.group = "s", .zone = "us-east-1a"});
  run({.group = "s", .zone = "us-east-1c"});
  EXPECT_THAT(no_room({.group = "s", .zone = "us-east-1a"}), HasSubstr("or choosing us-east-1b."));
  EXPECT_EQ(run({.group = "s"}).at(0).zone.value, "us-east-1b") << "the zone that still can";
}

TEST_F(GroupPlacesTest, SpreadOverHostsTakesEachHostOnceAlsoInOneRack) {
  for (int i = 1; i <= 9; ++i) add_host(i, i < 5 ? "r1" : "");
  create({.name = "h", .strategy = PlacementStrategy::spread, .spread_level = SpreadLevel::host});
  std::set<HostId> hosts;
  for (Instance const& i : run({.group = "h", .max = 20})) hosts.insert(i.placement->host);
  EXPECT_EQ(hosts.size(), 9U) << "no limit of seven at this level";
  EXPECT_FALSE(no_room({.group = "h"}).empty());
}

TEST_F(GroupPlacesTest, ARackLevelSpreadGroupHasSevenInAZoneHoweverManyRacksThereAre) {
  for (int i = 1; i <= 9; ++i) add_host(i, "r" + std::to_string(i));
  add_host(10, "r1", "us-east-1b");
  create("s", PlacementStrategy::spread);
  EXPECT_EQ(run({.group = "s", .max = 9, .zone = "us-east-1a"}).size(), 7U);
  EXPECT_EQ(run({.group = "s", .max = 9}).at(0).zone.value, "us-east-1b");
  Result<Reply> const reply = ask({.group = "s", .zone = "us-east-1a"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::quota);
}

TEST_F(GroupPlacesTest, PartitionsAreFilledEvenlyAndShareNoRack) {
  add_host(1, "r1");
  add_host(2, "r2");
  add_host(3, "r3");
  create({.name = "p", .strategy = PlacementStrategy::partition, .partition_count = 3});
  std::vector<Instance> const all = run({.group = "p", .min = 7, .max = 7});
  EXPECT_THAT(partitions(all), ElementsAre(1, 2, 3, 1, 2, 3, 1));
  std::map<std::string, std::set<std::int32_t>> in_rack;
  for (Instance const& i : all) in_rack[rack_of(i)].insert(i.partition);
  EXPECT_EQ(in_rack.size(), 3U);
  for (auto const& [rack, numbers] : in_rack) EXPECT_EQ(numbers.size(), 1U) << rack;
}

TEST_F(GroupPlacesTest, APartitionWithoutARackIsPassedOverUnlessItIsNamed) {
  add_host(1, "r1");
  create("p", PlacementStrategy::partition);
  EXPECT_THAT(partitions(run({.group = "p", .max = 3})), ElementsAre(1, 1, 1));
  EXPECT_FALSE(no_room({.group = "p", .partition = 2}).empty());
  add_host(2, "r2");
  EXPECT_THAT(partitions(run({.group = "p", .max = 2})), ElementsAre(2, 2));
  EXPECT_THAT(racks(run({.group = "p", .partition = 1})), ElementsAre("r1"));
}

TEST_F(GroupPlacesTest, AClusterGroupTakesARackThatHoldsAllOfALaunchAndStaysThere) {
  add_host(1, "r1");
  add_host(2, "r2");
  add_host(3, "r2");
  add_host(4, "r3", "us-east-1b");
  create("c", PlacementStrategy::cluster);
  std::vector<Instance> const all = run({.group = "c", .min = 12, .max = 12});
  EXPECT_EQ(all.size(), 12U);
  for (std::string const& rack : racks(all)) EXPECT_EQ(rack, "r2");
  EXPECT_THAT(racks(run({.group = "c", .min = 2, .max = 9})), ElementsAre("r2", "r2", "r2", "r2"))
      << "no more than the rack has";
  EXPECT_FALSE(no_room({.group = "c"}).empty());
}

TEST_F(GroupPlacesTest, AClusterGroupTakesTheRackThatHoldsMostWhenNoneHoldsAll) {
  add_host(1, "r1");
  add_host(2, "r2");
  add_host(3, "r2");
  create("c", PlacementStrategy::cluster);
  EXPECT_FALSE(no_room({.group = "c", .min = 17, .max = 30}).empty());
  EXPECT_EQ(run({.group = "c", .max = 30}).size(), 16U);
}

TEST_F(GroupPlacesTest, AStoppedMemberKeepsItsPlaceAndAnEndedOneGivesItBack) {
  add_host(1, "r1");
  create("s", PlacementStrategy::spread);
  Instance const first = run({.group = "s"}).at(0);
  ASSERT_TRUE(region.report({region.line(first.id, Seen::running)}));
  ASSERT_TRUE(region.call(StopInstances{{first.id.value}}));
  ASSERT_TRUE(region.report({region.line(first.id, Seen::stopped)}));
  ASSERT_EQ(region.state_of(first.id), InstanceState::stopped);
  EXPECT_FALSE(no_room({.group = "s"}).empty());
  ASSERT_TRUE(region.call(StartInstances{{first.id.value}}));
  EXPECT_FALSE(no_room({.group = "s"}).empty());
  terminate(first);
  EXPECT_EQ(run({.group = "s"}).size(), 1U);
}

TEST_F(GroupPlacesTest, ARefusedOrDryLaunchLeavesNothingTaken) {
  add_host(1, "r1");
  add_host(2, "r2");
  create("s", PlacementStrategy::spread);
  EXPECT_FALSE(no_room({.group = "s", .min = 3, .max = 3}).empty());
  EXPECT_EQ(run({.group = "s", .min = 2, .max = 2}).size(), 2U);
}

TEST_F(GroupPlacesTest, ARefusedLaunchIntoPartitionsIsExplainedForAllOfThem) {
  add_host(1, "r1");
  add_host(2, "r2");
  create("p", PlacementStrategy::partition);
  Context context = region.now_context();
  ApiCall const call{.caller = {.tenant = region.tenant, .key = region.key, .request_id = "r"},
                     .action_name = "RunInstances",
                     .action = RunInstances{.image_id = region.image.value,
                                            .type = "t3.nano",
                                            .min_count = 20,
                                            .max_count = 20,
                                            .placement_group = {.id = {}, .name = "p"}}};
  ASSERT_FALSE(decide(region.state, call, context));
  ASSERT_TRUE(context.refusal);
  EXPECT_EQ(context.refusal->found, 16) << "eight on each host, in a partition each";
  note_refusal(region.state, *context.refusal);
  EXPECT_TRUE(region.tell(AdminCall{.actor = "root",
                                    .role = Role::admin,
                                    .request_id = "a",
                                    .action_name = "placement.show",
                                    .action = ExplainPlacement{"r"}}));
}

// A start reads the records kind by kind: instances come before their groups.
TEST_F(GroupPlacesTest, TheRulesHoldAfterAStart) {
  using enum PlacementStrategy;
  add_host(1, "r1");
  add_host(2, "r2");
  create("s", spread);
  create("c", cluster);
  create("p", partition);
  run({.group = "s", .min = 2, .max = 2});
  std::string const rack = racks(run({.group = "c"})).at(0);
  run({.group = "p", .min = 2, .max = 2});
  State const before = std::move(region.state);
  region.state = State(region.policy);
  State& after = region.state;
  absorb(after, PutRegion{before.region});
  for (auto const& [name, zone] : before.zones) absorb(after, PutZone{zone});
  for (auto const& [id, tenant] : before.tenants) absorb(after, PutTenant{tenant});
  for (auto const& [id, key] : before.access_keys) absorb(after, PutAccessKey{key});
  for (auto const& [name, type] : before.types) absorb(after, PutInstanceType{type});
  for (auto const& [id, image] : before.images) absorb(after, PutImage{image});
  for (auto const& [id, host] : before.hosts) absorb(after, PutHost{host});
  for (auto const& [id, instance] : before.instances) absorb(after, PutInstance{instance});
  for (auto const& [id, group] : before.placement_groups) absorb(after, PutPlacementGroup{group});
  for (int i : {1, 2}) {
    region.host = host_id(i);
    ASSERT_TRUE(region.hello());
    ASSERT_TRUE(region.report({}));
  }
  EXPECT_FALSE(no_room({.group = "s"}).empty());
  EXPECT_EQ(racks(run({.group = "c", .min = 3, .max = 3})), std::vector<std::string>(3, rack));
  EXPECT_THAT(partitions(run({.group = "p", .min = 2, .max = 2})), ElementsAre(1, 2));
}

}  // namespace
}  // namespace berth::core
