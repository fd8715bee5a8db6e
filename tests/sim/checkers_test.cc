// A check that cannot fail proves nothing: each is shown a broken world here, and must say so.

#include "tests/sim/checkers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "berth/base/log.h"
#include "daemon/core/audit.h"
#include "daemon/core/decision.h"
#include "daemon/store/memory.h"
#include "tests/sim/auditor.h"
#include "tests/sim/run.h"

namespace berth::sim {
namespace {

using ::testing::HasSubstr;

class CheckersTest : public ::testing::Test {
 protected:
  static Instance instance(Wanted wanted = Wanted::running, Seen seen = Seen::nothing) {
    Instance i{.id = id,
               .tenant = TenantId("111111111111"),
               .uuid = "ec2-uuid",
               .mac = "02:00:00:00:00:01"};
    i.placement = Placement{a, PlacementGeneration(1)};
    i.wanted = wanted;
    i.seen = seen;
    return i;
  }
  static Instance ended() {
    Instance i = instance(Wanted::terminated, Seen::absent);
    i.placement.reset();
    return i;
  }
  void commit(Instance i) { checkers.on_committed({core::PutInstance{std::move(i)}}); }
  core::AuditRecord audit(std::string request) {
    core::AuditRecord record{.number = ++audits, .request_id = std::move(request)};
    record.digest = core::chained_digest(chain, record);
    chain = record.digest;
    return record;
  }
  static HostSpec spec(std::uint64_t term, std::uint64_t generation, Power power = Power::running) {
    HostSpec s{.host = a, .term = Term(term), .generation = Generation(generation)};
    s.instances.push_back(
        {.id = id, .generation = PlacementGeneration(1), .power = power, .uuid = "ec2-uuid"});
    return s;
  }
  void set_term(std::uint64_t term) {
    checkers.on_committed({core::PutRegion{core::Region{.term = Term(term)}}});
  }
  void expect(char const* complaint) {
    ASSERT_TRUE(world.violation()) << "nothing was said";
    EXPECT_THAT(*world.violation(), HasSubstr(complaint));
  }
  void expect_nothing() { EXPECT_FALSE(world.violation()) << *world.violation(); }

  inline static InstanceId const id{"i-00000000000000001"};
  inline static HostId const a{"host-a"};
  inline static HostId const b{"host-b"};
  World world{1, nullptr};
  Checkers checkers{world};
  std::uint64_t audits = 0;
  std::string chain;
};

TEST_F(CheckersTest, AWholeLifeIsNothingToComplainAbout) {
  set_term(1);
  commit(instance());
  checkers.on_spec_sent(spec(1, 1));
  checkers.on_spec_saved(a, spec(1, 1));
  checkers.on_process_began(a, id);
  commit(instance(Wanted::running, Seen::running));
  commit(instance(Wanted::terminated, Seen::running));
  checkers.on_spec_sent(spec(1, 2, Power::absent));
  checkers.on_spec_saved(a, spec(1, 2, Power::absent));
  checkers.on_action(a, agent::RemoveInstance{id, PlacementGeneration(1), "ec2-uuid", "1/2"});
  checkers.on_process_ended(a, id, GuestWatch::End::by_action);
  commit(ended());
  checkers.on_committed({core::EraseInstance{id}});
  expect_nothing();
}

TEST_F(CheckersTest, AnInstanceOnTwoHostsIsI1) {
  commit(instance());
  checkers.on_process_began(a, id);
  checkers.on_process_began(b, id);
  expect("I1");
}

TEST_F(CheckersTest, AnInstanceOnAHostWhereItIsNotPlacedIsI1) {
  commit(instance());
  checkers.on_process_began(b, id);
  expect("I1");
}

TEST_F(CheckersTest, ADurableInstanceThatIsGoneAfterARestartIsI2) {
  commit(instance());
  store::MemoryDisk disk;
  auto const store = *store::MemoryStore::open(disk);
  checkers.on_loaded(core::State(core::Policy{}), *store);
  expect("I2");
}

TEST_F(CheckersTest, ARecordThatGoesBeforeItHasEndedIsI2) {
  commit(instance());
  checkers.on_committed({core::EraseInstance{id}});
  expect("I2");
}

TEST_F(CheckersTest, ASpecThatNamesWhatIsNotDurableIsI2) {
  set_term(1);
  checkers.on_spec_sent(spec(1, 1));
  expect("I2");
}

TEST_F(CheckersTest, ALeaseCountedFromItsAnswerIsI8) {
  checkers.on_lease(a, Instant{} + seconds(10), Instant{} + seconds(11));
  expect("I8");
}

TEST_F(CheckersTest, ANewInstanceOnACordonedHostIsI4) {
  checkers.on_committed({core::PutHost{Host{.id = a, .name = "a", .is_cordoned = true}}});
  commit(instance());
  expect("I4");
}

TEST_F(CheckersTest, GuestsThatDoNotFitTogetherAreI4) {
  Checkers small(world, {.host_memory = Mebibytes(1'000)});
  Instance first = instance();
  first.memory = Mebibytes(600);
  Instance second = first;
  second.id = InstanceId("i-00000000000000002");
  small.on_committed({core::PutInstance{first}, core::PutInstance{second}});
  small.on_process_began(a, first.id);
  expect_nothing();
  small.on_process_began(a, second.id);
  expect("I4");
}

TEST_F(CheckersTest, ARecordThatGoesTooEarlyIsI2) {
  Checkers patient(world, {.terminated_retention = hours(1)});
  patient.on_wall(WallTime{1'000'000});
  Instance gone = ended();
  gone.ended = WallTime{900'000};
  patient.on_committed({core::PutInstance{instance()}});
  patient.on_committed({core::PutInstance{gone}});
  patient.on_committed({core::EraseInstance{id}});
  expect("I2");
}

TEST_F(CheckersTest, AFreshDiskForWhatRanIsI2) {
  commit(instance());
  checkers.on_disk_made(a, id);
  checkers.on_process_began(a, id);
  expect_nothing();
  checkers.on_disk_made(a, id);
  expect("I2");
}

TEST_F(CheckersTest, AGuestStartedAgainAfterItShutItselfDownIsI11) {
  commit(instance());
  checkers.on_process_began(a, id);
  checkers.on_process_ended(a, id, GuestWatch::End::by_itself);
  checkers.on_shut_down_inside(id, 0);
  checkers.on_process_began(a, id);
  expect("I11");
}

TEST_F(CheckersTest, AGuestThatItsHostBroughtBackAfterAPowerCutIsNothingToComplainAbout) {
  commit(instance());
  checkers.on_process_began(a, id);
  checkers.on_process_ended(a, id, GuestWatch::End::by_itself);
  checkers.on_shut_down_inside(id, 0);
  checkers.on_power_cut(a);
  checkers.on_process_began(a, id);
  expect_nothing();
}

TEST_F(CheckersTest, AShutdownFromInsideThatNoGuestMadeIsI11) {
  commit(instance());
  Instance told = instance(Wanted::stopped, Seen::stopped);
  told.state_reason.code = "Client.InstanceInitiatedShutdown";
  commit(told);
  expect("I11");
}

TEST_F(CheckersTest, AStartThatNoStoredSpecAsksForIsI7) {
  set_term(1);
  commit(instance());
  checkers.on_spec_sent(spec(1, 1));
  checkers.on_action(a, agent::StartInstance{spec(1, 1).instances.front()});
  expect("I7");
}

TEST_F(CheckersTest, AnotherMachineThatIsTakenForAHostIsI7) {
  checkers.on_identity(a, true, true);
  checkers.on_identity(a, false, false);
  expect_nothing();
  checkers.on_identity(a, false, true);
  expect("I7");
}

TEST_F(CheckersTest, AnOlderSpecAtAnAgentIsI7) {
  checkers.on_spec_saved(a, spec(2, 5));
  checkers.on_spec_saved(a, spec(2, 4));
  expect("I7");
}

TEST_F(CheckersTest, AnOlderTermAtAnAgentIsI7AlsoWithAGreaterGeneration) {
  checkers.on_spec_saved(a, spec(2, 5));
  checkers.on_spec_saved(a, spec(1, 9));
  expect("I7");
}

TEST_F(CheckersTest, ASpecOfATermThatIsNotDurableIsI7) {
  set_term(1);
  commit(instance());
  checkers.on_spec_sent(spec(2, 1));
  expect("I7");
}

TEST_F(CheckersTest, AMoveWithoutEvidenceIsI8) {
  commit(instance());
  Instance moved = instance();
  moved.placement = Placement{b, PlacementGeneration(2)};
  commit(moved);
  expect("I8");
}

TEST_F(CheckersTest, ATerminatedInstanceThatIsWantedAgainIsI9) {
  commit(instance());
  commit(instance(Wanted::terminated));
  commit(instance(Wanted::running));
  ASSERT_TRUE(world.violation());
}

TEST_F(CheckersTest, ATerminatedInstanceThatRunsAgainIsI9) {
  commit(instance());
  commit(instance(Wanted::terminated));
  commit(ended());
  checkers.on_process_began(a, id);
  expect("I9");
}

TEST_F(CheckersTest, RunningToPendingIsI11) {
  commit(instance());
  commit(instance(Wanted::running, Seen::running));
  commit(instance(Wanted::running, Seen::preparing));
  expect("I11");
}

TEST_F(CheckersTest, ARemovalWithoutATombstoneIsI12) {
  commit(instance());
  checkers.on_action(a, agent::RemoveInstance{id, PlacementGeneration(1), "ec2-uuid", "1/1"});
  expect("I12");
}

TEST_F(CheckersTest, ARemovalUnderAnOlderSpecThanItsTombstoneIsI12) {
  set_term(3);
  commit(instance());
  commit(instance(Wanted::terminated));
  checkers.on_spec_sent(spec(3, 7, Power::absent));
  checkers.on_action(a, agent::RemoveInstance{id, PlacementGeneration(1), "ec2-uuid", "3/6"});
  expect("I12");
}

TEST_F(CheckersTest, ATombstoneForALivingInstanceIsI12) {
  set_term(1);
  commit(instance());
  checkers.on_spec_sent(spec(1, 1, Power::absent));
  expect("I12");
}

TEST_F(CheckersTest, TwoAuditRecordsForOneRequestAreI13) {
  checkers.on_committed({core::AppendAudit{audit("r")}, core::AppendAudit{audit("r")}});
  expect("I13");
}

TEST_F(CheckersTest, ABrokenAuditChainIsI13) {
  checkers.on_committed({core::AppendAudit{audit("r")}});
  core::AuditRecord forged = audit("s");
  forged.action = "somethingElse";
  checkers.on_committed({core::AppendAudit{forged}});
  expect("I13");
}

TEST_F(CheckersTest, AnAcknowledgedRequestWithoutAnAuditRecordIsI13) {
  checkers.on_acknowledged("r");
  expect("I13");
}

TEST_F(CheckersTest, ADaemonThatBeginsTheAuditChainAnewIsI13) {
  checkers.on_committed({core::AppendAudit{audit("r")}});
  store::MemoryDisk disk;
  auto const store = *store::MemoryStore::open(disk);
  checkers.on_loaded(core::State(core::Policy{}), *store);
  expect("I13");
}

TEST_F(CheckersTest, StoppingAGuestThatShouldRunIsI15) {
  commit(instance());
  checkers.on_process_began(a, id);
  checkers.on_process_ended(a, id, GuestWatch::End::by_action);
  expect("I15");
}

TEST_F(CheckersTest, AHostThatHoldsMoreThanItMaySellIsI4) {
  core::State state{core::Policy{}};
  core::absorb(state, core::PutTenant{Tenant{.id = TenantId("111111111111")}});
  core::absorb(state, core::PutHost{Host{.id = a, .name = "a"}});
  Instance i = instance();
  i.vcpus = 2;
  core::absorb(state, core::PutInstance{i});
  checkers.on_state(state);
  expect("I4");
}

TEST_F(CheckersTest, WhatIsLeftOnAHostIsI5) {
  Machine machine(world, checkers, a, "uuid");
  machine.disks[id] = SimDisk{PlacementGeneration(1), "digest"};
  EXPECT_THAT(Checkers::disagreement(core::State(core::Policy{}), {&machine}), HasSubstr("I5"));
}

TEST_F(CheckersTest, AGuestThatShouldRunAndDoesNotIsI5) {
  Machine machine(world, checkers, a, "uuid");
  core::State state{core::Policy{}};
  core::absorb(state, core::PutHost{Host{.id = a, .name = "a"}});
  core::absorb(state, core::PutInstance{instance(Wanted::running, Seen::running)});
  EXPECT_THAT(Checkers::disagreement(state, {&machine}), HasSubstr("does not run"));
}

TEST_F(CheckersTest, AnInstanceThatStaysPendingIsI14) {
  Machine machine(world, checkers, a, "uuid");
  core::State state{core::Policy{}};
  core::absorb(state, core::PutHost{Host{.id = a, .name = "a"}});
  core::absorb(state, core::PutInstance{instance()});
  EXPECT_THAT(Checkers::disagreement(state, {&machine}), HasSubstr("I14"));
}

class OwnCpusTest : public CheckersTest {
 protected:
  // Cores {0,2} and {1,3} in one cell.
  OwnCpusTest() {
    HostInventory inventory;
    HostCell cell{.id = 0, .memory = Mebibytes(4'096)};
    for (std::int32_t n = 0; n < 4; ++n)
      cell.cpus.push_back({.id = n, .core = n % 2, .siblings = {n % 2, n % 2 + 2}});
    inventory.cells = {cell};
    core::absorb(state, core::PutHost{Host{.id = a, .name = "a", .inventory = inventory}});
  }
  static Instance on(InstanceId const& which, std::vector<std::int32_t> cpus) {
    Instance i = instance();
    i.id = which;
    i.vcpus = 1;
    i.is_cpu_dedicated = !cpus.empty();
    i.placement->cells = {0};
    i.placement->cpus = std::move(cpus);
    return i;
  }
  void run(Instance const& i, agent::Pins pins) {
    core::absorb(state, core::PutInstance{i});
    machine.domains[i.id] = {.generation = i.placement->generation,
                             .process = SimDomain::Process::running,
                             .pins = std::move(pins)};
  }
  std::string misplaced() { return Checkers::misplaced(state, machine); }

  inline static InstanceId const other{"i-00000000000000002"};
  core::State state{core::Policy{}};
  Machine machine{world, checkers, a, "uuid"};
};

TEST_F(OwnCpusTest, GivenToTwoAreI4) {
  commit(on(id, {1}));
  commit(on(other, {0}));
  expect_nothing();
  commit(on(other, {1}));
  expect("I4");
}

TEST_F(OwnCpusTest, OfOneThatIsKnownToBeStoppedMayBeGivenAgain) {
  commit(on(id, {1}));
  Instance stopped = on(id, {1});
  stopped.wanted = Wanted::stopped;
  stopped.seen = Seen::stopped;
  commit(stopped);
  commit(on(other, {1}));
  expect_nothing();
}

TEST_F(OwnCpusTest, ThatChangeWhileItMayRunAreI4) {
  commit(on(id, {1}));
  commit(on(id, {0}));
  expect("I4");
}

TEST_F(OwnCpusTest, AndSharedOnesHeldAsTheRecordsSayAreNothingToComplainAbout) {
  run(on(id, {1}), {.vcpus = {{1}}, .emulator = {0}, .cells = {0}});
  run(on(other, {}), {.vcpus = {{0, 2}}, .emulator = {0, 2}, .cells = {0}});
  EXPECT_EQ(misplaced(), "");
}

TEST_F(OwnCpusTest, ThatAGuestDoesNotRunOnAreI4) {
  run(on(id, {1}), {.vcpus = {{0}}, .emulator = {0}, .cells = {0}});
  EXPECT_THAT(misplaced(), HasSubstr("is not on its CPU"));
  run(on(id, {1}), {.vcpus = {}, .emulator = {}, .cells = {0}});
  EXPECT_THAT(misplaced(), HasSubstr("is not on its CPU"));
}

TEST_F(OwnCpusTest, OrTheirIdleSiblingsThatOthersRunOnAreI4) {
  run(on(id, {1}), {.vcpus = {{1}}, .emulator = {0}, .cells = {0}});
  run(on(other, {}), {.vcpus = {{0, 2, 3}}, .emulator = {0, 2}, .cells = {0}});
  EXPECT_THAT(misplaced(), HasSubstr("does not run on what its cells share"));
  run(on(other, {}), {.vcpus = {}, .emulator = {}, .cells = {0}});
  EXPECT_THAT(misplaced(), HasSubstr("does not run on what its cells share"));
}

TEST_F(OwnCpusTest, ThatNobodyUsesThoughTheyAreSharedAreI4) {
  run(on(other, {}), {.vcpus = {{0, 2}}, .emulator = {0, 2}, .cells = {0}});
  EXPECT_THAT(misplaced(), HasSubstr("does not run on what its cells share"));
}

TEST_F(OwnCpusTest, WithMemoryFromElsewhereIsI4) {
  run(on(id, {1}), {.vcpus = {{1}}, .emulator = {0}, .cells = {}});
  EXPECT_THAT(misplaced(), HasSubstr("memory"));
}

// ---- The auditor -------------------------------------------------------------------------------

class AuditorTest : public ::testing::Test {
 protected:
  using State = core::InstanceState;

  static core::InstanceView view(std::string id, State state, std::string reservation = "r-1") {
    core::InstanceView v{.state = state};
    v.instance.id = InstanceId(std::move(id));
    v.instance.reservation = ReservationId(std::move(reservation));
    v.instance.type = TypeName("t3.nano");
    v.instance.image = ImageId("ami-1");
    return v;
  }
  static Listing listing(std::vector<core::InstanceView> views) {
    Listing out;
    for (core::InstanceView& v : views) out.emplace(v.instance.id.value, std::move(v));
    return out;
  }
  static Operation operation(std::string name, core::ApiAction action, Listing before,
                             Result<core::Reply> reply, Listing after) {
    Operation o;
    o.call.action_name = std::move(name);
    o.call.action = std::move(action);
    o.before = std::move(before);
    o.reply.emplace(std::move(reply));
    o.after = std::move(after);
    return o;
  }
  void judge(Operation const& o) {
    auditor.acknowledged(o);
    auditor.judge(o);
  }
  // A launch of one instance, as it should be.
  void launch(std::string const& id, std::string token = "") {
    core::RunInstances ask{
        .image_id = "ami-1", .type = "t3.nano", .client_token = std::move(token)};
    core::ReservationView made{.id = ReservationId("r-1"), .instances = {view(id, State::pending)}};
    judge(operation("RunInstances", ask, {}, core::Reply(core::Launched{made}),
                    listing({view(id, State::pending)})));
    ASSERT_FALSE(world.violation()) << *world.violation();
  }
  void expect(char const* complaint) {
    ASSERT_TRUE(world.violation()) << "nothing was said";
    EXPECT_THAT(*world.violation(), HasSubstr(complaint));
  }

  std::string const one = "i-00000000000000001";
  std::string const two = "i-00000000000000002";
  World world{1, nullptr};
  Auditor auditor{world, 1, [](std::string const&) { return false; }};
};

TEST_F(AuditorTest, ALaunchThatIsNotListedLaterWasLost) {
  launch(one);
  judge(
      operation("DescribeRegions", core::DescribeRegions{}, {}, core::Reply(core::Regions{}), {}));
  expect("I2");
}

TEST_F(AuditorTest, AnInstanceThatNobodyAskedForIsI3) {
  Listing const all = listing({view(one, State::pending)});
  judge(operation("DescribeRegions", core::DescribeRegions{}, all, core::Reply(core::Regions{}),
                  all));
  expect("I3");
}

TEST_F(AuditorTest, ATokenThatLaunchesTwiceIsI3) {
  launch(one, "t");
  core::RunInstances ask{.image_id = "ami-1", .type = "t3.nano", .client_token = "t"};
  core::ReservationView made{.id = ReservationId("r-2"),
                             .instances = {view(two, State::pending, "r-2")}};
  Listing const before = listing({view(one, State::pending)});
  judge(operation("RunInstances", ask, before, core::Reply(core::Launched{made}),
                  listing({view(one, State::pending), view(two, State::pending, "r-2")})));
  expect("I3");
}

TEST_F(AuditorTest, ATokenWithOtherParametersMustBeRefused) {
  launch(one, "t");
  core::RunInstances ask{
      .image_id = "ami-1", .type = "t3.nano", .client_token = "t", .parameters_digest = "other"};
  core::ReservationView made{.id = ReservationId("r-1"), .instances = {view(one, State::pending)}};
  Listing const all = listing({view(one, State::pending)});
  judge(operation("RunInstances", ask, all, core::Reply(core::Launched{made}), all));
  expect("I3");
}

TEST_F(AuditorTest, ADryRunThatChangesSomethingIsWrong) {
  launch(one);
  Operation o = operation("TerminateInstances", core::TerminateInstances{{one}},
                          listing({view(one, State::running)}), core::Reply(core::WouldSucceed{}),
                          listing({view(one, State::shutting_down)}));
  o.call.dry_run = true;
  judge(o);
  expect("dry run");
}

TEST_F(AuditorTest, AStopThatSucceedsOnAPendingInstanceIsWrong) {
  launch(one);
  judge(operation("StopInstances", core::StopInstances{{one}}, listing({view(one, State::pending)}),
                  core::Reply(core::StateChanges{}), listing({view(one, State::stopping)})));
  expect("wanted conflict");
}

TEST_F(AuditorTest, ARefusalWithTheWrongCodeIsWrong) {
  launch(one);
  Listing const all = listing({view(one, State::running)});
  judge(operation("StopInstances", core::StopInstances{{two}}, all,
                  Error{Code::conflict, "instance", ""}, all));
  expect("wanted not_found");
}

TEST_F(AuditorTest, ATerminatedInstanceThatComesBackIsI9) {
  launch(one);
  judge(operation("TerminateInstances", core::TerminateInstances{{one}},
                  listing({view(one, State::running)}), core::Reply(core::Done{}),
                  listing({view(one, State::shutting_down)})));
  Listing const back = listing({view(one, State::running)});
  judge(operation("DescribeRegions", core::DescribeRegions{}, back, core::Reply(core::Regions{}),
                  back));
  expect("I9");
}

TEST_F(AuditorTest, TagsThatDoNotReadBackAreWrong) {
  launch(one);
  Listing const all = listing({view(one, State::running)});
  judge(operation("CreateTags", core::CreateTags{{one}, {{"k", "v"}}}, all,
                  core::Reply(core::Done{}), all));
  expect("tags");
}

TEST_F(AuditorTest, AnAnswerThatTellsAForeignIdFromAnAbsentOneIsI10) {
  auditor.judge_pair(one, Error{Code::forbidden, "instance", one}, two,
                     Error{Code::not_found, "instance", two});
  expect("I10");
}

TEST_F(AuditorTest, PagesThatRepeatOrLoseAreWrong) {
  Listing const all = listing({view(one, State::running), view(two, State::running)});
  auditor.judge_pages(all, {one, two}, all);
  EXPECT_FALSE(world.violation());
  auditor.judge_pages(all, {one}, all);
  expect("on no page");
}

TEST_F(AuditorTest, AFilterThatLosesAnInstanceIsWrong) {
  Listing const all = listing({view(one, State::running)});
  auditor.judge_filtered(all, {{"instance-state-name", {"run*"}}},
                         core::Reply(core::Reservations{}));
  expect("lose");
}

// ---- Again -------------------------------------------------------------------------------------

TEST(AgainTest, TheSameSeedIsTheSameHistoryAndAnotherIsAnother) {
  log_start({.level = LogLevel::error, .file = "/dev/null"});
  Outcome const first = run_seed({.seed = 7, .steps_max = 20'000});
  Outcome const again = run_seed({.seed = 7, .steps_max = 20'000});
  EXPECT_EQ(first.hash, again.hash);
  EXPECT_EQ(first.events, again.events);
  EXPECT_NE(first.hash, run_seed({.seed = 8, .steps_max = 20'000}).hash);
}

}  // namespace
}  // namespace berth::sim
