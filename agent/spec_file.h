#pragma once
// The last accepted spec as one file beside the agent's others: spec.pb, replaced as a whole.

#include <string>

#include "agent/driver/spec_store.h"

namespace berth::agent {

class SpecFile final : public SpecStore {
 public:
  explicit SpecFile(std::string const& directory) : path_(directory + "/spec.pb") {}

  [[nodiscard]] Result<std::optional<HostSpec>> load() override;
  [[nodiscard]] Result<void> save(HostSpec const& spec) override;

 private:
  std::string const path_;
};

}  // namespace berth::agent
