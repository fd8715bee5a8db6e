// What hosts sell and what instances hold of them, from their records.

#include <algorithm>

#include "berth/base/plant.h"
#include "daemon/core/state.h"

namespace berth::core {

namespace {

// A core has at most two threads on x86, so this many vCPUs never share one with another guest.
constexpr std::int64_t kThreadsPerCore = 2;

std::int64_t sold(std::int64_t cpus, Policy const& policy) {
  return cpus * policy.cpu_overcommit_permille / 1000;
}

// Whole cores, in sold vCPUs, rounded up: so the sum of what shares a cell never passes what its
// other CPUs may sell.
std::int64_t sold_for_cores(std::int64_t vcpus, Policy const& policy) {
  std::int64_t const threads = (vcpus + kThreadsPerCore - 1) / kThreadsPerCore * kThreadsPerCore;
  return (threads * policy.cpu_overcommit_permille + 999) / 1000;
}

// Hosts of one kind differ by a few MiB. Sold in whole steps they are alike, which is what makes
// a large fleet cheap to choose from. Small hosts, where a step would be felt, sell to the MiB.
std::int64_t in_steps(std::int64_t memory_mib) {
  constexpr std::int64_t kStep = 256, kFrom = 16 * 1'024;
  return memory_mib < kFrom ? memory_mib : memory_mib / kStep * kStep;
}

}  // namespace

placement::HostOffer host_offer(Host const& host, Policy const& policy) {
  placement::HostOffer out{
      .zone = host.zone,
      .rack = host.rack,
      .cells = {},
      .disk_gib = 0,
      .instances_max = static_cast<std::int32_t>(limits::kInstancesPerHostMax)};
  if (!host.inventory) return out;
  std::vector<HostCell> const& cells = host.inventory->cells;
  std::int64_t const disk = (host.inventory->disk_total.value >> 30) - policy.host_disk_reserve_gib;
  out.disk_gib = std::max(disk, std::int64_t{0});
  auto const count = static_cast<std::int64_t>(std::max(cells.size(), std::size_t{1}));
  std::int64_t const reserve = (policy.host_memory_reserve.value + count - 1) / count;
  for (HostCell const& cell : cells) {
    std::int64_t const vcpus = std::min<std::int64_t>(
        sold(static_cast<std::int64_t>(cell.cpus.size()), policy), placement::kCellVcpusMax);
    std::int64_t const memory =
        std::min<std::int64_t>(in_steps(cell.memory.value - reserve), placement::kCellMemoryMibMax);
    if (vcpus <= 0 || memory <= 0 || out.cells.size() == placement::kCellsPerHostMax) continue;
    out.cells.push_back({.id = cell.id,
                         .room = {.vcpus = static_cast<std::int32_t>(vcpus),
                                  .memory_mib = static_cast<std::int32_t>(memory)}});
  }
  std::ranges::sort(out.cells, {}, &placement::CellOffer::id);
  return out;
}

placement::Usage capacity(placement::HostOffer const& offer) {
  placement::Usage out;
  if (offer.cells.empty()) return out;
  for (placement::CellOffer const& cell : offer.cells) {
    out.vcpus += cell.room.vcpus;
    out.memory += Mebibytes(cell.room.memory_mib);
  }
  out.disk_gib = offer.disk_gib;
  out.instances = offer.instances_max;
  return out;
}

placement::Usage held(Instance const& instance) {
  if (!instance.placement) return {};
  placement::Usage what{.disk_gib = instance.disk_gib, .instances = 1};
  bool const is_known_stopped = instance.wanted != Wanted::running &&
                                (instance.seen == Seen::stopped || PLANTED(stopping_released));
  if (!is_known_stopped) {
    what.vcpus = instance.vcpus;
    what.memory = instance.memory;
  }
  return what;
}

placement::Usage held_on_host(Instance const& instance, Policy const& policy) {
  placement::Usage what = held(instance);
  if (instance.is_cpu_dedicated && what.vcpus > 0) what.vcpus = sold_for_cores(what.vcpus, policy);
  return what;
}

placement::Need need_of(std::int64_t vcpus, Mebibytes memory, std::int64_t disk_gib,
                        bool is_cpu_dedicated, Policy const& policy) {
  std::int64_t const sold_vcpus = is_cpu_dedicated ? sold_for_cores(vcpus, policy) : vcpus;
  return {.room = {.vcpus = static_cast<std::int32_t>(sold_vcpus),
                   .memory_mib = static_cast<std::int32_t>(memory.value)},
          .disk_gib = disk_gib};
}

}  // namespace berth::core
