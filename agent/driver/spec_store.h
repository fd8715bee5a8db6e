#pragma once
// Where an agent keeps the last spec it accepted: so that it works on through its own restarts and
// its host's, and never goes back to an older term.

#include <optional>

#include "berth/base/result.h"
#include "berth/model/host_spec.h"

namespace berth::agent {

class SpecStore {
 public:
  virtual ~SpecStore() = default;

  // Absent: none was ever saved, or the file is gone. An error: there is one that cannot be read;
  // the agent goes on without, and waits for its daemon.
  [[nodiscard]] virtual Result<std::optional<HostSpec>> load() = 0;
  // Durable when it returns.
  [[nodiscard]] virtual Result<void> save(HostSpec const& spec) = 0;
};

}  // namespace berth::agent
