// The engine over random fleets and random days: the index chooses the host that a look at every
// host would choose, and a checker that knows only the prose of the constraints finds nothing
// wrong.

#include <gtest/gtest.h>

#include "tests/property/placement/checks.h"

namespace berth::placement {
namespace {

void place_one(World& world) {
  Request const request = world.random_request();
  std::optional<Seat> const seat = world.fleet.choose(request);
  Answer const scanned = world.fleet.scan(request);
  if (!seat) {
    NoSeat const* const refusal = std::get_if<NoSeat>(&scanned);
    ASSERT_NE(refusal, nullptr) << "the index finds nothing, a look at every host does";
    check_refusal(world, request, *refusal);
    return;
  }
  Seat const* const expected = std::get_if<Seat>(&scanned);
  ASSERT_NE(expected, nullptr) << std::get<NoSeat>(scanned).text();
  ASSERT_EQ(expected->host, seat->host) << world.policy.name;
  ASSERT_EQ(*expected, *seat) << world.policy.name;
  world.fleet.take(*seat);
  Guest const guest{.request = request, .seat = *seat};
  check_seat(world, guest);
  world.guests.push_back(guest);
  if (world.reserved_hosts > 0) check_reserve(world, world.setups[seat->host].zone);
}

TEST(PlacementProperty,
     the_index_chooses_what_a_look_at_every_host_would_and_breaks_no_constraint) {
  std::int64_t placed = 0;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    World world(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (int step = 0; step < 400; ++step) {
      std::uint64_t const what = world.entropy.below(100);
      if (what < 55)
        place_one(world);
      else if (what < 95)
        world.release_one();
      else if (what < 97)
        world.change_a_rule();
      else
        world.change_a_host();
      if (testing::Test::HasFailure()) return;
    }
    check_fleet(world);
    placed += static_cast<std::int64_t>(world.guests.size());
    while (!world.guests.empty()) world.release_one();
    EXPECT_EQ(world.fleet.fleet().hosts_in_use(), 0);
    EXPECT_EQ(world.fleet.fleet().used(), Totals());
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(placed, static_cast<std::int64_t>(seeds())) << "the worlds are too small to say much";
}

TEST(PlacementProperty, a_batch_is_the_same_as_single_requests_one_after_the_other) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World batched(seed), single(seed);
    for (int step = 0; step < 40; ++step) {
      Request const request = batched.random_request();
      ASSERT_EQ(request.need, single.random_request().need);
      std::size_t const count = batched.entropy.below(40);
      ASSERT_EQ(count, single.entropy.below(40));
      std::vector<Seat> seats, expected;
      batched.fleet.place_batch(request, count, seats);
      while (expected.size() < count) {
        std::optional<Seat> const seat = single.fleet.place(request);
        if (!seat) break;
        expected.push_back(*seat);
      }
      ASSERT_EQ(seats, expected) << batched.policy.name;
      for (std::size_t i = 0; i < seats.size(); ++i) {
        batched.guests.push_back({.request = request, .seat = seats[i]});
        single.guests.push_back({.request = request, .seat = expected[i]});
      }
      std::uint64_t const gone = batched.entropy.below(30);
      ASSERT_EQ(gone, single.entropy.below(30));
      for (std::uint64_t i = 0; i < gone; ++i) {
        batched.release_one();
        single.release_one();
      }
    }
    check_fleet(batched);
  }
}

// Hosts that look alike by the hundred, so that classes are large, and batches from a few to more
// than the fleet holds.
TEST(PlacementProperty, a_batch_in_a_large_fleet_of_few_kinds_is_the_same_as_single_requests) {
  for (std::uint64_t seed = 1; seed <= seeds() / 25 + 1; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededEntropy entropy(seed);
    Policy const& policy = policies()[seed % policies().size()];
    IndexedFleet batched(policy), single(policy);
    std::int32_t const hosts = draw(entropy, 100, 600);
    for (std::int32_t i = 0; i < hosts; ++i) {
      Room const cell{.vcpus = 8, .memory_mib = i % 3 == 0 ? 16'384 : 32'768};
      for (IndexedFleet* fleet : {&batched, &single}) fleet->add_host({.cells = {cell, cell}});
    }
    std::vector<Seat> running;
    for (int step = 0; step < 25; ++step) {
      Request const request{
          .need = {.vcpus = draw(entropy, 1, 4), .memory_mib = 1'024 * draw(entropy, 1, 6)}};
      auto const count = static_cast<std::size_t>(draw(entropy, 1, step % 5 == 0 ? 2'000 : 200));
      std::vector<Seat> seats, expected;
      batched.place_batch(request, count, seats);
      while (expected.size() < count) {
        std::optional<Seat> const seat = single.place(request);
        if (!seat) break;
        expected.push_back(*seat);
      }
      ASSERT_EQ(seats, expected) << policy.name;
      running.insert(running.end(), seats.begin(), seats.end());
      for (std::size_t gone = running.size() * entropy.below(8) / 10; gone > 0; --gone) {
        std::size_t const i = entropy.below(running.size());
        for (IndexedFleet* fleet : {&batched, &single}) fleet->release(running[i]);
        running[i] = running.back();
        running.pop_back();
      }
    }
  }
}

TEST(PlacementProperty, explaining_changes_no_choice_and_the_table_begins_with_it) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World explained(seed), plain(seed);
    for (int step = 0; step < 100; ++step) {
      Request const request = explained.random_request();
      ASSERT_EQ(request.need, plain.random_request().need);
      ScoreTable table;
      std::optional<Seat> const seat = explained.fleet.place_explained(request, table);
      ASSERT_EQ(seat, plain.fleet.place(request));
      ASSERT_EQ(table.size > 0, seat.has_value());
      if (!seat) continue;
      EXPECT_EQ(table.rows[0].host, seat->host);
      EXPECT_EQ(table.rows[0].cells, seat->cells);
      for (std::size_t i = 1; i < table.size; ++i) {
        EXPECT_TRUE(table.rows[0].is_before(table.rows[i])) << "a runner-up is better";
        EXPECT_LE(table.rows[i - 1].score, table.rows[i].score);
      }
    }
  }
}

}  // namespace
}  // namespace berth::placement
