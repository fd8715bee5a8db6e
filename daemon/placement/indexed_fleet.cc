#include "daemon/placement/indexed_fleet.h"

#include <algorithm>
#include <bit>

#include "berth/base/ensure.h"

namespace berth::placement {
namespace {

// Orderings kept; the one asked longest ago makes way. Each costs some twenty bytes a class.
constexpr std::size_t kSlotsMax = 64;
constexpr std::size_t kHostLogMin = 4'096;

bool is_about_single_hosts(Request const& request) {
  return request.group != 0 || request.disk_gib > 0 || request.rack.has_value();
}

void keep_better(std::optional<Candidate>& best, std::optional<Candidate> const& other) {
  if (other && (!best || other->is_before(*best))) best = other;
}

}  // namespace

CellClass IndexedFleet::class_of(CellIndex cell) const {
  CellFleet::Host const& host = fleet_.host(fleet_.host_of(cell));
  return {.kind = host.kind,
          .capacity = fleet_.kinds()[host.kind].cells[cell - host.first_cell],
          .free = fleet_.free(cell)};
}

bool IndexedFleet::is_in_classes(HostIndex host) const {
  return fleet_.host(host).instances > 0 && fleet_.host(host).is_listed();
}

// Brings the index up to date after the host changed; `cells`: whose room changed.
void IndexedFleet::follow(HostIndex index, std::uint32_t cells, bool was_in_classes) {
  CellFleet::Host const& host = fleet_.host(index);
  bool const is_in = is_in_classes(index);
  if (was_in_classes != is_in) cells = (1U << host.cells) - 1;
  for (std::uint32_t bits = cells; bits != 0; bits &= bits - 1) {
    CellIndex const cell = host.first_cell + static_cast<CellIndex>(std::countr_zero(bits));
    if (was_in_classes) classes_.erase(cell);
    if (is_in) classes_.insert(member_of(cell), class_of(cell));
  }
  idle_.follow(index, fleet_);
  note_host(index);
}

void IndexedFleet::note_host(HostIndex host) {
  if (host_log_.hosts.size() >= std::max(kHostLogMin, fleet_.size())) {
    host_log_.begin = host_log_.end();
    host_log_.hosts.clear();
  }
  host_log_.hosts.push_back(host);
}

template <class Change>
void IndexedFleet::change_listing(HostIndex host, Change change) {
  bool const was_in_classes = is_in_classes(host);
  change();
  follow(host, 0, was_in_classes);
}

HostIndex IndexedFleet::add_host(HostSetup const& setup) {
  HostIndex const host = fleet_.add_host(setup);
  if (demand_.cover(policy_->reads, fleet_.facts())) ++epoch_;
  idle_.follow(host, fleet_);
  note_host(host);
  return host;
}

void IndexedFleet::retire_host(HostIndex host) {
  fleet_.retire_host(host);
  idle_.forget(host, fleet_.host(host).kind);
  note_host(host);
}

void IndexedFleet::set_up(HostIndex host, bool is_up) {
  change_listing(host, [&] { fleet_.set_up(host, is_up); });
}

void IndexedFleet::set_cordoned(HostIndex host, bool is_cordoned) {
  change_listing(host, [&] { fleet_.set_cordoned(host, is_cordoned); });
}

void IndexedFleet::take(Seat const& seat) {
  try_seat(seat);
  demand_.placed(seat.need, policy_->reads);
}

void IndexedFleet::release(Seat const& seat) {
  untry_seat(seat);
  demand_.released(seat.need, policy_->reads);
}

void IndexedFleet::try_seat(Seat const& seat) {
  bool const was_in_classes = is_in_classes(seat.host);
  fleet_.take(seat);
  follow(seat.host, seat.cells, was_in_classes);
}

void IndexedFleet::untry_seat(Seat const& seat) {
  fleet_.expect_group(seat.group);
  bool const was_in_classes = is_in_classes(seat.host);
  fleet_.give_back(seat);
  follow(seat.host, seat.cells, was_in_classes);
}

bool IndexedFleet::asked(Request const& request) {
  bool const is_changed = demand_.asked(request.need, policy_->reads, fleet_.facts());
  if (is_changed) ++epoch_;
  return is_changed;
}

IndexedFleet::Slot* IndexedFleet::slot_of(Request const& request) {
  std::uint64_t zones = fleet_.zones_open_to(request.need);
  if (request.zone) zones &= std::uint64_t{1} << *request.zone;
  if (zones == 0) return nullptr;
  Shape const shape{.need = request.need, .zones = zones, .traits = request.traits};
  std::uint32_t number = slot_numbers_.find(shape);
  if (number == SlotMap<Shape>::kAbsent) {
    Slot fresh{.shape = shape, .classes = ClassOrdering(shape), .hosts = HostOrdering(shape)};
    if (slots_.size() < kSlotsMax) {
      number = static_cast<std::uint32_t>(slots_.size());
      slots_.push_back(std::move(fresh));
      slot_numbers_.insert(shape, number);
    } else {
      auto const oldest = std::ranges::min_element(slots_, {}, &Slot::used_at);
      *oldest = std::move(fresh);
      number = static_cast<std::uint32_t>(oldest - slots_.begin());
      slot_numbers_.clear();
      for (std::uint32_t i = 0; i < slots_.size(); ++i) slot_numbers_.insert(slots_[i].shape, i);
    }
  }
  Slot& slot = slots_[number];
  slot.used_at = ++questions_;
  for (; slot.kinds < fleet_.kinds().size(); ++slot.kinds) {
    KindFit const fit = kind_fit(shape, fleet_, static_cast<std::uint32_t>(slot.kinds));
    slot.has_single |= fit.parts == 1;
    slot.has_split |= fit.parts > 1;
  }
  return &slot;
}

// The first member of the class that is open to the request; kNoMember: none.
Member IndexedFleet::first_open(ClassIndex i, Request const& request) const {
  if (!is_about_single_hosts(request)) return classes_.first_member(i);
  return classes_.first_member(
      i, [&](CellIndex c) { return fleet_.is_open_to(fleet_.host_of(c), request); });
}

Candidate IndexedFleet::candidate_of(Member m, std::int64_t score) const {
  CellIndex const cell = cell_of(m);
  return {.score = score,
          .host = fleet_.host_of(cell),
          .cells = fleet_.bit_of(cell),
          .order = order_of(m)};
}

std::optional<Candidate> IndexedFleet::best_in_classes(Slot& slot, Request const& request) {
  MinTree& tree = slot.classes.refreshed(scene(), classes_);
  // Of those with the best score the first. Members are compared, not candidates: a number against
  // a structure in memory.
  std::int64_t best_score = MinTree::kNone;
  Member best = kNoMember;
  auto const consider = [&](std::size_t place, std::int64_t score) {
    Member const m = first_open(static_cast<ClassIndex>(place), request);
    if (m == kNoMember || score > best_score || (score == best_score && m > best)) return;
    best_score = score;
    best = m;
  };
  auto const found = [&] {
    return best == kNoMember ? std::nullopt : std::optional(candidate_of(best, best_score));
  };
  tree.each_least([&](std::size_t place) { consider(place, tree.least()); });
  if (best != kNoMember || !is_about_single_hosts(request)) return found();
  // None of the best classes has a member that is open: the next few, and then the rest.
  std::span<MinTree::Step const> const next = tree.front(MinTree::kFrontMax);
  for (MinTree::Step const& step : next) {
    if (step.value > best_score) return found();
    if (step.value > tree.least()) consider(step.place, step.value);
  }
  if (next.size() < MinTree::kFrontMax) return found();
  MinTree::Walk walk(tree);
  for (MinTree::Step step = walk.next(); step.value <= best_score && step.value != MinTree::kNone;
       step = walk.next())
    consider(step.place, step.value);
  return found();
}

std::optional<Candidate> IndexedFleet::best_on_hosts(Slot& slot, Request const& request) {
  MinTree const& tree = slot.hosts.refreshed(scene(), host_log_);
  std::optional<Candidate> best;
  auto const consider = [&](std::size_t place, std::int64_t score) {
    auto const host = static_cast<HostIndex>(place);
    Candidate const other{
        .score = score, .host = host, .cells = 0, .order = fleet_.order(host, *policy_)};
    if (fleet_.is_open_to(host, request)) keep_better(best, other);
  };
  if (policy_->ties == TieOrder::by_index && tree.least() != MinTree::kNone)
    consider(tree.first_least(), tree.least());
  if (!best) {
    MinTree::Walk walk(tree);
    for (MinTree::Step step = walk.next(); step.value != MinTree::kNone; step = walk.next()) {
      if (best && step.value > best->score) break;
      consider(step.place, step.value);
    }
  }
  if (!best) return std::nullopt;
  std::int32_t const parts = fleet_.parts_of(fleet_.host(best->host).kind, request.need);
  return fleet_.best_cells(best->host, request.need, parts, *policy_, demand_.tables());
}

std::optional<Candidate> IndexedFleet::best_idle(Request const& request, Slot const& slot) {
  std::optional<Candidate> best;
  for (std::uint32_t kind = 0; kind < fleet_.kinds().size(); ++kind) {
    KindFit const fit = kind_fit(slot.shape, fleet_, kind);
    if (fit.parts == 0) continue;
    std::optional<HostIndex> const host =
        idle_.lowest(kind, fleet_, [&](HostIndex h) { return fleet_.is_open_to(h, request); });
    if (!host) continue;
    bool const is_last = policy_->empty_hosts == EmptyHosts::last;
    if (is_last && best && best->host < *host) continue;
    std::optional<Candidate> const other =
        fleet_.best_cells(*host, request.need, fit.parts, *policy_, demand_.tables());
    ENSURE(other);
    if (is_last)
      best = other;
    else
      keep_better(best, other);
  }
  return best;
}

std::optional<Candidate> IndexedFleet::best(Slot* slot, Request const& request) {
  if (slot == nullptr) return std::nullopt;
  if (std::optional<RackIndex> const rack = small_rack(request)) {
    ScoreTable const found = survey_rack(fleet_, *rack, request, *policy_, demand_.tables()).table;
    return found.size == 0 ? std::nullopt : std::optional(found.rows[0]);
  }
  std::optional<Candidate> best;
  if (slot->has_single && !policy_->is_by_order) best = best_in_classes(*slot, request);
  if (slot->has_split || policy_->is_by_order) keep_better(best, best_on_hosts(*slot, request));
  if (!best || policy_->empty_hosts == EmptyHosts::alike)
    keep_better(best, best_idle(request, *slot));
  return best;
}

std::optional<Seat> IndexedFleet::choose(Request const& request) {
  ENSURE(request.need.vcpus > 0 && request.need.memory_mib > 0);
  fleet_.expect_group(request.group);
  asked(request);
  return choose_again(request);
}

std::optional<Seat> IndexedFleet::choose_again(Request const& request, ScoreTable* table) {
  Slot* const slot = slot_of(request);
  std::optional<Candidate> const found = best(slot, request);
  if (!found) return std::nullopt;
  if (table != nullptr) {
    table->size = 0;
    table->rows[table->size++] = *found;
    add_runners_up(*slot, request, *table);
  }
  return CellFleet::seat(*found, request);
}

std::optional<Seat> IndexedFleet::place(Request const& request) {
  std::optional<Seat> const seat = choose(request);
  if (seat) take(*seat);
  return seat;
}

void IndexedFleet::add_runners_up(Slot& slot, Request const& request, ScoreTable& table) {
  if (std::optional<RackIndex> const rack = small_rack(request)) {
    table = survey_rack(fleet_, *rack, request, *policy_, demand_.tables()).table;
    return;
  }
  if (!slot.has_single || policy_->is_by_order || fleet_.host(table.rows[0].host).instances == 0)
    return;
  static_assert(ScoreTable::kRowsMax == 3);
  std::span<MinTree::Step const> const first = slot.classes.tree().front(ScoreTable::kRowsMax);
  HostIndex const chosen = table.rows[0].host;
  for (MinTree::Step const& step : first) {
    Member const m = first_open(static_cast<ClassIndex>(step.place), request);
    if (m == kNoMember) continue;
    HostIndex const host = fleet_.host_of(cell_of(m));
    // Almost always the first one here, and hardly ever another.
    if (host == chosen) continue;
    if (table.size > 1 && host == table.rows[1].host) continue;
    table.rows[table.size++] = candidate_of(m, step.value);
    if (table.size == ScoreTable::kRowsMax) return;
  }
}

std::optional<Seat> IndexedFleet::place_explained(Request const& request, ScoreTable& table) {
  asked(request);
  table.size = 0;
  std::optional<Seat> const seat = choose_again(request, &table);
  if (seat) take(*seat);
  return seat;
}

}  // namespace berth::placement
