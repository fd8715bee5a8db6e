#pragma once
// What each class of inputs may hold and take: the one table. docs/operating/limits.md tells it to
// operators.

#include <array>
#include <cstddef>

#include "berth/base/time.h"
#include "berth/model/limits.h"
#include "daemon/core/input_class.h"

namespace berth::driver {

struct ClassRule {
  core::InputClass of;
  // Inputs that may wait; what comes beyond is refused at once.
  std::size_t queued_max = 0;
  // Of a batch while every class waits. What a class leaves goes to the others, most urgent first.
  std::size_t share = 0;
  // The most of one batch, also when nobody else waits: dear inputs must not hold up the next look
  // at the more urgent classes.
  std::size_t batch_max = 0;
  // What waited longer is dropped unstarted: its client has given up, or soon will (the listener's
  // reply_deadline is 60 s, as are most SDKs'). Zero: never.
  Duration deadline;
  // While even the youngest input to leave the queue waited longer than this, the queue is held to
  // what is served within it. Zero: never.
  Duration target;
};

inline constexpr std::array<ClassRule, core::kInputClasses.size()> kClassRules = {{
    // One heartbeat of every host. Outside the batches: it leaves nothing to commit.
    {core::InputClass::lease, limits::kHostsMax, 4'096, 4'096, {}, {}},
    {core::InputClass::operation, 32'768, 96, 256, {}, {}},
    {core::InputClass::mutation, limits::kInputsQueuedMax / 2, 96, 256, seconds(30),
     milliseconds(200)},
    {core::InputClass::read, limits::kInputsQueuedMax / 2, 48, 128, seconds(20), milliseconds(200)},
    {core::InputClass::list, 2'048, 16, 32, seconds(20), milliseconds(400)},
}};

[[nodiscard]] constexpr ClassRule const& rule(core::InputClass c) {
  return kClassRules[core::index(c)];
}

namespace detail {
consteval bool rules_are_in_order() {
  std::size_t shares = 0;
  for (std::size_t i = 0; i < kClassRules.size(); ++i) {
    ClassRule const& r = kClassRules[i];
    if (core::index(r.of) != i || r.share == 0 || r.share > r.batch_max) return false;
    if (r.of != core::InputClass::lease) shares += r.share;
  }
  return shares == limits::kInputsPerBatchMax;
}
}  // namespace detail
static_assert(detail::rules_are_in_order());

}  // namespace berth::driver
