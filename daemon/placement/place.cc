#include "daemon/placement/place.h"

#include <optional>
#include <tuple>

#include "berth/base/plant.h"
#include "berth/model/limits.h"

namespace berth::placement {

namespace {

constexpr std::int64_t kWhole = 1'000'000;

// Parts per million of `capacity` that are left; nothing of nothing is nothing left.
std::int64_t left_ppm(std::int64_t left, std::int64_t capacity) {
  return capacity > 0 ? left * kWhole / capacity : 0;
}

std::optional<Reason> refused(HostRoom const& room, Usage const& used, Ask const& ask) {
  if (!ask.zone.value.empty() && room.zone != ask.zone) return Reason::other_zone;
  if (!room.is_up) return Reason::not_up;
  if (room.is_cordoned && !PLANTED(cordon_ignored)) return Reason::cordoned;
  Usage const after = used + ask.need;
  if (after.instances > room.capacity.instances) return Reason::instances;
  if (after.vcpus > room.capacity.vcpus) return Reason::cpu;
  if (after.memory > room.capacity.memory + Mebibytes(PLANTED(memory_oversold) ? 1'024 : 0))
    return Reason::memory;
  if (after.disk_gib > room.capacity.disk_gib) return Reason::disk;
  return std::nullopt;
}

}  // namespace

std::string_view name(Reason reason) {
  switch (reason) {
    case Reason::other_zone: return "other zone";
    case Reason::not_up: return "not up";
    case Reason::cordoned: return "cordoned";
    case Reason::instances: return "instances per host";
    case Reason::cpu: return "cpu";
    case Reason::memory: return "memory";
    case Reason::disk: return "disk";
  }
  return "unknown";
}

Reason Refusal::tightest() const {
  std::size_t best = static_cast<std::size_t>(Reason::not_up);
  for (std::size_t i = static_cast<std::size_t>(Reason::cordoned); i < kReasons; ++i) {
    if (hosts_removed[i] > 0 && (best == static_cast<std::size_t>(Reason::not_up) ||
                                 hosts_removed[i] > hosts_removed[best])) {
      best = i;
    }
  }
  return static_cast<Reason>(best);
}

std::string Refusal::text() const {
  std::string out = std::to_string(hosts_considered) + (hosts_considered == 1 ? " host" : " hosts");
  char const* separator = ": ";
  for (std::size_t i = 0; i < kReasons; ++i) {
    if (hosts_removed[i] == 0) continue;
    out += separator + std::to_string(hosts_removed[i]) + " " +
           std::string(name(static_cast<Reason>(i)));
    separator = ", ";
  }
  return out;
}

std::variant<Choice, Refusal> place(View const& view, Ask const& ask) {
  Refusal refusal;
  // Smaller is better: hosts in use before empty ones, then the least left, then the lowest id
  // (the map's order, as later equals do not replace).
  std::optional<std::tuple<bool, std::int64_t>> best;
  HostId const* chosen = nullptr;
  for (auto const& [id, room] : view.hosts) {
    ++refusal.hosts_considered;
    Usage used = room.used;
    if (!view.taken.empty()) {
      if (auto const extra = view.taken.find(id); extra != view.taken.end()) used += extra->second;
    }
    if (auto const reason = refused(room, used, ask)) {
      ++refusal.hosts_removed[static_cast<std::size_t>(*reason)];
      continue;
    }
    // No empty host is better than one in use, whatever is left of it.
    if (best && !std::get<0>(*best) && used.instances == 0) continue;
    Usage const left = room.capacity - used - ask.need;
    std::int64_t const score = left_ppm(left.vcpus, room.capacity.vcpus) +
                               left_ppm(left.memory.value, room.capacity.memory.value);
    std::tuple const rank{used.instances == 0, score};
    if (!best || rank < *best) {
      best = rank;
      chosen = &id;
    }
  }
  if (!best) return refusal;
  return Choice{.host = *chosen, .score = std::get<1>(*best)};
}

}  // namespace berth::placement
