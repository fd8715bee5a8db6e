#include "daemon/placement/cell_fleet.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "berth/base/ensure.h"
#include "daemon/placement/survey.h"

namespace berth::placement {
namespace {

// The sum of the `count` largest.
std::int64_t largest(std::map<std::int64_t, std::int64_t> const& hosts_by_size,
                     std::int64_t count) {
  std::int64_t sum = 0;
  for (auto it = hosts_by_size.rbegin(); it != hosts_by_size.rend() && count > 0; ++it) {
    std::int64_t const taken = std::min(count, it->second);
    sum += taken * it->first;
    count -= taken;
  }
  return sum;
}

}  // namespace

std::string_view name(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::other_zone: return "other zone";
    case Obstacle::rack: return "other rack";
    case Obstacle::not_up: return "not up";
    case Obstacle::cordoned: return "cordoned";
    case Obstacle::traits: return "traits";
    case Obstacle::reserve: return "zone's reserve";
    case Obstacle::group: return "group";
    case Obstacle::instances: return "instances per host";
    case Obstacle::disk: return "disk";
    case Obstacle::too_big: return "larger than the host";
    case Obstacle::cpu: return "cpu";
    case Obstacle::memory: return "memory";
    case Obstacle::cells: return "cpu and memory in different cells";
  }
  return "unknown";
}

std::string NoSeat::text() const {
  std::string out = std::to_string(hosts_considered) + (hosts_considered == 1 ? " host" : " hosts");
  char const* separator = ": ";
  for (std::size_t i = 0; i < kObstacles; ++i) {
    if (hosts_removed[i] == 0) continue;
    auto const obstacle = static_cast<Obstacle>(i);
    out += separator + std::to_string(hosts_removed[i]) + " ";
    out += obstacle == Obstacle::group ? name(rule.kind) : name(obstacle);
    separator = ", ";
  }
  return out;
}

// The index of a retired host with as many cells, or a new one.
HostIndex CellFleet::index_for(std::uint32_t cells) {
  if (std::vector<HostIndex>& again = retired_[cells]; !again.empty()) {
    HostIndex const index = again.back();
    again.pop_back();
    --hosts_retired_;
    return index;
  }
  ENSURE(hosts_.size() < kFleetHostsMax);
  auto const index = static_cast<HostIndex>(hosts_.size());
  hosts_.push_back({.first_cell = static_cast<CellIndex>(free_.size())});
  host_racks_.push_back(0);
  free_.resize(free_.size() + cells);
  for (std::uint32_t i = 0; i < cells; ++i) cell_places_.push_back(index * kCellsPerHostMax + i);
  return index;
}

HostIndex CellFleet::add_host(HostSetup const& setup) {
  ENSURE(!setup.cells.empty() && setup.cells.size() <= kCellsPerHostMax);
  ENSURE(setup.zone < kZonesMax && setup.rack < kRacksMax);
  Kind const kind{.zone = setup.zone, .traits = setup.traits, .cells = setup.cells};
  auto const [at, is_new] =
      kind_numbers_.try_emplace(kind, static_cast<std::uint32_t>(kinds_.size()));
  if (is_new) kinds_.push_back(kind);
  HostIndex const index = index_for(static_cast<std::uint32_t>(setup.cells.size()));
  hosts_[index] = {.first_cell = hosts_[index].first_cell,
                   .kind = at->second,
                   .instances = 0,
                   .instances_max = setup.instances_max,
                   .disk_left_gib = setup.disk_gib,
                   .cells = static_cast<std::uint8_t>(setup.cells.size()),
                   .is_up = setup.is_up,
                   .is_cordoned = setup.is_cordoned};
  host_racks_[index] = setup.rack;
  if (racks_.size() <= setup.rack) racks_.resize(setup.rack + std::size_t{1});
  racks_[setup.rack].push_back(index);
  CellIndex next = hosts_[index].first_cell;
  for (Room const& cell : setup.cells) {
    ENSURE(cell.vcpus > 0 && cell.vcpus <= kCellVcpusMax);
    ENSURE(cell.memory_mib > 0 && cell.memory_mib <= kCellMemoryMibMax);
    free_[next++] = cell;
    auto kind_of_cell = std::ranges::find(cell_kinds_, cell, &CellKind::capacity);
    if (kind_of_cell == cell_kinds_.end())
      kind_of_cell = cell_kinds_.insert(cell_kinds_.end(), {.capacity = cell});
    kind_of_cell->cells_per_host =
        std::max(kind_of_cell->cells_per_host, static_cast<std::int32_t>(setup.cells.size()));
  }
  if (zones_.size() <= setup.zone) zones_.resize(setup.zone + std::size_t{1});
  count_capacity(index, 1);
  return index;
}

void CellFleet::retire_host(HostIndex index) {
  Host& host = hosts_[index];
  ENSURE(!host.is_retired && host.instances == 0);
  host.is_retired = true;
  host.is_up = false;
  ++hosts_retired_;
  retired_[host.cells].push_back(index);
  std::erase(racks_[host_racks_[index]], index);
  count_capacity(index, -1);
}

void CellFleet::count_capacity(HostIndex host, std::int64_t times) {
  Kind const& kind = kinds_[hosts_[host].kind];
  Totals size;
  for (Room const& cell : kind.cells) {
    size.vcpus += cell.vcpus;
    size.memory_mib += cell.memory_mib;
  }
  Zone& zone = zones_[kind.zone];
  zone.hosts_by_vcpus[size.vcpus] += times;
  zone.hosts_by_memory[size.memory_mib] += times;
  for (Totals* sum : {&zone.capacity, &capacity_}) {
    sum->vcpus += times * size.vcpus;
    sum->memory_mib += times * size.memory_mib;
  }
  refresh_reserve(zone);
}

void CellFleet::reserve_hosts(std::int32_t hosts_per_zone) {
  ENSURE(hosts_per_zone >= 0);
  reserve_hosts_ = hosts_per_zone;
  for (Zone& zone : zones_) refresh_reserve(zone);
}

void CellFleet::refresh_reserve(Zone& zone) const {
  zone.reserve = {.vcpus = largest(zone.hosts_by_vcpus, reserve_hosts_),
                  .memory_mib = largest(zone.hosts_by_memory, reserve_hosts_)};
}

bool CellFleet::is_reserve_kept(ZoneIndex zone, Room const& need) const {
  if (reserve_hosts_ == 0) return true;
  Zone const& z = zones_[zone];
  return z.used.vcpus + need.vcpus <= z.capacity.vcpus - z.reserve.vcpus &&
         z.used.memory_mib + need.memory_mib <= z.capacity.memory_mib - z.reserve.memory_mib;
}

std::uint64_t CellFleet::zones_open_to(Room const& need) const {
  if (reserve_hosts_ == 0) return ~std::uint64_t{0};
  std::uint64_t out = 0;
  for (std::size_t z = 0; z < zones_.size(); ++z) {
    if (is_reserve_kept(static_cast<ZoneIndex>(z), need)) out |= std::uint64_t{1} << z;
  }
  return out;
}

// `times`: how often it is taken; -1: given back.
void CellFleet::account(Seat const& seat, std::int32_t times) {
  Host& host = hosts_[seat.host];
  Room const part = seat.part();
  for (unsigned bits = seat.cells; bits != 0; bits &= bits - 1) {
    CellIndex const cell = host.first_cell + static_cast<CellIndex>(std::countr_zero(bits));
    Room& free = free_[cell];
    free.vcpus -= times * part.vcpus;
    free.memory_mib -= times * part.memory_mib;
  }
  host.instances += times;
  host.disk_left_gib -= times * seat.disk_gib;
  for (Totals* sum : {&zones_[kinds_[host.kind].zone].used, &used_}) {
    sum->vcpus += std::int64_t{times} * seat.need.vcpus;
    sum->memory_mib += std::int64_t{times} * seat.need.memory_mib;
  }
}

void CellFleet::take(Seat const& seat, std::int32_t count) {
  ENSURE(count == 1 || seat.group == 0);
  account(seat, count);
  Host const& host = hosts_[seat.host];
  if (host.instances == count) {
    ++hosts_in_use_;
    hosts_[seat.host].opened = ++hosts_opened_;
  }
  if (seat.group != 0)
    group_at(seat.group)
        .insert({.host = seat.host, .rack = rack_of(seat.host), .partition = seat.partition});
}

void CellFleet::give_back(Seat const& seat) {
  account(seat, -1);
  Host& host = hosts_[seat.host];
  std::vector<Room> const& built = kinds_[host.kind].cells;
  for (std::size_t i = 0; i < host.cells; ++i) ENSURE(fits(free_[host.first_cell + i], built[i]));
  ENSURE(host.instances >= 0);
  if (host.instances == 0) {
    --hosts_in_use_;
    // So that what is taken and given back again leaves no trace.
    if (host.opened == hosts_opened_) --hosts_opened_;
    host.opened = 0;
  }
  if (seat.group != 0)
    groups_[seat.group].erase(
        {.host = seat.host, .rack = rack_of(seat.host), .partition = seat.partition});
}

Group& CellFleet::group_at(GroupIndex group) {
  ENSURE(group != 0 && group < kGroupsMax);
  if (groups_.size() <= group) groups_.resize(group + std::size_t{1});
  return groups_[group];
}

void CellFleet::set_group(GroupIndex group, GroupRule rule) {
  group_at(group).set_rule(rule);
}

std::optional<Obstacle> CellFleet::obstacle(HostIndex index, Request const& request,
                                            Cordon cordon) const {
  Host const& host = hosts_[index];
  Kind const& kind = kinds_[host.kind];
  if (request.zone && kind.zone != *request.zone) return Obstacle::other_zone;
  if (request.rack && rack_of(index) != *request.rack) return Obstacle::rack;
  if (!host.is_up) return Obstacle::not_up;
  if (host.is_cordoned && cordon == Cordon::holds) return Obstacle::cordoned;
  if ((request.traits & ~kind.traits) != 0) return Obstacle::traits;
  if (!is_reserve_kept(kind.zone, request.need)) return Obstacle::reserve;
  if (!is_group_open(index, request)) return Obstacle::group;
  if (host.instances >= host.instances_max) return Obstacle::instances;
  if (request.disk_gib > host.disk_left_gib) return Obstacle::disk;
  return std::nullopt;
}

std::int64_t CellFleet::room_for(HostIndex index, Room const& need, std::int64_t disk_gib) const {
  Host const& host = hosts_[index];
  std::int32_t const parts = parts_of(host.kind, need);
  if (parts == 0 || !host.is_listed()) return 0;
  Room const part = part_of(need, parts);
  std::vector<std::int64_t> by_cell;
  for (CellIndex cell = host.first_cell; cell < host.first_cell + host.cells; ++cell) {
    std::int64_t const cpu = free_[cell].vcpus / part.vcpus;
    std::int64_t const memory = free_[cell].memory_mib / part.memory_mib;
    by_cell.push_back(std::max(std::min(cpu, memory), std::int64_t{0}));
  }
  // The most rounds in each of which `parts` different cells take one part.
  std::int64_t rounds = 0;
  std::int64_t above = std::accumulate(by_cell.begin(), by_cell.end(), std::int64_t{0}) / parts + 1;
  while (above - rounds > 1) {
    std::int64_t const middle = (rounds + above) / 2;
    std::int64_t taken = 0;
    for (std::int64_t const one : by_cell) taken += std::min(one, middle);
    (taken >= middle * parts ? rounds : above) = middle;
  }
  std::int64_t out = std::min<std::int64_t>(rounds, host.instances_max - host.instances);
  if (disk_gib > 0) out = std::min(out, std::max(host.disk_left_gib, std::int64_t{0}) / disk_gib);
  return out;
}

std::int64_t CellFleet::room_beside_reserve(ZoneIndex zone, Room const& need) const {
  Zone const& z = zones_[zone];
  std::int64_t const vcpus = z.capacity.vcpus - z.reserve.vcpus - z.used.vcpus;
  std::int64_t const memory = z.capacity.memory_mib - z.reserve.memory_mib - z.used.memory_mib;
  if (reserve_hosts_ == 0) return std::numeric_limits<std::int64_t>::max();
  return std::max(std::min(vcpus / need.vcpus, memory / need.memory_mib), std::int64_t{0});
}

std::int32_t CellFleet::parts_of(std::uint32_t kind, Room const& need) const {
  std::vector<Room> const& cells = kinds_[kind].cells;
  for (std::size_t parts = 1; parts <= cells.size(); ++parts) {
    Room const part = part_of(need, static_cast<std::int32_t>(parts));
    auto const fitting =
        std::ranges::count_if(cells, [&](Room const& cell) { return fits(part, cell); });
    if (static_cast<std::size_t>(fitting) >= parts) return static_cast<std::int32_t>(parts);
  }
  return 0;
}

std::optional<Candidate> CellFleet::best_cells(HostIndex index, Room const& need,
                                               std::int32_t parts, Policy const& policy,
                                               FleetTables const& tables) const {
  if (parts == 0) return std::nullopt;
  Host const& host = hosts_[index];
  std::vector<Room> const& built = kinds_[host.kind].cells;
  Room const part = part_of(need, parts);
  ScoreFunction const score =
      parts > 1 && policy.split_score != nullptr ? policy.split_score : policy.score;
  std::array<std::pair<std::int64_t, std::uint8_t>, kCellsPerHostMax> fitting;  // best first
  std::size_t count = 0;
  for (std::uint8_t i = 0; i < host.cells; ++i) {
    Room const& free = free_[host.first_cell + i];
    if (!fits(part, free)) continue;
    Fit const fit{.capacity = built[i], .left = free - part, .part = part};
    std::pair const entry{score(fit, tables), i};
    std::size_t at = count++;
    for (; at > 0 && entry < fitting[at - 1]; --at) fitting[at] = fitting[at - 1];
    fitting[at] = entry;
  }
  auto const wanted = static_cast<std::size_t>(parts);
  if (count < wanted) return std::nullopt;
  Candidate out{.score = 0, .host = index, .cells = 0, .order = order(index, policy)};
  for (std::size_t i = 0; i < wanted; ++i) {
    out.score += fitting[i].first;
    out.cells = static_cast<std::uint8_t>(out.cells | (1U << fitting[i].second));
  }
  return out;
}

Obstacle CellFleet::missing_room(HostIndex index, Room const& need, std::int32_t parts) const {
  if (parts == 0) return Obstacle::too_big;
  Host const& host = hosts_[index];
  Room const part = part_of(need, parts);
  std::int32_t with_vcpus = 0, with_memory = 0;
  for (CellIndex cell = host.first_cell; cell < host.first_cell + host.cells; ++cell) {
    if (part.vcpus <= free_[cell].vcpus) ++with_vcpus;
    if (part.memory_mib <= free_[cell].memory_mib) ++with_memory;
  }
  if (with_vcpus < parts) return Obstacle::cpu;
  return with_memory < parts ? Obstacle::memory : Obstacle::cells;
}

Seat CellFleet::seat(Candidate const& candidate, Request const& request) {
  return {.host = candidate.host,
          .cells = candidate.cells,
          .need = request.need,
          .disk_gib = request.disk_gib,
          .group = request.group,
          .partition = request.partition};
}

Answer CellFleet::scan(Request const& request, Policy const& policy,
                       FleetTables const& tables) const {
  Survey const all = survey(*this, request, policy, tables);
  if (all.table.size == 0) return all.refusal;
  return seat(all.table.rows[0], request);
}

}  // namespace berth::placement
