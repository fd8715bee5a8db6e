#pragma once
// Placer: the region's fleet by the names that records use, over the index, which knows numbers
// (indexed_fleet.h).
//
//   Placer placer;
//   placer.put_host(id, offer);                        // from a host's record
//   placer.take(holding); placer.give_back(holding);   // from an instance's record
//
//   Draft draft(placer);                               // to decide: in thought
//   if (std::optional<Place> const place = draft.place(ask)) ...
//   else log(draft.why_not(ask));
//
// What a draft takes it gives back at its end, so deciding changes nothing that a later decision
// could see: only what `absorb` takes counts. The index is a cache and therefore mutable; it never
// changes an answer. One thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/model/ids.h"
#include "berth/model/placement_note.h"
#include "daemon/placement/indexed_fleet.h"

namespace berth::placement {

// What may be sold of a NUMA cell. CPU in sold vCPUs: over-commit is applied already.
struct CellOffer {
  std::int32_t id = 0;  // HostCell::id
  Room room;

  bool operator==(CellOffer const&) const = default;
};

// A host as its record describes it.
struct HostOffer {
  ZoneName zone;
  std::string rack;  // empty: not stated
  // By id, ascending; at most kCellsPerHostMax, each with some CPU and some memory. Empty: nothing
  // to sell, because its agent has not reported yet or too little is there.
  std::vector<CellOffer> cells;
  std::int64_t disk_gib = 0;
  std::int32_t instances_max = 0;

  bool operator==(HostOffer const&) const = default;
};

struct Need {
  Room room;  // both 0: a stopped instance, which holds its disk and its place in the count
  std::int64_t disk_gib = 0;
  PlacementGroupId group;      // empty: none; else one that put_group knows
  std::int32_t partition = 0;  // from 1 to kPartitionsMax in a group of partitions, else 0

  bool operator==(Need const&) const = default;
};

struct Place {
  HostId host;
  std::vector<std::int32_t> cells;  // CellOffer::id, ascending

  bool operator==(Place const&) const = default;
};

// What an instance has of its host.
struct Holding {
  Place place;
  Need need;

  bool operator==(Holding const&) const = default;
};

struct Ask {
  std::optional<ZoneName> zone;  // absent: any
  Need need;
  // As in HostOffer, of that zone, which must be given; absent: any.
  std::optional<std::string> rack = std::nullopt;
};

// The counts of a refusal, as a note.
[[nodiscard]] PlacementNote note_of(NoSeat const& why);

class Placer {
 public:
  Placer();

  // New, or changed: then nothing may be held there at this moment if cells, disk, zone or rack
  // change (is_resettled says so).
  void put_host(HostId const& id, HostOffer const& offer);
  // Whether put_host needs the host's holdings to be given back before, and taken again after.
  [[nodiscard]] bool is_resettled(HostId const& id, HostOffer const& offer) const;
  void set_open(HostId const& id, bool is_up, bool is_cordoned);
  void erase_host(HostId const& id);

  // A new group, before anything of it is held.
  void put_group(PlacementGroupId const& id, GroupRule rule);
  // Of which nothing is held.
  void erase_group(PlacementGroupId const& id);

  void take(Holding const& holding);
  void give_back(Holding const& holding);
  // Somebody asked for this, and got it: what the default policy learns from.
  void count_demand(Need const& need);
  // Of each zone so many hosts may fail (CellFleet::reserve_hosts).
  void reserve_hosts(std::int32_t hosts_per_zone);

  // Of each cell, what is not held; empty: nothing to sell. Negative where more is held than the
  // host has by now.
  [[nodiscard]] std::vector<CellOffer> free(HostId const& id) const;
  // How many such instances would find room one after the other, by zone; a group is not looked at.
  // Of what is split over cells: at most so many. Looks at every host.
  [[nodiscard]] std::map<ZoneName, std::int64_t> room_for(Need const& need) const;
  [[nodiscard]] std::string_view policy() const { return fleet_.policy().name; }

 private:
  friend class Draft;
  struct Host {
    HostOffer offer;
    bool is_up = false;
    bool is_cordoned = false;
    std::optional<HostIndex> index;  // absent: no cells
  };

  // Absent: no host can be meant, as its zone or rack is unknown.
  [[nodiscard]] std::optional<Request> request(Ask const& ask) const;
  [[nodiscard]] GroupIndex group_of(PlacementGroupId const& id) const;
  [[nodiscard]] std::optional<Seat> seat(Holding const& holding) const;
  [[nodiscard]] Place place(Seat const& seat) const;
  [[nodiscard]] std::string zone_name(std::int64_t number) const;
  // Nothing was considered: no host of the zone or rack is known, so each is counted here.
  [[nodiscard]] NoSeat with_unlisted(NoSeat out, Ask const& ask) const;

  mutable IndexedFleet fleet_;
  std::map<HostId, Host> hosts_;
  std::vector<HostId> ids_;  // by index
  std::map<ZoneName, ZoneIndex> zones_;
  std::map<std::pair<ZoneName, std::string>, RackIndex> racks_;
  std::map<PlacementGroupId, GroupIndex> groups_;
  std::vector<GroupIndex> groups_free_;  // given once, to be given again
};

// A decision in the making: what it has given away so far, on top of what is held. Placers are not
// changed while a draft of them lives.
class Draft {
 public:
  explicit Draft(Placer const& placer) : placer_(placer) {}
  ~Draft() { undo(0); }
  Draft(Draft const&) = delete;
  Draft& operator=(Draft const&) = delete;

  // The best place, taken in this draft; absent: there is none.
  std::optional<Place> place(Ask const& ask);
  // And why there, as of before it was taken: with hosts counted by what removed them if there are
  // at most `counted_hosts_max`, since for that each is looked at.
  std::optional<Place> place_noted(Ask const& ask, std::size_t counted_hosts_max,
                                   PlacementNote& note);
  // Room on that very host, cordoned or not, for what has its disk there already.
  std::optional<Place> place_on(HostId const& host, Room const& room);
  // Why `place` finds nothing: each host under the first obstacle.
  [[nodiscard]] NoSeat why_not(Ask const& ask) const;

  // What would help when `count` of these, all or none, find no room: one change at a time, each
  // tried. "in zone us-east-1b", "3 of them", "as m5.large". `shapes`: others that would do,
  // nearest first, at most kRelaxShapesMax.
  [[nodiscard]] std::vector<std::string> remedies(
      Ask const& ask, std::int64_t count,
      std::vector<std::pair<std::string, Room>> const& shapes) const;

  // To try something: how much is taken, and back to it.
  [[nodiscard]] std::size_t mark() const { return seats_.size(); }
  void undo(std::size_t mark);

 private:
  void keep(Seat const& seat);

  Placer const& placer_;
  std::vector<Seat> seats_;
};

}  // namespace berth::placement
