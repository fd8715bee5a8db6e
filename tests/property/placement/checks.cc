#include "tests/property/placement/checks.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace berth::placement {
namespace {

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

}  // namespace

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

}  // namespace berth::placement
