#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/ec2/wire/codec.h"

namespace berth::ec2::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

template <class Request>
Ec2Result<Request> parsed(std::string_view query) {
  auto const parameters = parse_pairs(query);
  EXPECT_TRUE(parameters);
  return read<Request>(*parameters);
}

template <class Request>
Ec2Error refused(std::string_view query) {
  auto const result = parsed<Request>(query);
  return result ? Ec2Error{"accepted", 200, ""} : result.error();
}

TEST(Read, run_instances_as_terraform_sends_it) {
  auto const request = parsed<RunInstancesRequest>(
      "Action=RunInstances&Version=2016-11-15&ClientToken=terraform-1&DisableApiTermination=false&"
      "EbsOptimized=false&ImageId=ami-0123456789abcdef0&InstanceType=t3.micro&MaxCount=1&MinCount="
      "1&"
      "Monitoring.Enabled=false&HibernationOptions.Configured=false&Placement.AvailabilityZone=&"
      "CreditSpecification.CpuCredits=unlimited&"
      "BlockDeviceMapping.1.DeviceName=%2Fdev%2Fsda1&BlockDeviceMapping.1.Ebs.VolumeSize=20&"
      "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&"
      "TagSpecification.1.Tag.1.Value=web");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(request->client_token, Optional(std::string("terraform-1")));
  EXPECT_THAT(request->disable_api_termination, Optional(false));
  EXPECT_THAT(request->max_count, Optional(1));
  EXPECT_EQ(request->placement, std::nullopt);  // its only value was empty
  ASSERT_EQ(request->block_device_mappings.size(), 1U);
  EXPECT_EQ(
      request->block_device_mappings[0],
      (BlockDeviceMapping{.device_name = "/dev/sda1", .ebs = EbsBlockDevice{.volume_size = 20}}));
  EXPECT_THAT(request->tag_specifications,
              ElementsAre(TagSpecification{.resource_type = "instance",
                                           .tags = {Tag{.key = "Name", .value = "web"}}}));
}

TEST(Read, lists_are_in_the_numeric_order_of_their_indices_whatever_the_gaps) {
  auto const request = parsed<TerminateInstancesRequest>(
      "InstanceId.10=c&InstanceId.2=b&InstanceId.100000=d&InstanceId.0=a");
  ASSERT_TRUE(request);
  EXPECT_THAT(request->instance_ids, ElementsAre("a", "b", "c", "d"));
}

TEST(Read, a_required_list_may_be_empty_and_the_table_names_it) {
  auto const request = parsed<TerminateInstancesRequest>("Action=TerminateInstances");
  ASSERT_TRUE(request);
  EXPECT_THAT(request->instance_ids, IsEmpty());
  EXPECT_THAT(info(Action::terminate_instances).required_lists, ElementsAre("InstanceId"));
}

TEST(Read, libclouds_indices_from_zero_and_lists_without_an_index) {
  auto const tags =
      parsed<CreateTagsRequest>("ResourceId.0=i-1&Tag.0.Key=a&Tag.0.Value=&Tag.1.Key=b");
  ASSERT_TRUE(tags);
  EXPECT_THAT(tags->resources, ElementsAre("i-1"));
  EXPECT_THAT(tags->tags, ElementsAre(Tag{.key = "a", .value = ""}, Tag{.key = "b"}));
  auto const keys = parsed<DescribeKeyPairsRequest>("KeyName=mine");
  ASSERT_TRUE(keys);
  EXPECT_THAT(keys->key_names, ElementsAre("mine"));
  EXPECT_EQ(refused<DescribeKeyPairsRequest>("KeyName=a&KeyName.0=b").code,
            "InvalidQueryParameter");
  EXPECT_EQ(refused<DescribeKeyPairsRequest>("Filter=a").code, "UnknownParameter");
}

TEST(Read, filters_may_have_no_value_or_an_empty_one) {
  auto const request = parsed<DescribeInstancesRequest>(
      "Filter.1.Name=tag-key&Filter.2.Name=tag%3AName&Filter.2.Value.1=");
  ASSERT_TRUE(request);
  EXPECT_THAT(request->filters,
              ElementsAre(Filter{.name = "tag-key"}, Filter{.name = "tag:Name", .values = {""}}));
}

TEST(Read, both_forms_of_modify_instance_attribute) {
  auto const newer = parsed<ModifyInstanceAttributeRequest>(
      "InstanceId=i-1&DisableApiTermination.Value=TRUE&GroupId.1=sg-1&UserData.Value=aGk%3D");
  ASSERT_TRUE(newer) << newer.error().message;
  EXPECT_EQ(newer->disable_api_termination, AttributeBooleanValue{.value = true});
  EXPECT_THAT(newer->groups, ElementsAre("sg-1"));
  EXPECT_EQ(newer->user_data, BlobAttributeValue{.value = "hi"});
  auto const older = parsed<ModifyInstanceAttributeRequest>(
      "InstanceId=i-1&Attribute=disableApiTermination&Value=true");
  ASSERT_TRUE(older);
  EXPECT_THAT(older->attribute, Optional(std::string("disableApiTermination")));
  EXPECT_THAT(older->value, Optional(std::string("true")));
}

TEST(Read, an_empty_value_is_absent_unless_a_quirk_says_otherwise) {
  auto const request = parsed<RunInstancesRequest>(
      "MinCount=1&MaxCount=1&SubnetId=&IamInstanceProfile.Name=&BlockDeviceMapping.1.NoDevice=&"
      "SecurityGroupId.1=");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->subnet_id, std::nullopt);
  EXPECT_EQ(request->iam_instance_profile, std::nullopt);
  EXPECT_THAT(request->security_group_ids, IsEmpty());
  EXPECT_THAT(request->block_device_mappings, ElementsAre(BlockDeviceMapping{.no_device = ""}));
}

TEST(Read, an_empty_required_value_is_missing) {
  Ec2Error const error = refused<RunInstancesRequest>("MinCount=&MaxCount=1");
  EXPECT_EQ(error,
            (Ec2Error{"MissingParameter", 400, "The request must contain the parameter MinCount"}));
}

TEST(Read, a_missing_nested_parameter_is_named_in_full) {
  EXPECT_EQ(
      refused<RunInstancesRequest>("MinCount=1&MaxCount=1&ElasticGpuSpecification.3.Type=").code,
      "accepted");
  EXPECT_EQ(refused<RunInstancesRequest>("MinCount=1&MaxCount=1&"
                                         "LaunchTemplate.Version=1&Monitoring.Enabled=")
                .code,
            "accepted");
  auto const parameters = parse_pairs("InstanceId=i-1");
  EXPECT_EQ(read<DescribeInstanceAttributeRequest>(*parameters).error().message,
            "The request must contain the parameter Attribute");
}

TEST(Read, unknown_parameters_are_refused_by_name) {
  for (std::string_view const query :
       {"Spam=1", "InstanceId.1.x=1", "InstanceId.x=1", "InstanceId.01=1", "InstanceId.-1=1",
        "InstanceId.100001=1", "InstanceId.9999999=1", "InstanceId.=1", "InstanceId.member.1=1",
        "instanceId.1=1", "Filter.1=1", "Filter.Name=x", "Filter.1.Name.x=1", "Filter.1.=1",
        "MaxResults.1=5", ".=1", "Filter..Name=1", "X-Amz-=1"}) {
    EXPECT_EQ(refused<DescribeInstancesRequest>(query).code, "UnknownParameter") << query;
  }
  EXPECT_EQ(refused<DescribeInstancesRequest>("Spam.1=x").message,
            "The parameter Spam.1 is not recognized");
}

TEST(Read, parameters_of_the_protocol_are_not_unknown) {
  EXPECT_EQ(refused<DescribeInstancesRequest>(
                "Action=DescribeInstances&Version=2016-11-15&AWSAccessKeyId=A&Signature=s&"
                "SignatureMethod=m&SignatureVersion=2&Timestamp=t&Expires=e&SecurityToken=x&"
                "X-Amz-Date=20260102T030405Z&X-AMZ-CREDENTIAL=c")
                .code,
            "accepted");
}

TEST(Read, parameters_newer_than_the_model_are_tolerated_where_a_quirk_says_so) {
  EXPECT_EQ(refused<TerminateInstancesRequest>("InstanceId.1=i&SkipOsShutdown=false").code,
            "accepted");
  EXPECT_EQ(refused<RebootInstancesRequest>("InstanceId.1=i&SkipOsShutdown=false").code,
            "UnknownParameter");
}

TEST(Read, integers_are_decimal_and_in_range) {
  for (std::string_view const value : {"abc", "1x", "0x10", "1.0", "%201", "1e3", "%2B1",
                                       "99999999999999999999", "2147483648", "-2147483649"}) {
    Ec2Error const error =
        refused<RunInstancesRequest>("MinCount=1&MaxCount=" + std::string(value));
    EXPECT_EQ(error.code, "InvalidParameterValue") << value;
    EXPECT_THAT(error.message, HasSubstr("for parameter MaxCount is invalid"));
  }
  EXPECT_EQ(refused<RunInstancesRequest>("MinCount=1&MaxCount=2147483647").code, "accepted");
}

TEST(Read, the_models_own_limits_hold) {
  EXPECT_EQ(refused<DescribeInstanceTypesRequest>("MaxResults=4").message,
            "Value (4) for parameter MaxResults is invalid. "
            "Expecting a value greater than or equal to 5");
  EXPECT_EQ(refused<DescribeInstanceTypesRequest>("MaxResults=5").code, "accepted");
  EXPECT_EQ(refused<DescribeInstanceTypesRequest>("MaxResults=100").code, "accepted");
  EXPECT_EQ(refused<DescribeInstanceTypesRequest>("MaxResults=101").code, "InvalidParameterValue");
  std::string types = "InstanceType.1=a.b";
  for (int i = 2; i <= 100; ++i) types += "&InstanceType." + std::to_string(i) + "=a.b";
  EXPECT_EQ(refused<DescribeInstanceTypesRequest>(types).code, "accepted");
  EXPECT_EQ(refused<DescribeInstanceTypesRequest>(types + "&InstanceType.101=a.b").message,
            "Expecting at most 100 values of InstanceType, found 101");
}

TEST(Read, booleans_are_true_or_false_in_any_case) {
  EXPECT_THAT(parsed<DescribeInstancesRequest>("DryRun=True")->dry_run, Optional(true));
  EXPECT_THAT(parsed<DescribeInstancesRequest>("DryRun=FALSE")->dry_run, Optional(false));
  for (std::string_view const value : {"1", "yes", "t", "truee"}) {
    EXPECT_EQ(refused<DescribeInstancesRequest>("DryRun=" + std::string(value)).code,
              "InvalidParameterValue");
  }
}

TEST(Read, enumerations_name_the_values_they_expect_and_open_ones_pass) {
  Ec2Error const error =
      refused<RunInstancesRequest>("MinCount=1&MaxCount=1&Placement.Tenancy=mine");
  EXPECT_EQ(error.message,
            "Value (mine) for parameter Placement.Tenancy is invalid. "
            "Expecting one of: default, dedicated, host");
  EXPECT_EQ(refused<RunInstancesRequest>("MinCount=1&MaxCount=1&InstanceType=berth.small").code,
            "accepted");
}

TEST(Read, blobs_are_base64_and_never_repeated_in_an_error) {
  auto const request = parsed<ImportKeyPairRequest>("KeyName=k&PublicKeyMaterial=c3NoLXJzYSBB");
  ASSERT_TRUE(request);
  EXPECT_THAT(request->public_key_material, Optional(std::string("ssh-rsa A")));
  Ec2Error const error = refused<ImportKeyPairRequest>("KeyName=k&PublicKeyMaterial=secret!");
  EXPECT_EQ(error.code, "InvalidParameterValue");
  EXPECT_THAT(error.message, Not(HasSubstr("secret")));
}

TEST(Read, times_are_iso_8601_in_utc) {
  std::string const base = "MinCount=1&MaxCount=1&InstanceMarketOptions.SpotOptions.ValidUntil=";
  auto valid_until = [&](std::string const& text) {
    auto const request = parsed<RunInstancesRequest>(base + text);
    if (!request) return std::int64_t{-1};
    return request->instance_market_options->spot_options->valid_until->ms;
  };
  EXPECT_EQ(valid_until("2026-01-02T03:04:05Z"), 1767323045000);
  EXPECT_EQ(valid_until("2026-01-02T03:04:05.678901Z"), 1767323045678);
  EXPECT_EQ(valid_until("2026-01-02T03:04:05.6Z"), 1767323045600);
  for (char const* const wrong :
       {"2026-01-02", "2026-02-30T00:00:00Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05%2B01:00Z", "20260102T030405Z", "2026-01-02%2003:04:05Z"}) {
    EXPECT_EQ(valid_until(wrong), -1) << wrong;
  }
}

TEST(Read, long_values_are_cut_in_errors) {
  Ec2Error const error =
      refused<RunInstancesRequest>("MinCount=1&MaxCount=" + std::string(100'000, '9'));
  EXPECT_LT(error.message.size(), 300U);
}

TEST(Read, a_parameter_given_twice_is_refused_even_without_parse_query) {
  EXPECT_EQ(refused<DescribeInstancesRequest>("MaxResults=5&MaxResults=6").code,
            "InvalidQueryParameter");
}

Ec2Result<Action> identified(std::string_view query, Service service) {
  auto const parameters = parse_pairs(query);
  return identify(*parameters, service);
}

TEST(Identify, finds_the_action_of_the_service_that_was_signed_for) {
  auto const run = identified("Action=RunInstances&Version=2016-11-15", Service::ec2);
  ASSERT_TRUE(run);
  EXPECT_EQ(*run, Action::run_instances);
  auto const who = identified("Action=GetCallerIdentity&Version=2011-06-15", Service::sts);
  ASSERT_TRUE(who);
  EXPECT_EQ(*who, Action::get_caller_identity);
  EXPECT_EQ(identified("Action=GetCallerIdentity&Version=2016-11-15", Service::ec2).error().code,
            "InvalidAction");
  EXPECT_EQ(identified("Action=RunInstances&Version=2016-11-15", Service::sts).error().code,
            "NoSuchVersion");
}

TEST(Identify, says_what_is_missing_or_wrong) {
  EXPECT_EQ(identified("Version=2016-11-15", Service::ec2).error().code, "MissingAction");
  EXPECT_EQ(identified("Action=RunInstances", Service::ec2).error().message,
            "The request must contain the parameter Version");
  EXPECT_EQ(identified("Action=RunInstances&Version=2010-01-01", Service::ec2).error().code,
            "NoSuchVersion");
  EXPECT_EQ(identified("Action=Dance&Version=2016-11-15", Service::ec2).error().message,
            "The action Dance is not valid for this web service.");
}

TEST(Identify, chooses_the_envelope_by_version) {
  EXPECT_EQ(service_of(*parse_pairs("Version=2011-06-15")), Service::sts);
  EXPECT_EQ(service_of(*parse_pairs("Version=2016-11-15")), Service::ec2);
  EXPECT_EQ(service_of({}), Service::ec2);
}

}  // namespace
}  // namespace berth::ec2::wire
