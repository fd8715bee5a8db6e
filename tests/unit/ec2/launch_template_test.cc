// Launch templates on the wire: their data is read as a RunInstances request, and shown as it was
// asked for.

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/unit/ec2/support.h"

namespace berth::ec2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using wire::Action;

constexpr char kImage[] = "ami-0123456789abcdef0";

Pairs data(Pairs const& pairs) {
  Pairs out;
  for (auto const& [name, value] : pairs) out.push_back({"LaunchTemplateData." + name, value});
  return out;
}
Pairs with(Pairs const& data_pairs, Pairs more = {}) {
  Pairs out = data(data_pairs);
  out.push_back({"LaunchTemplateName", "web"});
  out.insert(out.end(), more.begin(), more.end());
  return call_of("CreateLaunchTemplate", std::move(out));
}
core::CreateLaunchTemplate create(Pairs const& data_pairs, Pairs more = {}) {
  return parsed_as<core::CreateLaunchTemplate>(Action::create_launch_template,
                                               with(data_pairs, std::move(more)));
}
Ec2Error refused(Pairs const& data_pairs, Pairs more = {}) {
  auto const out = parsed(Action::create_launch_template, with(data_pairs, std::move(more)));
  return out ? Ec2Error{"Success", 200, ""} : out.error();
}

Pairs const kFull = {{"ImageId", kImage},
                     {"InstanceType", "t3.micro"},
                     {"KeyName", "ada"},
                     {"UserData", base64("#!/bin/sh\n")},
                     {"Placement.AvailabilityZone", "us-east-1b"},
                     {"Placement.Tenancy", "default"},
                     {"TagSpecification.1.ResourceType", "instance"},
                     {"TagSpecification.1.Tag.1.Key", "Name"},
                     {"TagSpecification.1.Tag.1.Value", ""},
                     {"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
                     {"BlockDeviceMapping.1.Ebs.VolumeSize", "20"},
                     {"BlockDeviceMapping.1.Ebs.VolumeType", "gp3"},
                     {"BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true"},
                     {"NetworkInterface.1.DeviceIndex", "0"},
                     {"DisableApiTermination", "true"},
                     {"DisableApiStop", "false"},
                     {"EbsOptimized", "true"},
                     {"Monitoring.Enabled", "true"},
                     {"MetadataOptions.HttpTokens", "required"},
                     {"MetadataOptions.HttpPutResponseHopLimit", "2"},
                     {"CreditSpecification.CpuCredits", "standard"},
                     {"KernelId", ""},
                     {"InstanceInitiatedShutdownBehavior", "terminate"}};

TEST(LaunchTemplates, EveryParameterWeHaveReachesTheCore) {
  auto const call = create(kFull, {{"VersionDescription", "first"},
                                   {"ClientToken", "t"},
                                   {"TagSpecification.1.ResourceType", "launch-template"},
                                   {"TagSpecification.1.Tag.1.Key", "team"},
                                   {"TagSpecification.1.Tag.1.Value", "red"}});
  EXPECT_EQ(call.name, "web");
  EXPECT_EQ(call.description, "first");
  EXPECT_EQ(call.client_token, "t");
  EXPECT_EQ(call.parameters_digest.size(), 64U);
  EXPECT_EQ(call.tags, (Tags{{"team", "red"}}));
  LaunchTemplateData const& d = call.data;
  EXPECT_EQ(d.image_id, kImage);
  EXPECT_EQ(d.type, "t3.micro");
  EXPECT_EQ(d.key_name, "ada");
  EXPECT_EQ(d.user_data, "#!/bin/sh\n");
  EXPECT_EQ(d.zone, "us-east-1b");
  EXPECT_EQ(d.instance_tags, (Tags{{"Name", ""}}));
  EXPECT_EQ(d.root_disk_gib, 20);
  EXPECT_EQ(d.disable_api_termination, true);
  EXPECT_EQ(d.disable_api_stop, false);
  EXPECT_EQ(d.ebs_optimized, true);
  EXPECT_EQ(d.monitoring, true);
  EXPECT_EQ(d.shutdown_behavior, ShutdownBehavior::terminate);
  EXPECT_EQ(d.shown.size(), kFull.size() - 2) << "all but the user data and what is empty";
}

TEST(LaunchTemplates, WhatIsNotGivenIsAbsent) {
  LaunchTemplateData wanted;
  wanted.ebs_optimized = false;
  wanted.shown = {{"EbsOptimized", "false"}};
  EXPECT_EQ(create({{"EbsOptimized", "false"}}).data, wanted);
  EXPECT_EQ(refused({}).code, "MissingParameter");
}

TEST(LaunchTemplates, WhatRunInstancesRefusesIsRefusedInItsWords) {
  for (auto const& [name, value] : Pairs{{"SecurityGroupId.1", "sg-1"},
                                         {"SecurityGroup.1", "web"},
                                         {"NetworkInterface.1.SubnetId", "subnet-1"},
                                         {"NetworkInterface.1.AssociatePublicIpAddress", "true"},
                                         {"IamInstanceProfile.Name", "role"},
                                         {"InstanceMarketOptions.MarketType", "spot"},
                                         {"CpuOptions.CoreCount", "1"},
                                         {"KernelId", "aki-1"},
                                         {"RamDiskId", "ari-1"},
                                         {"ElasticGpuSpecification.1.Type", "eg1.medium"},
                                         {"ElasticInferenceAccelerator.1.Type", "eia1.medium"},
                                         {"HibernationOptions.Configured", "true"},
                                         {"EnclaveOptions.Enabled", "true"},
                                         {"LicenseSpecification.1.LicenseConfigurationArn", "a"},
                                         {"Placement.Tenancy", "dedicated"},
                                         {"BlockDeviceMapping.1.DeviceName", "/dev/sdb"}}) {
    Ec2Error const error = refused({{name, value}});
    EXPECT_EQ(error.code, "UnsupportedOperation") << name << ": " << error.message;
    EXPECT_THAT(error.message, HasSubstr(name.substr(0, name.find('.'))));
  }
  EXPECT_EQ(refused({{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
                     {"BlockDeviceMapping.1.Ebs.SnapshotId", "snap-1"}})
                .code,
            "UnsupportedOperation");
  EXPECT_THAT(refused({{"InstanceRequirements.VCpuCount.Min", "2"},
                       {"InstanceRequirements.MemoryMiB.Min", "2"}})
                  .message,
              HasSubstr("InstanceRequirements is not supported"));
  EXPECT_EQ(refused({{"UserData", "#!"}}).code, "InvalidUserData.Malformed");
  EXPECT_EQ(refused({{"Spam", "1"}}).code, "UnknownParameter");
  EXPECT_THAT(refused({{"TagSpecification.1.ResourceType", "volume"},
                       {"TagSpecification.1.Tag.1.Key", "a"}})
                  .message,
              HasSubstr("'volume' is not a valid taggable resource type"));
  EXPECT_THAT(refused({{"EbsOptimized", "true"}}, {{"TagSpecification.1.ResourceType", "instance"},
                                                   {"TagSpecification.1.Tag.1.Key", "a"}})
                  .message,
              HasSubstr("'instance' is not a valid taggable resource type"));
}

// The data is read a second time by the names of RunInstances: each has to be one of its own.
void expect_same_names(wire::Shape const& own, wire::Shape const& of_run, std::string const& at) {
  static std::set<std::string> const kRefusedBefore = {"RamDiskId", "InstanceRequirements"};
  for (wire::Member const& member : own.members) {
    std::string const name = at + std::string(member.query_name);
    if (kRefusedBefore.contains(name)) continue;
    auto const other =
        std::ranges::find(of_run.members, member.query_name, &wire::Member::query_name);
    ASSERT_NE(other, of_run.members.end()) << name;
    EXPECT_EQ(member.kind, other->kind) << name;
    bool const is_structure =
        member.kind == wire::Kind::structure ||
        (member.kind == wire::Kind::list && member.item == wire::Kind::structure);
    if (is_structure) {
      expect_same_names(wire::shape(member.shape), wire::shape(other->shape), name + ".");
    }
  }
}
TEST(LaunchTemplates, EveryNameOfTheirDataIsOneOfRunInstances) {
  expect_same_names(wire::shape(wire::RequestLaunchTemplateData::kShape),
                    wire::shape(wire::RunInstancesRequest::kShape), "");
}

TEST(LaunchTemplates, ReadsAndChangesReachTheCore) {
  auto const version = parsed_as<core::CreateLaunchTemplateVersion>(
      Action::create_launch_template_version,
      call_of("CreateLaunchTemplateVersion", {{"LaunchTemplateId", "lt-1"},
                                              {"SourceVersion", "$Latest"},
                                              {"VersionDescription", "d"},
                                              {"ClientToken", "t"},
                                              {"LaunchTemplateData.ImageId", kImage}}));
  EXPECT_EQ(version.of.id, "lt-1");
  EXPECT_EQ(version.source_version, "$Latest");
  EXPECT_EQ(version.description, "d");
  EXPECT_EQ(version.data.image_id, kImage);
  EXPECT_EQ(version.parameters_digest.size(), 64U);
  auto const list = parsed_as<core::DescribeLaunchTemplates>(
      Action::describe_launch_templates,
      call_of("DescribeLaunchTemplates", {{"LaunchTemplateId.1", "lt-1"},
                                          {"LaunchTemplateName.1", "web"},
                                          {"Filter.1.Name", "tag:a"},
                                          {"Filter.1.Value.1", "b"},
                                          {"MaxResults", "7"}}));
  EXPECT_THAT(list.ids, ElementsAre("lt-1"));
  EXPECT_THAT(list.names, ElementsAre("web"));
  EXPECT_EQ(list.filters.size(), 1U);
  EXPECT_EQ(list.page.max_results, 7);
  auto const versions = parsed_as<core::DescribeLaunchTemplateVersions>(
      Action::describe_launch_template_versions,
      call_of("DescribeLaunchTemplateVersions", {{"LaunchTemplateName", "web"},
                                                 {"LaunchTemplateVersion.1", "$Default"},
                                                 {"MinVersion", "2"},
                                                 {"MaxVersion", "3"},
                                                 {"NextToken", "n"}}));
  EXPECT_EQ(versions.of.name, "web");
  EXPECT_THAT(versions.versions, ElementsAre("$Default"));
  EXPECT_EQ(versions.min_version + versions.max_version, "23");
  EXPECT_EQ(versions.page.next_token, "n");
  auto const modify = parsed_as<core::ModifyLaunchTemplate>(
      Action::modify_launch_template,
      call_of("ModifyLaunchTemplate", {{"LaunchTemplateId", "lt-1"}, {"SetDefaultVersion", "2"}}));
  EXPECT_EQ(modify.of.id, "lt-1");
  EXPECT_EQ(modify.default_version, "2");
  auto const gone = parsed_as<core::DeleteLaunchTemplateVersions>(
      Action::delete_launch_template_versions,
      call_of("DeleteLaunchTemplateVersions", {{"LaunchTemplateName", "web"},
                                               {"LaunchTemplateVersion.1", "1"},
                                               {"LaunchTemplateVersion.2", "2"}}));
  EXPECT_THAT(gone.versions, ElementsAre("1", "2"));
  EXPECT_EQ(parsed_as<core::DeleteLaunchTemplate>(
                Action::delete_launch_template,
                call_of("DeleteLaunchTemplate", {{"LaunchTemplateName", "web"}}))
                .of.name,
            "web");
}

// Of what was asked for, the parameters as an answer writes them.
TEST(LaunchTemplates, AVersionIsShownAsItWasAskedFor) {
  core::LaunchTemplateVersionView view;
  view.version.launch_template = LaunchTemplateId("lt-0123456789abcdef0");
  view.version.number = 3;
  view.version.tenant = TenantId(std::string(kTenant));
  view.version.data = create(kFull).data;
  view.version.created = kNow;
  view.template_name = "web";
  view.is_default = true;
  Echo const echo;
  Rendering const about{.action = Action::create_launch_template_version,
                        .request_id = "r",
                        .region = "us-east-1",
                        .endpoint = "e",
                        .now = kNow,
                        .echo = echo};
  std::string const text = row_of(about.action).render(core::OneLaunchTemplateVersion{view}, about);
  for (std::string const& part :
       {std::string("<launchTemplateId>lt-0123456789abcdef0</launchTemplateId>"),
        std::string("<versionNumber>3</versionNumber>"),
        std::string("<defaultVersion>true</defaultVersion>"),
        std::string("<createdBy>arn:aws:iam::123456789012:root</createdBy>"),
        std::string("<createTime>2026-01-02T03:04:05.678Z</createTime>"),
        std::string("<imageId>ami-0123456789abcdef0</imageId>"),
        "<userData>" + base64("#!/bin/sh\n") + "</userData>",
        std::string("<placement><availabilityZone>us-east-1b</availabilityZone>"
                    "<tenancy>default</tenancy></placement>"),
        std::string("<tagSpecificationSet><item><resourceType>instance</resourceType><tagSet><item>"
                    "<key>Name</key><value></value></item></tagSet></item></tagSpecificationSet>"),
        std::string("<blockDeviceMappingSet><item><deviceName>/dev/sda1</deviceName><ebs>"
                    "<deleteOnTermination>true</deleteOnTermination><volumeSize>20</volumeSize>"
                    "<volumeType>gp3</volumeType></ebs></item></blockDeviceMappingSet>"),
        std::string("<networkInterfaceSet><item><deviceIndex>0</deviceIndex></item>"),
        std::string("<disableApiTermination>true</disableApiTermination>"),
        std::string("<disableApiStop>false</disableApiStop>"),
        std::string("<httpTokens>required</httpTokens>"),
        std::string("<httpPutResponseHopLimit>2</httpPutResponseHopLimit>"),
        std::string("<cpuCredits>standard</cpuCredits>")}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  // A word that only another Berth knew is left out, and the rest is shown.
  view.version.data.shown = {{"NoSuchWord", "1"}};
  std::string const less = row_of(about.action).render(core::OneLaunchTemplateVersion{view}, about);
  EXPECT_THAT(less, HasSubstr("<imageId>ami-0123456789abcdef0</imageId>"));
  EXPECT_THAT(less, Not(HasSubstr("<placement>")));
}

TEST(LaunchTemplates, WhatCouldNotBeDeletedSaysWhy) {
  using Deleted = core::DeletedLaunchTemplateVersions;
  Deleted const result{.id = LaunchTemplateId("lt-0123456789abcdef0"),
                       .name = "web",
                       .deleted = {2},
                       .kept = {{1, Deleted::Why::is_default}, {9, Deleted::Why::absent}}};
  Echo const echo;
  Rendering const about{.action = Action::delete_launch_template_versions,
                        .request_id = "r",
                        .region = "us-east-1",
                        .endpoint = "e",
                        .now = kNow,
                        .echo = echo};
  std::string const text = row_of(about.action).render(result, about);
  EXPECT_THAT(text, HasSubstr("<successfullyDeletedLaunchTemplateVersionSet><item>"
                              "<launchTemplateId>lt-0123456789abcdef0</launchTemplateId>"
                              "<launchTemplateName>web</launchTemplateName>"
                              "<versionNumber>2</versionNumber></item>"));
  EXPECT_THAT(text, HasSubstr("<versionNumber>1</versionNumber><responseError>"
                              "<code>unexpectedError</code>"));
  EXPECT_THAT(text, HasSubstr("<versionNumber>9</versionNumber><responseError>"
                              "<code>launchTemplateVersionDoesNotExist</code>"));
}

}  // namespace
}  // namespace berth::ec2
