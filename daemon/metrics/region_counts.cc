#include "daemon/metrics/region_counts.h"

#include <algorithm>
#include <optional>

namespace berth {

namespace {

using core::InstanceState;

bool is_passing(InstanceState state) {
  return state == InstanceState::pending || state == InstanceState::stopping ||
         state == InstanceState::shutting_down;
}

void add(placement::Usage& sum, placement::Usage const& what, std::int64_t sign) {
  if (sign > 0)
    sum += what;
  else
    sum -= what;
}

// A host's part in its zone's counts.
void count_host(std::map<ZoneName, ZoneCounts>& zones, core::State const& state, HostId const& id,
                std::int64_t sign) {
  auto const room = state.derived.fleet.find(id);
  if (room == state.derived.fleet.end()) return;
  ZoneCounts& zone = zones[room->second.zone];
  core::SeeHost const* seen = core::find(state.seen, id);
  HostHealth const health = seen != nullptr ? seen->announced : HostHealth::never_seen;
  zone.hosts[static_cast<std::size_t>(health)] += sign;
  if (room->second.is_cordoned) zone.cordoned += sign;
  add(zone.capacity, room->second.capacity, sign);
  add(zone.used, room->second.used, sign);
  if (room->second.is_up && !room->second.is_cordoned) {
    add(zone.free, room->second.capacity - room->second.used, sign);
  }
}

HostId const* host_of(core::Change const& change) {
  if (auto const* put = std::get_if<core::PutHost>(&change)) return &put->host.id;
  if (auto const* erase = std::get_if<core::EraseHost>(&change)) return &erase->id;
  if (auto const* see = std::get_if<core::SeeHost>(&change)) return &see->id;
  return nullptr;
}

}  // namespace

std::map<ZoneName, ZoneCounts> RegionCounts::recounted(core::State const& state) {
  std::map<ZoneName, ZoneCounts> zones;
  for (auto const& [name, zone] : state.zones) zones[name];
  for (auto const& [id, host] : state.hosts) count_host(zones, state, id, +1);
  for (auto const& [id, instance] : state.instances) {
    ++zones[instance.zone].instances[index_of(core::instance_state(instance))];
  }
  return zones;
}

void RegionCounts::begin(core::State const& state) {
  has_begun_ = true;
  zones_ = recounted(state);
  for (auto const& [id, instance] : state.instances) {
    InstanceState const now_in = core::instance_state(instance);
    if (is_passing(now_in)) start_passing(id.value, now_in);
  }
}

void RegionCounts::changing(core::State const& before, core::Change const& change) {
  if (!has_begun_) begin(before);
  if (HostId const* host = host_of(change)) {
    count_host(zones_, before, *host, -1);
  } else if (auto const* put = std::get_if<core::PutInstance>(&change)) {
    replace(before, core::find(before.instances, put->instance.id), &put->instance);
  } else if (auto const* erase = std::get_if<core::EraseInstance>(&change)) {
    replace(before, core::find(before.instances, erase->id), nullptr);
  }
}

void RegionCounts::changed(core::State const& after, core::Change const& change) {
  if (HostId const* host = host_of(change)) count_host(zones_, after, *host, +1);
  if (auto const* put = std::get_if<core::PutZone>(&change)) zones_[put->zone.name];
}

// One of both may be absent. On the way of each launch: what stays the same is not looked up.
void RegionCounts::replace(core::State const& state, Instance const* old, Instance const* next) {
  std::optional<InstanceState> was;
  std::optional<InstanceState> is;
  if (old != nullptr) was = core::instance_state(*old);
  if (next != nullptr) is = core::instance_state(*next);
  bool const has_moved = was != is || old->zone != next->zone;
  if (was && has_moved) --zones_[old->zone].instances[index_of(*was)];
  if (is && has_moved) ++zones_[next->zone].instances[index_of(*is)];
  if (was != is) {
    if (was && is_passing(*was)) stop_passing(old->id.value);
    if (is && is_passing(*is)) start_passing(next->id.value, *is);
  }
  placement::Usage const held_before = old != nullptr ? core::held(*old) : placement::Usage{};
  placement::Usage const held_after = next != nullptr ? core::held(*next) : placement::Usage{};
  bool const stays = old != nullptr && next != nullptr && old->placement && next->placement &&
                     old->placement->host == next->placement->host;
  if (stays) {
    add_used(state, next->placement->host, held_after - held_before);
    return;
  }
  if (old != nullptr && old->placement)
    add_used(state, old->placement->host, placement::Usage{} - held_before);
  if (next != nullptr && next->placement) add_used(state, next->placement->host, held_after);
}

void RegionCounts::add_used(core::State const& state, HostId const& host,
                            placement::Usage const& more) {
  if (more == placement::Usage{}) return;
  auto const room = state.derived.fleet.find(host);
  if (room == state.derived.fleet.end()) return;
  ZoneCounts& zone = zones_[room->second.zone];
  zone.used += more;
  if (room->second.is_up && !room->second.is_cordoned) zone.free -= more;
}

void RegionCounts::start_passing(std::string const& id, InstanceState state) {
  passing_.insert_or_assign(id, Passing{state, now_});
  ++began_[index_of(state)][now_];
}

void RegionCounts::stop_passing(std::string const& id) {
  auto const node = passing_.extract(id);
  if (node.empty()) return;
  std::map<Instant, std::int64_t>& began = began_[index_of(node.mapped().state)];
  auto const at = began.find(node.mapped().since);
  if (--at->second == 0) began.erase(at);
}

Duration RegionCounts::oldest(InstanceState state) const {
  std::map<Instant, std::int64_t> const& began = began_[index_of(state)];
  return began.empty() ? Duration{} : now_ - began.begin()->first;
}

void RegionCounts::ticked(core::State const& state, Instant now) {
  // Those that were there before the first tick began at it, not at time zero.
  if (now_ == Instant{}) {
    for (auto& [id, passing] : passing_) passing.since = now;
    for (std::map<Instant, std::int64_t>& began : began_) {
      if (began.empty()) continue;
      std::int64_t const count = began.begin()->second;
      began = {{now, count}};
    }
  }
  now_ = now;
  if (!has_begun_) begin(state);
  sweep(state, now);
}

void RegionCounts::sweep(core::State const& state, Instant now) {
  auto host = state.hosts.upper_bound(swept_to_);
  for (std::size_t n = 0; n < kHostsPerTick && host != state.hosts.end(); ++n, ++host) {
    swept_to_ = host->first;
    look_at(state, host->second, now);
  }
  if (host != state.hosts.end()) return;
  swept_ = std::exchange(sweeping_, {});
  swept_to_ = {};
  // Hosts that were removed meanwhile.
  std::erase_if(behind_since_, [&](auto const& item) { return !state.hosts.contains(item.first); });
}

void RegionCounts::look_at(core::State const& state, Host const& host, Instant now) {
  core::SeeHost const* seen = core::find(state.seen, host.id);
  if (seen != nullptr && !seen->unknown.empty()) {
    sweeping_.unknown[host.zone] += static_cast<std::int64_t>(seen->unknown.size());
  }
  if (seen != nullptr && !seen->unpinned.empty()) {
    sweeping_.unpinned[host.zone] += static_cast<std::int64_t>(seen->unpinned.size());
  }
  Generation const* newest = core::find(state.derived.spec_generation, host.id);
  bool const is_up = seen != nullptr && seen->announced == HostHealth::up;
  bool const is_behind = is_up && host.inventory && newest != nullptr &&
                         (seen->spec_term != state.region.term || seen->spec_generation < *newest);
  if (!is_behind) {
    behind_since_.erase(host.id);
    return;
  }
  Instant const since = behind_since_.try_emplace(host.id, now).first->second;
  ++sweeping_.behind[host.zone];
  sweeping_.behind_oldest = std::max(sweeping_.behind_oldest, now - since);
}

}  // namespace berth
