#include "daemon/placement/orderings.h"

#include <algorithm>

namespace berth::placement {
namespace {

constexpr std::int64_t kUnknown = -1;
// Catching up with one entry costs about as much as this many classes when starting anew.
constexpr std::uint64_t kEntryCost = 4;

void add_kinds(std::vector<KindFit>& kinds, Shape const& shape, CellFleet const& fleet) {
  while (kinds.size() < fleet.kinds().size())
    kinds.push_back(kind_fit(shape, fleet, static_cast<std::uint32_t>(kinds.size())));
}

}  // namespace

KindFit kind_fit(Shape const& shape, CellFleet const& fleet, std::uint32_t kind) {
  CellFleet::Kind const& what = fleet.kinds()[kind];
  bool const is_allowed =
      ((shape.zones >> what.zone) & 1) != 0 && (shape.traits & ~what.traits) == 0;
  return {.parts = is_allowed ? fleet.parts_of(kind, shape.need) : 0, .is_allowed = is_allowed};
}

std::int64_t ClassOrdering::value_of(ClassIndex i, Scene const& scene, CellClasses const& classes) {
  if (classes.is_empty(i)) return MinTree::kNone;
  std::int64_t& score = scores_[i];
  if (score != kUnknown) return score;
  CellClass const& what = classes.at(i);
  if (kinds_[what.kind].parts == 1 && fits(shape_.need, what.free)) {
    score = scene.policy.score(
        {.capacity = what.capacity, .left = what.free - shape_.need, .part = shape_.need},
        scene.tables);
  } else {
    score = MinTree::kNone;
  }
  return score;
}

void ClassOrdering::start_anew(Scene const& scene, CellClasses const& classes) {
  if (epoch_ != scene.epoch || generation_ != classes.generation()) scores_.clear();
  // Room for classes to come, so that a new one needs no new tree.
  scores_.resize(std::max(scores_.size(), classes.size() + classes.size() / 4 + 64), kUnknown);
  std::vector<std::int64_t> values(scores_.size(), MinTree::kNone);
  for (ClassIndex i = 0; i < classes.size(); ++i) values[i] = value_of(i, scene, classes);
  tree_.assign(values);
  epoch_ = scene.epoch;
  generation_ = classes.generation();
}

MinTree& ClassOrdering::refreshed(Scene const& scene, CellClasses const& classes) {
  add_kinds(kinds_, shape_, scene.fleet);
  std::uint64_t const end = classes.log_end();
  bool const is_stale = epoch_ != scene.epoch || generation_ != classes.generation() ||
                        position_ < classes.log_begin() || classes.size() > scores_.size();
  if (is_stale || (end - position_) * kEntryCost > classes.size() + 64) {
    start_anew(scene, classes);
  } else {
    for (std::uint64_t p = position_; p < end; ++p) {
      ClassIndex const i = classes.log_at(p);
      tree_.set(i, value_of(i, scene, classes));
    }
  }
  position_ = end;
  return tree_;
}

std::int64_t HostOrdering::value_of(HostIndex i, Scene const& scene) const {
  CellFleet::Host const& host = scene.fleet.host(i);
  std::int32_t const parts = kinds_[host.kind].parts;
  // One cell is the business of the classes, unless all would tie there.
  bool const is_ours = scene.policy.is_by_order ? parts > 0 : parts > 1;
  if (!is_ours || host.instances == 0 || !host.is_listed()) return MinTree::kNone;
  std::optional<Candidate> const best =
      scene.fleet.best_cells(i, shape_.need, parts, scene.policy, scene.tables);
  return best ? best->score : MinTree::kNone;
}

MinTree const& HostOrdering::refreshed(Scene const& scene, HostLog const& log) {
  add_kinds(kinds_, shape_, scene.fleet);
  std::size_t const hosts = scene.fleet.size();
  bool const is_stale = epoch_ != scene.epoch || hosts_ != hosts || position_ < log.begin;
  if (is_stale || (log.end() - position_) * kEntryCost > hosts + 64) {
    std::vector<std::int64_t> values(hosts);
    for (HostIndex i = 0; i < hosts; ++i) values[i] = value_of(i, scene);
    tree_.assign(values);
    hosts_ = hosts;
    epoch_ = scene.epoch;
  } else {
    for (std::uint64_t p = position_; p < log.end(); ++p) {
      HostIndex const i = log.hosts[p - log.begin];
      tree_.set(i, value_of(i, scene));
    }
  }
  position_ = log.end();
  return tree_;
}

}  // namespace berth::placement
