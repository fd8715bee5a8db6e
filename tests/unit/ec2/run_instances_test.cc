#include <gmock/gmock.h>

#include "daemon/ec2/facts.h"
#include "tests/unit/ec2/support.h"

namespace berth::ec2 {
namespace {

using testing::HasSubstr;
using wire::Action;

constexpr char kImage[] = "ami-0123456789abcdef0";

Pairs with(Pairs more) {
  Pairs out = {
      {"ImageId", kImage}, {"InstanceType", "t3.micro"}, {"MinCount", "1"}, {"MaxCount", "1"}};
  out.insert(out.end(), more.begin(), more.end());
  return call_of("RunInstances", out);
}

core::RunInstances run(Pairs more) {
  return parsed_as<core::RunInstances>(Action::run_instances, with(std::move(more)));
}

Ec2Error refused(Pairs more) {
  Ec2Result<Parsed> const out = parsed(Action::run_instances, with(std::move(more)));
  return out ? Ec2Error{"Success", 200, ""} : out.error();
}

TEST(RunInstances, EveryParameterWeHaveReachesTheCore) {
  core::RunInstances const r = run({{"KeyName", "ada"},
                                    {"Placement.AvailabilityZone", "us-east-1b"},
                                    {"UserData", base64("#!/bin/sh\n")},
                                    {"TagSpecification.1.ResourceType", "instance"},
                                    {"TagSpecification.1.Tag.1.Key", "Name"},
                                    {"TagSpecification.1.Tag.1.Value", "web"},
                                    {"TagSpecification.2.ResourceType", "instance"},
                                    {"TagSpecification.2.Tag.1.Key", "empty"},
                                    {"TagSpecification.2.Tag.1.Value", ""},
                                    {"ClientToken", "once"},
                                    {"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
                                    {"BlockDeviceMapping.1.Ebs.VolumeSize", "20"},
                                    {"BlockDeviceMapping.1.Ebs.VolumeType", "gp3"},
                                    {"DisableApiTermination", "true"},
                                    {"DisableApiStop", "true"},
                                    {"EbsOptimized", "true"},
                                    {"Monitoring.Enabled", "true"},
                                    {"InstanceInitiatedShutdownBehavior", "terminate"}});
  EXPECT_EQ(r.image_id, kImage);
  EXPECT_EQ(r.type, "t3.micro");
  EXPECT_EQ(r.min_count, 1);
  EXPECT_EQ(r.max_count, 1);
  EXPECT_EQ(r.key_name, "ada");
  EXPECT_EQ(r.zone, "us-east-1b");
  EXPECT_EQ(r.user_data, "#!/bin/sh\n");
  EXPECT_EQ(r.instance_tags, (Tags{{"Name", "web"}, {"empty", ""}}));
  EXPECT_EQ(r.client_token, "once");
  EXPECT_EQ(r.parameters_digest.size(), 64U);
  EXPECT_EQ(r.root_disk_gib, 20);
  EXPECT_EQ(r.disable_api_termination, true);
  EXPECT_EQ(r.disable_api_stop, true);
  EXPECT_EQ(r.ebs_optimized, true);
  EXPECT_EQ(r.monitoring, true);
  EXPECT_EQ(r.shutdown_behavior, ShutdownBehavior::terminate);
}

TEST(RunInstances, WhatIsNotGivenHasEc2sDefault) {
  core::RunInstances const r = run({});
  EXPECT_TRUE(r.key_name.empty());
  EXPECT_TRUE(r.zone.empty());
  EXPECT_TRUE(r.client_token.empty());
  EXPECT_FALSE(r.root_disk_gib);
  // Absent, because a launch template may say it.
  EXPECT_EQ(r.disable_api_termination, std::nullopt);
  EXPECT_EQ(r.shutdown_behavior, std::nullopt);
  EXPECT_FALSE(r.launch_template);
}

TEST(RunInstances, TerraformsPackersAndAnsiblesHabitsAreAccepted) {
  EXPECT_EQ(refused({{"SubnetId", ""},
                     {"IamInstanceProfile.Name", ""},
                     {"Placement.AvailabilityZone", ""},
                     {"Placement.Tenancy", "default"},
                     {"Monitoring.Enabled", "false"},
                     {"EbsOptimized", "false"},
                     {"HibernationOptions.Configured", "false"},
                     {"EnclaveOptions.Enabled", "false"},
                     {"CreditSpecification.CpuCredits", "unlimited"},
                     {"MetadataOptions.HttpTokens", "required"},
                     {"MetadataOptions.HttpPutResponseHopLimit", "2"},
                     {"MaintenanceOptions.AutoRecovery", "default"},
                     {"PrivateDnsNameOptions.HostnameType", "ip-name"},
                     {"CapacityReservationSpecification.CapacityReservationPreference", "open"},
                     {"NetworkInterface.1.DeviceIndex", "0"},
                     {"NetworkInterface.1.AssociatePublicIpAddress", "false"},
                     {"NetworkInterface.1.DeleteOnTermination", "true"},
                     {"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
                     {"BlockDeviceMapping.1.Ebs.SnapshotId", derived("snap-", kImage)},
                     {"BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true"},
                     {"BlockDeviceMapping.1.Ebs.Encrypted", "false"}})
                .code,
            "Success");
}

struct Refused {
  Pairs pairs;
  char const* named;
};

std::vector<Refused> const& refused_parameters() {
  static std::vector<Refused> const kRows = {
      {{{"SubnetId", "subnet-1"}}, "SubnetId"},
      {{{"SecurityGroupId.1", "sg-1"}}, "SecurityGroupId"},
      {{{"SecurityGroup.1", "web"}}, "SecurityGroup"},
      {{{"PrivateIpAddress", "10.0.0.9"}}, "PrivateIpAddress"},
      {{{"Ipv6AddressCount", "1"}}, "Ipv6AddressCount"},
      {{{"Ipv6Address.1.Ipv6Address", "::1"}}, "Ipv6Address"},
      {{{"NetworkInterface.1.SubnetId", "subnet-1"}}, "NetworkInterface"},
      {{{"NetworkInterface.1.AssociatePublicIpAddress", "true"}}, "NetworkInterface"},
      {{{"NetworkInterface.1.DeviceIndex", "1"}}, "NetworkInterface"},
      {{{"NetworkInterface.1.DeviceIndex", "0"}, {"NetworkInterface.2.DeviceIndex", "0"}},
       "NetworkInterface"},
      {{{"IamInstanceProfile.Name", "role"}}, "IamInstanceProfile.Name"},
      {{{"IamInstanceProfile.Arn", "arn:aws:x"}}, "IamInstanceProfile.Arn"},
      {{{"InstanceMarketOptions.MarketType", "spot"}}, "InstanceMarketOptions"},
      {{{"CpuOptions.CoreCount", "1"}}, "CpuOptions"},
      {{{"KernelId", "aki-1"}}, "KernelId"},
      {{{"RamdiskId", "ari-1"}}, "RamdiskId"},
      {{{"ElasticGpuSpecification.1.Type", "eg1.medium"}}, "ElasticGpuSpecification"},
      {{{"ElasticInferenceAccelerator.1.Type", "eia1.medium"}}, "ElasticInferenceAccelerator"},
      {{{"EnclaveOptions.Enabled", "true"}}, "EnclaveOptions"},
      {{{"HibernationOptions.Configured", "true"}}, "HibernationOptions"},
      {{{"LicenseSpecification.1.LicenseConfigurationArn", "arn:aws:x"}}, "LicenseSpecification"},
      {{{"PrivateDnsNameOptions.HostnameType", "resource-name"}}, "PrivateDnsNameOptions"},
      {{{"PrivateDnsNameOptions.EnableResourceNameDnsARecord", "true"}}, "PrivateDnsNameOptions"},
      {{{"CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId",
         "cr-1"}},
       "CapacityReservationTarget"},
      {{{"Placement.Tenancy", "dedicated"}}, "Placement.Tenancy"},
      {{{"Placement.HostId", "h-1"}}, "Placement.HostId"},
      {{{"Placement.Affinity", "host"}}, "Placement.Affinity"},
      {{{"Placement.SpreadDomain", "x"}}, "Placement.SpreadDomain"},
      {{{"Placement.HostResourceGroupArn", "arn:aws:x"}}, "Placement.HostResourceGroupArn"},
  };
  return kRows;
}

std::vector<Refused> const& refused_mappings() {
  static std::vector<Refused> const kRows = {
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sdb"}}, "BlockDeviceMapping.DeviceName"},
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"}, {"BlockDeviceMapping.1.NoDevice", ""}},
       "BlockDeviceMapping.NoDevice"},
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
        {"BlockDeviceMapping.1.VirtualName", "ephemeral0"}},
       "BlockDeviceMapping.VirtualName"},
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
        {"BlockDeviceMapping.1.Ebs.DeleteOnTermination", "false"}},
       "DeleteOnTermination"},
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
        {"BlockDeviceMapping.1.Ebs.Encrypted", "true"}},
       "Encrypted"},
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"}, {"BlockDeviceMapping.1.Ebs.Iops", "300"}},
       "Iops"},
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
        {"BlockDeviceMapping.1.Ebs.Throughput", "200"}},
       "Throughput"},
      {{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
        {"BlockDeviceMapping.1.Ebs.KmsKeyId", "key"}},
       "KmsKeyId"},
  };
  return kRows;
}

TEST(RunInstances, WhatWeDoNotHaveIsRefusedByItsName) {
  for (auto const* rows : {&refused_parameters(), &refused_mappings()}) {
    for (Refused const& row : *rows) {
      Ec2Error const error = refused(row.pairs);
      EXPECT_EQ(error.code, "UnsupportedOperation") << row.named;
      EXPECT_THAT(error.message, HasSubstr(row.named));
    }
  }
}

TEST(RunInstances, AnUnknownSnapshotOrADiskMappedTwiceIsRefusedInEc2sWords) {
  EXPECT_EQ(refused({{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
                     {"BlockDeviceMapping.1.Ebs.SnapshotId", "snap-00000000000000000"}})
                .code,
            "InvalidSnapshot.NotFound");
  EXPECT_EQ(refused({{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
                     {"BlockDeviceMapping.1.Ebs.VolumeSize", "8"},
                     {"BlockDeviceMapping.2.DeviceName", "/dev/sda1"},
                     {"BlockDeviceMapping.2.Ebs.VolumeSize", "9"}})
                .code,
            "InvalidBlockDeviceMapping");
}

TEST(RunInstances, TagSpecificationsThatCannotBeMetAreRefused) {
  EXPECT_THAT(refused({{"TagSpecification.1.ResourceType", "volume"},
                       {"TagSpecification.1.Tag.1.Key", "a"}})
                  .message,
              HasSubstr("'volume' is not a valid taggable resource type for this operation."));
  EXPECT_EQ(refused({{"TagSpecification.1.ResourceType", "instance"}}).message,
            "Tag specification must have at least one tag");
  EXPECT_EQ(refused({{"TagSpecification.1.Tag.1.Key", "a"}}).message,
            "Tag specification resource type must have a value");
  EXPECT_EQ(refused({{"TagSpecification.1.ResourceType", "instance"},
                     {"TagSpecification.1.Tag.1.Key", "a"},
                     {"TagSpecification.1.Tag.2.Key", "a"}})
                .message,
            "Duplicate tag key 'a' specified.");
}

TEST(RunInstances, UserDataThatIsNotBase64IsMalformed) {
  EXPECT_EQ(refused({{"UserData", "#!/bin/sh"}}).code, "InvalidUserData.Malformed");
}

TEST(RunInstances, ALaunchTemplateMayGiveTheImage) {
  auto const r = parsed_as<core::RunInstances>(
      Action::run_instances, call_of("RunInstances", {{"MinCount", "1"},
                                                      {"MaxCount", "1"},
                                                      {"DisableApiStop", "false"},
                                                      {"LaunchTemplate.LaunchTemplateId", "lt-1"},
                                                      {"LaunchTemplate.LaunchTemplateName", "web"},
                                                      {"LaunchTemplate.Version", "$Latest"}}));
  ASSERT_TRUE(r.launch_template);
  EXPECT_EQ(r.launch_template->of.id, "lt-1");
  EXPECT_EQ(r.launch_template->of.name, "web");
  EXPECT_EQ(r.launch_template->version, "$Latest");
  EXPECT_EQ(r.image_id, "");
  EXPECT_EQ(r.disable_api_stop, false);
}

TEST(RunInstances, AMissingImageIsNamed) {
  Ec2Result<Parsed> const out = parsed(
      Action::run_instances, call_of("RunInstances", {{"MinCount", "1"}, {"MaxCount", "1"}}));
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, "MissingParameter");
  EXPECT_THAT(out.error().message, HasSubstr("ImageId"));
}

TEST(RunInstances, TheDigestOfATokenIsOverWhatIsAskedForAndNothingElse) {
  std::string const digest = run({{"ClientToken", "t"}, {"KeyName", "a"}}).parameters_digest;
  // Another token, order, signature, time or DryRun: the same request.
  EXPECT_EQ(run({{"KeyName", "a"}, {"ClientToken", "u"}}).parameters_digest, digest);
  EXPECT_EQ(run({{"ClientToken", "t"},
                 {"KeyName", "a"},
                 {"DryRun", "true"},
                 {"X-Amz-Date", "20260102T030405Z"},
                 {"X-Amz-Signature", "00"}})
                .parameters_digest,
            digest);
  // Another value, one more or one less: another request.
  EXPECT_NE(run({{"ClientToken", "t"}, {"KeyName", "b"}}).parameters_digest, digest);
  EXPECT_NE(run({{"ClientToken", "t"}}).parameters_digest, digest);
  EXPECT_NE(
      run({{"ClientToken", "t"}, {"KeyName", "a"}, {"EbsOptimized", "true"}}).parameters_digest,
      digest);
}

TEST(RunInstances, TheDigestDoesNotConfuseNamesWithValues) {
  Pairs const one = {{"A", "1=1:2\n"}};
  Pairs const other = {{"A", "1"}, {"1:2", ""}};
  auto digest = [](Pairs const& tags) {
    Pairs pairs = {{"ClientToken", "t"}, {"TagSpecification.1.ResourceType", "instance"}};
    int n = 0;
    for (auto const& [key, value] : tags) {
      std::string const at = "TagSpecification.1.Tag." + std::to_string(++n);
      pairs.push_back({at + ".Key", key});
      pairs.push_back({at + ".Value", value});
    }
    return run(pairs).parameters_digest;
  };
  EXPECT_NE(digest(one), digest(other));
}

}  // namespace
}  // namespace berth::ec2
