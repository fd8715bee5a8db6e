#include "ctl/pack_moves.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace berth::ctl {
namespace {

using placement::HostIndex;
using placement::IndexedFleet;
using placement::Seat;

constexpr std::int64_t kHour = 3'600;
// How often hosts are looked over, in seconds of the trace, and how many are tried each time.
constexpr std::int64_t kSecondsBetweenRounds = 180;
constexpr std::size_t kHostsTriedMax = 64;

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

std::vector<HostIndex> Mover::candidates(std::size_t left, IndexedFleet const& fleet) const {
  std::vector<HostIndex> out;
  for (HostIndex host = 0; host < on_host_.size(); ++host) {
    if (!on_host_[host].empty() && on_host_[host].size() <= left) out.push_back(host);
  }
  // Fewest moves for a host first; then the one opened last, as the oldest are to stay.
  auto const rank = [&](HostIndex host) {
    return std::pair(on_host_[host].size(), UINT32_MAX - fleet.fleet().host(host).opened);
  };
  std::ranges::sort(out, {}, rank);
  if (out.size() > kHostsTriedMax) out.resize(kHostsTriedMax);
  return out;
}

bool Mover::empty_host(HostIndex host, IndexedFleet& fleet, Seats& seats, std::int64_t now_s) {
  std::vector<std::uint32_t> leaving = on_host_[host];
  // What is split over cells has its place; so has the host.
  auto const is_split = [&](std::uint32_t i) { return std::popcount(seats[i]->cells) > 1; };
  if (std::ranges::any_of(leaving, is_split)) return false;
  // The largest first, in shares of a cell; then in the order in which they came.
  placement::CellFleet const& cells = fleet.fleet();
  placement::Room const cell = cells.kinds()[cells.host(host).kind].cells.front();
  std::ranges::sort(leaving, {}, [&](std::uint32_t i) {
    placement::Room const& need = trace_.instances[i].need;
    std::int64_t const size = (std::int64_t{need.vcpus} << 16) / cell.vcpus +
                              (std::int64_t{need.memory_mib} << 16) / cell.memory_mib;
    return std::pair(-size, i);
  });
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
  if (moves_per_hour_ == 0 || now_s < next_round_s_) return;
  next_round_s_ = now_s + kSecondsBetweenRounds;
  while (!moved_at_.empty() && moved_at_.front() <= now_s - kHour) moved_at_.pop_front();
  if (moved_at_.size() >= moves_per_hour_) return;
  for (HostIndex const host : candidates(moves_per_hour_ - moved_at_.size(), fleet)) {
    // An earlier one may have moved something here, or used up what was left.
    std::size_t const here = on_host_[host].size();
    if (here == 0 || moved_at_.size() + here > moves_per_hour_) continue;
    if (!empty_host(host, fleet, seats, now_s)) continue;
    moved_at_.insert(moved_at_.end(), here, now_s);
    moves_ += static_cast<std::int64_t>(here);
  }
}

}  // namespace berth::ctl
