#pragma once
// Gate: how the fronts and the link hand an input to the core. The driver implements it.

#include <functional>

#include "berth/base/result.h"
#include "daemon/core/input.h"
#include "daemon/core/reply.h"

namespace berth::core {

class Gate {
 public:
  // Called once, on the driver's thread, when what the reply rests on is durable: keep it short,
  // hand the rendering to the front's own threads.
  using Done = std::function<void(Result<Reply>)>;

  virtual ~Gate() = default;

  // Never blocks, callable from any thread. A full queue answers at once with
  // (throttled, "queue"). An empty `done`: nobody waits.
  virtual void submit(Input input, Done done) = 0;
};

}  // namespace berth::core
