// berth-bench-placement: what a placement decision costs, on one core of this machine.
//
//   berth-bench-placement                     a table
//   berth-bench-placement --output=json       one flat object
//
// A fleet of two-cell hosts is filled to 85 % of its vCPUs with a mix of shapes, and turned over
// once so that it looks as a fleet does that has been in use, and once more in the way that is
// measured next. Then steps: an instance drawn at random goes, a new one comes. A decision is one
// placement; its step's release is in its time. Beside it stands what looking at every host costs
// in the same fleet.

#include <gflags/gflags.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "berth/base/ensure.h"
#include "berth/base/entropy.h"
#include "daemon/placement/indexed_fleet.h"

DEFINE_string(output, "table", "table for people, json for machines (one flat object)");
DEFINE_string(policy, "default", "of those of berthctl pack");
DEFINE_double(seconds, 1.0, "how long each figure is measured");
DEFINE_string(only, "", "measure this kind alone: plain, spread, n1, explain or batch");
DEFINE_int32(hosts_max, 100'000, "measure fleets of 1000, 10000 and 100000 hosts up to this size");

namespace berth::bench {
namespace {

using placement::IndexedFleet;
using placement::Request;
using placement::Room;
using placement::Seat;

constexpr Room kCell{.vcpus = 24, .memory_mib = 64 * 1024};
constexpr std::int64_t kFillPercent = 85;
constexpr placement::GroupIndex kMembersPerGroup = 8;

// Requests per shape in three and a half days of a public cloud (docs/operating/placement.md).
struct Share {
  std::uint64_t requests;
  Room need;
};
constexpr auto kMix = std::to_array<Share>({
    {156'437, {.vcpus = 1, .memory_mib = 1'792}},
    {48'008, {.vcpus = 2, .memory_mib = 3'584}},
    {25'700, {.vcpus = 4, .memory_mib = 7'168}},
    {23'315, {.vcpus = 8, .memory_mib = 14'336}},
    {4'108, {.vcpus = 1, .memory_mib = 768}},
    {1'427, {.vcpus = 8, .memory_mib = 57'344}},
    {49, {.vcpus = 4, .memory_mib = 28'672}},
    {49, {.vcpus = 2, .memory_mib = 14'336}},
    {22, {.vcpus = 2, .memory_mib = 4'096}},
    {15, {.vcpus = 4, .memory_mib = 8'192}},
    {10, {.vcpus = 1, .memory_mib = 2'048}},
    {9, {.vcpus = 16, .memory_mib = 114'688}},
    {5, {.vcpus = 8, .memory_mib = 16'384}},
    {3, {.vcpus = 2, .memory_mib = 16'384}},
    {1, {.vcpus = 8, .memory_mib = 65'536}},
    {1, {.vcpus = 4, .memory_mib = 32'768}},
});

class Mix {
 public:
  Mix() {
    for (Share const& share : kMix) total_ += share.requests;
  }
  Room draw(Entropy& entropy) const {
    std::uint64_t at = entropy.below(total_);
    for (Share const& share : kMix) {
      if (at < share.requests) return share.need;
      at -= share.requests;
    }
    return kMix.back().need;
  }

 private:
  std::uint64_t total_ = 0;
};

// Time of this thread on a core, so that what else the machine does is not counted.
double core_seconds() {
  timespec now{};
  ENSURE(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double seconds_since(double start) {
  return core_seconds() - start;
}

enum class Kind { plain, spread, n1, explain };
constexpr auto kKinds = std::to_array<std::pair<Kind, char const*>>({{Kind::plain, "plain"},
                                                                     {Kind::spread, "spread"},
                                                                     {Kind::n1, "n1"},
                                                                     {Kind::explain, "explain"}});

class Cloud {
 public:
  Cloud(placement::Policy const& policy, std::int64_t hosts) : fleet_(policy), entropy_(7) {
    for (std::int64_t i = 0; i < hosts; ++i) fleet_.add_host({.cells = {kCell, kCell}});
    while (fleet_.fleet().used().vcpus * 100 < fleet_.fleet().capacity().vcpus * kFillPercent) {
      std::optional<Seat> const seat = fleet_.place({.need = mix_.draw(entropy_)});
      ENSURE(seat);
      seats_.push_back(*seat);
    }
    for (std::size_t i = 0; i < seats_.size(); ++i) step(Kind::plain);
  }

  // One instance goes, another comes.
  void step(Kind kind) {
    std::size_t const i = entropy_.below(seats_.size());
    fleet_.release(seats_[i]);
    Request request{.need = mix_.draw(entropy_)};
    if (kind == Kind::spread) {
      // Groups of eight, one after the other.
      std::size_t const groups =
          std::min<std::size_t>(seats_.size() / 4, placement::kGroupsMax - 1);
      request.group = static_cast<placement::GroupIndex>(placed_++ / kMembersPerGroup % groups + 1);
    }
    std::optional<Seat> seat;
    if (kind == Kind::explain) {
      placement::ScoreTable table;
      seat = fleet_.place_explained(request, table);
      rows_ += table.size;
    } else {
      seat = fleet_.place(request);
    }
    if (seat) {
      seats_[i] = *seat;
      return;
    }
    ++refused_;
    seats_[i] = seats_.back();
    seats_.pop_back();
  }

  double decisions_per_second(Kind kind) {
    fleet_.reserve_hosts(kind == Kind::n1 ? 1 : 0);
    // All that runs has come this way before anything is measured.
    for (std::size_t i = 0; i < seats_.size(); ++i) step(kind);
    constexpr int kStepsBetweenLooks = 1'000;
    std::int64_t steps = 0;
    double const start = core_seconds();
    do {
      for (int i = 0; i < kStepsBetweenLooks; ++i) step(kind);
      steps += kStepsBetweenLooks;
    } while (seconds_since(start) < FLAGS_seconds);
    double const rate = static_cast<double>(steps) / seconds_since(start);
    fleet_.reserve_hosts(0);
    return rate;
  }

  double scan_ns() {
    std::int64_t scans = 0, found = 0;
    double const start = core_seconds();
    do {
      placement::Answer const answer = fleet_.scan({.need = mix_.draw(entropy_)});
      found += std::holds_alternative<Seat>(answer) ? 1 : 0;
      ++scans;
    } while (seconds_since(start) < FLAGS_seconds);
    ENSURE(found > 0);
    return seconds_since(start) * 1e9 / static_cast<double>(scans);
  }

  struct Batches {
    double batch_ns = 0;    // of 1,000 identical ones in one call
    double singles_ns = 0;  // of the same, one by one
  };
  Batches batches() {
    constexpr std::size_t kBatch = 1'000;
    Batches out;
    double in_batches = 0, in_singles = 0;
    int rounds = 0;
    std::vector<Seat> seats;
    auto const release_all = [&] {
      std::for_each(seats.rbegin(), seats.rend(), [&](Seat const& seat) { fleet_.release(seat); });
      seats.clear();
    };
    double const until = core_seconds();
    do {
      Request const request{.need = mix_.draw(entropy_)};
      // Who comes second finds all that is needed in the cache, so they take turns.
      for (bool const is_batch : {rounds % 2 == 0, rounds % 2 != 0}) {
        double const start = core_seconds();
        if (is_batch) {
          fleet_.place_batch(request, kBatch, seats);
          in_batches += seconds_since(start);
        } else {
          for (std::size_t i = 0; i < kBatch; ++i) {
            if (auto const seat = fleet_.place(request)) seats.push_back(*seat);
          }
          in_singles += seconds_since(start);
        }
        release_all();
      }
      for (std::size_t i = 0; i < kBatch; ++i) step(Kind::plain);
      ++rounds;
    } while (seconds_since(until) < 2 * FLAGS_seconds);
    out.batch_ns = in_batches * 1e9 / rounds;
    out.singles_ns = in_singles * 1e9 / rounds;
    return out;
  }

  [[nodiscard]] std::size_t instances() const { return seats_.size(); }
  [[nodiscard]] std::size_t classes() const { return fleet_.classes(); }
  [[nodiscard]] std::int64_t refused() const { return refused_; }

 private:
  IndexedFleet fleet_;
  SeededEntropy entropy_;
  Mix mix_;
  std::vector<Seat> seats_;
  std::uint64_t placed_ = 0;
  std::int64_t refused_ = 0;
  std::size_t rows_ = 0;
};

using Figures = std::vector<std::pair<std::string, double>>;

void print(Figures const& figures) {
  if (FLAGS_output == "json") {
    char const* separator = "{";
    for (auto const& [name, value] : figures) {
      std::printf("%s\"%s\": %.*f", separator, name.c_str(), value < 10 ? 4 : 0, value);
      separator = ", ";
    }
    std::printf("}\n");
    return;
  }
  for (auto const& [name, value] : figures)
    std::printf("%-38s %14.*f\n", name.c_str(), value < 10 ? 4 : 0, value);
}

int start() {
  placement::Policy const* const policy = placement::find_policy(FLAGS_policy);
  if (policy == nullptr || (FLAGS_output != "table" && FLAGS_output != "json") ||
      FLAGS_seconds <= 0) {
    std::fprintf(
        stderr,
        "berth-bench-placement: wanted a --policy of berthctl pack, --output=table or json "
        "and --seconds above 0; see --help\n");
    return 2;
  }
  Figures figures;
  for (std::int64_t const hosts : {1'000, 10'000, 100'000}) {
    if (hosts > FLAGS_hosts_max) break;
    std::string const size = std::to_string(hosts);
    std::fprintf(stderr, "filling %s hosts\n", size.c_str());
    Cloud cloud(*policy, hosts);
    for (auto const& [kind, name] : kKinds) {
      if (!FLAGS_only.empty() && FLAGS_only != name) continue;
      figures.emplace_back("decisions_per_second_" + size + "_" + name,
                           cloud.decisions_per_second(kind));
    }
    if (!FLAGS_only.empty() && FLAGS_only != "batch") continue;
    figures.emplace_back("linear_scan_ns_" + size, cloud.scan_ns());
    if (hosts == 10'000) {
      Cloud::Batches const batches = cloud.batches();
      figures.emplace_back("batch_of_1000_ns", batches.batch_ns);
      figures.emplace_back("singles_1000_ns", batches.singles_ns);
      figures.emplace_back("batch_share_of_singles", batches.batch_ns / batches.singles_ns);
    }
    figures.emplace_back("instances_" + size, static_cast<double>(cloud.instances()));
    figures.emplace_back("classes_" + size, static_cast<double>(cloud.classes()));
    figures.emplace_back("refused_" + size, static_cast<double>(cloud.refused()));
  }
  print(figures);
  return 0;
}

}  // namespace
}  // namespace berth::bench

int main(int argc, char** argv) {
  gflags::SetUsageMessage("what a placement decision costs, on one core of this machine");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  return berth::bench::start();
}
