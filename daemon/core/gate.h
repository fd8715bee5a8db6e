#pragma once
// Gate: how the fronts and the link hand an input to the core. The driver implements it.

#include <functional>

#include "berth/base/result.h"
#include "daemon/core/input.h"
#include "daemon/core/input_class.h"
#include "daemon/core/reply.h"

namespace berth::core {

class Gate {
 public:
  // Called once, on the driver's thread, when what the reply rests on is durable: keep it short,
  // hand the rendering to the front's own threads.
  using Done = std::function<void(Result<Reply>)>;

  virtual ~Gate() = default;

  // Never blocks, callable from any thread. Where the input's class has no room the answer comes
  // at once, from this call, with (throttled, "queue"); an input that waited past its class's
  // deadline is dropped unstarted with (unavailable, "queue"). An empty `done`: nobody waits.
  virtual void submit(Input input, Done done) = 0;

  // Whether an input of this class would be taken at this moment: a cheap look from any thread,
  // for a front that wants to refuse before it has spent anything on a request. submit decides.
  [[nodiscard]] virtual bool has_room(InputClass) const { return true; }
};

}  // namespace berth::core
