#include "daemon/core/healing/healing.h"

namespace berth::core {

void watch_hosts(State const& state, Context const& context, Decision& decision) {
  for (auto const& [id, seen] : state.seen) {
    HostHealth const now = health(&seen, context.now.monotonic, state.policy);
    // `up` is said when the host speaks; here only what silence brings.
    if (now == seen.announced || now == HostHealth::up) continue;
    Host const* host = find(state.hosts, id);
    if (host == nullptr) continue;
    SeeHost next = seen;
    next.announced = now;
    decision.events.push_back({now == HostHealth::lost ? "host lost" : "host suspect",
                               {{"host", id.value}, {"name", host->name}}});
    decision.changes.emplace_back(std::move(next));
  }
}

}  // namespace berth::core
