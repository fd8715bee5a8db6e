#include "daemon/placement/placer.h"

#include <algorithm>
#include <bit>

#include "berth/base/ensure.h"
#include "berth/base/plant.h"
#include "daemon/placement/explain.h"
#include "daemon/placement/relax.h"

namespace berth::placement {
namespace {

bool has_room(Need const& need) {
  return need.room.vcpus > 0 && need.room.memory_mib > 0;
}

}  // namespace

PlacementNote note_of(NoSeat const& why) {
  PlacementNote out;
  out.hosts = why.hosts_considered;
  for (std::size_t i = 0; i < kObstacles; ++i) {
    if (why.hosts_removed[i] == 0) continue;
    out.removed.push_back({std::string(name(static_cast<Obstacle>(i))), why.hosts_removed[i]});
  }
  if (std::optional<Dimension> const tightest = scarcest(why)) out.tightest = name(*tightest);
  return out;
}

Placer::Placer() : fleet_(*find_policy("default")) {}

bool Placer::is_resettled(HostId const& id, HostOffer const& offer) const {
  auto const it = hosts_.find(id);
  return it == hosts_.end() || it->second.offer != offer;
}

void Placer::put_host(HostId const& id, HostOffer const& offer) {
  auto const [it, is_new] = hosts_.try_emplace(id);
  Host& host = it->second;
  if (!is_new && host.offer == offer) return;
  if (host.index) fleet_.retire_host(*host.index);
  host.index.reset();
  host.offer = offer;
  if (offer.cells.empty()) return;
  auto const zone =
      zones_.try_emplace(offer.zone, static_cast<ZoneIndex>(zones_.size())).first->second;
  auto const rack =
      racks_.try_emplace({offer.zone, offer.rack}, static_cast<RackIndex>(racks_.size()))
          .first->second;
  HostSetup setup{.zone = zone,
                  .disk_gib = offer.disk_gib,
                  .instances_max = offer.instances_max,
                  .is_up = host.is_up,
                  .is_cordoned = host.is_cordoned && !PLANTED(cordon_ignored),
                  .rack = rack};
  for (CellOffer const& cell : offer.cells) {
    Room room = cell.room;
    if (PLANTED(memory_oversold)) room.memory_mib += 1'024;
    setup.cells.push_back(room);
  }
  host.index = fleet_.add_host(setup);
  if (ids_.size() <= *host.index) ids_.resize(*host.index + std::size_t{1});
  ids_[*host.index] = id;
}

void Placer::set_open(HostId const& id, bool is_up, bool is_cordoned) {
  auto const it = hosts_.find(id);
  ENSURE(it != hosts_.end());
  Host& host = it->second;
  if (host.is_up == is_up && host.is_cordoned == is_cordoned) return;
  host.is_up = is_up;
  host.is_cordoned = is_cordoned;
  if (!host.index) return;
  fleet_.set_up(*host.index, is_up);
  fleet_.set_cordoned(*host.index, is_cordoned && !PLANTED(cordon_ignored));
}

void Placer::erase_host(HostId const& id) {
  auto const it = hosts_.find(id);
  ENSURE(it != hosts_.end());
  if (it->second.index) fleet_.retire_host(*it->second.index);
  hosts_.erase(it);
}

void Placer::put_group(PlacementGroupId const& id, GroupRule rule) {
  auto const [it, is_new] = groups_.try_emplace(id);
  if (!is_new) return;
  if (groups_free_.empty()) {
    it->second = static_cast<GroupIndex>(groups_.size());  // from 1: 0 is no group
  } else {
    it->second = groups_free_.back();
    groups_free_.pop_back();
  }
  fleet_.set_group(it->second, rule);
}

void Placer::erase_group(PlacementGroupId const& id) {
  auto const it = groups_.find(id);
  ENSURE(it != groups_.end());
  groups_free_.push_back(it->second);
  groups_.erase(it);
}

GroupIndex Placer::group_of(PlacementGroupId const& id) const {
  if (id.value.empty()) return 0;
  auto const it = groups_.find(id);
  return it == groups_.end() ? 0 : it->second;
}

// Absent: the host sells nothing, so nothing is counted there.
std::optional<Seat> Placer::seat(Holding const& holding) const {
  auto const it = hosts_.find(holding.place.host);
  if (it == hosts_.end() || !it->second.index) return std::nullopt;
  std::vector<CellOffer> const& cells = it->second.offer.cells;
  Seat out{.host = *it->second.index,
           .cells = 0,
           .need = holding.need.room,
           .disk_gib = holding.need.disk_gib,
           .group = group_of(holding.need.group),
           .partition = 0};
  // Of a group that is not known yet, it is held as of none.
  if (out.group != 0) out.partition = holding.need.partition;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (std::ranges::find(holding.place.cells, cells[i].id) != holding.place.cells.end())
      out.cells = static_cast<std::uint8_t>(out.cells | (1U << i));
  }
  // Decided before cells were, or they are no more: it is counted somewhere.
  if (out.cells == 0) out.cells = 1;
  return out;
}

Place Placer::place(Seat const& seat) const {
  Place out{.host = ids_[seat.host], .cells = {}};
  std::vector<CellOffer> const& cells = hosts_.at(out.host).offer.cells;
  for (unsigned bits = seat.cells; bits != 0; bits &= bits - 1)
    out.cells.push_back(cells[static_cast<std::size_t>(std::countr_zero(bits))].id);
  return out;
}

void Placer::take(Holding const& holding) {
  std::optional<Seat> const seat = this->seat(holding);
  if (!seat) return;
  if (has_room(holding.need))
    fleet_.take(*seat);
  else
    fleet_.try_seat(*seat);
}

void Placer::give_back(Holding const& holding) {
  std::optional<Seat> const seat = this->seat(holding);
  if (!seat) return;
  if (has_room(holding.need))
    fleet_.release(*seat);
  else
    fleet_.untry_seat(*seat);
}

void Placer::count_demand(Need const& need) {
  if (has_room(need)) fleet_.count_demand({.need = need.room});
}

void Placer::reserve_hosts(std::int32_t hosts_per_zone) {
  fleet_.reserve_hosts(hosts_per_zone);
}

std::vector<CellOffer> Placer::free(HostId const& id) const {
  auto const it = hosts_.find(id);
  if (it == hosts_.end() || !it->second.index) return {};
  std::vector<CellOffer> out = it->second.offer.cells;
  CellIndex cell = fleet_.fleet().host(*it->second.index).first_cell;
  for (CellOffer& one : out) one.room = fleet_.fleet().free(cell++);
  return out;
}

std::optional<Request> Placer::request(Ask const& ask) const {
  Request out{
      .need = ask.need.room, .disk_gib = ask.need.disk_gib, .group = group_of(ask.need.group)};
  if (out.group != 0) out.partition = ask.need.partition;
  if (ask.zone) {
    auto const it = zones_.find(*ask.zone);
    if (it == zones_.end()) return std::nullopt;
    out.zone = it->second;
  }
  if (ask.rack) {
    ENSURE(ask.zone);
    auto const it = racks_.find({*ask.zone, *ask.rack});
    if (it == racks_.end()) return std::nullopt;
    out.rack = it->second;
  }
  return out;
}

std::optional<Place> Draft::place(Ask const& ask) {
  std::optional<Request> const request = placer_.request(ask);
  if (!request) return std::nullopt;
  std::optional<Seat> const seat = placer_.fleet_.choose_again(*request);
  if (!seat) return std::nullopt;
  keep(*seat);
  return placer_.place(*seat);
}

void Draft::keep(Seat const& seat) {
  if (PLANTED(batch_placed_apart)) return;
  placer_.fleet_.try_seat(seat);
  seats_.push_back(seat);
}

std::optional<Place> Draft::place_noted(Ask const& ask, std::size_t counted_hosts_max,
                                        PlacementNote& note) {
  std::optional<Request> const request = placer_.request(ask);
  if (!request) return std::nullopt;
  bool const is_counted = placer_.hosts_.size() <= counted_hosts_max;
  Explanation why;
  if (is_counted)
    why = explain(placer_.fleet_, *request);
  else
    why.chosen = placer_.fleet_.choose_again(*request, &why.table);
  if (!why.chosen) return std::nullopt;
  note = is_counted ? note_of(placer_.with_unlisted(why.removed, ask)) : PlacementNote();
  note.policy = placer_.policy();
  note.scored_worse = why.scored_worse;
  if (why.tightest) note.tightest = name(*why.tightest);
  for (std::size_t i = 0; i < why.table.size; ++i) {
    Place row = placer_.place(CellFleet::seat(why.table.rows[i], *request));
    note.rows.push_back({row.host, row.cells, why.table.rows[i].score});
  }
  keep(*why.chosen);
  return placer_.place(*why.chosen);
}

std::optional<Place> Draft::place_on(HostId const& id, Room const& room) {
  auto const it = placer_.hosts_.find(id);
  if (it == placer_.hosts_.end() || !it->second.index || !it->second.is_up) return std::nullopt;
  HostIndex const index = *it->second.index;
  CellFleet const& fleet = placer_.fleet_.fleet();
  std::optional<Candidate> const found =
      fleet.best_cells(index, room, fleet.parts_of(fleet.host(index).kind, room),
                       placer_.fleet_.policy(), placer_.fleet_.tables());
  if (!found) return std::nullopt;
  Seat const seat = CellFleet::seat(*found, {.need = room});
  if (!PLANTED(start_batch_counted_once)) {
    placer_.fleet_.try_seat(seat);
    seats_.push_back(seat);
  }
  return placer_.place(seat);
}

// Adds the hosts that the index does not know.
NoSeat Placer::with_unlisted(NoSeat out, Ask const& ask) const {
  bool const is_known = out.hosts_considered > 0;
  for (auto const& [id, host] : hosts_) {
    if (host.index && is_known) continue;
    ++out.hosts_considered;
    Obstacle why = Obstacle::not_up;
    if (ask.zone && host.offer.zone != *ask.zone)
      why = Obstacle::other_zone;
    else if (ask.rack && host.offer.rack != *ask.rack)
      why = Obstacle::rack;
    ++out.hosts_removed[static_cast<std::size_t>(why)];
  }
  return out;
}

NoSeat Draft::why_not(Ask const& ask) const {
  NoSeat out;
  if (std::optional<Request> const request = placer_.request(ask)) {
    Answer const answer = placer_.fleet_.scan(*request);
    if (auto const* why = std::get_if<NoSeat>(&answer)) out = *why;
  }
  return placer_.with_unlisted(std::move(out), ask);
}

std::vector<std::string> Draft::remedies(
    Ask const& ask, std::int64_t count,
    std::vector<std::pair<std::string, Room>> const& shapes) const {
  std::vector<std::string> out;
  std::optional<Request> const request = placer_.request(ask);
  if (!request) return out;
  std::vector<Room> rooms;
  for (auto const& [name, room] : shapes) rooms.push_back(room);
  Question const question{.request = *request, .count = count, .shapes = rooms};
  for (Relaxation const& one : relaxations(placer_.fleet_, question)) {
    switch (one.kind) {
      case RelaxationKind::other_zone:
        out.push_back("in zone " + placer_.zone_name(one.number));
        break;
      case RelaxationKind::any_rack: out.push_back("in any rack"); break;
      case RelaxationKind::without_group: out.push_back("outside the placement group"); break;
      case RelaxationKind::fewer:
        out.push_back(std::to_string(one.number) + " of the " + std::to_string(count));
        break;
      case RelaxationKind::other_shape:
        out.push_back("as " + shapes[static_cast<std::size_t>(one.number)].first);
        break;
      case RelaxationKind::uncordon:
        out.push_back("with " + placer_.ids_[static_cast<std::size_t>(one.number)].value +
                      " uncordoned");
        break;
    }
  }
  return out;
}

std::string Placer::zone_name(std::int64_t number) const {
  for (auto const& [name, index] : zones_)
    if (index == number) return name.value;
  return "";
}

std::map<ZoneName, std::int64_t> Placer::room_for(Need const& need) const {
  std::map<ZoneName, std::int64_t> out;
  CellFleet const& fleet = fleet_.fleet();
  for (auto const& [id, host] : hosts_) {
    if (host.index) out[host.offer.zone] += fleet.room_for(*host.index, need.room, need.disk_gib);
  }
  for (auto& [name, count] : out)
    count = std::min(count, fleet.room_beside_reserve(zones_.at(name), need.room));
  return out;
}

void Draft::undo(std::size_t mark) {
  for (; seats_.size() > mark; seats_.pop_back()) placer_.fleet_.untry_seat(seats_.back());
}

}  // namespace berth::placement
