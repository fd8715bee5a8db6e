#pragma once
// The contract of the Hypervisor seam, for any implementation. Include it in one .cc and
// instantiate:
//
//   INSTANTIATE_TEST_SUITE_P(Simulated, HypervisorContract,
//                            ::testing::Values(HypervisorFactory{"Simulated", make_bench}),
//                            factory_name);

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "tests/contract/hypervisor/bench.h"

namespace berth::agent::testing {

inline std::string factory_name(::testing::TestParamInfo<HypervisorFactory> const& parameter) {
  return parameter.param.name;
}

class HypervisorContract : public ::testing::TestWithParam<HypervisorFactory> {
 protected:
  void SetUp() override {
    bench = GetParam().make();
    ASSERT_NE(bench, nullptr);
  }

  // An answer that may come from another thread.
  template <class T>
  struct Answer {
    std::mutex mutex;
    std::optional<Result<T>> value;

    bool has_come() {
      std::lock_guard const lock(mutex);
      return value.has_value();
    }
  };
  template <class T>
  Result<T> wait(std::function<void(std::function<void(Result<T>)>)> const& ask) {
    auto const answer = std::make_shared<Answer<T>>();
    ask([answer](Result<T> result) {
      std::lock_guard const lock(answer->mutex);
      EXPECT_FALSE(answer->value.has_value()) << "answered twice";
      answer->value.emplace(std::move(result));
    });
    if (!bench->run_until([&] { return answer->has_come(); })) {
      return Error{Code::timeout, "host", "no answer came"};
    }
    std::lock_guard const lock(answer->mutex);
    return *answer->value;
  }

  Result<void> perform(Action const& action) {
    return wait<void>([&](auto done) { bench->hypervisor().perform(action, std::move(done)); });
  }
  Observed observed() {
    Result<Observed> result =
        wait<Observed>([&](auto done) { bench->hypervisor().observe(std::move(done)); });
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return result ? *std::move(result) : Observed{};
  }
  // Absent: no domain of this id.
  std::optional<DomainSeen> domain(InstanceId const& of) {
    Observed const all = observed();
    auto const at = std::ranges::find(all.domains, of, &DomainSeen::id);
    return at == all.domains.end() ? std::nullopt : std::optional(*at);
  }
  bool becomes(InstanceId const& of, DomainState state) {
    return bench->run_until([&] {
      std::optional<DomainSeen> const seen = domain(of);
      return seen && seen->state == state;
    });
  }
  bool has_disk(InstanceId const& of, std::uint64_t generation) {
    return std::ranges::count(observed().disks, DiskSeen{of, PlacementGeneration(generation)}) == 1;
  }

  InstanceSpec spec(std::uint64_t generation = 1) {
    HypervisorBench::TestImage const image = bench->image();
    return InstanceSpec{.id = id,
                        .generation = PlacementGeneration(generation),
                        .uuid = uuid,
                        .vcpus = 1,
                        .memory = Mebibytes(192),
                        .disk_gib = 1,
                        .image_digest = image.digest,
                        .image_format = image.format,
                        .image_size = image.size,
                        .mac = "52:54:00:0c:0b:0a",
                        .hostname = "ip-10-0-0-1",
                        .tenant = "000000000001",
                        .type = "t3.nano",
                        .zone = "us-east-1a",
                        .region = "us-east-1"};
  }
  void fetch() {
    HypervisorBench::TestImage const image = bench->image();
    Result<void> const result = perform(FetchImage{image.digest, image.format, image.size});
    ASSERT_TRUE(result) << result.error().message;
  }
  void start(InstanceSpec const& wanted) {
    Result<void> const result = perform(StartInstance{wanted});
    ASSERT_TRUE(result) << result.error().message;
  }
  Code code_of(Result<void> const& result) {
    EXPECT_FALSE(result) << "wanted an error";
    return result ? Code::corrupt : result.error().code;
  }

  InstanceId const id{"i-0000000000000c0de"};
  std::string const uuid = "ec2c0de0-0000-4000-8000-00000000c0de";
  PlacementGeneration const first{1};
  PlacementGeneration const second{2};
  std::unique_ptr<HypervisorBench> bench;
};

// Another agent may share a real libvirtd in tests, never a folder: its domains are not looked at.
TEST_P(HypervisorContract, AnEmptyHostHasNothingOfOurs) {
  EXPECT_FALSE(domain(id));
  Observed const all = observed();
  EXPECT_TRUE(all.disks.empty());
  EXPECT_TRUE(all.images.empty());
}

TEST_P(HypervisorContract, AFetchedImageIsInTheCacheAndFetchingItAgainIsANoOp) {
  fetch();
  fetch();
  EXPECT_THAT(observed().images, ::testing::ElementsAre(bench->image().digest));
}

TEST_P(HypervisorContract, AnImageNobodyHasIsAnErrorAndNotInTheCache) {
  EXPECT_FALSE(perform(FetchImage{std::string(64, '0'), ImageFormat::qcow2, Bytes(4096)}));
  EXPECT_TRUE(observed().images.empty());
}

TEST_P(HypervisorContract, AStartedInstanceRunsAndCarriesTheCountsOfItsSpec) {
  fetch();
  InstanceSpec wanted = spec(7);
  wanted.starts = 3;
  wanted.reboots = 2;
  start(wanted);
  std::optional<DomainSeen> seen = domain(id);
  ASSERT_TRUE(seen);
  seen->private_ip.clear();  // known only when the guest has asked for it
  EXPECT_EQ(*seen, (DomainSeen{.id = id,
                               .generation = PlacementGeneration(7),
                               .uuid = uuid,
                               .state = DomainState::running,
                               .reboots = 2,
                               .starts = 3}));
  EXPECT_TRUE(has_disk(id, 7));
}

TEST_P(HypervisorContract, StartingWithoutTheImageIsAnErrorAndDefinesNoDomain) {
  EXPECT_EQ(code_of(perform(StartInstance{spec()})), Code::not_found);
  EXPECT_FALSE(domain(id));
}

// Each bench's host has a CPU 0 in a cell 0; more are not asked for.
TEST_P(HypervisorContract, AnInstanceRunsWhereItIsPinnedAndSaysSo) {
  fetch();
  Pins const pins{.vcpus = {{0}}, .emulator = {0}, .cells = {0}};
  Result<void> const started = perform(StartInstance{spec(), pins});
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_EQ(domain(id)->pins, pins);
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  EXPECT_EQ(domain(id)->pins, Pins{}) << "what has no process sits nowhere";
}

TEST_P(HypervisorContract, ARunningInstanceIsPinnedWithoutARestart) {
  fetch();
  start(spec());
  ASSERT_EQ(domain(id)->pins, Pins{});
  Pins const pins{.vcpus = {{0}}, .emulator = {0}, .cells = {}};
  Result<void> const pinned = perform(PinInstance{id, first, pins});
  ASSERT_TRUE(pinned) << pinned.error().message;
  EXPECT_EQ(domain(id)->pins, pins);
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_TRUE(perform(PinInstance{id, first, pins})) << "pinning it twice is a no-op";
  bench->restart_agent();
  EXPECT_EQ(domain(id)->pins, pins) << "it is read from the guest, not remembered";
}

TEST_P(HypervisorContract, AHostThatRefusesThePinsRunsTheInstanceWithoutThem) {
  if (!bench->refuses_absent_cpus()) GTEST_SKIP() << "this driver takes any CPU";
  fetch();
  Pins const pins{.vcpus = {{1000}}, .emulator = {0}, .cells = {}};
  Result<void> const started = perform(StartInstance{spec(), pins});
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_EQ(domain(id)->pins, Pins{});
  EXPECT_FALSE(perform(PinInstance{id, first, pins})) << "what is refused is an error";
  EXPECT_EQ(domain(id)->pins.emulator, (std::vector<std::int32_t>{0}))
      << "and keeps the rest from nothing";
}

TEST_P(HypervisorContract, PinningWhatIsNotThereOrOffOrOfAnotherGenerationTouchesNothing) {
  Pins const pins{.vcpus = {{0}}, .emulator = {0}, .cells = {}};
  EXPECT_TRUE(perform(PinInstance{id, first, pins}));
  EXPECT_FALSE(domain(id));
  fetch();
  start(spec());
  EXPECT_EQ(code_of(perform(PinInstance{id, second, pins})), Code::conflict);
  EXPECT_EQ(domain(id)->pins, Pins{});
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  EXPECT_TRUE(perform(PinInstance{id, first, pins}));
  EXPECT_EQ(domain(id)->state, DomainState::off);
}

TEST_P(HypervisorContract, StartingARunningInstanceOnlyRecordsTheStart) {
  fetch();
  start(spec());
  InstanceSpec again = spec();
  again.starts = 9;
  again.reboots = 4;
  start(again);
  EXPECT_EQ(domain(id)->starts, 9U);
  EXPECT_EQ(domain(id)->reboots, 0U) << "a reboot that was not done must not be recorded";
  EXPECT_EQ(domain(id)->state, DomainState::running);
}

// In a test's words: hints may be many or few, but the end of a guest does not pass unnoticed.
TEST_P(HypervisorContract, TheEndOfAGuestIsHintedAt) {
  fetch();
  start(spec());
  auto const hints = std::make_shared<std::atomic<int>>(0);
  bench->hypervisor().on_change([hints] { ++*hints; });
  bench->end_guest(id);
  EXPECT_TRUE(bench->run_until([&] { return hints->load() > 0; }));
  bench->hypervisor().on_change(nullptr);
}

TEST_P(HypervisorContract, AnInstancePoweredOffKeepsItsDiskAndIsOffByUs) {
  fetch();
  start(spec());
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  EXPECT_EQ(domain(id)->state, DomainState::off);
  EXPECT_TRUE(domain(id)->stopped_by_us);
  EXPECT_TRUE(has_disk(id, 1));
  EXPECT_TRUE(perform(PowerOffInstance{id, first})) << "powering off twice is a no-op";
}

TEST_P(HypervisorContract, AnInstancePoweredOffStartsAgainWithItsNewCounts) {
  fetch();
  start(spec());
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  InstanceSpec again = spec();
  again.starts = 1;
  start(again);
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_EQ(domain(id)->starts, 1U);
  EXPECT_FALSE(domain(id)->stopped_by_us);
}

TEST_P(HypervisorContract, ThePowerButtonIsByUsFromTheMomentItIsPressed) {
  fetch();
  start(spec());
  ASSERT_TRUE(perform(ShutDownInstance{id, first}));
  std::optional<DomainSeen> const seen = domain(id);
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->stopped_by_us);
  EXPECT_THAT(seen->state, ::testing::AnyOf(DomainState::shutting_down, DomainState::off));
  EXPECT_TRUE(perform(ShutDownInstance{id, first})) << "pressing it twice is a no-op";
}

TEST_P(HypervisorContract, AGuestThatEndedByItselfIsOffButNotByUs) {
  fetch();
  start(spec());
  bench->end_guest(id);
  ASSERT_TRUE(becomes(id, DomainState::off));
  EXPECT_FALSE(domain(id)->stopped_by_us);
}

TEST_P(HypervisorContract, AGuestThatEndedWithItsHostDidNotEndByItself) {
  fetch();
  start(spec());
  bench->reboot_host();
  ASSERT_TRUE(domain(id));
  EXPECT_EQ(domain(id)->state, DomainState::off);
  EXPECT_TRUE(domain(id)->stopped_by_us);
  start(spec());
  EXPECT_EQ(domain(id)->state, DomainState::running);
}

TEST_P(HypervisorContract, AnAgentThatLostItsMemoryFindsItsInstancesAgain) {
  fetch();
  InstanceSpec wanted = spec(3);
  wanted.starts = 5;
  start(wanted);
  std::optional<DomainSeen> before = domain(id);
  Observed const files_before = observed();
  bench->restart_agent();
  std::optional<DomainSeen> after = domain(id);
  Observed const files_after = observed();
  ASSERT_TRUE(before && after);
  before->private_ip.clear();
  after->private_ip.clear();
  EXPECT_EQ(*before, *after);
  EXPECT_EQ(files_before.disks, files_after.disks);
  EXPECT_EQ(files_before.images, files_after.images);
}

TEST_P(HypervisorContract, ARebootResetsTheGuestAndRecordsItsCount) {
  if (!bench->can_reset()) GTEST_SKIP() << "this driver cannot reset";
  fetch();
  start(spec());
  ASSERT_TRUE(perform(RebootInstance{id, first, 1}));
  EXPECT_EQ(domain(id)->reboots, 1U);
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_TRUE(perform(RebootInstance{id, first, 1})) << "a count already reached is a no-op";
}

TEST_P(HypervisorContract, RebootingWhatIsOffIsAConflict) {
  fetch();
  start(spec());
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  EXPECT_EQ(code_of(perform(RebootInstance{id, first, 1})), Code::conflict);
  EXPECT_EQ(domain(id)->reboots, 0U);
}

TEST_P(HypervisorContract, AnActionForAnotherGenerationIsRefusedAndTouchesNothing) {
  fetch();
  start(spec(2));
  DomainSeen const before = *domain(id);
  EXPECT_EQ(code_of(perform(StartInstance{spec(3)})), Code::conflict);
  EXPECT_EQ(code_of(perform(ShutDownInstance{id, first})), Code::conflict);
  EXPECT_EQ(code_of(perform(PowerOffInstance{id, first})), Code::conflict);
  EXPECT_EQ(code_of(perform(RebootInstance{id, first, 1})), Code::conflict);
  DomainSeen const after = *domain(id);
  EXPECT_EQ(after.state, before.state);
  EXPECT_EQ(after.generation, second);
  EXPECT_EQ(after.reboots, before.reboots);
  EXPECT_FALSE(after.stopped_by_us);
}

TEST_P(HypervisorContract, RemovingLeavesNothingAndMayBeRepeated) {
  fetch();
  start(spec());
  RemoveInstance const removal{id, first, uuid, "1/2"};
  ASSERT_TRUE(perform(removal));
  EXPECT_FALSE(domain(id));
  EXPECT_TRUE(observed().disks.empty());
  EXPECT_TRUE(perform(removal));
}

TEST_P(HypervisorContract, RemovingAnOlderGenerationLeavesTheNewerOneRunning) {
  fetch();
  start(spec(2));
  ASSERT_TRUE(perform(RemoveInstance{id, first, uuid, "1/2"}));
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_TRUE(has_disk(id, 2));
}

TEST_P(HypervisorContract, RemovingUnderAnotherUuidIsAConflict) {
  fetch();
  start(spec());
  EXPECT_EQ(
      code_of(perform(RemoveInstance{id, first, "ec2c0de0-0000-4000-8000-00000000ffff", "1/2"})),
      Code::conflict);
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_TRUE(has_disk(id, 1));
}

TEST_P(HypervisorContract, AForeignDomainIsListedAndNeverTouched) {
  fetch();
  bench->make_foreign(id.value);
  EXPECT_THAT(observed().foreign, ::testing::Contains(id.value));
  EXPECT_EQ(code_of(perform(StartInstance{spec()})), Code::conflict);
  EXPECT_EQ(code_of(perform(ShutDownInstance{id, first})), Code::conflict);
  EXPECT_EQ(code_of(perform(PowerOffInstance{id, first})), Code::conflict);
  EXPECT_EQ(code_of(perform(RebootInstance{id, first, 1})), Code::conflict);
  EXPECT_EQ(code_of(perform(PinInstance{id, first, {}})), Code::conflict);
  EXPECT_EQ(code_of(perform(RemoveInstance{id, first, uuid, "1/2"})), Code::conflict);
  EXPECT_TRUE(bench->is_foreign_running(id.value));
  EXPECT_FALSE(domain(id));
}

TEST_P(HypervisorContract, AnImageStaysWhileADiskRestsOnIt) {
  fetch();
  start(spec());
  EXPECT_EQ(code_of(perform(EvictImage{bench->image().digest})), Code::conflict);
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  EXPECT_EQ(code_of(perform(EvictImage{bench->image().digest})), Code::conflict);
  ASSERT_TRUE(perform(RemoveInstance{id, first, uuid, "1/2"}));
  EXPECT_TRUE(perform(EvictImage{bench->image().digest}));
  EXPECT_TRUE(observed().images.empty());
}

TEST_P(HypervisorContract, StoppingOrRebootingWhatIsNotThereDoesNoHarm) {
  EXPECT_TRUE(perform(ShutDownInstance{id, first}));
  EXPECT_TRUE(perform(PowerOffInstance{id, first}));
  EXPECT_TRUE(perform(RemoveInstance{id, first, uuid, "1/2"}));
  EXPECT_EQ(code_of(perform(RebootInstance{id, first, 1})), Code::conflict);
  EXPECT_FALSE(domain(id));
}

TEST_P(HypervisorContract, TheConsoleOfAnInstanceThatIsNotThereIsEmpty) {
  Result<std::string> const text = wait<std::string>(
      [&](auto done) { bench->hypervisor().read_console(id, 100, std::move(done)); });
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "");
}

TEST_P(HypervisorContract, TheHostIsDescribedAndKeepsItsUuid) {
  Result<HostInventory> const inventory = bench->hypervisor().inventory();
  ASSERT_TRUE(inventory) << inventory.error().message;
  EXPECT_FALSE(inventory->cells.empty());
  EXPECT_GT(cpu_count(*inventory), 0);
  EXPECT_GT(memory(*inventory).value, 0);
  EXPECT_GT(inventory->disk_free.value, 0);
  if (!bench->has_host_uuid()) return;
  Result<std::string> const before = bench->hypervisor().host_uuid();
  bench->restart_agent();
  Result<std::string> const after = bench->hypervisor().host_uuid();
  ASSERT_TRUE(before && after);
  EXPECT_EQ(*before, *after);
  EXPECT_EQ(before->size(), 36U);
}

}  // namespace berth::agent::testing
