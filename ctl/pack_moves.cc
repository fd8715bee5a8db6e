#include "ctl/pack_moves.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace berth::ctl {
namespace {

using placement::HostIndex;
using placement::IndexedFleet;
using placement::Seat;

constexpr std::int64_t kHour = 3'600;
// How often hosts are looked over, in seconds of the trace, and how many are tried each time.
constexpr std::int64_t kSecondsBetweenTries = 60;
constexpr std::size_t kHostsTriedMax = 16;
// More than this on one host is not worth the moves.
constexpr std::size_t kInstancesMax = 6;
// What has come just now may well go again by itself.
constexpr std::int64_t kAgeMin = 600;

}  // namespace

Mover::Mover(Trace const& trace, std::int64_t moves_per_hour, std::int64_t hosts, OnMove on_move)
    : trace_(trace),
      moves_per_hour_(static_cast<std::size_t>(moves_per_hour)),
      on_move_(std::move(on_move)),
      on_host_(moves_per_hour > 0 ? static_cast<std::size_t>(hosts) : 0) {}

void Mover::placed(std::uint32_t instance, Seat const& seat) {
  if (moves_per_hour_ > 0) on_host_[seat.host].push_back(instance);
}

void Mover::gone(std::uint32_t instance, Seat const& seat) {
  if (moves_per_hour_ > 0) std::erase(on_host_[seat.host], instance);
}

std::vector<Mover::Candidate> Mover::candidates(std::int64_t now_s, std::size_t left,
                                                IndexedFleet const& fleet) const {
  std::vector<Candidate> out;
  for (HostIndex host = 0; host < on_host_.size(); ++host) {
    std::vector<std::uint32_t> const& here = on_host_[host];
    if (here.empty() || here.size() > std::min(left, kInstancesMax)) continue;
    std::int64_t oldest_s = 0;
    for (std::uint32_t const i : here)
      oldest_s = std::max(oldest_s, now_s - trace_.instances[i].begin_s);
    if (oldest_s < kAgeMin) continue;
    // What a move gains: the room that is not in use there, as what moves fills as much elsewhere;
    // a little more where the oldest has been for long and so will most likely stay.
    placement::CellFleet::Host const& about = fleet.fleet().host(host);
    std::int64_t free_vcpus = 0;
    for (placement::CellIndex c = about.first_cell; c < about.first_cell + about.cells; ++c)
      free_vcpus += fleet.fleet().free(c).vcpus;
    auto const age =
        static_cast<std::int64_t>(std::bit_width(static_cast<std::uint64_t>(oldest_s + kHour)));
    constexpr std::int64_t kScale = 100;
    out.push_back({.value = kScale * free_vcpus * age / static_cast<std::int64_t>(here.size()),
                   .host = host,
                   .instances = here.size()});
  }
  std::ranges::sort(out, {}, [](Candidate const& c) { return std::tuple(-c.value, c.host); });
  if (out.size() > kHostsTriedMax) out.resize(kHostsTriedMax);
  return out;
}

bool Mover::empty_host(HostIndex host, IndexedFleet& fleet, Seats& seats, std::int64_t now_s) {
  std::vector<std::uint32_t> leaving = on_host_[host];
  std::ranges::sort(leaving, std::ranges::greater(),
                    [&](std::uint32_t i) { return std::pair(trace_.instances[i].need, i); });
  std::vector<Seat> taken;
  fleet.set_cordoned(host, true);
  for (std::uint32_t const i : leaving) {
    std::optional<Seat> const seat = fleet.choose_again({.need = trace_.instances[i].need});
    if (!seat || fleet.fleet().host(seat->host).instances == 0) break;
    fleet.take(*seat);
    taken.push_back(*seat);
  }
  bool const is_done = taken.size() == leaving.size();
  if (is_done) {
    for (std::size_t k = 0; k < leaving.size(); ++k) {
      std::uint32_t const i = leaving[k];
      gone(i, *seats[i]);
      fleet.release(*seats[i]);
      seats[i] = taken[k];
      placed(i, taken[k]);
      if (on_move_) on_move_(now_s, i, taken[k]);
    }
  } else {
    for (Seat const& seat : taken) fleet.release(seat);
  }
  fleet.set_cordoned(host, false);
  return is_done;
}

void Mover::advance(std::int64_t now_s, IndexedFleet& fleet, Seats& seats) {
  if (moves_per_hour_ == 0 || now_s < tried_at_ + kSecondsBetweenTries) return;
  tried_at_ = now_s;
  while (!moved_at_.empty() && moved_at_.front() <= now_s - kHour) moved_at_.pop_front();
  if (moved_at_.size() >= moves_per_hour_) return;
  for (Candidate const& candidate : candidates(now_s, moves_per_hour_ - moved_at_.size(), fleet)) {
    // An earlier one may have moved something here, or used up what was left.
    std::size_t const here = on_host_[candidate.host].size();
    if (here != candidate.instances || moved_at_.size() + here > moves_per_hour_) continue;
    if (!empty_host(candidate.host, fleet, seats, now_s)) continue;
    moved_at_.insert(moved_at_.end(), here, now_s);
    moves_ += static_cast<std::int64_t>(here);
  }
}

}  // namespace berth::ctl
