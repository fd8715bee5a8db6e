#include "berth/base/plant.h"
#include "daemon/core/healing/healing.h"

namespace berth::core {

void reap(State const& state, Context const& context, Decision& decision) {
  std::size_t budget = kReapedPerTickMax;
  for (auto const& [ended, id] : state.derived.ended) {
    bool const is_due = PLANTED(records_reaped_early) ||
                        ended + context.policy.terminated_retention <= context.now.wall;
    if (budget == 0 || !is_due) break;
    --budget;
    decision.changes.emplace_back(EraseInstance{id});
  }
  for (auto const& [expires, key] : state.derived.expiring_tokens) {
    if (budget == 0 || expires > context.now.wall) break;
    --budget;
    decision.changes.emplace_back(EraseToken{key.first, key.second});
  }
}

}  // namespace berth::core
