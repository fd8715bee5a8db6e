// Placement groups on the wire.

#include <gmock/gmock.h>

#include "tests/unit/ec2/support.h"

namespace berth::ec2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using wire::Action;

core::CreatePlacementGroup create(Pairs pairs) {
  return parsed_as<core::CreatePlacementGroup>(Action::create_placement_group,
                                               call_of("CreatePlacementGroup", std::move(pairs)));
}

TEST(PlacementGroups, EveryParameterReachesTheCore) {
  auto const call = create({{"GroupName", "web"},
                            {"Strategy", "partition"},
                            {"PartitionCount", "5"},
                            {"TagSpecification.1.ResourceType", "placement-group"},
                            {"TagSpecification.1.Tag.1.Key", "team"},
                            {"TagSpecification.1.Tag.1.Value", "red"}});
  EXPECT_EQ(call.name, "web");
  EXPECT_EQ(call.strategy, PlacementStrategy::partition);
  EXPECT_EQ(call.partition_count, 5);
  EXPECT_EQ(call.spread_level, std::nullopt);
  EXPECT_EQ(call.tags, (Tags{{"team", "red"}}));
  auto const spread = create({{"GroupName", "s"}, {"Strategy", "spread"}, {"SpreadLevel", "host"}});
  EXPECT_EQ(spread.strategy, PlacementStrategy::spread);
  EXPECT_EQ(spread.spread_level, SpreadLevel::host);
  EXPECT_EQ(create({{"GroupName", "s"}, {"SpreadLevel", "rack"}}).spread_level, SpreadLevel::rack);
  EXPECT_EQ(create({{"GroupName", "c"}}).strategy, PlacementStrategy::cluster);
}

TEST(PlacementGroups, WhatEc2DoesNotListIsRefused) {
  for (auto const& [code, pairs] : std::vector<std::pair<std::string, Pairs>>{
           {"InvalidParameterValue", {{"GroupName", "g"}, {"Strategy", "scatter"}}},
           {"InvalidParameterValue", {{"GroupName", "g"}, {"SpreadLevel", "room"}}},
           {"InvalidParameterValue",
            {{"GroupName", "g"},
             {"TagSpecification.1.ResourceType", "instance"},
             {"TagSpecification.1.Tag.1.Key", "k"}}}}) {
    EXPECT_EQ(
        error_code(parsed(Action::create_placement_group, call_of("CreatePlacementGroup", pairs))),
        code);
  }
  EXPECT_EQ(error_code(parsed(Action::delete_placement_group, call_of("DeletePlacementGroup", {}))),
            "MissingParameter");
}

TEST(PlacementGroups, DescribeAndDelete) {
  auto const call = parsed_as<core::DescribePlacementGroups>(
      Action::describe_placement_groups,
      call_of("DescribePlacementGroups", {{"GroupName.1", "a"},
                                          {"GroupId.1", "pg-1"},
                                          {"GroupId.2", "pg-2"},
                                          {"Filter.1.Name", "strategy"},
                                          {"Filter.1.Value.1", "spread"}}));
  EXPECT_THAT(call.names, ElementsAre("a"));
  EXPECT_THAT(call.ids, ElementsAre("pg-1", "pg-2"));
  EXPECT_THAT(call.filters, ElementsAre(core::Filter{"strategy", {"spread"}}));
  EXPECT_EQ(
      parsed_as<core::DeletePlacementGroup>(Action::delete_placement_group,
                                            call_of("DeletePlacementGroup", {{"GroupName", "web"}}))
          .name,
      "web");
}

TEST(PlacementGroups, ALaunchAndATemplateNameAGroup) {
  Pairs const placement = {{"Placement.GroupName", "web"}, {"Placement.PartitionNumber", "3"}};
  Pairs launch = {{"ImageId", "ami-1"}, {"MinCount", "1"}, {"MaxCount", "1"}};
  launch.insert(launch.end(), placement.begin(), placement.end());
  auto const run =
      parsed_as<core::RunInstances>(Action::run_instances, call_of("RunInstances", launch));
  EXPECT_EQ(run.placement_group.name, "web");
  EXPECT_EQ(run.placement_group.id, "");
  EXPECT_EQ(run.partition, 3);
  auto const made = parsed_as<core::CreateLaunchTemplate>(
      Action::create_launch_template,
      call_of("CreateLaunchTemplate", {{"LaunchTemplateName", "t"},
                                       {"LaunchTemplateData.Placement.GroupId", "pg-1"},
                                       {"LaunchTemplateData.Placement.PartitionNumber", "2"}}));
  EXPECT_EQ(made.data.placement_group_id, "pg-1");
  EXPECT_EQ(made.data.placement_group_name, std::nullopt);
  EXPECT_EQ(made.data.partition, 2);
  EXPECT_THAT(made.data.shown,
              ElementsAre(std::pair<std::string, std::string>("Placement.GroupId", "pg-1"),
                          std::pair<std::string, std::string>("Placement.PartitionNumber", "2")));
}

std::string shown(core::InstanceView const& view) {
  Rendering const about{.action = Action::describe_instances,
                        .request_id = "id",
                        .region = "us-east-1",
                        .endpoint = "berth.example:8773",
                        .now = kNow,
                        .echo = {},
                        .console = {},
                        .texts = nullptr};
  core::Reservations found;
  found.items.push_back(
      {.id = view.instance.reservation, .owner = view.instance.tenant, .instances = {view}});
  return row_of(Action::describe_instances).render(found, about);
}

TEST(PlacementGroups, AMemberShowsItsGroupAndAnotherAnEmptyName) {
  core::InstanceView view = running_instance();
  EXPECT_THAT(shown(view), HasSubstr("<placement><availabilityZone>us-east-1a</availabilityZone>"
                                     "<groupName></groupName><tenancy>default</tenancy>"));
  view.instance.placement_group = PlacementGroupId("pg-0123456789abcdef0");
  view.instance.partition = 2;
  EXPECT_THAT(shown(view), testing::Not(HasSubstr("pg-0"))) << "a member no more";
  view.placement_group_name = "web";
  EXPECT_THAT(shown(view), HasSubstr("<groupName>web</groupName><partitionNumber>2"
                                     "</partitionNumber><tenancy>default</tenancy>"
                                     "<groupId>pg-0123456789abcdef0</groupId>"));
}

}  // namespace
}  // namespace berth::ec2
