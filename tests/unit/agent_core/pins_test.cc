// Where guests are to sit: the table in agent/core/pins.h, and how they get there.

#include "agent/core/pins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/plan.h"

namespace berth::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Cpus = std::vector<std::int32_t>;

// Two cells of four CPUs: 0-3 and 4-7.
HostInventory two_cells() {
  HostInventory out;
  for (std::int32_t c = 0; c < 2; ++c) {
    HostCell cell{.id = c, .memory = Mebibytes(4'096)};
    for (std::int32_t n = 0; n < 4; ++n) cell.cpus.push_back({.id = 4 * c + n, .siblings = {}});
    out.cells.push_back(cell);
  }
  return out;
}
HostSpec host(Cpus first, Cpus second) {
  return {.shared_cpus = {{.cell = 0, .cpus = std::move(first)},
                          {.cell = 1, .cpus = std::move(second)}}};
}
InstanceSpec instance(std::int64_t vcpus, Cpus cells, Cpus cpus = {}) {
  return {
      .vcpus = vcpus, .memory = Mebibytes(512), .cells = std::move(cells), .cpus = std::move(cpus)};
}
WantedPins pins(HostSpec const& spec, InstanceSpec const& one,
                HostInventory const& here = two_cells()) {
  return pins_of(spec, one, here);
}

TEST(CpuList, IsAsLibvirtWritesIt) {
  EXPECT_EQ(cpu_list({}), "");
  EXPECT_EQ(cpu_list({3}), "3");
  EXPECT_EQ(cpu_list({0, 1, 2, 5, 7, 8}), "0-2,5,7,8");
}

TEST(EvenShares, DifferByOneAtMostTheLargerFirst) {
  EXPECT_EQ(even_shares(7, 3), (std::vector<std::int64_t>{3, 2, 2}));
  EXPECT_EQ(even_shares(1, 2), (std::vector<std::int64_t>{1, 0}));
  EXPECT_THAT(even_shares(4, 0), IsEmpty());
}

TEST(PinsOf, AHostThatIsToldNothingArePinsOfNothing) {
  WantedPins const wanted = pins(HostSpec{}, instance(2, {0}, {1, 2}));
  EXPECT_EQ(wanted.pins, Pins{});
  EXPECT_EQ(wanted.lacking, "");
}

TEST(PinsOf, AnInstanceWithItsOwnCpusAreEachOfThemAndTheSharedOnesForItsOtherThreads) {
  WantedPins const wanted = pins(host({0, 3}, {4, 5, 6, 7}), instance(2, {0}, {2, 1}));
  EXPECT_EQ(wanted.pins, (Pins{.vcpus = {{2}, {1}}, .emulator = {0, 3}, .cells = {0}}));
  EXPECT_EQ(wanted.lacking, "");
  EXPECT_EQ(pins(host({}, {4}), instance(2, {0}, {2, 1})).pins.emulator, (Cpus{1, 2}))
      << "nothing is shared in its cell: its own";
}

TEST(PinsOf, AnInstanceWithoutAreTheSharedCpusOfItsCells) {
  EXPECT_EQ(pins(host({0, 3}, {4, 5}), instance(2, {1})).pins,
            (Pins{.vcpus = {{4, 5}, {4, 5}}, .emulator = {4, 5}, .cells = {1}}));
  EXPECT_EQ(pins(host({0, 3}, {4}), instance(1, {})).pins,
            (Pins{.vcpus = {{0, 3, 4}}, .emulator = {0, 3, 4}, .cells = {}}))
      << "placed before cells were: any shared CPU, and never another's own";
}

TEST(PinsOf, AnInstanceInTwoCellsKeepEachVcpuInItsOwn) {
  EXPECT_EQ(pins(host({0, 3}, {4}), instance(3, {0, 1})).pins,
            (Pins{.vcpus = {{0, 3}, {0, 3}, {4}}, .emulator = {0, 3, 4}, .cells = {0, 1}}));
  EXPECT_EQ(pins(host({0, 3}, {4}), instance(1, {0, 1})).pins.vcpus, (std::vector<Cpus>{{0, 3, 4}}))
      << "one vCPU cannot be in two";
  EXPECT_EQ(pins(host({0, 3}, {}), instance(2, {0, 1})).pins.vcpus,
            (std::vector<Cpus>{{0, 3}, {0, 3}}));
}

TEST(PinsOf, CellsThatShareNothingAreThoseOfOthersAndThatIsSaid) {
  WantedPins const wanted = pins(host({}, {4, 5}), instance(1, {0}));
  EXPECT_EQ(wanted.pins.vcpus, (std::vector<Cpus>{{4, 5}}));
  EXPECT_EQ(wanted.lacking, "its NUMA cells share no CPU; it runs on those of others");
  WantedPins const none = pins(host({}, {}), instance(1, {0}));
  EXPECT_THAT(none.pins.vcpus, IsEmpty());
  EXPECT_THAT(none.pins.emulator, IsEmpty());
  EXPECT_EQ(none.pins.cells, (Cpus{0}));
  EXPECT_EQ(none.lacking, "no CPU of this host is shared, and it has none of its own");
}

TEST(PinsOf, ACpuOrACellThatIsGoneAreWhatIsLeftAndThatIsSaid) {
  HostInventory here = two_cells();
  here.cells.pop_back();
  std::erase_if(here.cells[0].cpus, [](HostCpu const& cpu) { return cpu.id == 2; });
  WantedPins const wanted = pins(host({0, 3}, {4}), instance(2, {0, 1}, {1, 2}), here);
  EXPECT_EQ(wanted.pins, (Pins{.vcpus = {{1}, {0, 3}}, .emulator = {0, 3}, .cells = {0}}));
  EXPECT_EQ(wanted.lacking, "this host has no NUMA cell 1; this host has no CPU 2");
  EXPECT_EQ(pins(host({}, {}), instance(2, {0}, {1, 2}), here).pins.vcpus,
            (std::vector<Cpus>{{1}, {1}}))
      << "with nothing shared it has still what is left of its own";
  EXPECT_EQ(pins(host({}, {}), instance(1, {0}, {2}), here).pins.vcpus, (std::vector<Cpus>{{}}));
}

TEST(PinsOf, AnUnknownHostTakesEverythingForThere) {
  EXPECT_EQ(pins(host({0}, {}), instance(1, {0}, {99}), HostInventory{}).pins.vcpus,
            (std::vector<Cpus>{{99}}));
}

TEST(PinsOf, AGuestArePlacedWhenItsListsAreAsWanted) {
  Pins const wanted{.vcpus = {{1}, {2}}, .emulator = {0}, .cells = {0}};
  Pins live = wanted;
  EXPECT_TRUE(is_in_place(wanted, live, two_cells()));
  live.cells = {1};
  EXPECT_TRUE(is_in_place(wanted, live, two_cells())) << "memory is said, it cannot be moved";
  EXPECT_EQ(memory_elsewhere(wanted, live),
            "its memory is to come from NUMA cell 0 and comes from NUMA cell 1; that changes only "
            "when it starts");
  live.vcpus[1] = {1, 2};
  EXPECT_FALSE(is_in_place(wanted, live, two_cells()));
  live.vcpus = {};
  EXPECT_FALSE(is_in_place(wanted, live, two_cells()));
  live = wanted;
  live.emulator = {};
  EXPECT_FALSE(is_in_place(wanted, live, two_cells()));
  Cpus const all{0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_TRUE(is_in_place({.vcpus = {all}, .emulator = all, .cells = {}}, {}, two_cells()))
      << "pinned to every CPU is not pinned";
  EXPECT_TRUE(is_in_place({}, wanted, two_cells()));
}

class PinPlanTest : public ::testing::Test {
 protected:
  PinPlanTest() {
    spec = host({0, 3}, {4, 5, 6, 7});
    spec->term = Term(3);
    InstanceSpec one = instance(2, {0}, {1, 2});
    one.id = id;
    one.generation = PlacementGeneration(1);
    one.power = Power::running;
    one.starts = 1;
    one.uuid = "uuid";
    one.image_digest = "digest";
    spec->instances = {one};
    observed.domains = {{.id = id,
                         .generation = PlacementGeneration(1),
                         .uuid = "uuid",
                         .state = DomainState::running,
                         .starts = 1,
                         .pins = own}};
    observed.disks = {{id, PlacementGeneration(1)}};
    observed.images = {"digest"};
  }
  Plan make() {
    return plan({.spec = spec,
                 .observed = observed,
                 .attempts = attempts,
                 .busy = busy,
                 .now = now,
                 .inventory = &here});
  }
  InstanceStatus status() { return make().statuses.at(0); }
  // The one action of the plan, done with this result.
  PinInstance pin(Result<void> const& result) {
    Plan const p = make();
    if (p.actions.size() != 1 || !std::holds_alternative<PinInstance>(p.actions[0])) {
      ADD_FAILURE() << "wanted one PinInstance, found " << p.actions.size() << " actions";
      return {};
    }
    remember_begun(attempts, p.actions[0], observed, now);
    remember_ended(attempts, spec, p.actions[0], result, now);
    return std::get<PinInstance>(p.actions[0]);
  }
  DomainSeen& domain() { return observed.domains.front(); }

  InstanceId const id{"i-00000000000000001"};
  Pins const own{.vcpus = {{1}, {2}}, .emulator = {0, 3}, .cells = {0}};
  std::optional<HostSpec> spec;
  Observed observed;
  Attempts attempts;
  std::set<std::string> busy;
  HostInventory here = two_cells();
  Instant now{seconds(1'000).ns};
};

TEST_F(PinPlanTest, AGuestInItsPlaceIsReportedThereAndLeftAlone) {
  EXPECT_THAT(make().actions, IsEmpty());
  EXPECT_EQ(status().cells, (Cpus{0}));
  EXPECT_EQ(status().cpus, (Cpus{1, 2}));
  EXPECT_EQ(status().unpinned, "");
}

TEST_F(PinPlanTest, AStartCarriesWhereToStart) {
  domain().state = DomainState::crashed;
  domain().pins = {};
  Plan const p = make();
  ASSERT_THAT(p.actions, SizeIs(1));
  EXPECT_EQ(std::get<StartInstance>(p.actions[0]).pins, own);
  EXPECT_THAT(p.statuses.at(0).cells, IsEmpty()) << "it does not run";
}

TEST_F(PinPlanTest, AGuestElsewhereIsMovedAtOnceAndThenLeftAlone) {
  domain().pins.vcpus[1] = {3};
  EXPECT_EQ(status().unpinned, "") << "it is on its way";
  EXPECT_EQ(pin({}).pins, own);
  domain().pins = own;
  EXPECT_THAT(make().actions, IsEmpty());
}

TEST_F(PinPlanTest, ASharedGuestFollowsTheSharedCpus) {
  spec->instances[0].cpus = {};
  domain().pins = {.vcpus = {{0, 3}, {0, 3}}, .emulator = {0, 3}, .cells = {0}};
  EXPECT_THAT(make().actions, IsEmpty());
  EXPECT_THAT(status().cpus, IsEmpty()) << "it floats";
  spec->shared_cpus[0].cpus = {0};
  EXPECT_EQ(pin({}).pins.vcpus, (std::vector<Cpus>{{0}, {0}}));
}

TEST_F(PinPlanTest, WhatTheHostRefusesIsSaidAndTriedAgainWithAPause) {
  domain().pins = {};
  Error const refused{Code::unavailable, "host", "no cpuset here"};
  pin(refused);
  EXPECT_THAT(make().actions, IsEmpty()) << "not in a tight loop";
  EXPECT_EQ(status().seen, Seen::running) << "it runs all the same";
  EXPECT_THAT(status().unpinned, HasSubstr("no cpuset here"));
  EXPECT_THAT(status().unpinned, HasSubstr("is bound to none"));
  now = now + seconds(3);
  pin(refused);
  now = now + seconds(3);
  EXPECT_THAT(make().actions, IsEmpty()) << "the pause grows";
  now = now + minutes(6);
  pin({});
  EXPECT_THAT(status().unpinned, HasSubstr("the host has not moved it to its CPUs"));
}

TEST_F(PinPlanTest, AnotherPlaceIsTriedWithoutThePauseOfTheLast) {
  domain().pins = {};
  pin(Error{Code::unavailable, "host", "no"});
  spec->shared_cpus[0].cpus = {0};
  EXPECT_EQ(pin({}).pins.emulator, (Cpus{0}));
}

TEST_F(PinPlanTest, MemoryElsewhereIsSaidAndNotActedOn) {
  domain().pins.cells = {1};
  EXPECT_THAT(make().actions, IsEmpty());
  EXPECT_THAT(status().unpinned, HasSubstr("comes from NUMA cell 1"));
  EXPECT_EQ(status().cells, (Cpus{1})) << "as it is, not as it should be";
}

TEST_F(PinPlanTest, ARebootThatIsOwedComesFirst) {
  spec->instances[0].reboots = 1;
  domain().pins = {};
  Plan const p = make();
  ASSERT_THAT(p.actions, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<RebootInstance>(p.actions[0]));
}

TEST_F(PinPlanTest, AGuestOnItsWayDownIsStillMovedOffWhatOthersAreGiven) {
  spec->instances[0].power = Power::stopped;
  attempts[id] = {.starts = 1, .shutdown_asked = now};
  domain().state = DomainState::shutting_down;
  domain().pins = {};
  pin({});
}

TEST_F(PinPlanTest, InQuarantineAGuestIsReportedWhereItIsAndNotMoved) {
  spec->adopt_only = true;
  domain().pins.vcpus = {{6}, {7}};
  EXPECT_THAT(make().actions, IsEmpty());
  EXPECT_EQ(status().cpus, (Cpus{6, 7}));
  EXPECT_EQ(status().unpinned, "");
}

TEST_F(PinPlanTest, ACpuThatIsGoneDoesNotKeepAGuestFromStarting) {
  std::erase_if(here.cells[0].cpus, [](HostCpu const& cpu) { return cpu.id == 2; });
  domain().state = DomainState::crashed;
  Plan const p = make();
  ASSERT_THAT(p.actions, SizeIs(1));
  EXPECT_EQ(std::get<StartInstance>(p.actions[0]).pins.vcpus, (std::vector<Cpus>{{1}, {0, 3}}));
  domain().state = DomainState::running;
  domain().pins = {.vcpus = {{1}, {0, 3}}, .emulator = {0, 3}, .cells = {0}};
  EXPECT_THAT(make().actions, IsEmpty());
  EXPECT_EQ(status().unpinned, "this host has no CPU 2");
  EXPECT_THAT(status().cpus, IsEmpty());
}

}  // namespace
}  // namespace berth::agent
