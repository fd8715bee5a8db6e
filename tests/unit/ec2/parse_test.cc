#include <gmock/gmock.h>

#include <map>

#include "tests/unit/ec2/support.h"

namespace berth::ec2 {
namespace {

using testing::ElementsAre;
using wire::Action;

Pairs const kFilter = {
    {"Filter.1.Name", "tag:Name"}, {"Filter.1.Value.1", "w*"}, {"Filter.1.Value.2", "x?"}};
core::Filter const kFilterRead{.name = "tag:Name", .values = {"w*", "x?"}};

Pairs plus(Pairs a, Pairs const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Parse, EveryServedActionHasARowInItsPlace) {
  ASSERT_EQ(action_rows().size(), wire::actions().size());
  for (std::size_t i = 0; i < action_rows().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(action_rows()[i].action), i) << wire::actions()[i].name;
    EXPECT_NE(action_rows()[i].parse, nullptr);
    EXPECT_NE(action_rows()[i].render, nullptr);
  }
}

// The least that each action needs to be understood.
Pairs least(std::string_view action) {
  static std::map<std::string, Pairs, std::less<>> const kNeeds = {
      {"RunInstances",
       {{"ImageId", "ami-0123456789abcdef0"}, {"MinCount", "1"}, {"MaxCount", "1"}}},
      {"DescribeInstanceAttribute",
       {{"InstanceId", "i-0123456789abcdef0"}, {"Attribute", "instanceType"}}},
      {"ModifyInstanceAttribute",
       {{"InstanceId", "i-0123456789abcdef0"}, {"EbsOptimized.Value", "true"}}},
      {"GetConsoleOutput", {{"InstanceId", "i-0123456789abcdef0"}}},
      {"CreateKeyPair", {{"KeyName", "ada"}}},
      {"ImportKeyPair",
       {{"KeyName", "ada"},
        {"PublicKeyMaterial",
         base64("ssh-ed25519 "
                "AAAAC3NzaC1lZDI1NTE5AAAAICGdrzE2wslCmj9JkGVkpgvAWIjYRLIAxWpaWW/e4hHD")}}},
      {"CreateLaunchTemplate",
       {{"LaunchTemplateName", "web"}, {"LaunchTemplateData.EbsOptimized", "true"}}},
      {"CreateLaunchTemplateVersion",
       {{"LaunchTemplateName", "web"}, {"LaunchTemplateData.EbsOptimized", "true"}}},
      {"DeletePlacementGroup", {{"GroupName", "web"}}},
      {"CreateTags", {{"ResourceId.1", "i-0123456789abcdef0"}, {"Tag.1.Key", "a"}}},
      {"DeleteTags", {{"ResourceId.1", "i-0123456789abcdef0"}}},
  };
  auto const it = kNeeds.find(action);
  return it == kNeeds.end() ? Pairs{} : it->second;
}

TEST(Parse, EveryActionOfEc2TakesDryRun) {
  for (wire::ActionInfo const& info : wire::actions()) {
    if (info.service != wire::Service::ec2) continue;
    Action const action =
        action_rows()[static_cast<std::size_t>(&info - &wire::actions()[0])].action;
    Ec2Result<Parsed> const wet = parsed(action, call_of(info.name, least(info.name)));
    ASSERT_TRUE(wet) << info.name << ": " << wet.error().message;
    EXPECT_FALSE(wet->dry_run) << info.name;
    Ec2Result<Parsed> const dry =
        parsed(action, call_of(info.name, plus(least(info.name), {{"DryRun", "true"}})));
    ASSERT_TRUE(dry) << info.name;
    EXPECT_TRUE(dry->dry_run) << info.name;
  }
}

TEST(Parse, EveryActionRefusesAParameterItDoesNotKnow) {
  for (ActionRow const& row : action_rows()) {
    std::string_view const name = wire::info(row.action).name;
    Pairs const pairs = call_of(name, plus(least(name), {{"Spam", "1"}}));
    EXPECT_EQ(error_code(row.parse(pairs)), "UnknownParameter") << name;
  }
}

TEST(Parse, DescribeInstances) {
  auto const call = parsed_as<core::DescribeInstances>(
      Action::describe_instances,
      call_of("DescribeInstances", plus(kFilter, {{"InstanceId.2", "i-b"},
                                                  {"InstanceId.1", "i-a"},
                                                  {"MaxResults", "7"},
                                                  {"NextToken", "page 2"}})));
  EXPECT_THAT(call.ids, ElementsAre("i-a", "i-b"));
  EXPECT_THAT(call.filters, ElementsAre(kFilterRead));
  EXPECT_EQ(call.page, (core::Page{.max_results = 7, .next_token = "page 2"}));
}

TEST(Parse, DescribeInstanceStatus) {
  auto const call = parsed_as<core::DescribeInstanceStatus>(
      Action::describe_instance_status,
      call_of("DescribeInstanceStatus",
              plus(kFilter, {{"InstanceId.1", "i-a"}, {"IncludeAllInstances", "true"}})));
  EXPECT_THAT(call.ids, ElementsAre("i-a"));
  EXPECT_THAT(call.filters, ElementsAre(kFilterRead));
  EXPECT_TRUE(call.include_all);
  EXPECT_EQ(call.page, core::Page{});
}

TEST(Parse, StartStopRebootTerminateAndConsole) {
  Pairs const ids = {{"InstanceId.1", "i-a"}, {"InstanceId.2", "i-b"}};
  EXPECT_THAT(
      parsed_as<core::StartInstances>(Action::start_instances, call_of("StartInstances", ids)).ids,
      ElementsAre("i-a", "i-b"));
  auto const stop = parsed_as<core::StopInstances>(
      Action::stop_instances, call_of("StopInstances", plus(ids, {{"Force", "true"}})));
  EXPECT_THAT(stop.ids, ElementsAre("i-a", "i-b"));
  EXPECT_TRUE(stop.force);
  EXPECT_THAT(
      parsed_as<core::RebootInstances>(Action::reboot_instances, call_of("RebootInstances", ids))
          .ids,
      ElementsAre("i-a", "i-b"));
  EXPECT_THAT(parsed_as<core::TerminateInstances>(Action::terminate_instances,
                                                  call_of("TerminateInstances", ids))
                  .ids,
              ElementsAre("i-a", "i-b"));
  EXPECT_EQ(parsed_as<core::ReadConsole>(
                Action::get_console_output,
                call_of("GetConsoleOutput", {{"InstanceId", "i-a"}, {"Latest", "true"}}))
                .id,
            "i-a");
}

TEST(Parse, HibernationIsRefused) {
  EXPECT_EQ(error_code(
                parsed(Action::stop_instances,
                       call_of("StopInstances", {{"InstanceId.1", "i-a"}, {"Hibernate", "true"}}))),
            "UnsupportedOperation");
}

TEST(Parse, TypesAndOfferings) {
  auto const types = parsed_as<core::DescribeInstanceTypes>(
      Action::describe_instance_types,
      call_of("DescribeInstanceTypes",
              plus(kFilter, {{"InstanceType.1", "our.type"}, {"NextToken", "t"}})));
  EXPECT_THAT(types.names, ElementsAre("our.type"));
  EXPECT_THAT(types.filters, ElementsAre(kFilterRead));
  EXPECT_EQ(types.page.next_token, "t");
  auto const offerings = parsed_as<core::DescribeInstanceTypeOfferings>(
      Action::describe_instance_type_offerings,
      call_of("DescribeInstanceTypeOfferings",
              plus(kFilter, {{"LocationType", "availability-zone"}, {"MaxResults", "5"}})));
  EXPECT_EQ(offerings.location_type, "availability-zone");
  EXPECT_EQ(offerings.page.max_results, 5);
}

TEST(Parse, ImagesAreNeverCutIntoPages) {
  auto const call = parsed_as<core::DescribeImages>(
      Action::describe_images,
      call_of("DescribeImages", plus(kFilter, {{"ImageId.1", "ami-a"},
                                               {"Owner.1", "self"},
                                               {"ExecutableBy.1", "all"},
                                               {"IncludeDeprecated", "true"},
                                               {"MaxResults", "5"}})));
  EXPECT_THAT(call.ids, ElementsAre("ami-a"));
  EXPECT_THAT(call.owners, ElementsAre("self"));
  EXPECT_THAT(call.executable_by, ElementsAre("all"));
  EXPECT_EQ(call.page, core::Page{});
}

TEST(Parse, RegionsAndZones) {
  EXPECT_THAT(
      parsed_as<core::DescribeRegions>(
          Action::describe_regions,
          call_of("DescribeRegions", {{"RegionName.1", "us-east-1"}, {"AllRegions", "true"}}))
          .names,
      ElementsAre("us-east-1"));
  auto const zones = parsed_as<core::DescribeZones>(
      Action::describe_availability_zones,
      call_of("DescribeAvailabilityZones",
              plus(kFilter, {{"ZoneName.1", "us-east-1a"}, {"ZoneId.1", "use1-az1"}})));
  EXPECT_THAT(zones.names, ElementsAre("us-east-1a"));
  EXPECT_THAT(zones.ids, ElementsAre("use1-az1"));
}

TEST(Parse, CreateKeyPairMakesTheKeyAndKeepsItsPrivateHalfFromTheCore) {
  Ec2Result<Parsed> const out =
      parsed(Action::create_key_pair,
             call_of("CreateKeyPair", {{"KeyName", "ada"},
                                       {"KeyType", "ed25519"},
                                       {"TagSpecification.1.ResourceType", "key-pair"},
                                       {"TagSpecification.1.Tag.1.Key", "team"},
                                       {"TagSpecification.1.Tag.1.Value", "red"}}));
  ASSERT_TRUE(out);
  auto const& call = std::get<core::AddKeyPair>(out->action);
  EXPECT_EQ(call.name, "ada");
  EXPECT_EQ(call.kind, KeyKind::ed25519);
  EXPECT_EQ(call.tags, (Tags{{"team", "red"}}));
  EXPECT_THAT(call.public_key, testing::StartsWith("ssh-ed25519 "));
  EXPECT_THAT(out->echo.private_key, testing::StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----"));
}

TEST(Parse, CreateKeyPairMakesRsaUnlessToldOtherwise) {
  Ec2Result<Parsed> const out =
      parsed(Action::create_key_pair, call_of("CreateKeyPair", {{"KeyName", "ada"}}));
  ASSERT_TRUE(out);
  EXPECT_EQ(std::get<core::AddKeyPair>(out->action).kind, KeyKind::rsa);
  EXPECT_THAT(out->echo.private_key, testing::StartsWith("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_EQ(error_code(parsed(Action::create_key_pair,
                              call_of("CreateKeyPair", {{"KeyName", "a"}, {"KeyFormat", "ppk"}}))),
            "UnsupportedOperation");
}

TEST(Parse, ImportKeyPairRefusesWhatIsNoKey) {
  EXPECT_EQ(
      error_code(parsed(Action::import_key_pair,
                        call_of("ImportKeyPair",
                                {{"KeyName", "a"}, {"PublicKeyMaterial", base64("not a key")}}))),
      "InvalidKey.Format");
}

TEST(Parse, DescribeAndDeleteKeyPairs) {
  Ec2Result<Parsed> const out = parsed(
      Action::describe_key_pairs,
      call_of("DescribeKeyPairs",
              plus(kFilter,
                   {{"KeyName.1", "a"}, {"KeyPairId.1", "key-1"}, {"IncludePublicKey", "true"}})));
  ASSERT_TRUE(out);
  auto const& call = std::get<core::DescribeKeyPairs>(out->action);
  EXPECT_THAT(call.names, ElementsAre("a"));
  EXPECT_THAT(call.ids, ElementsAre("key-1"));
  EXPECT_THAT(call.filters, ElementsAre(kFilterRead));
  EXPECT_TRUE(out->echo.wants_public_key);
  auto const drop = parsed_as<core::DeleteKeyPair>(
      Action::delete_key_pair, call_of("DeleteKeyPair", {{"KeyPairId", "key-1"}}));
  EXPECT_EQ(drop.id, "key-1");
  EXPECT_EQ(drop.name, "");
}

TEST(Parse, Tags) {
  auto const create = parsed_as<core::CreateTags>(Action::create_tags,
                                                  call_of("CreateTags", {{"ResourceId.1", "i-a"},
                                                                         {"Tag.1.Key", "a"},
                                                                         {"Tag.1.Value", "1"},
                                                                         {"Tag.2.Key", "b"},
                                                                         {"Tag.2.Value", ""}}));
  EXPECT_THAT(create.resources, ElementsAre("i-a"));
  EXPECT_EQ(create.tags, (Tags{{"a", "1"}, {"b", ""}}));
  EXPECT_EQ(error_code(parsed(Action::create_tags, call_of("CreateTags", {{"ResourceId.1", "i-a"},
                                                                          {"Tag.1.Key", "a"},
                                                                          {"Tag.2.Key", "a"}}))),
            "InvalidParameterValue");
  auto const describe = parsed_as<core::DescribeTags>(
      Action::describe_tags, call_of("DescribeTags", plus(kFilter, {{"MaxResults", "9"}})));
  EXPECT_THAT(describe.filters, ElementsAre(kFilterRead));
  EXPECT_EQ(describe.page.max_results, 9);
}

TEST(Parse, DeletingATagTellsAnyValueFromAnEmptyOne) {
  auto const call = parsed_as<core::DeleteTags>(Action::delete_tags,
                                                call_of("DeleteTags", {{"ResourceId.1", "i-a"},
                                                                       {"Tag.1.Key", "any"},
                                                                       {"Tag.2.Key", "empty"},
                                                                       {"Tag.2.Value", ""},
                                                                       {"Tag.3.Key", "one"},
                                                                       {"Tag.3.Value", "x"}}));
  ASSERT_EQ(call.tags.size(), 3U);
  EXPECT_EQ(call.tags[0].value, std::nullopt);
  EXPECT_EQ(call.tags[1].value, "");
  EXPECT_EQ(call.tags[2].value, "x");
}

TEST(Parse, AccountAttributesAreRememberedAlsoWhenTheModelDoesNotKnowThem) {
  Ec2Result<Parsed> const out =
      parsed(Action::describe_account_attributes,
             call_of("DescribeAccountAttributes",
                     {{"AttributeName.1", "default-vpc"}, {"AttributeName.2", "some-new-one"}}));
  ASSERT_TRUE(out);
  EXPECT_THAT(out->echo.attribute_names, ElementsAre("default-vpc", "some-new-one"));
}

TEST(Parse, AFilterWithoutANameGoesToTheCoreAsEc2CallsIt) {
  auto const call = parsed_as<core::DescribeInstances>(
      Action::describe_instances, call_of("DescribeInstances", {{"Filter.1.Value.1", "x"}}));
  ASSERT_EQ(call.filters.size(), 1U);
  EXPECT_EQ(call.filters[0].name, "null");
}

}  // namespace
}  // namespace berth::ec2
