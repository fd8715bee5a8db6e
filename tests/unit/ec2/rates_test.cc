// Token buckets, at the limit, one past it, and over time; with a clock in the test's hands.

#include "daemon/ec2/rates.h"

#include <gtest/gtest.h>

#include <thread>

#include "daemon/ec2/actions.h"

namespace berth::ec2 {
namespace {

using wire::Action;
using Parameters = std::vector<wire::Parameter>;

TenantId const kA("111111111111");
TenantId const kB("222222222222");
Parameters const kOneId = {{"Action", "DescribeInstances"}, {"InstanceId.1", "i-1"}};

class RatesTest : public testing::Test {
 protected:
  bool admits(TenantId const& tenant, Action action, Parameters const& parameters = kOneId) {
    return rates.admit(tenant, action, parameters, now).ns == 0;
  }
  Parameters run(int count) {
    return {{"Action", "RunInstances"}, {"MaxCount", std::to_string(count)}};
  }
  void pass(Duration d) { now = now + d; }
  // Offers ten times what the bucket admits, evenly, for so long; how many got in.
  std::int64_t admitted_of_ten_times(Action action, Duration length) {
    BucketRule const& rule = rate_rules()[static_cast<std::size_t>(action)].requests;
    Duration const gap{1'000'000'000 / (10 * rule.per_second)};
    std::int64_t in = 0;
    for (Instant const end = now + length; now < end; pass(gap)) in += admits(kA, action) ? 1 : 0;
    return in;
  }

  Rates rates{100};
  Instant now{123'456'789};
};

TEST_F(RatesTest, EveryActionHasItsRow) {
  ASSERT_EQ(rate_rules().size(), action_rows().size());
  for (std::size_t i = 0; i < rate_rules().size(); ++i) {
    EXPECT_EQ(rate_rules()[i].action, action_rows()[i].action);
  }
}

TEST_F(RatesTest, AtTheLimitAndOnePast) {
  for (RateRule const& rule : rate_rules()) {
    // A row whose requests are never the scarce thing is tested by its instances below.
    for (std::int64_t i = 0; i < rule.requests.tokens; ++i) {
      ASSERT_TRUE(admits(kA, rule.action)) << i;
    }
    EXPECT_FALSE(admits(kA, rule.action));
  }
}

TEST_F(RatesTest, OneTokenComesBackExactlyWhenItIsDue) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(admits(kA, Action::describe_instances));
  Duration const wait = rates.admit(kA, Action::describe_instances, kOneId, now);
  EXPECT_EQ(wait, milliseconds(50));
  pass(wait - Duration{1});
  EXPECT_FALSE(admits(kA, Action::describe_instances));
  pass(Duration{1});
  EXPECT_TRUE(admits(kA, Action::describe_instances));
  EXPECT_FALSE(admits(kA, Action::describe_instances));
}

TEST_F(RatesTest, ABucketNeverHoldsMoreThanItsSize) {
  EXPECT_TRUE(admits(kA, Action::describe_regions));
  pass(hours(24));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(admits(kA, Action::describe_regions));
  EXPECT_FALSE(admits(kA, Action::describe_regions));
}

TEST_F(RatesTest, TenTimesTheRateForAMinuteAdmitsTheBurstAndTheRate) {
  for (Action const action : {Action::describe_instances, Action::create_tags,
                              Action::reboot_instances, Action::describe_regions}) {
    BucketRule const& rule = rate_rules()[static_cast<std::size_t>(action)].requests;
    std::int64_t const wanted = rule.tokens + rule.per_second * 60;
    std::int64_t const got = admitted_of_ten_times(action, seconds(60));
    EXPECT_NEAR(static_cast<double>(got), static_cast<double>(wanted),
                static_cast<double>(wanted) / 100);
  }
}

TEST_F(RatesTest, AskingForEverythingHasABucketOfItsOwn) {
  Parameters const all = {{"Action", "DescribeInstances"}, {"Version", "2016-11-15"}};
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(admits(kA, Action::describe_instances, all));
  EXPECT_FALSE(admits(kA, Action::describe_instances, all));
  EXPECT_TRUE(admits(kA, Action::describe_instances));
}

TEST_F(RatesTest, InstancesAreCountedBesideRequests) {
  EXPECT_TRUE(admits(kA, Action::run_instances, run(1'000)));
  Duration const wait = rates.admit(kA, Action::run_instances, run(1), now);
  EXPECT_EQ(wait, milliseconds(500));
  pass(seconds(5));
  EXPECT_TRUE(admits(kA, Action::run_instances, run(10)));
  EXPECT_FALSE(admits(kA, Action::run_instances, run(1)));
  Parameters many = {{"Action", "TerminateInstances"}};
  for (int i = 1; i <= 600; ++i) many.push_back({"InstanceId." + std::to_string(i), "i-1"});
  EXPECT_TRUE(admits(kA, Action::terminate_instances, many));
  EXPECT_FALSE(admits(kA, Action::terminate_instances, many));
}

TEST_F(RatesTest, WhatIsMalformedCountsAsOne) {
  for (char const* text : {"", "x", "-5", "99999999999999999999"}) {
    Rates fresh(100);
    Parameters const bad = {{"Action", "RunInstances"}, {"MaxCount", text}};
    EXPECT_EQ(fresh.admit(kA, Action::run_instances, bad, now).ns, 0) << text;
    EXPECT_EQ(fresh.admit(kA, Action::run_instances, run(999), now).ns, 0) << text;
  }
}

TEST_F(RatesTest, TenantsAndActionsDoNotShare) {
  for (int i = 0; i < 1'000; ++i) (void)admits(kA, Action::describe_instances);
  EXPECT_TRUE(admits(kB, Action::describe_instances));
  EXPECT_TRUE(admits(kA, Action::describe_regions));
}

TEST_F(RatesTest, TheFactorScalesSizeAndRate) {
  Rates thrice(300);
  int in = 0;
  while (thrice.admit(kA, Action::describe_regions, kOneId, now).ns == 0) ++in;
  EXPECT_EQ(in, 300);
  EXPECT_EQ(thrice.admit(kA, Action::describe_regions, kOneId, now + seconds(1)).ns, 0);
  // Never so little that a request cannot be had at all.
  Rates least(1);
  EXPECT_EQ(least.admit(kA, Action::run_instances, run(1'000), now).ns, 0);
  EXPECT_GT(least.admit(kA, Action::run_instances, run(1), now).ns, 0);
}

TEST_F(RatesTest, TheLargestFactorDoesNotOverflow) {
  Rates most(Rates::kPercentMax);
  Instant const late{std::int64_t{100} * 365 * 86'400 * 1'000'000'000};  // up for a hundred years
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(most.admit(kA, Action::run_instances, run(1'000), late).ns, 0);
  }
}

TEST_F(RatesTest, NoLimitIsNoLimitAndNoMemory) {
  Rates none(0);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(none.admit(kA, Action::run_instances, run(1'000), now).ns, 0);
  }
  EXPECT_EQ(none.tenants(), 0U);
}

TEST_F(RatesTest, ATenantWithoutAKeyIsForgottenAndTheOthersAreNot) {
  for (int i = 0; i < 100; ++i) (void)admits(kA, Action::describe_regions);
  (void)admits(kB, Action::describe_regions);
  EXPECT_EQ(rates.tenants(), 2U);
  KeyTable table;
  table.keys["AKIA"] = {.secret = "s", .session_token = "", .tenant = kA, .enabled = true};
  rates.keep_only(table);
  EXPECT_EQ(rates.tenants(), 1U);
  EXPECT_FALSE(admits(kA, Action::describe_regions)) << "a new table is no new bucket";
}

TEST_F(RatesTest, ManyThreadsTakeNoMoreThanThereIs) {
  std::atomic<int> in{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1'000; ++i) in += admits(kA, Action::describe_regions) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(in, 100);
}

TEST(LikelyClass, IsWhatTheCoreWillSay) {
  auto const likely = [](Action action, Parameters const& p) { return likely_class(action, p); };
  EXPECT_EQ(likely(Action::describe_instances, {{"Action", ""}}), core::InputClass::list);
  EXPECT_EQ(likely(Action::describe_instances, {{"InstanceId.1", "i"}}), core::InputClass::read);
  EXPECT_EQ(likely(Action::describe_images, {{"ImageId.1", "ami"}}), core::InputClass::read);
  EXPECT_EQ(likely(Action::describe_key_pairs, {{"KeyName.1", "k"}}), core::InputClass::read);
  EXPECT_EQ(likely(Action::describe_tags, {}), core::InputClass::list);
  EXPECT_EQ(likely(Action::describe_launch_templates, {}), core::InputClass::list);
  EXPECT_EQ(likely(Action::describe_launch_templates, {{"LaunchTemplateName.1", "w"}}),
            core::InputClass::read);
  EXPECT_EQ(likely(Action::describe_launch_template_versions, {{"LaunchTemplateVersion.1", "w"}}),
            core::InputClass::list);
  EXPECT_EQ(likely(Action::describe_placement_groups, {}), core::InputClass::list);
  EXPECT_EQ(likely(Action::describe_placement_groups, {{"GroupName.1", "g"}}),
            core::InputClass::read);
  EXPECT_EQ(likely(Action::describe_regions, {}), core::InputClass::read);
  EXPECT_EQ(likely(Action::get_console_output, {}), core::InputClass::read);
  for (Action const change :
       {Action::run_instances, Action::start_instances, Action::stop_instances,
        Action::terminate_instances, Action::create_tags, Action::delete_tags,
        Action::create_key_pair, Action::modify_instance_attribute, Action::reboot_instances}) {
    EXPECT_EQ(likely(change, {}), core::InputClass::mutation);
  }
}

TEST(RetryAfter, IsAtLeastTheWaitAndSpread) {
  std::int64_t least = 100;
  std::int64_t most = 0;
  for (std::uint64_t random = 0; random < 50; ++random) {
    std::int64_t const s = retry_after_s(milliseconds(2'500), random);
    least = std::min(least, s);
    most = std::max(most, s);
  }
  EXPECT_EQ(least, 3);
  EXPECT_EQ(most, 7);
  EXPECT_GE(retry_after_s(Duration{1}, 0), 1);
  EXPECT_LE(retry_after_s(hours(5), UINT64_MAX), 122);
}

}  // namespace
}  // namespace berth::ec2
