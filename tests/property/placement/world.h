#pragma once
// A random fleet with random guests, small, so that ties, refusals and full hosts are common.

#include <cstdint>
#include <cstdlib>
#include <map>
#include <vector>

#include "berth/base/entropy.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {

// Worlds to try.
inline std::uint64_t seeds() {
  char const* const given = std::getenv("BERTH_SEEDS");
  return given == nullptr ? 1'000 : std::strtoull(given, nullptr, 10);
}

inline std::int32_t draw(Entropy& entropy, std::int32_t low, std::int32_t high) {
  return static_cast<std::int32_t>(entropy.between(low, high));
}

struct Guest {
  Request request;
  Seat seat;
};

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

}  // namespace berth::placement
