// Another type for a stopped instance: what is checked when, and what its host is told.

#include <gtest/gtest.h>

#include <tuple>

#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using testing::TestRegion;

class ModifyTypeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    region.host_comes();
    // The host has 4 CPUs and 16 GiB, of which some is the system's.
    for (auto const& [name, vcpus, gib] :
         {std::tuple{"t3.large", 4, 8}, {"m5.huge", 64, 8}, {"r5.huge", 2, 64}}) {
      absorb(region.state,
             PutInstanceType{InstanceType{
                 .name = TypeName(name), .vcpus = vcpus, .memory = Mebibytes(gib * 1'024)}});
    }
    id = region.launch();
    ASSERT_TRUE(region.report({region.line(id, Seen::running)}));
  }
  void stop() {
    ASSERT_TRUE(region.call(StopInstances{{id.value}}));
    ASSERT_TRUE(region.report({region.line(id, Seen::stopped)}));
    ASSERT_EQ(region.state_of(id), InstanceState::stopped);
  }
  Result<Reply> become(std::string type) {
    return region.call(ModifyInstance{.id = id.value, .type = std::move(type)});
  }
  Instance const& instance() { return region.state.instances.at(id); }
  static std::string refusal(Result<Reply> const& reply) {
    return reply ? "success" : std::string(name(reply.error().code)) + " " + reply.error().subject;
  }

  TestRegion region;
  InstanceId id{"none"};
};

TEST_F(ModifyTypeTest, TheNextStartHasTheNewTypesShapeAndItsHostIsTold) {
  stop();
  Generation const before = region.state.derived.spec_generation.at(region.host);
  ASSERT_TRUE(become("t3.large"));
  EXPECT_GT(region.state.derived.spec_generation.at(region.host), before);
  InstanceSpec const spec = host_spec(region.state, region.host).instances.at(0);
  EXPECT_EQ(spec.power, Power::stopped);
  EXPECT_EQ(spec.vcpus, 4);
  EXPECT_EQ(spec.memory, Mebibytes(8 * 1'024));
  EXPECT_EQ(spec.type, "t3.large");
  EXPECT_FALSE(instance().is_cpu_dedicated);
  EXPECT_EQ(region.used().vcpus, 0) << "a stopped instance holds no CPU, of whatever type";

  ASSERT_TRUE(region.call(StartInstances{{id.value}}));
  EXPECT_EQ(region.used().vcpus, 4);
  EXPECT_EQ(region.used().memory, Mebibytes(8 * 1'024));
  EXPECT_EQ(host_spec(region.state, region.host).instances.at(0).power, Power::running);
}

TEST_F(ModifyTypeTest, CpusOfItsOwnComeAndGoWithTheType) {
  stop();
  absorb(region.state, PutInstanceType{InstanceType{.name = TypeName("c5.own"),
                                                    .vcpus = 2,
                                                    .memory = Mebibytes(512),
                                                    .is_cpu_dedicated = true}});
  ASSERT_TRUE(become("c5.own"));
  EXPECT_TRUE(instance().is_cpu_dedicated);
  ASSERT_TRUE(become("t3.nano"));
  EXPECT_FALSE(instance().is_cpu_dedicated);
}

TEST_F(ModifyTypeTest, OnlyAStoppedInstanceCanBecomeOfAnotherType) {
  EXPECT_EQ(refusal(become("t3.large")), "conflict instance-state");
  ASSERT_TRUE(region.call(StopInstances{{id.value}}));
  EXPECT_EQ(refusal(become("t3.large")), "conflict instance-state") << "it is still stopping";
  EXPECT_EQ(instance().type.value, "t3.nano");
}

TEST_F(ModifyTypeTest, ATypeThatIsNotSoldIsRefused) {
  stop();
  EXPECT_EQ(refusal(become("x9.huge")), "invalid instance-attribute");
  EXPECT_EQ(refusal(become("")), "invalid instance-attribute");
  EXPECT_EQ(instance().type.value, "t3.nano");
}

TEST_F(ModifyTypeTest, RoomIsCheckedAtTheStartAndASmallerTypeStartsAgain) {
  for (char const* type : {"m5.huge", "r5.huge"}) {
    if (region.state_of(id) != InstanceState::stopped) stop();
    ASSERT_TRUE(become(type));
    EXPECT_EQ(refusal(region.call(StartInstances{{id.value}})), "no_capacity instance") << type;
    EXPECT_EQ(region.state_of(id), InstanceState::stopped);
    ASSERT_TRUE(become("t3.nano"));
    EXPECT_TRUE(region.call(StartInstances{{id.value}}));
    ASSERT_TRUE(region.report({region.line(id, Seen::running, instance().starts_wanted)}));
  }
}

TEST_F(ModifyTypeTest, TheQuotaIsCheckedAtTheStart) {
  stop();
  Quota quota = region.policy.default_quota;
  quota.vcpus = 3;
  ASSERT_TRUE(become("t3.large"));
  absorb(region.state, PutTenant{Tenant{.id = region.tenant, .name = "one", .quota = quota}});
  EXPECT_EQ(refusal(region.call(StartInstances{{id.value}})), "quota vcpu");
}

}  // namespace
}  // namespace berth::core
