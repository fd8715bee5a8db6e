// Client tokens, and how long what has ended is kept.

#include <gtest/gtest.h>

#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using testing::TestRegion;

class TokenTest : public ::testing::Test {
 protected:
  void SetUp() override { region.host_comes(); }
  void end(InstanceId const& id) {
    ASSERT_TRUE(region.call(TerminateInstances{{id.value}}));
    ASSERT_TRUE(region.report({region.line(id, Seen::absent)}));
  }
  void pass(Duration d) {
    region.pass(d);
    ASSERT_TRUE(region.tell(Tick{}));
  }

  TestRegion region;
};

TEST_F(TokenTest, TheSameTokenIsTheSameInstance) {
  InstanceId const id = region.launch("t");
  EXPECT_EQ(region.launch("t"), id);
  EXPECT_EQ(region.state.instances.size(), 1U);
}

TEST_F(TokenTest, ATokenDoesNotExpireWhileItsInstanceLives) {
  InstanceId const id = region.launch("t");
  pass(hours(1'000));
  EXPECT_EQ(region.launch("t"), id);
}

TEST_F(TokenTest, ATokenIsKeptForItsRetentionAfterTheEndAndNoLonger) {
  end(region.launch("t"));
  pass(region.policy.client_token_retention - milliseconds(1));
  EXPECT_EQ(region.state.tokens.size(), 1U);
  pass(milliseconds(1));
  EXPECT_TRUE(region.state.tokens.empty());
}

TEST_F(TokenTest, ATerminatedInstanceIsListedForItsRetentionAndNoLonger) {
  InstanceId const id = region.launch();
  end(id);
  pass(region.policy.terminated_retention - milliseconds(1));
  EXPECT_TRUE(region.state.instances.contains(id));
  pass(milliseconds(1));
  EXPECT_FALSE(region.state.instances.contains(id));
}

TEST_F(TokenTest, ATokenWhoseInstanceIsGoneFromTheListStillLaunchesNothing) {
  end(region.launch("t"));
  pass(region.policy.terminated_retention);
  ASSERT_TRUE(region.state.instances.empty());
  Result<Reply> const again = region.call(RunInstances{.image_id = region.image.value,
                                                       .type = "t3.nano",
                                                       .client_token = "t",
                                                       .parameters_digest = "p"});
  ASSERT_TRUE(again);
  EXPECT_TRUE(std::get<Launched>(*again).reservation.instances.empty());
  EXPECT_TRUE(region.state.instances.empty());
}

}  // namespace
}  // namespace berth::core
