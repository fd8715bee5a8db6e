// Which class waits where, who goes first, who is refused.

#include "daemon/driver/lanes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace berth::driver {
namespace {

using core::InputClass;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class HandClock final : public Clock {
 public:
  [[nodiscard]] Now now() override { return at; }
  Now at{.monotonic = Instant{1}, .wall = WallTime{1'800'000'000'000}};
};

constexpr std::chrono::milliseconds kNoPatience{0};

class LanesTest : public ::testing::Test {
 protected:
  bool push(InputClass of, std::string const& mark = "") {
    Lanes::Entry entry{core::AuthenticationRefused{.request_id = mark}, {}, clock.now().monotonic};
    return lanes.try_push(of, entry);
  }
  void push_many(InputClass of, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(push(of, std::string(core::name(of))));
  }
  void take(std::size_t room = limits::kInputsPerBatchMax) {
    lanes.take(room, kNoPatience, clock, taken);
  }
  std::size_t count(std::string const& mark) {
    return static_cast<std::size_t>(std::ranges::count_if(taken.inputs, [&](auto const& e) {
      return std::get<core::AuthenticationRefused>(e.input).request_id == mark;
    }));
  }
  LaneStats stats(InputClass of) { return lanes.stats(of, clock.now().monotonic); }
  void pass(Duration d) { clock.at.monotonic = clock.at.monotonic + d; }
  // Seconds in which `offered` come and `served` go every 10 ms.
  void overload(InputClass of, std::size_t offered, std::size_t served, int length = 1) {
    for (int step = 0; step < 100 * length; ++step) {
      for (std::size_t i = 0; i < offered; ++i) push(of);
      pass(milliseconds(10));
      take(served);
    }
  }

  HandClock clock;
  Lanes lanes;
  Lanes::Taken taken;
};

TEST_F(LanesTest, WhileAllWaitEachClassGetsItsShareAndHeartbeatsGoBesides) {
  for (InputClass of : core::kInputClasses) push_many(of, 500);
  take();
  EXPECT_EQ(count("lease"), 500U);
  for (InputClass of :
       {InputClass::operation, InputClass::mutation, InputClass::read, InputClass::list}) {
    EXPECT_EQ(count(std::string(core::name(of))), rule(of).share) << core::name(of);
  }
  EXPECT_THAT(taken.inputs, SizeIs(500 + limits::kInputsPerBatchMax));
}

TEST_F(LanesTest, WhatAClassLeavesGoesToTheMostUrgentThatWaits) {
  push_many(InputClass::mutation, 500);
  push_many(InputClass::list, 500);
  take();
  EXPECT_EQ(count("mutation"), limits::kInputsPerBatchMax - rule(InputClass::list).share);
  EXPECT_EQ(count("list"), rule(InputClass::list).share);
}

TEST_F(LanesTest, AloneALowClassStillTakesNoMoreThanItsMostOfABatch) {
  push_many(InputClass::list, 500);
  take();
  EXPECT_EQ(count("list"), rule(InputClass::list).batch_max);
}

TEST_F(LanesTest, InOneLaneTheOrderStays) {
  for (char const* mark : {"a", "b", "c"}) ASSERT_TRUE(push(InputClass::operation, mark));
  ASSERT_TRUE(push(InputClass::lease, "beat"));
  take();
  std::vector<std::string> marks;
  for (auto const& e : taken.inputs) {
    marks.push_back(std::get<core::AuthenticationRefused>(e.input).request_id);
  }
  EXPECT_THAT(marks, ElementsAre("beat", "a", "b", "c"));
}

TEST_F(LanesTest, WithoutRoomOnlyHeartbeatsAndUrgentWorkAreTaken) {
  push_many(InputClass::operation, 1);
  push_many(InputClass::lease, 1);
  lanes.push_urgent([] {});
  take(0);
  EXPECT_EQ(count("lease"), 1U);
  EXPECT_THAT(taken.inputs, SizeIs(1));
  EXPECT_THAT(taken.urgent, SizeIs(1));
  take(0);
  EXPECT_THAT(taken.inputs, IsEmpty());
  take(1);
  EXPECT_EQ(count("operation"), 1U);
}

TEST_F(LanesTest, AtItsBoundALaneTakesTheLastAndRefusesOneMore) {
  for (InputClass of : core::kInputClasses) {
    push_many(of, rule(of).queued_max - 1);
    EXPECT_TRUE(lanes.has_room(of)) << core::name(of);
    EXPECT_TRUE(push(of)) << core::name(of);
    EXPECT_FALSE(lanes.has_room(of)) << core::name(of);
    EXPECT_FALSE(push(of)) << core::name(of);
    EXPECT_EQ(stats(of).full, 1U);
    EXPECT_EQ(stats(of).shed, 0U);
  }
}

TEST_F(LanesTest, AFullLaneIsNoMattersOfTheOthers) {
  while (push(InputClass::list)) {}
  for (InputClass of :
       {InputClass::lease, InputClass::operation, InputClass::mutation, InputClass::read}) {
    EXPECT_TRUE(push(of)) << core::name(of);
  }
}

TEST_F(LanesTest, AtTheDeadlineWorkIsStartedAndPastItDropped) {
  push_many(InputClass::mutation, 1);
  pass(rule(InputClass::mutation).deadline);
  take();
  EXPECT_THAT(taken.inputs, SizeIs(1));
  push_many(InputClass::mutation, 1);
  pass(rule(InputClass::mutation).deadline + Duration{1});
  take();
  EXPECT_THAT(taken.inputs, IsEmpty());
  EXPECT_THAT(taken.outdated, SizeIs(1));
  EXPECT_EQ(stats(InputClass::mutation).outdated, 1U);
}

TEST_F(LanesTest, WhatIsDroppedTakesNoRoomFromWhatIsNot) {
  push_many(InputClass::read, 100);
  pass(rule(InputClass::read).deadline + Duration{1});
  push_many(InputClass::read, 10);
  take(10);
  EXPECT_THAT(taken.inputs, SizeIs(10));
  EXPECT_THAT(taken.outdated, SizeIs(100));
}

TEST_F(LanesTest, AgentsAreNeverTooLate) {
  push_many(InputClass::lease, 1);
  push_many(InputClass::operation, 1);
  pass(hours(1));
  take();
  EXPECT_THAT(taken.inputs, SizeIs(2));
}

TEST_F(LanesTest, AtTenTimesTheLoadTheQueueIsAboutAsOldAsItsTargetAndAllThatIsServedIsYoung) {
  constexpr std::size_t kServed = 50;  // every 10 ms: 5,000 a second
  // What stood in the lane when the overload was noticed is served in its turn.
  overload(InputClass::mutation, 10 * kServed, kServed, 3);
  std::uint64_t const before = stats(InputClass::mutation).taken;
  overload(InputClass::mutation, 10 * kServed, kServed);
  LaneStats const at = stats(InputClass::mutation);
  EXPECT_EQ(at.taken - before, 100 * kServed) << "the reader had to wait for work";
  EXPECT_LE(at.limit, 5'000U * 200 / 1000 * 2);
  EXPECT_LE(at.age, rule(InputClass::mutation).target * 2);
  EXPECT_GT(at.shed, 3U * 9 * 100 * kServed);
  EXPECT_EQ(at.outdated, 0U);
}

TEST_F(LanesTest, TheLaneOpensAgainAsSoonAsTheLoadIsGone) {
  overload(InputClass::mutation, 500, 50, 3);
  ASSERT_LT(stats(InputClass::mutation).limit, rule(InputClass::mutation).queued_max);
  overload(InputClass::mutation, 5, 50);
  EXPECT_EQ(stats(InputClass::mutation).limit, rule(InputClass::mutation).queued_max);
  EXPECT_TRUE(lanes.has_room(InputClass::mutation));
  EXPECT_EQ(stats(InputClass::mutation).age, Duration{});
}

TEST_F(LanesTest, AShortBurstIsTakenWhole) {
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(push(InputClass::mutation));
  overload(InputClass::mutation, 0, 250);
  EXPECT_EQ(stats(InputClass::mutation).shed, 0U);
  EXPECT_EQ(stats(InputClass::mutation).taken, 5'000U);
}

TEST_F(LanesTest, OneLongStallShutsNobodyOut) {
  push_many(InputClass::read, 10);
  pass(seconds(5));
  take();
  for (std::size_t i = 0; i < LaneLimit::kFloor; ++i) EXPECT_TRUE(push(InputClass::read));
}

TEST_F(LanesTest, AgentsQueuesAreNeverHeldShorter) {
  overload(InputClass::operation, 20, 10);
  overload(InputClass::lease, 20, 10);
  EXPECT_EQ(stats(InputClass::operation).shed, 0U);
  EXPECT_EQ(stats(InputClass::operation).limit, rule(InputClass::operation).queued_max);
  EXPECT_EQ(stats(InputClass::lease).limit, rule(InputClass::lease).queued_max);
}

TEST_F(LanesTest, ClosedLanesTakeNothingAndHandOutWhatTheyHave) {
  push_many(InputClass::read, 1);
  lanes.close();
  EXPECT_FALSE(push(InputClass::read));
  EXPECT_FALSE(lanes.has_room(InputClass::read));
  lanes.push_urgent([] {});
  take();
  EXPECT_THAT(taken.inputs, SizeIs(1));
  EXPECT_THAT(taken.urgent, IsEmpty());
}

TEST_F(LanesTest, ASleepingReaderIsWokenForWhatItHasRoomFor) {
  using Steady = std::chrono::steady_clock;
  for (auto const& [room, of] : {std::pair{std::size_t{1}, InputClass::list},
                                 std::pair{std::size_t{0}, InputClass::lease}}) {
    std::jthread const pusher([&, of = of] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      EXPECT_TRUE(push(of));
    });
    auto const began = Steady::now();
    lanes.take(room, std::chrono::seconds(30), clock, taken);
    EXPECT_THAT(taken.inputs, SizeIs(1));
    EXPECT_LT(Steady::now() - began, std::chrono::seconds(20));
  }
}

TEST_F(LanesTest, ManyWritersAndOneReaderLoseNothing) {
  constexpr int kWriters = 4;
  constexpr int kEach = 5'000;
  std::vector<std::jthread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w] {
      auto const of = w % 2 == 0 ? InputClass::operation : InputClass::lease;
      for (int i = 0; i < kEach; ++i) {
        while (!push(of)) std::this_thread::yield();
      }
    });
  }
  std::size_t got = 0;
  while (got < kWriters * kEach) {
    lanes.take(100, std::chrono::milliseconds(100), clock, taken);
    got += taken.inputs.size();
  }
  EXPECT_EQ(got, static_cast<std::size_t>(kWriters) * kEach);
  EXPECT_EQ(lanes.size(), 0U);
}

}  // namespace
}  // namespace berth::driver
