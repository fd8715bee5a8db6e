// Each row of the table in agent/core/plan.h.

#include "agent/core/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "berth/model/limits.h"

namespace berth::agent {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class PlanTest : public ::testing::Test {
 protected:
  InstanceSpec& want(Power power) {
    if (!spec)
      spec = HostSpec{.host = HostId("host-a"), .term = Term(3), .generation = Generation(9)};
    spec->instances = {{.id = id,
                        .generation = PlacementGeneration(1),
                        .power = power,
                        .starts = 1,
                        .uuid = "uuid",
                        .image_digest = "digest"}};
    return spec->instances.front();
  }
  DomainSeen& see(DomainState state) {
    observed.domains = {{.id = id,
                         .generation = PlacementGeneration(1),
                         .uuid = "uuid",
                         .state = state,
                         .starts = 1}};
    observed.disks = {{id, PlacementGeneration(1)}};
    return observed.domains.front();
  }
  void have_image() { observed.images = {"digest"}; }
  Plan make() {
    return plan(
        {.spec = spec, .observed = observed, .attempts = attempts, .busy = busy, .now = now});
  }
  template <class Wanted>
  void expect_action() {
    Plan const p = make();
    ASSERT_THAT(p.actions, SizeIs(1));
    EXPECT_TRUE(std::holds_alternative<Wanted>(p.actions.front()));
  }
  void expect_no_action() { EXPECT_THAT(make().actions, IsEmpty()); }
  InstanceStatus status() {
    Plan const p = make();
    EXPECT_THAT(p.statuses, SizeIs(1));
    return p.statuses.front();
  }

  InstanceId const id{"i-00000000000000001"};
  std::optional<HostSpec> spec;
  Observed observed;
  Attempts attempts;
  std::set<std::string> busy;
  Instant now{seconds(1'000).ns};
};

TEST_F(PlanTest, AnInstanceThatRanIsNotGivenAFreshDiskForTheOneThatIsGone) {
  want(Power::running);
  have_image();
  see(DomainState::crashed);
  observed.disks.clear();
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::failed);
  EXPECT_EQ(status().starts, 1u) << "it ran: it is to be stopped, not terminated";
  observed.domains.clear();
  spec->instances.front().starts = 2;
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::failed);
  spec->instances.front().starts = 1;
  expect_action<StartInstance>();  // its first start: there never was one
}

TEST_F(PlanTest, ANewInstanceFirstFetchesItsImage) {
  want(Power::running);
  expect_action<FetchImage>();
  EXPECT_EQ(status().seen, Seen::preparing);
}

TEST_F(PlanTest, ANewInstanceWithItsImageIsStarted) {
  want(Power::running);
  have_image();
  expect_action<StartInstance>();
  EXPECT_EQ(status().seen, Seen::preparing);
}

TEST_F(PlanTest, ARunningInstanceIsLeftAlone) {
  want(Power::running);
  see(DomainState::running);
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::running);
}

TEST_F(PlanTest, ARebootThatIsBehindIsDone) {
  want(Power::running).reboots = 2;
  see(DomainState::running).reboots = 1;
  expect_action<RebootInstance>();
}

TEST_F(PlanTest, AGuestThatShutItselfDownIsReportedAndNotStartedAgain) {
  want(Power::running);
  see(DomainState::off);
  have_image();
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::stopped);
  EXPECT_TRUE(status().ended_by_itself);
}

TEST_F(PlanTest, AGuestThatShutItselfDownBeforeANewStartIsStarted) {
  want(Power::running).starts = 2;
  see(DomainState::off);
  have_image();
  expect_action<StartInstance>();
}

TEST_F(PlanTest, AGuestThatWeStoppedIsStarted) {
  want(Power::running);
  see(DomainState::off).stopped_by_us = true;
  have_image();
  expect_action<StartInstance>();
}

TEST_F(PlanTest, ACrashedGuestIsStartedAgain) {
  want(Power::running);
  see(DomainState::crashed);
  have_image();
  expect_action<StartInstance>();
  EXPECT_EQ(status().seen, Seen::preparing);
}

TEST_F(PlanTest, ACrashedGuestThatWasStartedAgainWaitsBeforeTheNextTime) {
  want(Power::running);
  see(DomainState::crashed);
  have_image();
  remember_begun(attempts, make().actions.front(), observed, now);
  expect_no_action();
  now = now + minutes(10);
  expect_action<StartInstance>();
}

TEST_F(PlanTest, AStartThatCameAboutLateUnderAnOlderCountIsRecordedUnderTheNewOne) {
  want(Power::running).starts = 3;
  see(DomainState::running).starts = 2;
  expect_action<StartInstance>();
  EXPECT_EQ(status().seen, Seen::running);
  EXPECT_EQ(status().starts, 2U) << "until it is recorded";
}

TEST_F(PlanTest, AStartThatFailsTooOftenIsReportedWithItsReason) {
  want(Power::running);
  have_image();
  for (int i = 0; i < kStartAttemptsMax; ++i) {
    now = now + minutes(10);
    Plan const p = make();
    ASSERT_THAT(p.actions, SizeIs(1));
    remember_ended(attempts, spec, p.actions.front(), Error{Code::unavailable, "host", "no room"},
                   now);
  }
  now = now + minutes(10);
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::failed);
  EXPECT_EQ(status().reason, "no room");
}

TEST_F(PlanTest, AnImageThatCannotBeFetchedFailsWhoWaitsForIt) {
  want(Power::running);
  for (int i = 0; i < kStartAttemptsMax; ++i) {
    now = now + minutes(10);
    remember_ended(attempts, spec, FetchImage{.digest = "digest"},
                   Error{Code::unavailable, "image", "gone"}, now);
  }
  now = now + minutes(10);
  EXPECT_EQ(status().seen, Seen::failed);
}

TEST_F(PlanTest, AnInstanceToStopIsAskedAndThenPoweredOffAfterItsGrace) {
  want(Power::stopped);
  see(DomainState::running);
  expect_action<ShutDownInstance>();
  EXPECT_EQ(status().seen, Seen::running);
  remember_begun(attempts, make().actions.front(), observed, now);
  now = now + limits::kShutdownGrace;
  expect_no_action();
  now = now + Duration{1};
  expect_action<PowerOffInstance>();
}

TEST_F(PlanTest, AStoppedInstanceIsReportedStopped) {
  want(Power::stopped);
  see(DomainState::off).stopped_by_us = true;
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::stopped);
}

TEST_F(PlanTest, AStoppedInstanceWithAnActionUnderWayIsNotReportedStoppedYet) {
  want(Power::stopped);
  see(DomainState::off);
  busy = {id.value};
  EXPECT_EQ(status().seen, Seen::preparing);
}

TEST_F(PlanTest, ATombstoneRemovesAndSaysWhy) {
  want(Power::absent);
  see(DomainState::running);
  Plan const p = make();
  ASSERT_THAT(p.actions, SizeIs(1));
  EXPECT_EQ(std::get<RemoveInstance>(p.actions.front()),
            (RemoveInstance{id, PlacementGeneration(1), "uuid", "3/9"}));
  EXPECT_EQ(status().seen, Seen::running);
}

TEST_F(PlanTest, ATombstoneWithOnlyADiskLeftRemovesTheDisk) {
  want(Power::absent);
  see(DomainState::off);
  observed.domains.clear();
  expect_action<RemoveInstance>();
}

TEST_F(PlanTest, ATombstoneWithNothingLeftIsReportedAbsent) {
  want(Power::absent);
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::absent);
}

TEST_F(PlanTest, WithoutASpecNothingIsDoneAndOursIsReported) {
  see(DomainState::running);
  have_image();
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::running);
}

TEST_F(PlanTest, WhatNoSpecNamesIsReportedAndNotTouched) {
  want(Power::running);
  spec->instances.clear();
  see(DomainState::running);
  expect_no_action();
  EXPECT_EQ(status().id, id);
}

TEST_F(PlanTest, WhatIsOffAndInNoSpecIsNotCalledStopped) {
  see(DomainState::off);  // a spec on its way, older than the wish to stop it, may start it once
                          // more
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::preparing);
}

TEST_F(PlanTest, ADomainOfANewerPlacementIsNotTouched) {
  want(Power::absent);
  see(DomainState::running).generation = PlacementGeneration(2);
  expect_no_action();
}

TEST_F(PlanTest, ADomainOfAnOlderPlacementGivesWay) {
  want(Power::running).generation = PlacementGeneration(2);
  see(DomainState::running);
  Plan const p = make();
  ASSERT_THAT(p.actions, SizeIs(1));
  EXPECT_EQ(std::get<RemoveInstance>(p.actions.front()).generation, PlacementGeneration(1));
}

TEST_F(PlanTest, NothingIsPlannedForWhatIsBusy) {
  want(Power::running);
  have_image();
  busy = {id.value};
  expect_no_action();
}

TEST_F(PlanTest, IdleImagesBeyondTheLimitAreDropped) {
  want(Power::running);
  see(DomainState::running);
  for (std::size_t i = 0; i <= kIdleImagesMax; ++i)
    observed.images.push_back("x" + std::to_string(100 + i));
  expect_action<EvictImage>();
}

// ---- In quarantine

class QuarantinePlanTest : public PlanTest {
 protected:
  InstanceSpec& want_nothing_done(Power power) {
    InstanceSpec& one = want(power);
    spec->adopt_only = true;
    return one;
  }
};

TEST_F(QuarantinePlanTest, NothingIsDoneWhateverIsWantedAndWhateverIsThere) {
  have_image();
  for (Power power : {Power::running, Power::stopped, Power::absent}) {
    for (DomainState state : {DomainState::running, DomainState::shutting_down, DomainState::off,
                              DomainState::paused, DomainState::crashed}) {
      for (std::uint64_t generation : {1U, 2U, 3U}) {
        want_nothing_done(power).generation = PlacementGeneration(2);
        spec->instances.front().starts = 7;
        spec->instances.front().reboots = 7;
        see(state).generation = PlacementGeneration(generation);
        expect_no_action();
        EXPECT_EQ(status().generation, PlacementGeneration(generation));
      }
    }
    observed = {};
    expect_no_action();
    EXPECT_EQ(status().seen, Seen::absent);
    observed.disks = {{id, PlacementGeneration(2)}};
    expect_no_action();
    EXPECT_EQ(status().seen, Seen::stopped);
  }
}

TEST_F(QuarantinePlanTest, UnknownDomainsAndIdleImagesAreOnlySaid) {
  want_nothing_done(Power::running);
  spec->instances.clear();
  see(DomainState::running);
  for (std::size_t i = 0; i < 2 * kIdleImagesMax; ++i)
    observed.images.push_back("digest" + std::to_string(100 + i));
  expect_no_action();
  EXPECT_EQ(status().seen, Seen::running);
}

TEST_F(QuarantinePlanTest, WhatWasWantedBeforeIsKeptThroughManySpecs) {
  want(Power::running);
  HostSpec const before = *spec;
  HostSpec const first{.host = before.host, .term = Term(9), .adopt_only = true};
  HostSpec second = first;
  second.generation = Generation(1);
  second.earlier = {};
  HostSpec const kept = accepted(accepted(before, first), second);
  EXPECT_EQ(kept.earlier, before.instances);
  EXPECT_EQ(earlier_to_report(kept), before.instances);
}

TEST_F(QuarantinePlanTest, WhatTheSpecKnowsAlikeIsNotReportedAgain) {
  want(Power::running);
  HostSpec next = *spec;
  next.adopt_only = true;
  EXPECT_TRUE(earlier_to_report(accepted(spec, next)).empty());
  next.instances.front().power = Power::stopped;
  EXPECT_THAT(earlier_to_report(accepted(spec, next)), SizeIs(1));
}

TEST_F(QuarantinePlanTest, AfterTheQuarantineNothingIsKept) {
  want(Power::running);
  HostSpec quarantined = *spec;
  quarantined.adopt_only = true;
  EXPECT_TRUE(accepted(accepted(spec, quarantined), *spec).earlier.empty());
}

}  // namespace
}  // namespace berth::agent
