#pragma once
// IndexedFleet: a CellFleet with an index, so that what a choice costs does not grow with the
// fleet. It chooses the very host that CellFleet::scan would; a property test holds it to that.
//
//   IndexedFleet fleet(*find_policy("default"));
//   for (...) fleet.add_host({.cells = {cell, cell}});
//   if (std::optional<Seat> const seat = fleet.place(request)) ... fleet.release(*seat);
//   else log(fleet.scan(request));      // why not: hosts per obstacle
//
// How: cells that look alike form a class (cell_classes.h); for each shape that is asked for often
// the classes are kept in order of their scores (orderings.h); empty hosts wait apart, by kind. A
// placement moves one cell from one class to another, and most of the time both live on, so that no
// ordering changes at all. What concerns single hosts (groups, racks, disk) is checked on members
// while walking from the best class on; a request bound to one rack looks at the rack's hosts.
//
// Pure and deterministic: the same calls give the same seats on every machine.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/placement/cell_classes.h"
#include "daemon/placement/cell_fleet.h"
#include "daemon/placement/demand.h"
#include "daemon/placement/idle_hosts.h"
#include "daemon/placement/orderings.h"
#include "daemon/placement/policy.h"
#include "daemon/placement/survey.h"

namespace berth::placement {

class IndexedFleet {
 public:
  // The policy must outlive the fleet, as those of policies() do.
  explicit IndexedFleet(Policy const& policy) : policy_(&policy) {}

  HostIndex add_host(HostSetup const& setup);
  // As CellFleet's.
  void retire_host(HostIndex host);
  void set_up(HostIndex host, bool is_up);
  void set_cordoned(HostIndex host, bool is_cordoned);
  // As CellFleet::set_group: only while the group has no seats.
  void set_group(GroupIndex group, GroupRule rule) { fleet_.set_group(group, rule); }
  void reserve_hosts(std::int32_t hosts_per_zone) { fleet_.reserve_hosts(hosts_per_zone); }

  // Says, before the first request, that hosts are emptied by live migration from time to time.
  void expect_moves() { demand_.expect_moves(); }

  // Counts the request in the demand, then says where it would sit; absent: nowhere.
  [[nodiscard]] std::optional<Seat> choose(Request const& request);
  // The same without counting: for what runs already and is to sit elsewhere.
  // `table`, if given: as place_explained's.
  [[nodiscard]] std::optional<Seat> choose_again(Request const& request,
                                                 ScoreTable* table = nullptr);
  void take(Seat const& seat);
  void release(Seat const& seat);

  // The request alone, counted in the demand: for who decides at one time and takes at another.
  void count_demand(Request const& request) { asked(request); }
  // Takes the seat, or gives it back, on trial: the demand does not hear of it. When all that was
  // tried is given back, in reverse order, every later answer is what it would have been.
  void try_seat(Seat const& seat);
  void untry_seat(Seat const& seat);

  // choose and take.
  std::optional<Seat> place(Request const& request);
  // The same as `count` times place, until one finds nothing; appends to `seats`. Cheaper, because
  // the members of the best classes are filled one after the other without a look at the others.
  void place_batch(Request const& request, std::size_t count, std::vector<Seat>& seats);
  // The same as place, and which hosts came next. Of cells that are all alike only the lowest is
  // looked at, so that the table may have fewer rows than a survey's, and others below the first.
  std::optional<Seat> place_explained(Request const& request, ScoreTable& table);

  // By looking at every host: what `choose` answers, after it was asked; and why not.
  [[nodiscard]] Answer scan(Request const& request) const {
    return fleet_.scan(request, *policy_, demand_.tables());
  }

  [[nodiscard]] CellFleet const& fleet() const { return fleet_; }
  [[nodiscard]] Policy const& policy() const { return *policy_; }
  [[nodiscard]] FleetTables const& tables() const { return demand_.tables(); }
  [[nodiscard]] std::size_t classes() const { return classes_.size(); }

 private:
  struct Slot {  // what is kept for a shape
    Shape shape;
    ClassOrdering classes;
    HostOrdering hosts;
    std::size_t kinds = 0;  // of the fleet, when the two below were found
    bool has_single = false;
    bool has_split = false;
    std::uint64_t used_at = 0;
  };

  [[nodiscard]] Scene scene() const {
    return {.fleet = fleet_, .policy = *policy_, .tables = demand_.tables(), .epoch = epoch_};
  }
  bool asked(Request const& request);  // true: scores computed before are stale
  Slot* slot_of(Request const& request);
  [[nodiscard]] std::optional<Candidate> best(Slot* slot, Request const& request);
  // The rack that the request is bound to, if looking at each of its hosts is cheaper than a walk
  // over the classes that passes all other racks.
  [[nodiscard]] std::optional<RackIndex> small_rack(Request const& request) const {
    std::optional<RackIndex> const rack = fleet_.only_rack(request);
    if (rack && fleet_.hosts_in_rack(*rack).size() * 4 < fleet_.size()) return rack;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Candidate> best_in_classes(Slot& slot, Request const& request);
  [[nodiscard]] std::optional<Candidate> best_on_hosts(Slot& slot, Request const& request);
  [[nodiscard]] std::optional<Candidate> best_idle(Request const& request, Slot const& slot);
  [[nodiscard]] Member first_open(ClassIndex i, Request const& request) const;
  [[nodiscard]] Candidate candidate_of(Member m, std::int64_t score) const;
  void add_runners_up(Slot& slot, Request const& request, ScoreTable& table);
  [[nodiscard]] bool can_fill_classes(Slot const& slot, Request const& request) const;
  struct Batch {
    Request const& request;
    std::size_t end;  // of seats, when all is placed
    std::vector<Seat>& seats;
    std::uint64_t zones = 0;  // whose reserve left room when the class was chosen
    bool is_counted = false;  // the next one is in the demand already
    std::int64_t quiet = 0;   // requests that may follow before the tables can change
    std::int64_t uncounted_asked = 0, uncounted_placed = 0;  // what the demand has not heard yet
  };
  struct Filling {  // of a class of best cells
    ClassIndex from = 0;
    std::int64_t most = 0;        // to each member
    CellClass what;               // what members are then
    std::int64_t next_score = 0;  // of one more on such a member; MinTree::kNone: no room
    ClassIndex to = 0;            // their class then
    std::size_t begin = 0, next = 0,
                end = 0;  // its first members in listed_; from next: not filled
  };
  struct Front {
    Member member = 0;
    std::size_t filling = 0;  // of its class, in fillings_
  };
  struct Stop {
    Member member = 0;
    std::int64_t placed = 0;
  };
  [[nodiscard]] Filling filling_of(CellClass const& now, std::int64_t score,
                                   Room const& need) const;
  bool fill_idle_host(Slot const& slot, Batch& batch);
  void list_class(ClassIndex number, std::int64_t score, Batch const& batch);
  Front next_front();
  std::optional<Stop> fill_level(std::size_t first, Batch& batch);
  void follow_fillings();
  bool fill_best_classes(Slot& slot, Batch& batch);
  std::int64_t fill_cell(CellIndex cell, std::int64_t most, Batch& batch);
  void count_batch(Batch& batch);

  [[nodiscard]] CellClass class_of(CellIndex cell) const;
  [[nodiscard]] Member member_of(CellIndex cell) const {
    return member(fleet_.order(fleet_.host_of(cell), *policy_), cell);
  }
  [[nodiscard]] bool is_in_classes(HostIndex host) const;
  void follow(HostIndex host, std::uint32_t cells, bool was_in_classes);
  void note_host(HostIndex host);
  template <class Change>
  void change_listing(HostIndex host, Change change);

  Policy const* policy_;
  CellFleet fleet_;
  Demand demand_;
  std::uint64_t epoch_ = 0;
  CellClasses classes_;
  IdleHosts idle_;
  HostLog host_log_;
  std::vector<Slot> slots_;
  SlotMap<Shape> slot_numbers_;
  std::uint64_t questions_ = 0;
  // Of the classes being filled; kept for their memory alone.
  std::vector<Filling> fillings_;
  std::vector<Member> listed_;
  std::vector<Front> fronts_;
};

}  // namespace berth::placement
