#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/ec2/wire/codec.h"

namespace berth::ec2::wire {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

TEST(Write, a_success_document_in_full) {
  TerminateInstancesResult const result{
      .terminating_instances = {
          InstanceStateChange{.current_state = InstanceState{.code = 32, .name = "shutting-down"},
                              .instance_id = "i-1",
                              .previous_state = InstanceState{.code = 16, .name = "running"}}}};
  EXPECT_EQ(render(Action::terminate_instances, result, "req-1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<TerminateInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
            "<requestId>req-1</requestId><instancesSet><item>"
            "<currentState><code>32</code><name>shutting-down</name></currentState>"
            "<instanceId>i-1</instanceId>"
            "<previousState><code>16</code><name>running</name></previousState>"
            "</item></instancesSet></TerminateInstancesResponse>");
}

TEST(Write, lists_of_a_result_are_always_there) {
  EXPECT_THAT(render(Action::describe_instances, DescribeInstancesResult{}, "r"),
              HasSubstr("<requestId>r</requestId><reservationSet/></DescribeInstancesResponse>"));
  EXPECT_THAT(render(Action::describe_key_pairs, DescribeKeyPairsResult{}, "r"),
              HasSubstr("<keySet/>"));
}

TEST(Write, nested_empty_lists_are_left_out_but_for_the_quirks) {
  DescribeInstancesResult const result{
      .reservations = {Reservation{.instances = {Instance{.instance_id = "i-1"}}}}};
  std::string const xml = render(Action::describe_instances, result, "r");
  EXPECT_THAT(xml, Not(HasSubstr("tagSet")));
  EXPECT_THAT(xml, HasSubstr("<networkInterfaceSet/>"));
  EXPECT_THAT(xml, HasSubstr("<groupSet/>"));
  EXPECT_THAT(xml, HasSubstr("<blockDeviceMapping/>"));
}

TEST(Write, an_untagged_key_pair_has_no_tag_set) {
  EXPECT_THAT(render(Action::create_key_pair, CreateKeyPairResult{.key_name = "k"}, "r"),
              Not(HasSubstr("tagSet")));
}

TEST(Write, one_instance_attribute_is_answered_alone) {
  DescribeInstanceAttributeResult const result{
      .disable_api_termination = AttributeBooleanValue{.value = true}, .instance_id = "i-1"};
  EXPECT_THAT(render(Action::describe_instance_attribute, result, "r"),
              HasSubstr("<requestId>r</requestId><disableApiTermination><value>true</value>"
                        "</disableApiTermination><instanceId>i-1</instanceId>"
                        "</DescribeInstanceAttributeResponse>"));
}

TEST(Write, actions_without_a_result_say_return_true) {
  EXPECT_THAT(render(Action::delete_key_pair, DeleteKeyPairResult{}, "r"),
              HasSubstr("<requestId>r</requestId><return>true</return></DeleteKeyPairResponse>"));
}

TEST(Write, times_have_milliseconds_and_z_and_numbers_are_decimal) {
  DescribeInstancesResult const result{
      .reservations = {Reservation{
          .instances = {Instance{.ami_launch_index = 0, .launch_time = WallTime{1767323045678}}}}}};
  std::string const xml = render(Action::describe_instances, result, "r");
  EXPECT_THAT(xml, HasSubstr("<launchTime>2026-01-02T03:04:05.678Z</launchTime>"));
  EXPECT_THAT(xml, HasSubstr("<amiLaunchIndex>0</amiLaunchIndex>"));
  DescribeInstanceTypesResult const types{
      .instance_types = {
          InstanceTypeInfo{.processor_info = ProcessorInfo{.sustained_clock_speed_in_ghz = 2.5}}}};
  EXPECT_THAT(render(Action::describe_instance_types, types, "r"),
              HasSubstr("<sustainedClockSpeedInGhz>2.5</sustainedClockSpeedInGhz>"));
}

TEST(Write, an_empty_text_is_an_empty_element_and_a_structure_without_members_too) {
  DescribeTagsResult const result{.tags = {TagDescription{.key = "k", .value = ""}}};
  EXPECT_THAT(render(Action::describe_tags, result, "r"),
              HasSubstr("<key>k</key><value></value></item>"));
}

TEST(Write, markup_is_escaped_and_text_xml_cannot_hold_is_replaced) {
  EXPECT_EQ(escaped("a<b>&\"'c"), "a&lt;b&gt;&amp;\"'c");
  EXPECT_EQ(escaped("line\r\n\ttab"), "line&#13;\n\ttab");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1f\x7f", 4)),
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x7f");
  EXPECT_EQ(escaped("\xC3\xA9\xF0\x9F\x90\xA2"), "\xC3\xA9\xF0\x9F\x90\xA2");
  EXPECT_EQ(escaped("\xC3<\xED\xA0\x80"), "\xEF\xBF\xBD&lt;\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xEF\xBF\xBE\xEF\xBF\xBF"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Write, the_ec2_error_is_bare_with_code_before_message) {
  Ec2Error const error{"InvalidInstanceID.NotFound", 400, "The instance ID 'i-<1>' does not exist"};
  EXPECT_EQ(render_error(error, "req"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code>"
            "<Message>The instance ID 'i-&lt;1&gt;' does not exist</Message></Error></Errors>"
            "<RequestID>req</RequestID></Response>");
}

TEST(Write, the_sts_documents_have_the_other_envelope) {
  sts::GetCallerIdentityResult const result{.user_id = "123456789012",
                                            .account = "123456789012",
                                            .arn = "arn:aws:iam::123456789012:root"};
  EXPECT_EQ(render(Action::get_caller_identity, result, "req"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
            "<GetCallerIdentityResult><UserId>123456789012</UserId><Account>123456789012</Account>"
            "<Arn>arn:aws:iam::123456789012:root</Arn></GetCallerIdentityResult>"
            "<ResponseMetadata><RequestId>req</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>");
  EXPECT_EQ(render_error({"ExpiredToken", 403, "no"}, "req", Service::sts),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
            "<Type>Sender</Type><Code>ExpiredToken</Code><Message>no</Message></Error>"
            "<RequestId>req</RequestId></ErrorResponse>");
  EXPECT_THAT(render_error({"InternalError", 500, "no"}, "req", Service::sts),
              HasSubstr("<Type>Receiver</Type>"));
}

TEST(WriteDeathTest, a_result_of_another_action_is_a_broken_invariant) {
  EXPECT_DEATH(static_cast<void>(render(Action::run_instances, DescribeInstancesResult{}, "r")),
               "invariant");
}

}  // namespace
}  // namespace berth::ec2::wire
