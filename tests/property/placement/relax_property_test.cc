// What would have helped a refused request: each answer by trying it on a copy, and that asking
// leaves no trace.

#include <gtest/gtest.h>

#include "daemon/placement/explain.h"
#include "daemon/placement/relax.h"
#include "tests/property/placement/world.h"

namespace berth::placement {
namespace {

bool can_place(IndexedFleet copy, Request const& request, std::int64_t count) {
  for (; count > 0; --count) {
    std::optional<Seat> const seat = copy.choose_again(request);
    if (!seat) return false;
    copy.take(*seat);
  }
  return true;
}

// Whether the host, uncordoned, would hold one, were it alone.
bool would_hold_one(IndexedFleet copy, Request const& request, HostIndex host) {
  for (HostIndex other = 0; other < copy.fleet().size(); ++other) {
    if (other != host) copy.set_up(other, false);
  }
  copy.set_cordoned(host, false);
  return can_place(copy, request, 1);
}

// By their words, each on a copy.
std::vector<Relaxation> expected(IndexedFleet const& fleet, Question const& question) {
  std::vector<Relaxation> out;
  if (can_place(fleet, question.request, question.count)) return out;
  auto const add_if = [&](bool is_placed, RelaxationKind kind, std::int64_t number) {
    if (is_placed) out.push_back({kind, number});
  };
  for (ZoneIndex zone = 0; question.request.zone && zone < 3; ++zone) {
    Request relaxed = question.request;
    relaxed.zone = zone;
    relaxed.rack = std::nullopt;
    add_if(zone != question.request.zone && can_place(fleet, relaxed, question.count),
           RelaxationKind::other_zone, zone);
  }
  Request any_rack = question.request;
  any_rack.rack = std::nullopt;
  add_if(question.request.rack && can_place(fleet, any_rack, question.count),
         RelaxationKind::any_rack, 0);
  Request alone = question.request;
  alone.group = 0;
  alone.partition = 0;
  add_if(question.request.group != 0 && can_place(fleet, alone, question.count),
         RelaxationKind::without_group, 0);
  std::int64_t fewer = question.count;
  while (fewer > 0 && !can_place(fleet, question.request, fewer)) --fewer;
  add_if(fewer > 0, RelaxationKind::fewer, fewer);
  for (std::size_t i = 0; i < question.shapes.size(); ++i) {
    Request other = question.request;
    other.need = question.shapes[i];
    if (!can_place(fleet, other, question.count)) continue;
    out.push_back({RelaxationKind::other_shape, static_cast<std::int64_t>(i)});
    break;
  }
  int tries = 0;
  for (HostIndex host = 0; host < fleet.fleet().size() && tries < kUncordonTriesMax; ++host) {
    if (!fleet.fleet().host(host).is_cordoned) continue;
    if (!would_hold_one(fleet, question.request, host)) continue;
    ++tries;
    IndexedFleet copy = fleet;
    copy.set_cordoned(host, false);
    if (!can_place(copy, question.request, question.count)) continue;
    out.push_back({RelaxationKind::uncordon, host});
    break;
  }
  return out;
}

std::string text(std::vector<Relaxation> const& relaxations) {
  std::string out;
  for (Relaxation const& one : relaxations)
    out += std::string(name(one.kind)) + " " + std::to_string(one.number) + ", ";
  return out;
}

// The next question of a world. Its shapes live in the world.
struct Drawn {
  Request request;
  std::int64_t count = 1;
};
Drawn draw_question(World& world) {
  return {.request = world.random_request(), .count = draw(world.entropy, 1, 4)};
}

TEST(RelaxProperty, each_relaxation_is_true_and_none_is_missed) {
  std::array<std::int64_t, 6> found{};
  for (std::uint64_t seed = 1; seed <= seeds() / 20 + 1; ++seed) {
    World world(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (int step = 0; step < 60; ++step) {
      for (int i = 0; i < 6; ++i) {
        Request const request = world.random_request();
        if (std::optional<Seat> const seat = world.fleet.place(request))
          world.guests.push_back({.request = request, .seat = *seat});
      }
      while (world.entropy.below(10) > 4) world.release_one();
      world.change_a_host();
      auto const [request, count] = draw_question(world);
      Question const question{.request = request, .count = count, .shapes = world.shapes};
      std::vector<Relaxation> const wanted = expected(world.fleet, question);
      std::vector<Relaxation> const got = relaxations(world.fleet, question);
      ASSERT_EQ(got, wanted) << text(got) << "instead of " << text(wanted);
      for (Relaxation const& one : got) ++found[static_cast<std::size_t>(one.kind)];
    }
  }
  for (std::int64_t const times : found) EXPECT_GT(times, 0) << "the worlds are too small";
}

TEST(RelaxProperty, a_question_answered_leaves_every_later_answer_as_it_was) {
  // Long enough for the tables to be written several times.
  constexpr int kSteps = 1'200;
  for (std::uint64_t seed = 1; seed <= seeds() / 10 + 1; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World asked(seed), plain(seed);
    for (int step = 0; step < kSteps; ++step) {
      auto const [asked_request, count] = draw_question(asked);
      (void)draw_question(plain);
      (void)relaxations(asked.fleet,
                        {.request = asked_request, .count = count, .shapes = asked.shapes});
      (void)explain(asked.fleet, asked_request);
      for (World* world : {&asked, &plain}) {
        Request const request = world->random_request();
        if (std::optional<Seat> const seat = world->fleet.place(request))
          world->guests.push_back({.request = request, .seat = *seat});
        if (world->entropy.below(5) < 2) world->release_one();
        if (world->entropy.below(10) == 0) world->change_a_host();
        if (world->entropy.below(10) == 0) world->change_a_rule();
      }
      ASSERT_EQ(asked.guests.size(), plain.guests.size());
      if (asked.guests.empty()) continue;
      ASSERT_EQ(asked.guests.back().seat, plain.guests.back().seat) << asked.policy.name;
    }
    EXPECT_EQ(asked.fleet.fleet().used(), plain.fleet.fleet().used());
    EXPECT_EQ(asked.fleet.tables().cells, plain.fleet.tables().cells);
  }
}

TEST(RelaxProperty, an_explanation_names_the_choice_and_counts_every_host_once) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int step = 0; step < 60; ++step) {
      Request const request = world.random_request();
      std::optional<Seat> const seat = world.fleet.choose(request);
      Explanation const why = explain(world.fleet, request);
      ASSERT_EQ(why.chosen, seat) << world.policy.name;
      std::int64_t sum = why.scored_worse + (seat ? 1 : 0);
      for (std::int64_t const hosts : why.removed.hosts_removed) sum += hosts;
      ASSERT_EQ(sum, static_cast<std::int64_t>(world.setups.size()));
      ASSERT_EQ(why.removed.hosts_considered, sum);
      ASSERT_EQ(why.table.size > 0, seat.has_value());
      if (!seat) continue;
      ASSERT_TRUE(why.tightest);
      for (std::size_t i = 1; i < why.table.size; ++i)
        ASSERT_TRUE(why.table.rows[i - 1].is_before(why.table.rows[i]));
      world.fleet.take(*seat);
      world.guests.push_back({.request = request, .seat = *seat});
      if (world.entropy.below(3) == 0) world.release_one();
    }
  }
}

}  // namespace
}  // namespace berth::placement
