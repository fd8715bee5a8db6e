#pragma once
// A replay as a picture: hosts in use, how dense they are, and what was rejected, over time. SVG,
// for a browser; drawn from means over equal stretches of time, so that its size does not grow with
// the trace.

#include <cstdint>
#include <string>
#include <vector>

namespace berth::ctl {

class PackChart {
 public:
  static constexpr std::size_t kStretches = 480;

  struct Use {
    std::int64_t hosts = 0;  // with at least one instance
    std::int64_t vcpus = 0;
    std::int64_t memory_mib = 0;
  };

  // end_s: the trace's last second; capacity: of the whole fleet.
  PackChart(std::int64_t end_s, Use capacity);

  // From the one second to the other the fleet's use was so. Stretches of time in any order; what
  // lies outside of the trace is left out.
  void used(std::int64_t from_s, std::int64_t to_s, Use const& use);
  void rejected(std::int64_t time_s);

  [[nodiscard]] std::string svg(std::string const& title) const;

 private:
  // Sums over the seconds of one stretch.
  struct Stretch {
    double seconds = 0;
    double hosts = 0;
    double vcpus = 0;
    double memory_mib = 0;
    std::int64_t rejected = 0;
  };
  [[nodiscard]] std::size_t stretch_of(std::int64_t time_s) const;
  [[nodiscard]] double begin_of(std::size_t stretch) const;

  std::int64_t end_s_;
  Use capacity_;
  std::vector<Stretch> stretches_;
};

}  // namespace berth::ctl
