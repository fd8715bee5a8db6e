#include "daemon/placement/relax.h"

#include <algorithm>
#include <optional>

#include "berth/base/ensure.h"

namespace berth::placement {
namespace {

// Seats taken on trial, until the end of its life.
class Trial {
 public:
  explicit Trial(IndexedFleet& fleet) : fleet_(fleet) {}
  ~Trial() {
    for (; !seats_.empty(); seats_.pop_back()) fleet_.untry_seat(seats_.back());
  }
  Trial(Trial const&) = delete;
  Trial& operator=(Trial const&) = delete;

  // How many of `count` find a seat.
  std::int64_t place(Request const& request, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      std::optional<Seat> const seat = fleet_.choose_again(request);
      if (!seat) return i;
      fleet_.try_seat(*seat);
      seats_.push_back(*seat);
    }
    return count;
  }

 private:
  IndexedFleet& fleet_;
  std::vector<Seat> seats_;
};

std::int64_t places(IndexedFleet& fleet, Request const& request, std::int64_t count) {
  return Trial(fleet).place(request, count);
}

class Relaxer {
 public:
  Relaxer(IndexedFleet& fleet, Question const& question) : fleet_(fleet), question_(question) {}

  std::vector<Relaxation> all() {
    std::int64_t const fitting = places(fleet_, question_.request, question_.count);
    if (fitting == question_.count) return {};
    try_zones();
    try_any_rack();
    try_without_group();
    if (fitting > 0) found_.push_back({RelaxationKind::fewer, fitting});
    try_shapes();
    try_cordoned();
    return std::move(found_);
  }

 private:
  bool is_placed(Request const& request) {
    return places(fleet_, request, question_.count) == question_.count;
  }

  void try_zones() {
    if (!question_.request.zone) return;
    Request relaxed = question_.request;
    relaxed.rack = std::nullopt;  // a rack lies in one zone
    for (ZoneIndex zone = 0; zone < fleet_.fleet().zones(); ++zone) {
      if (zone == *question_.request.zone) continue;
      relaxed.zone = zone;
      if (is_placed(relaxed)) found_.push_back({RelaxationKind::other_zone, zone});
    }
  }

  void try_any_rack() {
    if (!question_.request.rack) return;
    Request relaxed = question_.request;
    relaxed.rack = std::nullopt;
    if (is_placed(relaxed)) found_.push_back({RelaxationKind::any_rack, 0});
  }

  void try_without_group() {
    if (question_.request.group == 0) return;
    Request relaxed = question_.request;
    relaxed.group = 0;
    relaxed.partition = 0;
    if (is_placed(relaxed)) found_.push_back({RelaxationKind::without_group, 0});
  }

  void try_shapes() {
    Request relaxed = question_.request;
    for (std::size_t i = 0; i < question_.shapes.size(); ++i) {
      relaxed.need = question_.shapes[i];
      if (!is_placed(relaxed)) continue;
      found_.push_back({RelaxationKind::other_shape, static_cast<std::int64_t>(i)});
      return;
    }
  }

  void try_cordoned() {
    int tries = 0;
    for (HostIndex host = 0; host < fleet_.fleet().size() && tries < kUncordonTriesMax; ++host) {
      if (!fleet_.fleet().host(host).is_cordoned || !would_hold_one(host)) continue;
      ++tries;
      fleet_.set_cordoned(host, false);
      bool const is_enough = is_placed(question_.request);
      fleet_.set_cordoned(host, true);
      if (!is_enough) continue;
      found_.push_back({RelaxationKind::uncordon, host});
      return;
    }
  }

  // The cordon aside.
  [[nodiscard]] bool would_hold_one(HostIndex host) const {
    CellFleet const& fleet = fleet_.fleet();
    Request const& request = question_.request;
    if (fleet.obstacle(host, request, Cordon::ignored)) return false;
    std::int32_t const parts = fleet.parts_of(fleet.host(host).kind, request.need);
    return fleet.best_cells(host, request.need, parts, fleet_.policy(), fleet_.tables())
        .has_value();
  }

  IndexedFleet& fleet_;
  Question const& question_;
  std::vector<Relaxation> found_;
};

}  // namespace

std::string_view name(RelaxationKind kind) {
  switch (kind) {
    case RelaxationKind::other_zone: return "in another zone";
    case RelaxationKind::any_rack: return "in any rack";
    case RelaxationKind::without_group: return "without the group";
    case RelaxationKind::fewer: return "fewer";
    case RelaxationKind::other_shape: return "another shape";
    case RelaxationKind::uncordon: return "a host uncordoned";
  }
  return "unknown";
}

std::vector<Relaxation> relaxations(IndexedFleet& fleet, Question const& question) {
  ENSURE(question.count >= 1 && question.count <= kRelaxCountMax);
  ENSURE(question.shapes.size() <= kRelaxShapesMax);
  return Relaxer(fleet, question).all();
}

}  // namespace berth::placement
