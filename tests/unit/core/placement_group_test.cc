// Placement groups: their calls, what a launch may ask of one, and where its members may go.

#include <gtest/gtest.h>

#include "daemon/core/calls/placement_group_lookup.h"
#include "daemon/core/invariants.h"
#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using testing::TestRegion;

class PlacementGroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    region.host_comes();
    absorb(region.state, PutTenant{Tenant{.id = other, .name = "two"}});
    absorb(region.state, PutAccessKey{AccessKey{.id = other_key, .tenant = other}});
  }
  void TearDown() override {
    EXPECT_TRUE(broken_invariants(region.state).empty()) << broken_invariants(region.state)[0];
  }
  static std::string refusal(Result<Reply> const& reply) {
    return reply ? "success" : std::string(name(reply.error().code)) + " " + reply.error().subject;
  }
  void add_host(int number, std::string const& rack, std::string const& zone = "us-east-1a") {
    absorb(region.state, PutZone{Zone{.name = ZoneName(zone), .id = "use1-" + zone}});
    region.host = HostId("host-0000000000000000" + std::to_string(number));
    absorb(region.state, PutHost{Host{.id = region.host,
                                      .name = "host-" + std::to_string(number),
                                      .zone = ZoneName(zone),
                                      .rack = rack,
                                      .host_uuid = "machine"}});
    region.host_comes();
  }
  PlacementGroup create(CreatePlacementGroup ask) {
    Result<Reply> const reply = region.call(std::move(ask));
    if (!reply) {
      ADD_FAILURE() << reply.error().message;
      return {};
    }
    return std::get<OnePlacementGroup>(*reply).group;
  }
  PlacementGroup create(std::string name, PlacementStrategy strategy) {
    return create(CreatePlacementGroup{.name = std::move(name), .strategy = strategy});
  }
  Result<Reply> call_as_other(ApiAction action) {
    return region.tell(ApiCall{.caller = {.tenant = other, .key = other_key, .request_id = "r"},
                               .action_name = "Test",
                               .action = std::move(action)});
  }
  RunInstances launch_into(std::string name) {
    return {.image_id = region.image.value,
            .type = "t3.nano",
            .placement_group = {.id = {}, .name = std::move(name)}};
  }
  std::vector<Instance> run(RunInstances ask) {
    Result<Reply> const reply = region.call(std::move(ask));
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
  std::vector<std::string> found(DescribePlacementGroups ask) {
    Result<Reply> const reply = region.call(std::move(ask));
    std::vector<std::string> out;
    if (!reply) {
      ADD_FAILURE() << reply.error().message;
      return out;
    }
    for (PlacementGroup const& g : std::get<PlacementGroups>(*reply).items) out.push_back(g.name);
    return out;
  }
  // A member without a placement call: what the look-ups are asked about.
  void put_member(int number, PlacementGroup const& group, HostId const& host,
                  std::int32_t partition = 0, std::string const& zone = "us-east-1a") {
    Instance i;
    i.id = InstanceId("i-0000000000000000" + std::to_string(number));
    i.uuid = "uuid-" + std::to_string(number);
    i.mac = "mac-" + std::to_string(number);
    i.tenant = region.tenant;
    i.zone = ZoneName(zone);
    i.placement = Placement{.host = host, .generation = PlacementGeneration(1)};
    i.placement_group = group.id;
    i.partition = partition;
    absorb(region.state, PutInstance{i});
  }
  using Names = std::vector<std::string>;

  TestRegion region;
  TenantId other{"222222222222"};
  AccessKeyId other_key{"AKIABBBBBBBBBBBBBBBB"};
};

TEST_F(PlacementGroupTest, HasWhatEc2GivesWhenNothingIsSaid) {
  PlacementGroup const cluster = create("c", PlacementStrategy::cluster);
  EXPECT_TRUE(cluster.id.value.starts_with("pg-") && cluster.id.value.size() == 20);
  EXPECT_EQ(cluster.partition_count, 0);
  EXPECT_EQ(create("p", PlacementStrategy::partition).partition_count, 2);
  EXPECT_EQ(create("s", PlacementStrategy::spread).spread_level, SpreadLevel::rack);
  EXPECT_EQ(region.state.placement_groups.at(cluster.id), cluster);
}

TEST_F(PlacementGroupTest, RefusesWhatItsStrategyDoesNotHave) {
  using enum PlacementStrategy;
  auto const refused = [&](CreatePlacementGroup ask) { return refusal(region.call(ask)); };
  EXPECT_EQ(refused({.name = "g", .strategy = cluster, .partition_count = 2}),
            "invalid combination");
  EXPECT_EQ(refused({.name = "g", .strategy = spread, .partition_count = 2}),
            "invalid combination");
  EXPECT_EQ(refused({.name = "g", .strategy = cluster, .spread_level = SpreadLevel::rack}),
            "invalid combination");
  EXPECT_EQ(refused({.name = "g", .strategy = partition, .partition_count = 0}),
            "invalid parameter");
  EXPECT_EQ(refused({.name = "g", .strategy = partition, .partition_count = 8}),
            "invalid parameter");
  EXPECT_EQ(refused({.name = "g", .strategy = partition, .partition_count = 7}), "success");
  EXPECT_EQ(refused({.name = ""}), "invalid missing");
  EXPECT_EQ(refused({.name = " g"}), "invalid name");
  EXPECT_EQ(refused({.name = "gr\xc3\xbcn"}), "invalid name");
  EXPECT_EQ(refused({.name = std::string(256, 'g')}), "invalid name");
  EXPECT_EQ(refused({.name = std::string(255, 'g')}), "success");
  EXPECT_EQ(refused({.name = "t", .tags = {{"aws:x", ""}}}), "invalid tag-key");
}

TEST_F(PlacementGroupTest, ANameIsOnceInATenantAndFreeAgainWhenItsGroupIsGone) {
  create("web", PlacementStrategy::spread);
  EXPECT_EQ(refusal(region.call(CreatePlacementGroup{.name = "web"})), "exists placement-group");
  EXPECT_TRUE(call_as_other(CreatePlacementGroup{.name = "web"}));
  EXPECT_TRUE(region.call(DeletePlacementGroup{"web"}));
  EXPECT_TRUE(region.call(CreatePlacementGroup{.name = "web"}));
}

TEST_F(PlacementGroupTest, ATenantHasSoManyAsTheLimitSaysAndNotOneMore) {
  for (std::size_t i = 0; i < limits::kPlacementGroupsPerTenantMax; ++i) {
    ASSERT_TRUE(region.call(CreatePlacementGroup{.name = "g" + std::to_string(i)})) << i;
  }
  EXPECT_EQ(refusal(region.call(CreatePlacementGroup{.name = "more"})), "quota placement-group");
  EXPECT_TRUE(call_as_other(CreatePlacementGroup{.name = "more"})) << "another tenant's";
}

TEST_F(PlacementGroupTest, IsFoundByNameIdAndFilters) {
  PlacementGroup const a = create({.name = "a",
                                   .strategy = PlacementStrategy::spread,
                                   .spread_level = SpreadLevel::host,
                                   .tags = {{"team", "red"}}});
  create("b", PlacementStrategy::partition);
  create("c", PlacementStrategy::spread);
  EXPECT_EQ(found({}), (Names{"a", "b", "c"}));
  EXPECT_EQ(found({.names = {"b"}, .ids = {a.id.value}}), (Names{"a", "b"}));
  EXPECT_EQ(found({.filters = {{"strategy", {"spread"}}}}), (Names{"a", "c"}));
  EXPECT_EQ(found({.filters = {{"spread-level", {"rack"}}}}), (Names{"c"}));
  EXPECT_EQ(found({.filters = {{"state", {"available"}}, {"group-name", {"?"}}}}),
            (Names{"a", "b", "c"}));
  EXPECT_EQ(found({.filters = {{"state", {"deleted"}}}}), Names{});
  EXPECT_EQ(found({.filters = {{"tag:team", {"red"}}}}), Names{"a"});
  EXPECT_EQ(found({.filters = {{"tag-key", {"team"}}}}), Names{"a"});
  EXPECT_EQ(found({.filters = {{"group-arn", {"*:placement-group/c"}}}}), Names{"c"});
  EXPECT_EQ(refusal(region.call(DescribePlacementGroups{.filters = {{"spam", {"x"}}}})),
            "invalid filter");
  EXPECT_EQ(refusal(region.call(DescribePlacementGroups{.names = {"nobody"}})),
            "not_found placement-group");
  EXPECT_EQ(refusal(region.call(DescribePlacementGroups{.ids = {"pg-xyz"}})),
            "invalid placement-group-id");
}

TEST_F(PlacementGroupTest, AForeignGroupReadsAsOneThatIsNotThere) {
  Result<Reply> const made = call_as_other(CreatePlacementGroup{.name = "theirs"});
  ASSERT_TRUE(made);
  std::string const foreign = std::get<OnePlacementGroup>(*made).group.id.value;
  std::string const absent = "pg-00000000000000bad";
  for (bool const is_by_id : {true, false}) {
    std::vector<std::string> said;
    for (std::string const& one : {is_by_id ? foreign : "theirs", is_by_id ? absent : "nobody"}) {
      PlacementGroupName const of{.id = is_by_id ? one : "", .name = is_by_id ? "" : one};
      RunInstances ask = launch_into("");
      ask.placement_group = of;
      std::string text;
      for (ApiAction const& action :
           std::vector<ApiAction>{ask, DescribePlacementGroups{.names = {of.name}, .ids = {}},
                                  DeletePlacementGroup{one}, CreateTags{{one}, {{"k", "v"}}}}) {
        Result<Reply> const reply = region.call(action);
        ASSERT_FALSE(reply);
        std::string message = reply.error().message;
        if (auto const at = message.find(one); at != std::string::npos) {
          message.replace(at, one.size(), "X");
        }
        text += refusal(reply) + message + "\n";
      }
      said.push_back(text);
    }
    EXPECT_EQ(said[0], said[1]);
  }
}

TEST_F(PlacementGroupTest, CarriesTags) {
  PlacementGroup const g = create("web", PlacementStrategy::spread);
  ASSERT_TRUE(region.call(CreateTags{{g.id.value}, {{"team", "red"}, {"x", ""}}}));
  ASSERT_TRUE(region.call(DeleteTags{{g.id.value}, {{"x", std::nullopt}}}));
  EXPECT_EQ(region.state.placement_groups.at(g.id).tags, (Tags{{"team", "red"}}));
  Result<Reply> const tags =
      region.call(DescribeTags{.filters = {{"resource-type", {"placement-group"}}}, .page = {}});
  ASSERT_TRUE(tags);
  ASSERT_EQ(std::get<TagList>(*tags).items.size(), 1U);
  EXPECT_EQ(std::get<TagList>(*tags).items[0].resource, g.id.value);
}

TEST_F(PlacementGroupTest, IsNotDeletedWhileAnythingOfAMemberIsLeft) {
  create("web", PlacementStrategy::spread);
  Instance const i = run(launch_into("web")).at(0);
  EXPECT_EQ(refusal(region.call(DeletePlacementGroup{"web"})), "conflict placement-group");
  ASSERT_TRUE(region.call(TerminateInstances{{i.id.value}}));
  EXPECT_EQ(refusal(region.call(DeletePlacementGroup{"web"})), "conflict placement-group");
  ASSERT_TRUE(region.report({region.line(i.id, Seen::absent)}));
  ASSERT_EQ(region.state_of(i.id), InstanceState::terminated);
  EXPECT_TRUE(region.call(DeletePlacementGroup{"web"}));
  EXPECT_EQ(refusal(region.call(DeletePlacementGroup{"web"})), "not_found placement-group");
}

TEST_F(PlacementGroupTest, AMemberIsShownAndFoundWithItsGroupAndPartition) {
  create(CreatePlacementGroup{
      .name = "p", .strategy = PlacementStrategy::partition, .partition_count = 3});
  RunInstances ask = launch_into("p");
  ask.partition = 3;
  Instance const member = run(ask).at(0);
  run({.image_id = region.image.value, .type = "t3.nano"});
  EXPECT_EQ(member.partition, 3);
  auto const seen = [&](std::vector<Filter> filters) {
    Result<Reply> const reply = region.call(DescribeInstances{.filters = std::move(filters)});
    EXPECT_TRUE(reply);
    return std::get<Reservations>(*reply).items;
  };
  for (Filter const& filter : std::vector<Filter>{{"placement-group-name", {"p"}},
                                                  {"placement-partition-number", {"3"}}}) {
    auto const items = seen({filter});
    ASSERT_EQ(items.size(), 1U) << filter.name;
    EXPECT_EQ(items[0].instances[0].instance.id, member.id);
    EXPECT_EQ(items[0].instances[0].placement_group_name, "p");
  }
  EXPECT_TRUE(seen({{"placement-partition-number", {"1"}}}).empty());
  ASSERT_TRUE(region.call(TerminateInstances{{member.id.value}}));
  ASSERT_TRUE(region.report({region.line(member.id, Seen::absent)}));
  EXPECT_TRUE(seen({{"placement-group-name", {"p"}}}).empty()) << "a member no more";
}

TEST_F(PlacementGroupTest, ALaunchIsRefusedWhatItsGroupDoesNotHave) {
  create("s", PlacementStrategy::spread);
  PlacementGroup const p = create("p", PlacementStrategy::partition);
  auto const with = [&](std::string name, std::optional<std::int64_t> partition) {
    RunInstances ask = launch_into(std::move(name));
    ask.partition = partition;
    return refusal(region.call(std::move(ask)));
  };
  EXPECT_EQ(with("s", 1), "invalid parameter");
  EXPECT_EQ(with("p", 0), "invalid parameter");
  EXPECT_EQ(with("p", 3), "invalid parameter");
  EXPECT_EQ(with("", 1), "invalid parameter") << "a partition of no group";
  EXPECT_EQ(with("p", 2), "success");
  RunInstances both = launch_into("p");
  both.placement_group.id = p.id.value;
  EXPECT_EQ(refusal(region.call(both)), "invalid combination");
  both.placement_group = {.id = "pg-1", .name = {}};
  EXPECT_EQ(refusal(region.call(both)), "invalid placement-group-id");
}

TEST_F(PlacementGroupTest, ATemplateNamesAGroupAndTheRequestStandsOverIt) {
  add_host(2, "r2");
  create("of-template", PlacementStrategy::partition);
  create("of-request", PlacementStrategy::partition);
  LaunchTemplateData data{.image_id = region.image.value, .type = "t3.nano"};
  data.zone = "";
  data.placement_group_name = "of-template";
  data.partition = 2;
  data.shown = {{"Placement.GroupName", "of-template"}, {"Placement.PartitionNumber", "2"}};
  ASSERT_TRUE(region.call(CreateLaunchTemplate{.name = "web", .data = data}));
  auto const launched = [&](RunInstances ask) {
    ask.launch_template = LaunchTemplateVersionName{.of = {.id = {}, .name = "web"}, .version = {}};
    Instance const i = run(std::move(ask)).at(0);
    return region.state.placement_groups.at(i.placement_group).name + " " +
           std::to_string(i.partition);
  };
  EXPECT_EQ(launched({}), "of-template 2");
  EXPECT_EQ(launched({.partition = 1}), "of-template 1");
  EXPECT_EQ(launched({.placement_group = {.id = {}, .name = "of-request"}, .partition = 1}),
            "of-request 1");
  // A later version that gives a placement of its own gives the whole of it.
  LaunchTemplateData next;
  next.zone = "us-east-1a";
  next.shown = {{"Placement.AvailabilityZone", "us-east-1a"}};
  ASSERT_TRUE(region.call(CreateLaunchTemplateVersion{
      .of = {.id = {}, .name = "web"}, .source_version = "1", .data = next}));
  RunInstances ask;
  ask.launch_template = LaunchTemplateVersionName{.of = {.id = {}, .name = "web"}, .version = "2"};
  EXPECT_TRUE(run(ask).at(0).placement_group.value.empty());
}

// ---- Where members may go

TEST_F(PlacementGroupTest, PartitionsAreTriedFewestMembersFirstThenByNumber) {
  EXPECT_EQ(partition_order({2, 0, 1, 0}), (std::vector<std::int32_t>{2, 4, 3, 1}));
  EXPECT_EQ(partition_order({0, 0, 0}), (std::vector<std::int32_t>{1, 2, 3}));
}

TEST_F(PlacementGroupTest, MembersAreCountedByPartitionInTheirZoneOnly) {
  PlacementGroup const g =
      create({.name = "p", .strategy = PlacementStrategy::partition, .partition_count = 3});
  HostId const here = region.host;
  add_host(2, "r", "us-east-1b");
  put_member(1, g, here, 1);
  put_member(2, g, here, 3);
  put_member(3, g, here, 3);
  put_member(4, g, region.host, 2, "us-east-1b");
  EXPECT_EQ(members_by_partition(region.state, g, ZoneName("us-east-1a")),
            (std::vector<std::int64_t>{1, 0, 2}));
  EXPECT_EQ(members_by_partition(region.state, g, ZoneName("us-east-1b")),
            (std::vector<std::int64_t>{0, 1, 0}));
}

TEST_F(PlacementGroupTest, AClusterGroupIsWhereItsFirstMemberIs) {
  PlacementGroup const g = create("c", PlacementStrategy::cluster);
  add_host(2, "r2");
  add_host(3, "r1");
  add_host(4, "r9", "us-east-1b");
  EXPECT_EQ(cluster_racks(region.state, g, ZoneName("us-east-1a")), (Names{"", "r1", "r2"}));
  put_member(1, g, HostId("host-00000000000000002"));
  EXPECT_EQ(cluster_racks(region.state, g, ZoneName("us-east-1a")), (Names{"r2"}));
  EXPECT_EQ(cluster_racks(region.state, g, ZoneName("us-east-1b")), Names{});
  RunInstances ask = launch_into("c");
  ask.zone = "us-east-1b";
  Result<Reply> const reply = region.call(ask);
  EXPECT_EQ(refusal(reply), "conflict placement-group");
  EXPECT_EQ(reply.error().message,
            "The placement group 'c' is in use in another availability zone: us-east-1a");
}

TEST_F(PlacementGroupTest, ARackLevelSpreadGroupHasAtMostSevenMembersInAZone) {
  PlacementGroup const g = create("s", PlacementStrategy::spread);
  PlacementGroup const h = create(
      {.name = "h", .strategy = PlacementStrategy::spread, .spread_level = SpreadLevel::host});
  ZoneName const zone("us-east-1a");
  EXPECT_EQ(members_left(region.state, g, zone), 7);
  EXPECT_EQ(members_left(region.state, h, zone), limits::kInstancesPerRequestMax);
  RunInstances ask = launch_into("s");
  ask.min_count = ask.max_count = 8;
  EXPECT_EQ(refusal(region.call(ask)), "quota instance") << "more than can ever be";
  for (int i = 1; i <= 7; ++i) put_member(i, g, region.host);
  EXPECT_EQ(members_left(region.state, g, zone), 0);
  ask.min_count = ask.max_count = 1;
  EXPECT_EQ(refusal(region.call(ask)), "quota instance");
}

}  // namespace
}  // namespace berth::core
