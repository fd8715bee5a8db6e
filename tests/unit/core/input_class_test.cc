// What is urgent: the rule that no class may borrow another's place by a detail of the request.

#include "daemon/core/input_class.h"

#include <gtest/gtest.h>

namespace berth::core {
namespace {

InputClass of(ApiAction action) {
  return input_class(ApiCall{.action = std::move(action)});
}
InputClass of(AdminAction action) {
  return input_class(AdminCall{.action = std::move(action)});
}

TEST(InputClass, HeartbeatsAreAloneAtTheTop) {
  EXPECT_EQ(input_class(AgentHeartbeat{}), InputClass::lease);
}

TEST(InputClass, WhatAnAgentSaysOfOneHostSharesALaneSoThatItStaysInOrder) {
  EXPECT_EQ(input_class(AgentHello{}), InputClass::operation);
  EXPECT_EQ(input_class(AgentReport{}), InputClass::operation);
  EXPECT_EQ(input_class(AgentGone{}), InputClass::operation);
}

TEST(InputClass, ADescribeWithoutIdsIsAListAndWithIdsARead) {
  EXPECT_EQ(of(DescribeInstances{}), InputClass::list);
  EXPECT_EQ(of(DescribeInstances{.ids = {"i-1"}}), InputClass::read);
  EXPECT_EQ(of(DescribeInstances{.filters = {{"instance-state-name", {"running"}}}}),
            InputClass::list);
  EXPECT_EQ(of(DescribeInstanceStatus{}), InputClass::list);
  EXPECT_EQ(of(DescribeInstanceStatus{.ids = {"i-1"}}), InputClass::read);
  EXPECT_EQ(of(DescribeImages{}), InputClass::list);
  EXPECT_EQ(of(DescribeImages{.ids = {"ami-1"}}), InputClass::read);
  EXPECT_EQ(of(DescribeKeyPairs{}), InputClass::list);
  EXPECT_EQ(of(DescribeKeyPairs{.names = {"k"}}), InputClass::read);
  EXPECT_EQ(of(DescribeTags{}), InputClass::list);
  EXPECT_EQ(of(DescribeRegions{}), InputClass::read);
  EXPECT_EQ(of(GetCallerIdentity{}), InputClass::read);
}

TEST(InputClass, ATenantsChangeIsAMutationDryOrNot) {
  EXPECT_EQ(of(RunInstances{}), InputClass::mutation);
  EXPECT_EQ(of(TerminateInstances{}), InputClass::mutation);
  EXPECT_EQ(of(CreateTags{}), InputClass::mutation);
  EXPECT_EQ(input_class(ApiCall{.dry_run = true, .action = RunInstances{}}), InputClass::mutation);
}

TEST(InputClass, AnOperatorAtWorkGoesBeforeTenantsButTheirListsDoNot) {
  EXPECT_EQ(of(SetTenant{}), InputClass::operation);
  EXPECT_EQ(of(CordonHost{}), InputClass::operation);
  EXPECT_EQ(of(ShowHost{}), InputClass::operation);
  EXPECT_EQ(of(ListInstances{}), InputClass::list);
  EXPECT_EQ(of(ListHosts{}), InputClass::list);
}

TEST(InputClass, WhatAnybodyCanCauseIsLast) {
  EXPECT_EQ(input_class(AuthenticationRefused{}), InputClass::list);
}

}  // namespace
}  // namespace berth::core
