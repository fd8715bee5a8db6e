#include "daemon/placement/place.h"

#include <gtest/gtest.h>

namespace berth::placement {
namespace {

HostRoom room(std::int64_t vcpus_used, std::int64_t memory_used) {
  return {.zone = ZoneName("a"),
          .is_up = true,
          .capacity = {.vcpus = 32, .memory = Mebibytes(1000), .disk_gib = 100, .instances = 10},
          .used = {.vcpus = vcpus_used,
                   .memory = Mebibytes(memory_used),
                   .instances = vcpus_used > 0 ? 1 : 0}};
}
Ask const kAsk{.need = {.vcpus = 2, .memory = Mebibytes(100), .disk_gib = 1, .instances = 1}};

std::string chosen(Fleet const& fleet, Ask const& ask = kAsk) {
  auto const answer = place({.hosts = fleet, .taken = {}}, ask);
  auto const* choice = std::get_if<Choice>(&answer);
  return choice != nullptr ? choice->host.value : "nothing: " + std::get<Refusal>(answer).text();
}

TEST(Place, TakesTheHostThatIsLeftWithTheLeast) {
  EXPECT_EQ(
      chosen(
          {{HostId("a"), room(4, 100)}, {HostId("b"), room(20, 700)}, {HostId("c"), room(8, 300)}}),
      "b");
}

TEST(Place, OpensAnEmptyHostOnlyWhenNoUsedOneFits) {
  EXPECT_EQ(chosen({{HostId("a"), room(0, 0)}, {HostId("b"), room(2, 50)}}), "b");
  EXPECT_EQ(chosen({{HostId("a"), room(0, 0)}, {HostId("b"), room(31, 50)}}), "a");
}

TEST(Place, BreaksTiesByTheLowestId) {
  EXPECT_EQ(chosen({{HostId("b"), room(0, 0)}, {HostId("a"), room(0, 0)}}), "a");
}

TEST(Place, CountsEachHostUnderTheFirstReasonThatRemovesIt) {
  HostRoom down = room(0, 0);
  down.is_up = false;
  HostRoom cordoned = room(0, 0);
  cordoned.is_cordoned = true;
  HostRoom elsewhere = room(0, 0);
  elsewhere.zone = ZoneName("b");
  Fleet const fleet{{HostId("a"), room(0, 950)}, {HostId("b"), room(31, 0)},
                    {HostId("c"), down},         {HostId("d"), cordoned},
                    {HostId("e"), elsewhere},    {HostId("f"), room(2, 950)}};
  Ask ask = kAsk;
  ask.zone = ZoneName("a");
  EXPECT_EQ(chosen(fleet, ask),
            "nothing: 6 hosts: 1 other zone, 1 not up, 1 cordoned, 1 cpu, 2 memory");
  auto const answer = place({.hosts = fleet, .taken = {}}, ask);
  EXPECT_EQ(std::get<Refusal>(answer).tightest(), Reason::memory);
}

TEST(Place, CountsWhatThisRequestHasTakenAlready) {
  Fleet const fleet{{HostId("a"), room(0, 0)}};
  View view{.hosts = fleet, .taken = {}};
  int placed = 0;
  while (std::holds_alternative<Choice>(place(view, kAsk))) {
    view.taken[HostId("a")] += kAsk.need;
    ASSERT_LE(++placed, 10);
  }
  EXPECT_EQ(placed, 10) << "ten of 100 MiB in 1000, and ten instances a host";
}

TEST(Place, FillsAHostToTheLastUnitAndNotBeyond) {
  HostRoom exact = room(30, 900);
  exact.used.disk_gib = 99;
  EXPECT_EQ(chosen({{HostId("a"), exact}}), "a");
  exact.used.disk_gib = 100;
  EXPECT_EQ(chosen({{HostId("a"), exact}}), "nothing: 1 host: 1 disk");
}

}  // namespace
}  // namespace berth::placement
