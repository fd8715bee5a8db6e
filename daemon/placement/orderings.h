#pragma once
// Orderings: for one shape that is asked for, the classes (or the hosts) in order of their scores.
// They are kept lazily: an ordering catches up with what happened since it was last asked, and when
// that is more than starting anew costs, it starts anew. So shapes that are asked for often cost a
// few steps each time, and rare ones nothing while nobody asks.

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/placement/cell_classes.h"
#include "daemon/placement/min_tree.h"

namespace berth::placement {

// All of a request that decides which classes fit and how well.
struct Shape {
  Room need;
  std::uint64_t zones = 0;  // those it may go to, a bit each
  std::uint64_t traits = 0;

  bool operator==(Shape const&) const = default;
  [[nodiscard]] std::uint64_t hash() const {
    auto const part = [](std::int32_t n) { return static_cast<std::uint64_t>(n); };
    return ((part(need.memory_mib) << 16) ^ part(need.vcpus) ^ (traits << 40)) *
               0xff51afd7ed558ccdULL ^
           (zones * 0x9e3779b97f4a7c15ULL);
  }
};

// What an ordering looks at; the policy and the tables must be the same for one `epoch`.
struct Scene {
  CellFleet const& fleet;
  Policy const& policy;
  FleetTables const& tables;
  std::uint64_t epoch = 0;  // grows when tables that the policy reads have changed
};

// How a kind of host can take a shape.
struct KindFit {
  std::int32_t parts = 0;   // CellFleet::parts_of; 0: not at all
  bool is_allowed = false;  // zone and traits
};
[[nodiscard]] KindFit kind_fit(Shape const& shape, CellFleet const& fleet, std::uint32_t kind);

// Classes by score, for what sits in one cell.
class ClassOrdering {
 public:
  explicit ClassOrdering(Shape const& shape) : shape_(shape) {}

  // Brings it up to date; the tree's places are classes.
  MinTree& refreshed(Scene const& scene, CellClasses const& classes);
  // As it was then.
  [[nodiscard]] MinTree& tree() { return tree_; }

 private:
  [[nodiscard]] std::int64_t value_of(ClassIndex i, Scene const& scene, CellClasses const& classes);
  void start_anew(Scene const& scene, CellClasses const& classes);

  Shape shape_;
  std::vector<KindFit> kinds_;
  std::vector<std::int64_t> scores_;  // by class; kUnknown: not computed yet
  MinTree tree_;
  std::uint64_t position_ = 0;  // in the log of the classes
  std::uint64_t epoch_ = UINT64_MAX;
  std::uint64_t generation_ = UINT64_MAX;
};

// Hosts that were touched, in order, since the log's begin.
struct HostLog {
  std::vector<HostIndex> hosts;
  std::uint64_t begin = 0;

  [[nodiscard]] std::uint64_t end() const { return begin + hosts.size(); }
};

// Hosts in use by score: for what is split over cells, and for policies that know only the order.
class HostOrdering {
 public:
  explicit HostOrdering(Shape const& shape) : shape_(shape) {}

  // Brings it up to date; the tree's places are hosts.
  MinTree const& refreshed(Scene const& scene, HostLog const& log);

 private:
  [[nodiscard]] std::int64_t value_of(HostIndex i, Scene const& scene) const;

  Shape shape_;
  std::vector<KindFit> kinds_;
  MinTree tree_;
  std::size_t hosts_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t epoch_ = UINT64_MAX;
};

}  // namespace berth::placement
