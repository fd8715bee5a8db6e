#pragma once
// What the calls for launch templates share beside calls.h.

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/core/reply.h"
#include "daemon/core/state.h"

namespace berth::core {

// (invalid, "launch-template-name") with EC2's rule for names.
[[nodiscard]] Result<void> check_launch_template_name(std::string const& name);
// 1 or more; (invalid, "parameter") for anything else.
[[nodiscard]] Result<std::uint64_t> version_number(std::string const& text);
// The highest version that there is; the template must exist.
[[nodiscard]] std::uint64_t latest_version(State const& state, LaunchTemplateId const& id);

[[nodiscard]] LaunchTemplateVersionView view(LaunchTemplate const& of,
                                             LaunchTemplateVersion const& version);
// The versions of one template, the newest first.
[[nodiscard]] std::vector<LaunchTemplateVersion const*> versions_of(State const& state,
                                                                    LaunchTemplateId const& id);

// All templates of a tenant, by name, until one is refused.
template <class Visit>
void visit_own(State const& state, TenantId const& tenant, Visit visit) {
  auto const& index = state.derived.launch_template_by_name;
  for (auto it = index.lower_bound({tenant, ""}); it != index.end() && it->first.first == tenant;
       ++it) {
    if (!visit(state.launch_templates.at(it->second))) return;
  }
}

}  // namespace berth::core
