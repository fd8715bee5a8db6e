#pragma once
// CellFleet: hosts of one to eight NUMA cells, what is free in each, and the constraints a request
// can come with. The state and the plain truth about it: `scan` looks at every host, one by one,
// and is what the index (indexed_fleet.h) must agree with.
//
//   CellFleet fleet;
//   fleet.add_host({.cells = {{.vcpus = 48, .memory_mib = 131072}}});
//   Answer const answer = fleet.scan(request, *find_policy("best-fit-sum"), tables);
//   if (auto const* seat = std::get_if<Seat>(&answer)) fleet.take(*seat);
//
// A request that fits one cell of a host (empty, as built) sits in one cell there; otherwise it is
// split evenly over the fewest cells. Nothing is ever over-committed: what may be sold is the
// capacity that the host was added with.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "daemon/placement/groups.h"
#include "daemon/placement/policy.h"
#include "daemon/placement/room.h"

namespace berth::placement {

using CellIndex = std::uint32_t;  // over all hosts, in their order
using ZoneIndex = std::uint8_t;   // given by the caller, below kZonesMax

inline constexpr std::uint32_t kCellsPerHostMax = 8;
inline constexpr std::size_t kZonesMax = 64;
inline constexpr std::size_t kFleetHostsMax = 1'000'000;

struct HostSetup {
  std::vector<Room> cells;  // what may be sold of each; 1 to kCellsPerHostMax
  ZoneIndex zone = 0;
  std::uint64_t traits = 0;  // what it offers beyond room, a bit each: features, tags, devices
  std::int64_t disk_gib = std::numeric_limits<std::int32_t>::max();
  std::int32_t instances_max = std::numeric_limits<std::int32_t>::max();
  bool is_up = true;
  bool is_cordoned = false;
  RackIndex rack = 0;
};

struct Request {
  Room need;  // both > 0
  std::int64_t disk_gib = 0;
  std::optional<ZoneIndex> zone = std::nullopt;  // absent: any
  std::uint64_t traits = 0;                      // all of these must be offered
  GroupIndex group = 0;                          // its rule: CellFleet::set_group
  std::int32_t partition = 0;  // from 1 to kPartitionsMax in a group of partitions, else 0
  std::optional<RackIndex> rack = std::nullopt;  // absent: any
};

// Where something sits: the answer of a choice, and all that giving it back needs.
struct Seat {
  HostIndex host = 0;
  std::uint8_t cells = 0;  // bit i: cell i of the host
  Room need;               // as it was asked for
  std::int64_t disk_gib = 0;
  GroupIndex group = 0;
  std::int32_t partition = 0;

  // Taken of each of the cells.
  [[nodiscard]] Room part() const {
    bool const is_one = (cells & (cells - 1)) == 0;
    return is_one ? need : part_of(need, std::popcount(cells));
  }
  bool operator==(Seat const&) const = default;
};

// Why a host was not taken. Closed list, cheapest first; a host is counted under the first.
enum class Obstacle {
  other_zone,
  rack,  // another one was asked for
  not_up,
  cordoned,
  traits,     // does not offer all that is asked for
  reserve,    // its zone keeps that room for hosts that fail
  group,      // the rule of its group closes it
  instances,  // as many instances as it may hold
  disk,
  too_big,  // would not fit the host even if it were empty
  cpu,
  memory,
  cells,  // enough of each, but not in the same cell
};
inline constexpr std::size_t kObstacles = 13;
[[nodiscard]] std::string_view name(Obstacle obstacle);

struct NoSeat {
  std::array<std::int64_t, kObstacles> hosts_removed{};  // by Obstacle; sums to hosts_considered
  std::int64_t hosts_considered = 0;
  GroupRule rule;  // of the request's group

  [[nodiscard]] std::string text() const;  // "5 hosts: 2 other zone, 3 memory"
  bool operator==(NoSeat const&) const = default;
};

using Answer = std::variant<Seat, NoSeat>;

// A host that fits, with its score; smaller is better.
struct Candidate {
  std::int64_t score = 0;
  HostIndex host = 0;
  std::uint8_t cells = 0;
  std::uint32_t order = 0;  // among hosts with the same score; 0: by index

  [[nodiscard]] bool is_before(Candidate const& other) const {
    return std::tie(score, order, host, cells) <
           std::tie(other.score, other.order, other.host, other.cells);
  }
  bool operator==(Candidate const&) const = default;
};

// Whether a cordon counts: ignored, to ask what a host could take without it.
enum class Cordon { holds, ignored };

class CellFleet {
 public:
  // Breaks (ENSURE) on a setup beyond the limits above: the caller has checked what came from
  // people.
  HostIndex add_host(HostSetup const& setup);
  // The host, on which nothing may be, is no more; a host added later may get its index.
  void retire_host(HostIndex host);
  void set_up(HostIndex host, bool is_up) { hosts_[host].is_up = is_up; }
  void set_cordoned(HostIndex host, bool is_cordoned) { hosts_[host].is_cordoned = is_cordoned; }
  // Keeps so much of every zone unsold that the instances of its `hosts` largest hosts would find
  // room elsewhere in the zone, counted in vCPUs and in MiB over the zone as a whole. 0: nothing.
  void reserve_hosts(std::int32_t hosts_per_zone);

  // What the members of a group owe each other, while it has none; a group that was never set is
  // spread_hosts.
  void set_group(GroupIndex group, GroupRule rule);

  // `count`: so many such seats, one after the other, without a group. More than is free may be
  // taken: what already runs counts, whatever its host is said to have by now.
  void take(Seat const& seat, std::int32_t count = 1);
  void give_back(Seat const& seat);

  // The best host by looking at each (survey.h). Hosts in use before empty ones, if the policy says
  // so.
  [[nodiscard]] Answer scan(Request const& request, Policy const& policy,
                            FleetTables const& tables) const;

  // --- What scan is made of, and the index uses as well.

  // The first obstacle that removes the host, room aside: from other_zone to disk.
  [[nodiscard]] std::optional<Obstacle> obstacle(HostIndex host, Request const& request,
                                                 Cordon cordon = Cordon::holds) const;
  // The part of `obstacle` that is about this host alone: rack, group, disk.
  [[nodiscard]] bool is_open_to(HostIndex host, Request const& request) const {
    if (request.disk_gib > 0 && request.disk_gib > hosts_[host].disk_left_gib) return false;
    if (request.rack && rack_of(host) != *request.rack) return false;
    return is_group_open(host, request);
  }
  // The one rack that can take the request; absent: it is not bound to one.
  [[nodiscard]] std::optional<RackIndex> only_rack(Request const& request) const {
    if (request.rack) return *request.rack;
    if (request.group == 0 || request.group >= groups_.size()) return std::nullopt;
    return groups_[request.group].only_rack();
  }
  // Whether zone `z` can sell `need` and still keep its reserve.
  [[nodiscard]] bool is_reserve_kept(ZoneIndex zone, Room const& need) const;
  // The host's best cells for `need` by room alone; absent: no room. `parts`: of parts_of its kind.
  [[nodiscard]] std::optional<Candidate> best_cells(HostIndex host, Room const& need,
                                                    std::int32_t parts, Policy const& policy,
                                                    FleetTables const& tables) const;
  // What the host lacks for `need` when best_cells finds nothing.
  [[nodiscard]] Obstacle missing_room(HostIndex host, Room const& need, std::int32_t parts) const;
  // How many of `need` the host takes one after the other, now; of what is split over cells, at
  // most.
  [[nodiscard]] std::int64_t room_for(HostIndex host, Room const& need,
                                      std::int64_t disk_gib) const;
  // How many of `need` the zone could sell and still keep its reserve.
  [[nodiscard]] std::int64_t room_beside_reserve(ZoneIndex zone, Room const& need) const;
  // In how many cells a host of that kind, empty, would hold `need`; 0: it does not fit.
  [[nodiscard]] std::int32_t parts_of(std::uint32_t kind, Room const& need) const;
  [[nodiscard]] static Seat seat(Candidate const& candidate, Request const& request);
  // The host's place among those with the same score; smaller comes first.
  [[nodiscard]] std::uint32_t order(HostIndex host, Policy const& policy) const {
    return policy.ties == TieOrder::by_age ? hosts_[host].opened : 0;
  }

  struct Host {
    CellIndex first_cell = 0;
    std::uint32_t kind = 0;
    std::int32_t instances = 0;
    std::int32_t instances_max = 0;
    std::int64_t disk_left_gib = 0;
    std::uint8_t cells = 1;
    bool is_up = true;
    bool is_cordoned = false;
    bool is_retired = false;
    // A number that grows with each host that comes into use; 0 while it is empty.
    std::uint32_t opened = 0;

    // Whether anything new may go there, room aside.
    [[nodiscard]] bool is_listed() const {
      return is_up && !is_cordoned && !is_retired && instances < instances_max;
    }
  };
  // Hosts that were set up alike.
  struct Kind {
    ZoneIndex zone = 0;
    std::uint64_t traits = 0;
    std::vector<Room> cells;

    auto operator<=>(Kind const&) const = default;
  };

  [[nodiscard]] std::size_t size() const { return hosts_.size(); }  // with the retired ones
  // One more than the highest zone of a host.
  [[nodiscard]] std::size_t zones() const { return zones_.size(); }
  [[nodiscard]] std::size_t cells() const { return free_.size(); }
  [[nodiscard]] Host const& host(HostIndex i) const { return hosts_[i]; }
  [[nodiscard]] std::vector<Kind> const& kinds() const { return kinds_; }
  [[nodiscard]] Room const& free(CellIndex cell) const { return free_[cell]; }
  [[nodiscard]] RackIndex rack_of(HostIndex host) const { return host_racks_[host]; }
  [[nodiscard]] std::span<HostIndex const> hosts_in_rack(RackIndex rack) const {
    return rack < racks_.size() ? racks_[rack] : std::span<HostIndex const>();
  }
  [[nodiscard]] GroupRule rule_of(GroupIndex group) const {
    return group < groups_.size() ? groups_[group].rule() : GroupRule();
  }
  [[nodiscard]] HostIndex host_of(CellIndex cell) const {
    return cell_places_[cell] / kCellsPerHostMax;
  }
  // The cell among those of its host, as in Candidate::cells.
  [[nodiscard]] std::uint8_t bit_of(CellIndex cell) const {
    return static_cast<std::uint8_t>(1U << (cell_places_[cell] % kCellsPerHostMax));
  }
  [[nodiscard]] std::int64_t hosts_in_use() const { return hosts_in_use_; }

  [[nodiscard]] FleetFacts facts() const {
    return {.used = used_,
            .capacity = capacity_,
            .hosts = static_cast<std::int64_t>(hosts_.size()) - hosts_retired_,
            .hosts_in_use = hosts_in_use_,
            .cells = cell_kinds_};
  }
  [[nodiscard]] Totals const& used() const { return used_; }
  [[nodiscard]] Totals const& capacity() const { return capacity_; }
  // The zones whose reserve leaves room for `need`, a bit each.
  [[nodiscard]] std::uint64_t zones_open_to(Room const& need) const;
  // Has the processor fetch what a seat or a request of the group will ask for in a moment: in a
  // large fleet a group lies far away.
  void expect_group(GroupIndex group) const {
    if (group != 0 && group < groups_.size()) __builtin_prefetch(&groups_[group]);
  }
  void expect_cell(CellIndex cell) const {
    __builtin_prefetch(&free_[cell]);
    __builtin_prefetch(&hosts_[host_of(cell)]);
  }
  [[nodiscard]] bool has_reserve() const { return reserve_hosts_ > 0; }

 private:
  struct Zone {
    Totals capacity;  // of all its hosts, up or not: the reserve is for those that are down
    Totals used;
    Totals reserve;
    std::map<std::int64_t, std::int64_t> hosts_by_vcpus, hosts_by_memory;  // size: how many hosts
  };
  void refresh_reserve(Zone& zone) const;
  // Counts the host's capacity in the sums; `times`: -1: no more.
  void count_capacity(HostIndex host, std::int64_t times);
  HostIndex index_for(std::uint32_t cells);
  [[nodiscard]] bool is_group_open(HostIndex host, Request const& request) const {
    if (request.group == 0 || request.group >= groups_.size()) return true;
    Group const& group = groups_[request.group];
    // The common rule does not ask for the rack.
    RackIndex const rack = group.rule().kind == GroupKind::spread_hosts ? 0 : rack_of(host);
    return group.is_open({.host = host, .rack = rack, .partition = request.partition});
  }
  [[nodiscard]] Group& group_at(GroupIndex group);
  void account(Seat const& seat, std::int32_t times);

  std::vector<Host> hosts_;
  std::vector<Room> free_;  // by cell
  std::vector<std::uint32_t>
      cell_places_;  // by cell: its host × kCellsPerHostMax + which of its cells
  std::vector<Kind> kinds_;
  std::map<Kind, std::uint32_t> kind_numbers_;
  std::vector<Zone> zones_;
  std::vector<Group> groups_;                  // by group
  std::vector<RackIndex> host_racks_;          // by host
  std::vector<std::vector<HostIndex>> racks_;  // by rack
  Totals used_, capacity_;            // used: as it was asked for, before a split rounds it up
  std::vector<CellKind> cell_kinds_;  // each capacity once
  std::uint32_t hosts_opened_ = 0;
  std::int32_t reserve_hosts_ = 0;
  std::int64_t hosts_in_use_ = 0;
  std::int64_t hosts_retired_ = 0;
  // Whose index is to be given again, by their number of cells.
  std::array<std::vector<HostIndex>, kCellsPerHostMax + 1> retired_;
};

}  // namespace berth::placement
