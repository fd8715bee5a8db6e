// The engine over random fleets and random days: the index chooses the host that a look at every
// host would choose, and a checker that knows only the prose of the constraints finds nothing
// wrong.

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "berth/base/entropy.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {
namespace {

std::uint64_t seeds() {
  char const* const given = std::getenv("BERTH_SEEDS");
  return given == nullptr ? 1'000 : std::strtoull(given, nullptr, 10);
}

std::int32_t draw(Entropy& entropy, std::int32_t low, std::int32_t high) {
  return static_cast<std::int32_t>(entropy.between(low, high));
}

struct Guest {
  Request request;
  Seat seat;
};

// A small world, so that ties, refusals and full hosts are common.
struct World {
  explicit World(std::uint64_t seed)
      : entropy(seed), policy(policies()[entropy.below(policies().size())]), fleet(policy) {
    std::vector<HostSetup> kinds;
    for (int k = draw(entropy, 1, 4); k > 0; --k) {
      HostSetup setup;
      bool const is_even = entropy.below(4) > 0;
      Room const cell = random_cell();
      for (int c = draw(entropy, 1, 4); c > 0; --c)
        setup.cells.push_back(is_even ? cell : random_cell());
      setup.zone = static_cast<ZoneIndex>(entropy.below(3));
      setup.traits = entropy.below(4);
      setup.disk_gib = entropy.below(2) == 0 ? draw(entropy, 20, 100) : 1'000'000;
      setup.instances_max = entropy.below(2) == 0 ? draw(entropy, 2, 8) : 1'000;
      kinds.push_back(setup);
    }
    std::int32_t const racks_per_zone = draw(entropy, 1, 6);
    for (int h = draw(entropy, 1, 60); h > 0; --h) {
      HostSetup setup = kinds[entropy.below(kinds.size())];
      setup.rack = static_cast<RackIndex>(setup.zone * racks_per_zone +
                                          draw(entropy, 0, racks_per_zone - 1));
      setups.push_back(setup);
      fleet.add_host(setup);
    }
    racks = static_cast<RackIndex>(3 * racks_per_zone + 1);  // one of them has no host
    for (GroupIndex g = 1; g < kGroups; ++g) set_a_rule(g);
    has_many_partitions = entropy.below(2) == 0;
    has_constraints = entropy.below(3) > 0;
    if (entropy.below(4) == 0) {
      reserved_hosts = draw(entropy, 1, 2);
      fleet.reserve_hosts(reserved_hosts);
    }
    for (int s = draw(entropy, 1, 12); s > 0; --s)
      shapes.push_back({.vcpus = draw(entropy, 1, 6), .memory_mib = 512 * draw(entropy, 1, 20)});
    shapes.push_back({.vcpus = draw(entropy, 8, 30), .memory_mib = 512 * draw(entropy, 1, 60)});
  }

  Room random_cell() {
    return {.vcpus = draw(entropy, 4, 16), .memory_mib = 1'024 * draw(entropy, 4, 32)};
  }

  Request random_request() {
    Request out{.need = shapes[entropy.below(shapes.size())]};
    if (!has_constraints) return out;
    if (entropy.below(3) == 0) out.zone = static_cast<ZoneIndex>(entropy.below(4));
    if (entropy.below(4) == 0) out.traits = entropy.below(4);
    if (entropy.below(3) == 0) out.disk_gib = draw(entropy, 1, 30);
    if (entropy.below(6) == 0) out.rack = static_cast<RackIndex>(entropy.below(racks));
    if (entropy.below(2) == 0) out.group = 1 + static_cast<GroupIndex>(entropy.below(kGroups));
    // The last group is one that nobody gave a rule.
    if (rule_of(out.group) == GroupKind::partitions)
      out.partition = draw(entropy, 1, has_many_partitions ? kPartitionsMax : 2);
    return out;
  }

  void set_a_rule(GroupIndex group) {
    rules[group] = static_cast<GroupKind>(entropy.below(4));
    fleet.set_group(group, {.kind = rules[group]});
  }
  [[nodiscard]] GroupKind rule_of(GroupIndex group) const {
    auto const at = rules.find(group);
    return at == rules.end() ? GroupKind::spread_hosts : at->second;
  }

  // A group without members starts anew under another rule.
  void change_a_rule() {
    auto const group = 1 + static_cast<GroupIndex>(entropy.below(kGroups - 1));
    for (Guest const& guest : guests) {
      if (guest.request.group == group) return;
    }
    set_a_rule(group);
  }

  void change_a_host() {
    auto const host = static_cast<HostIndex>(entropy.below(setups.size()));
    HostSetup& setup = setups[host];
    if (entropy.below(2) == 0)
      fleet.set_up(host, setup.is_up = !setup.is_up);
    else
      fleet.set_cordoned(host, setup.is_cordoned = !setup.is_cordoned);
  }

  void release_one() {
    if (guests.empty()) return;
    std::size_t const i = entropy.below(guests.size());
    fleet.release(guests[i].seat);
    guests[i] = guests.back();
    guests.pop_back();
  }

  static constexpr GroupIndex kGroups = 6;

  SeededEntropy entropy;
  Policy const& policy;
  IndexedFleet fleet;
  std::vector<HostSetup> setups;
  std::vector<Room> shapes;
  std::vector<Guest> guests;
  std::int32_t reserved_hosts = 0;
  bool has_constraints = false;
  bool has_many_partitions = false;
  RackIndex racks = 1;
  std::map<GroupIndex, GroupKind> rules;
};

// What two members of one group owe each other.
void check_pair(World const& world, Guest const& a, Guest const& b) {
  RackIndex const rack_of_a = world.setups[a.seat.host].rack;
  RackIndex const rack_of_b = world.setups[b.seat.host].rack;
  switch (world.rule_of(a.request.group)) {
    case GroupKind::spread_hosts: EXPECT_NE(a.seat.host, b.seat.host); return;
    case GroupKind::spread_racks: EXPECT_NE(rack_of_a, rack_of_b); return;
    case GroupKind::one_rack: EXPECT_EQ(rack_of_a, rack_of_b); return;
    case GroupKind::partitions:
      if (rack_of_a == rack_of_b) { EXPECT_EQ(a.request.partition, b.request.partition); }
      return;
  }
}

// The prose, without a thought of how it is made fast.
void check_seat(World const& world, Guest const& guest) {
  HostSetup const& host = world.setups[guest.seat.host];
  Request const& request = guest.request;
  EXPECT_TRUE(host.is_up);
  EXPECT_FALSE(host.is_cordoned);
  EXPECT_EQ(host.zone, request.zone.value_or(host.zone));
  EXPECT_EQ(host.rack, request.rack.value_or(host.rack));
  EXPECT_EQ(request.traits & host.traits, request.traits);
  int const parts = std::popcount(guest.seat.cells);
  ASSERT_GE(parts, 1);
  EXPECT_LT(guest.seat.cells, 1U << host.cells.size());
  EXPECT_GE(guest.seat.part().vcpus * parts, request.need.vcpus);
  EXPECT_GE(guest.seat.part().memory_mib * parts, request.need.memory_mib);
  EXPECT_LT(guest.seat.part().vcpus * parts, request.need.vcpus + parts);
  EXPECT_LT(guest.seat.part().memory_mib * parts, request.need.memory_mib + parts);
  if (parts > 1) {
    for (Room const& cell : host.cells)
      EXPECT_FALSE(request.need.vcpus <= cell.vcpus && request.need.memory_mib <= cell.memory_mib)
          << "split, though it fits one cell";
  }
  if (request.group == 0) return;
  for (Guest const& other : world.guests) {
    if (other.request.group == request.group) check_pair(world, other, guest);
  }
}

struct Held {
  std::array<Room, kCellsPerHostMax> cells;
  std::int64_t disk_gib = 0;
  std::int64_t instances = 0;

  void add(Guest const& guest) {
    for (std::size_t i = 0; i < kCellsPerHostMax; ++i) {
      if (((guest.seat.cells >> i) & 1) != 0) cells[i] += guest.seat.part();
    }
    disk_gib += guest.request.disk_gib;
    ++instances;
  }
};

// Whether the fewest cells that could hold `need` were the host empty have room for it now.
bool has_room(HostSetup const& host, Held const& held, Room const& need) {
  for (std::size_t parts = 1; parts <= host.cells.size(); ++parts) {
    Room const part{
        .vcpus = static_cast<std::int32_t>(std::ceil(need.vcpus * 1.0 / double(parts))),
        .memory_mib = static_cast<std::int32_t>(std::ceil(need.memory_mib * 1.0 / double(parts)))};
    std::size_t built = 0, open = 0;
    for (std::size_t i = 0; i < host.cells.size(); ++i) {
      if (fits(part, host.cells[i])) ++built;
      if (fits(part, host.cells[i] - held.cells[i])) ++open;
    }
    if (built >= parts) return open >= parts;
  }
  return false;
}

// The prose once more, about one host: the zone's reserve aside, nothing speaks against it.
bool could_take(World const& world, Request const& request, HostIndex index) {
  HostSetup const& host = world.setups[index];
  if (!host.is_up || host.is_cordoned || host.zone != request.zone.value_or(host.zone))
    return false;
  if (host.rack != request.rack.value_or(host.rack)) return false;
  if ((request.traits & host.traits) != request.traits) return false;
  Held held;
  for (Guest const& guest : world.guests) {
    if (guest.seat.host == index) held.add(guest);
    if (request.group == 0 || guest.request.group != request.group) continue;
    bool const is_near = world.setups[guest.seat.host].rack == host.rack;
    switch (world.rule_of(request.group)) {
      case GroupKind::spread_hosts:
        if (guest.seat.host == index) return false;
        break;
      case GroupKind::spread_racks:
        if (is_near) return false;
        break;
      case GroupKind::one_rack:
        if (!is_near) return false;
        break;
      case GroupKind::partitions:
        if (is_near && guest.request.partition != request.partition) return false;
        break;
    }
  }
  return held.instances < host.instances_max && held.disk_gib + request.disk_gib <= host.disk_gib &&
         has_room(host, held, request.need);
}

void check_refusal(World const& world, Request const& request, NoSeat const& refusal) {
  auto const removed = [&](Obstacle why) {
    return refusal.hosts_removed[static_cast<std::size_t>(why)];
  };
  std::int64_t in_zone = 0, in_rack = 0;
  for (HostIndex i = 0; i < world.setups.size(); ++i) {
    HostSetup const& host = world.setups[i];
    if (host.zone == request.zone.value_or(host.zone)) {
      ++in_zone;
      if (host.rack == request.rack.value_or(host.rack)) ++in_rack;
    }
    if (world.reserved_hosts == 0) {
      EXPECT_FALSE(could_take(world, request, i)) << "host " << i << " could";
    }
  }
  auto const all = static_cast<std::int64_t>(world.setups.size());
  EXPECT_EQ(refusal.hosts_considered, all);
  EXPECT_EQ(
      std::accumulate(refusal.hosts_removed.begin(), refusal.hosts_removed.end(), std::int64_t{0}),
      all);
  EXPECT_EQ(removed(Obstacle::other_zone), all - in_zone);
  EXPECT_EQ(removed(Obstacle::rack), in_zone - in_rack);
  if (request.group == 0) {
    EXPECT_EQ(removed(Obstacle::group), 0);
    return;
  }
  EXPECT_EQ(refusal.rule.kind, world.rule_of(request.group));
}

void check_fleet(World const& world) {
  std::map<HostIndex, Held> held;
  for (Guest const& guest : world.guests) held[guest.seat.host].add(guest);
  for (auto const& [index, on] : held) {
    HostSetup const& host = world.setups[index];
    for (std::size_t i = 0; i < host.cells.size(); ++i) {
      EXPECT_LE(on.cells[i].vcpus, host.cells[i].vcpus);
      EXPECT_LE(on.cells[i].memory_mib, host.cells[i].memory_mib);
    }
    EXPECT_LE(on.disk_gib, host.disk_gib);
    EXPECT_LE(on.instances, host.instances_max);
  }
  EXPECT_EQ(world.fleet.fleet().hosts_in_use(), static_cast<std::int64_t>(held.size()));
}

// With the largest hosts of a zone gone, its totals still hold what it holds.
void check_reserve(World const& world, ZoneIndex zone) {
  std::multiset<std::int64_t> vcpus, memory;
  for (HostSetup const& host : world.setups) {
    if (host.zone != zone) continue;
    Totals size;
    for (Room const& cell : host.cells) {
      size.vcpus += cell.vcpus;
      size.memory_mib += cell.memory_mib;
    }
    vcpus.insert(size.vcpus);
    memory.insert(size.memory_mib);
  }
  for (std::int32_t i = 0; i < world.reserved_hosts && !vcpus.empty(); ++i) {
    vcpus.erase(std::prev(vcpus.end()));
    memory.erase(std::prev(memory.end()));
  }
  for (std::int64_t const size : vcpus) ASSERT_GE(size, 0);
  std::int64_t vcpus_left = 0, memory_left = 0;
  for (std::int64_t const size : vcpus) vcpus_left += size;
  for (std::int64_t const size : memory) memory_left += size;
  for (Guest const& guest : world.guests) {
    if (world.setups[guest.seat.host].zone != zone) continue;
    vcpus_left -= guest.request.need.vcpus;
    memory_left -= guest.request.need.memory_mib;
  }
  EXPECT_GE(vcpus_left, 0);
  EXPECT_GE(memory_left, 0);
}

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
