#include "bench/api/hosts.h"

#include <chrono>
#include <future>
#include <utility>

#include "berth/base/thread_name.h"

namespace berth::bench {

namespace {

// So long after its spec changed a host says that it has done what it was told.
constexpr std::chrono::milliseconds kStartTime{500};
constexpr std::chrono::milliseconds kLoopInterval{5};
constexpr std::chrono::seconds kHeartbeatInterval{5};

HostInventory inventory() {
  HostCell cell{.id = 0, .memory = Mebibytes(1024 * 1024), .cpus = {}, .huge_pages = {}};
  for (std::int32_t n = 0; n < 128; ++n) cell.cpus.push_back({.id = n, .core = n, .siblings = {n}});
  HostInventory out;
  out.cells.push_back(std::move(cell));
  out.cpu_vendor = "Intel";
  out.disk_total = Bytes(std::int64_t{64} << 40);
  out.disk_free = out.disk_total;
  return out;
}

std::string address(InstanceId const& id) {
  std::size_t const n = std::hash<std::string>{}(id.value);
  return "10." + std::to_string(n % 250) + "." + std::to_string(n / 250 % 250) + "." +
         std::to_string(4 + n / 62'500 % 250);
}

}  // namespace

void Hosts::start(core::Gate& gate, std::vector<HostId> ids) {
  gate_ = &gate;
  ids_ = std::move(ids);
  for (HostId const& id : ids_) {
    std::promise<void> joined;
    gate.submit(core::AgentJoin{.host = id,
                                .token_digest = std::string(64, 'a'),
                                .host_uuid = id.value,
                                .source = "here"},
                [&](Result<core::Reply> const&) { joined.set_value(); });
    joined.get_future().wait();
    gate.submit(core::AgentHello{.host = id, .host_uuid = id.value, .boot_id = "boot-1"}, {});
  }
  thread_ = std::jthread([this](std::stop_token const& stop) { run(stop); });
}

void Hosts::stop() {
  thread_ = {};
}

void Hosts::send(HostSpec const& spec) {
  std::lock_guard const lock(mutex_);
  specs_[spec.host] = spec;
  due_.try_emplace(spec.host, std::chrono::steady_clock::now() + kStartTime);
}

void Hosts::run(std::stop_token const& stop) {
  name_thread("hosts");
  auto next_beat = std::chrono::steady_clock::now();
  std::uint64_t beats = 0;
  while (!stop.stop_requested()) {
    std::vector<HostSpec> told;
    {
      std::lock_guard const lock(mutex_);
      std::erase_if(due_, [&, now = std::chrono::steady_clock::now()](auto const& one) {
        if (one.second > now) return false;
        told.push_back(specs_[one.first]);
        return true;
      });
    }
    for (HostSpec const& spec : told) gate_->submit(core::AgentReport{status(spec)}, {});
    if (std::chrono::steady_clock::now() >= next_beat) {
      next_beat += kHeartbeatInterval;
      ++beats;
      for (HostId const& id : ids_) {
        gate_->submit(core::AgentHeartbeat{.host = id, .number = beats}, {});
      }
    }
    std::this_thread::sleep_for(kLoopInterval);
  }
}

HostStatus Hosts::status(HostSpec const& spec) const {
  static HostInventory const kInventory = inventory();
  HostStatus out;
  out.host = spec.host;
  out.host_uuid = spec.host.value;
  out.boot_id = "boot-1";
  out.term = spec.term;
  out.generation = spec.generation;
  out.inventory = kInventory;
  for (InstanceSpec const& wanted : spec.instances) {
    InstanceStatus seen;
    seen.id = wanted.id;
    seen.generation = wanted.generation;
    seen.starts = wanted.starts;
    switch (wanted.power) {
      case Power::running: seen.seen = Seen::running; break;
      case Power::stopped: seen.seen = Seen::stopped; break;
      case Power::absent: seen.seen = Seen::absent; break;
    }
    seen.private_ip = address(wanted.id);
    out.instances.push_back(std::move(seen));
  }
  return out;
}

}  // namespace berth::bench
