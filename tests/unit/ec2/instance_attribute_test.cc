#include <gmock/gmock.h>

#include "tests/unit/ec2/support.h"

namespace berth::ec2 {
namespace {

using wire::Action;

constexpr char kId[] = "i-0123456789abcdef0";

Pairs with(Pairs more) {
  more.insert(more.begin(), {"InstanceId", kId});
  return call_of("ModifyInstanceAttribute", std::move(more));
}
core::ModifyInstance modify(Pairs more) {
  return parsed_as<core::ModifyInstance>(Action::modify_instance_attribute, with(std::move(more)));
}
Ec2Error refused(Pairs more) {
  Ec2Result<Parsed> const out = parsed(Action::modify_instance_attribute, with(std::move(more)));
  return out ? Ec2Error{"Success", 200, ""} : out.error();
}

TEST(ModifyInstanceAttribute, BothFormsSayTheSame) {
  EXPECT_EQ(modify({{"DisableApiTermination.Value", "true"}}).disable_api_termination, true);
  EXPECT_EQ(
      modify({{"Attribute", "disableApiTermination"}, {"Value", "True"}}).disable_api_termination,
      true);
  EXPECT_EQ(modify({{"DisableApiStop.Value", "false"}}).disable_api_stop, false);
  EXPECT_EQ(modify({{"Attribute", "disableApiStop"}, {"Value", "false"}}).disable_api_stop, false);
  EXPECT_EQ(modify({{"EbsOptimized.Value", "true"}}).ebs_optimized, true);
  EXPECT_EQ(modify({{"Attribute", "ebsOptimized"}, {"Value", "true"}}).ebs_optimized, true);
  EXPECT_EQ(modify({{"InstanceInitiatedShutdownBehavior.Value", "terminate"}}).shutdown_behavior,
            ShutdownBehavior::terminate);
  EXPECT_EQ(modify({{"Attribute", "instanceInitiatedShutdownBehavior"}, {"Value", "stop"}})
                .shutdown_behavior,
            ShutdownBehavior::stop);
  EXPECT_EQ(modify({{"InstanceType.Value", "m5.large"}}).type, "m5.large");
  EXPECT_EQ(modify({{"Attribute", "instanceType"}, {"Value", "m5.large"}}).type, "m5.large");
  EXPECT_EQ(modify({{"UserData.Value", base64("x")}}).user_data, "x");
  EXPECT_EQ(modify({{"Attribute", "userData"}, {"Value", base64("x")}}).user_data, "x");
}

TEST(ModifyInstanceAttribute, AnEmptyUserDataClearsIt) {
  EXPECT_EQ(modify({{"UserData.Value", ""}}).user_data, "");
}

TEST(ModifyInstanceAttribute, OneAttributeACall) {
  EXPECT_EQ(refused({}).code, "InvalidParameterCombination");
  EXPECT_EQ(refused({{"EbsOptimized.Value", "true"}, {"InstanceType.Value", "m5.large"}}).message,
            "Fields for multiple attribute types specified");
}

TEST(ModifyInstanceAttribute, WhatCannotBeChangedIsRefusedByName) {
  for (Pairs const& pairs :
       {Pairs{{"GroupId.1", "sg-1"}}, Pairs{{"EnaSupport.Value", "true"}},
        Pairs{{"SriovNetSupport.Value", "simple"}}, Pairs{{"Kernel.Value", "aki-1"}},
        Pairs{{"Ramdisk.Value", "ari-1"}}, Pairs{{"SourceDestCheck.Value", "false"}},
        Pairs{{"Attribute", "sourceDestCheck"}, {"Value", "false"}},
        Pairs{{"Attribute", "kernel"}, {"Value", "aki-1"}},
        Pairs{{"BlockDeviceMapping.1.DeviceName", "/dev/sda1"},
              {"BlockDeviceMapping.1.Ebs.DeleteOnTermination", "false"}}}) {
    EXPECT_EQ(refused(pairs).code, "UnsupportedOperation") << form(pairs);
  }
  EXPECT_EQ(refused({{"Attribute", "ebsOptimized"}, {"Value", "perhaps"}}).code,
            "InvalidParameterValue");
  EXPECT_EQ(refused({{"Attribute", "instanceInitiatedShutdownBehavior"}, {"Value", "x"}}).code,
            "InvalidParameterValue");
}

TEST(ModifyInstanceAttribute, TurningOnTheSourceCheckThatIsAlwaysOnOnlyLooksTheInstanceUp) {
  auto const call = parsed_as<core::DescribeInstance>(Action::modify_instance_attribute,
                                                      with({{"SourceDestCheck.Value", "true"}}));
  EXPECT_EQ(call.id, kId);
}

TEST(DescribeInstanceAttribute, TheAttributeAskedForIsRemembered) {
  Ec2Result<Parsed> const out = parsed(
      Action::describe_instance_attribute,
      call_of("DescribeInstanceAttribute", {{"InstanceId", kId}, {"Attribute", "userData"}}));
  ASSERT_TRUE(out);
  EXPECT_EQ(std::get<core::DescribeInstance>(out->action).id, kId);
  EXPECT_EQ(out->echo.attribute, "userData");
}

}  // namespace
}  // namespace berth::ec2
