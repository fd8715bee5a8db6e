// Which CPUs an instance is given, what is left for the others, and when a host is told.

#include "daemon/core/cpu_sets.h"

#include <gtest/gtest.h>

#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using testing::TestRegion;
using Cpus = std::vector<std::int32_t>;

// Cells of `cores` cores each with two threads, numbered as Linux does: all first threads, cell by
// cell, then all second ones. Two cells of two cores: {0,4} {1,5} and {2,6} {3,7}.
HostInventory inventory(std::int32_t cells, std::int32_t cores, std::int32_t threads = 2) {
  HostInventory out;
  std::int32_t const first_threads = cells * cores;
  for (std::int32_t c = 0; c < cells; ++c) {
    HostCell cell{.id = c, .memory = Mebibytes(16 * 1'024)};
    for (std::int32_t t = 0; t < threads; ++t) {
      for (std::int32_t k = 0; k < cores; ++k) {
        HostCpu cpu{.id = t * first_threads + c * cores + k, .core = k};
        for (std::int32_t s = 0; s < threads; ++s)
          cpu.siblings.push_back(s * first_threads + c * cores + k);
        cell.cpus.push_back(cpu);
      }
    }
    out.cells.push_back(cell);
  }
  return out;
}

TEST(ChooseCpus, GivesWholeCoresTheLowestFirstWithNeighboursOnSiblings) {
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0}, {}, 2), (Cpus{0, 4}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0}, {}, 4), (Cpus{0, 4, 1, 5}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {1}, {}, 2), (Cpus{2, 6}));
  EXPECT_EQ(choose_cpus(inventory(1, 4, 1), {0}, {}, 3), (Cpus{0, 1, 2}));
}

TEST(ChooseCpus, TakesACoreOnlyWhenAllOfItIsFree) {
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0}, {0, 4}, 2), (Cpus{1, 5}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0}, {4}, 2), (Cpus{1, 5}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0}, {4}, 3), std::nullopt);
}

TEST(ChooseCpus, LeavesTheLastSiblingOfAnOddCountIdle) {
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0}, {}, 3), (Cpus{0, 4, 1}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0}, {}, 1), (Cpus{0}));
}

TEST(ChooseCpus, TakesAnEvenShareFromEachCell) {
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0, 1}, {}, 4), (Cpus{0, 4, 2, 6}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0, 1}, {}, 8), (Cpus{0, 4, 1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0, 1}, {}, 3), (Cpus{0, 4, 2}));
  EXPECT_EQ(choose_cpus(inventory(2, 2), {0, 1}, {2, 6, 3, 7}, 4), std::nullopt)
      << "one cell's room does not make up for the other's";
}

TEST(ChooseCpus, ThatDoNotFitOrAreNotThereAreAnAnswer) {
  EXPECT_EQ(choose_cpus(inventory(1, 2), {0}, {}, 5), std::nullopt);
  EXPECT_EQ(choose_cpus(inventory(1, 2), {1}, {}, 1), std::nullopt);
  EXPECT_EQ(choose_cpus(inventory(1, 2), {}, {}, 1), std::nullopt);
  EXPECT_EQ(choose_cpus(inventory(1, 2), {0}, {}, 0), std::nullopt);
  EXPECT_EQ(choose_cpus(inventory(1, 2), {0}, {}, -7), std::nullopt);
  EXPECT_EQ(choose_cpus(HostInventory{}, {0}, {}, 1), std::nullopt);
}

TEST(ChooseCpus, OfAnInventoryThatContradictsItselfAreStillSomeOfIts) {
  HostInventory odd = inventory(1, 2);
  for (HostCpu& cpu : odd.cells[0].cpus) cpu.siblings.clear();
  EXPECT_EQ(choose_cpus(odd, {0}, {}, 3), (Cpus{0, 1, 2}));
  odd.cells[0].cpus[2].siblings = {-4, 99, 0};
  EXPECT_EQ(choose_cpus(odd, {0}, {}, 4)->size(), 4U);
}

// Whatever is free and asked for: only free whole cores of the cells are used, each CPU once, an
// even share of each cell, and "no" is said only when there are too few.
TEST(ChooseCpus, KeepTheirRulesOnEveryHostAndEveryAsk) {
  SeededEntropy entropy(7);
  for (int round = 0; round < 3'000; ++round) {
    auto const cells = static_cast<std::int32_t>(1 + entropy.below(4));
    auto const cores = static_cast<std::int32_t>(1 + entropy.below(6));
    auto const threads = static_cast<std::int32_t>(1 + entropy.below(3));
    HostInventory const host = inventory(cells, cores, threads);
    CpuSet given;
    std::map<std::int32_t, std::int64_t> free_cores;
    for (HostCell const& cell : host.cells) {
      free_cores[cell.id] = cores;
      for (HostCpu const& cpu : cell.cpus) {
        if (cpu.id >= cells * cores || entropy.below(3) > 0) continue;
        given.insert(cpu.siblings.begin(), cpu.siblings.end());
        --free_cores[cell.id];
      }
    }
    Cpus asked;
    for (std::int32_t c = 0; c < cells; ++c) {
      if (entropy.below(2) == 1) asked.push_back(c);
    }
    if (asked.empty()) asked.push_back(0);
    auto const vcpus = static_cast<std::int64_t>(1 + entropy.below(10));
    auto const each = [&](std::size_t i) {
      auto const n = static_cast<std::int64_t>(asked.size());
      return vcpus / n + (static_cast<std::int64_t>(i) < vcpus % n ? 1 : 0);
    };
    bool fits = true;
    for (std::size_t i = 0; i < asked.size(); ++i)
      fits = fits && each(i) <= free_cores[asked[i]] * threads;
    auto const chosen = choose_cpus(host, asked, given, vcpus);
    ASSERT_EQ(chosen.has_value(), fits) << round;
    if (!chosen) continue;
    ASSERT_EQ(static_cast<std::int64_t>(chosen->size()), vcpus);
    ASSERT_EQ(CpuSet(chosen->begin(), chosen->end()).size(), chosen->size())
        << "one is there twice";
    std::size_t at = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      std::set<std::int32_t> used_cores;
      for (std::int64_t n = 0; n < each(i); ++n, ++at) {
        std::int32_t const cpu = (*chosen)[at];
        ASSERT_FALSE(given.contains(cpu));
        ASSERT_EQ(cpu % (cells * cores) / cores, asked[i]) << "of another cell";
        used_cores.insert(cpu % (cells * cores));
      }
      ASSERT_EQ(static_cast<std::int64_t>(used_cores.size()), (each(i) + threads - 1) / threads)
          << "spread over more cores than it needs";
    }
  }
}

class CpuSets : public ::testing::Test {
 protected:
  void SetUp() override { region.host_comes(); }
  void host_has(HostInventory inventory) {
    Host host = region.state.hosts.at(region.host);
    inventory.disk_total = host.inventory->disk_total;
    host.inventory = std::move(inventory);
    absorb(region.state, PutHost{host});
  }
  InstanceId launch(std::vector<std::int32_t> cells, Cpus cpus) {
    InstanceId const id = region.launch();
    Instance next = region.state.instances.at(id);
    next.is_cpu_dedicated = !cpus.empty();
    next.placement->cells = std::move(cells);
    next.placement->cpus = std::move(cpus);
    absorb(region.state, PutInstance{next});
    return id;
  }
  HostSpec spec() { return host_spec(region.state, region.host); }
  InstanceSpec spec(InstanceId const& id) {
    for (InstanceSpec const& one : spec().instances) {
      if (one.id == id) return one;
    }
    ADD_FAILURE() << id.value;
    return {};
  }
  Cpus left(std::size_t cell) { return spec().shared_cpus.at(cell).cpus; }

  TestRegion region;
};

TEST_F(CpuSets, OfAHostThatHasNotReportedAreNone) {
  TestRegion fresh;
  EXPECT_TRUE(host_spec(fresh.state, fresh.host).shared_cpus.empty());
  EXPECT_TRUE(given_cpus(fresh.state, fresh.host).empty());
}

TEST_F(CpuSets, OfDedicatedInstancesAreTakenFromTheSharedOnesByWholeCores) {
  host_has(inventory(2, 2));
  EXPECT_EQ(left(0), (Cpus{0, 1, 4, 5}));
  InstanceId const id = launch({0}, {0});
  EXPECT_EQ(spec(id).cells, (Cpus{0}));
  EXPECT_EQ(spec(id).cpus, (Cpus{0}));
  EXPECT_EQ(left(0), (Cpus{1, 5}));
  EXPECT_EQ(left(1), (Cpus{2, 3, 6, 7}));
  EXPECT_EQ(given_cpus(region.state, region.host), (CpuSet{0, 4}));
}

TEST_F(CpuSets, GivenInOneDecisionAreGivenOnceWithTheirSiblings) {
  host_has(inventory(1, 3));
  launch({0}, {0, 3});
  CpuDraft draft(region.state);
  EXPECT_EQ(draft.choose(region.host, {0}, 1), (Cpus{1}));
  EXPECT_EQ(draft.choose(region.host, {0}, 2), (Cpus{2, 5}));
  EXPECT_EQ(draft.choose(region.host, {0}, 1), std::nullopt) << "4 is the idle sibling of 1";
  EXPECT_EQ(CpuDraft(region.state).choose(region.host, {0}, 4), (Cpus{1, 4, 2, 5}))
      << "a decision that came to nothing gives nothing";
  EXPECT_EQ(draft.choose(HostId("host-that-is-not-there"), {0}, 1), std::nullopt);
  TestRegion fresh;
  EXPECT_EQ(CpuDraft(fresh.state).choose(fresh.host, {0}, 1), std::nullopt);
}

TEST_F(CpuSets, OfAnInstanceThatIsKnownToBeStoppedAreSharedAgainAndItsHostIsTold) {
  host_has(inventory(2, 2));
  InstanceId const id = launch({0}, {0, 4});
  ASSERT_TRUE(region.report({region.line(id, Seen::running)}));
  host_has(inventory(2, 2));
  ASSERT_TRUE(region.call(StopInstances{{id.value}}));
  EXPECT_EQ(left(0), (Cpus{1, 5})) << "it may still run";
  Generation const before = spec().generation;
  Instance stopped = region.state.instances.at(id);
  stopped.seen = Seen::stopped;
  absorb(region.state, PutInstance{stopped});
  EXPECT_EQ(left(0), (Cpus{0, 1, 4, 5}));
  EXPECT_TRUE(spec(id).cpus.empty());
  EXPECT_GT(spec().generation, before);
  EXPECT_TRUE(region.state.derived.touched_specs.contains(region.host));
}

TEST_F(CpuSets, ThatChangeAreTold) {
  host_has(inventory(2, 2));
  InstanceId const id = launch({0}, {0, 4});
  Generation const before = spec().generation;
  Instance moved = region.state.instances.at(id);
  moved.placement->cpus = {1, 5};
  absorb(region.state, PutInstance{moved});
  EXPECT_GT(spec().generation, before);
  Generation const then = spec().generation;
  moved.placement->cells = {0, 1};
  absorb(region.state, PutInstance{moved});
  EXPECT_GT(spec().generation, then);
}

TEST_F(CpuSets, OfAnInventoryThatShrankAreWhatIsThereAndTheHostIsTold) {
  host_has(inventory(2, 2));
  InstanceId const id = launch({1}, {3, 7});
  Generation const before = spec().generation;
  HostInventory smaller = inventory(2, 2);
  std::erase_if(smaller.cells[1].cpus, [](HostCpu const& cpu) { return cpu.id >= 6; });
  host_has(smaller);
  EXPECT_GT(spec().generation, before);
  EXPECT_EQ(spec(id).cpus, (Cpus{3, 7}))
      << "what was promised is said; its agent tells what is not";
  EXPECT_EQ(left(1), (Cpus{2}));
  EXPECT_TRUE(given_cpus(region.state, region.host).contains(7)) << "it may come back";
}

TEST_F(CpuSets, AnInventoryThatDiffersElsewhereTellsTheHostNothing) {
  host_has(inventory(2, 2));
  Generation const before = spec().generation;
  HostInventory same = inventory(2, 2);
  same.agent_version = "2";
  host_has(same);
  EXPECT_EQ(spec().generation, before);
}

// Its placement has more in it than a report names.
TEST_F(CpuSets, AReportIsOfAPlacementWhateverItsCpusAre) {
  InstanceId const id = launch({0}, {1, 2});
  ASSERT_TRUE(region.report({region.line(id, Seen::running)}));
  EXPECT_EQ(region.state_of(id), InstanceState::running);
  EXPECT_TRUE(region.state.seen.at(region.host).unknown.empty());
}

// What a host says of where its guests run is kept for operators, told once and taken back.
TEST_F(CpuSets, ThatAGuestDoesNotRunOnAreShownUntilItDoes) {
  host_has(inventory(1, 4, 1));
  InstanceId const id = launch({0}, {1, 2});
  auto const report = [&](InstanceStatus line) {
    line.seen = Seen::running;
    Context context = region.now_context();
    HostStatus status{.host = region.host,
                      .host_uuid = "machine",
                      .boot_id = "boot",
                      .term = region.state.region.term,
                      .generation = spec().generation,
                      .instances = {std::move(line)},
                      .inventory = *region.state.hosts.at(region.host).inventory};
    Result<Decision> const decision = decide(region.state, AgentReport{status}, context);
    EXPECT_TRUE(decision);
    std::string told;
    for (Event const& event : decision->events) {
      if (event.what.ends_with("pinned")) told += event.what;
    }
    for (Change const& change : decision->changes) absorb(region.state, change);
    return told;
  };
  auto const shown = [&] {
    auto const& all = region.state.seen.at(region.host).unpinned;
    return all.contains(id) ? all.at(id) : std::string();
  };
  InstanceStatus line = region.line(id, Seen::running);
  line.cells = {0};
  line.cpus = {1, 2};
  EXPECT_EQ(report(line), "");
  EXPECT_EQ(shown(), "");
  line.unpinned = "no cpuset here";
  EXPECT_EQ(report(line), "instance unpinned");
  EXPECT_EQ(shown(), "no cpuset here");
  EXPECT_EQ(report(line), "") << "told already";
  Result<Reply> const view = region.tell(AdminCall{.action = ShowInstance{id.value}});
  ASSERT_TRUE(view);
  EXPECT_EQ(std::get<InstanceList>(*view).items.at(0).unpinned, "no cpuset here");
  line.unpinned.clear();
  EXPECT_EQ(report(line), "instance pinned");
  EXPECT_EQ(shown(), "");
  line.cpus = {1, 3};
  EXPECT_EQ(report(line), "instance unpinned");
  EXPECT_EQ(shown(), "its own CPUs are 1,2; its host says 1,3");
  line.cells = {};
  report(line);
  EXPECT_EQ(shown(), "its memory is to come from NUMA cells 0; its host says none");
}

}  // namespace
}  // namespace berth::core
