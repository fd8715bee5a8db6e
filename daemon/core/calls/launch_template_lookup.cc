// Launch templates as requests name them, and what a launch takes from one.

#include "daemon/core/calls/launch_template_lookup.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

// EC2: 3 to 128 of letters, digits and ()./_-
bool is_template_name(std::string_view name) {
  return name.size() >= limits::kLaunchTemplateNameCharactersMin &&
         name.size() <= limits::kLaunchTemplateNameCharactersMax &&
         std::ranges::all_of(name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  std::string_view("()./_-").find(c) != std::string_view::npos;
         });
}

Error no_version(LaunchTemplate const& of, std::string_view version) {
  return Error{Code::not_found, "launch-template-version",
               "Could not find the specified version " + std::string(version) +
                   " for the launch template with ID " + of.id.value + "."};
}

}  // namespace

Result<void> check_launch_template_name(std::string const& name) {
  if (is_template_name(name)) return {};
  return Error{Code::invalid, "launch-template-name",
               "The launch template name '" + name.substr(0, limits::kNameCharactersMax) +
                   "' is invalid. A launch template name must be between 3 and 128 characters, "
                   "and may contain letters, numbers, and the following characters: - ( ) . / _"};
}

Result<std::uint64_t> version_number(std::string const& text) {
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (error != std::errc{} || end != text.data() + text.size() || number == 0 || number > kMax) {
    return Error{Code::invalid, "parameter",
                 "Invalid launch template version '" + text.substr(0, limits::kNameCharactersMax) +
                     "': either '$Default', '$Latest', or a numeric version are allowed."};
  }
  return number;
}

std::uint64_t latest_version(State const& state, LaunchTemplateId const& id) {
  // Every template has a version, so the last one before the end of its own is its own.
  auto const end =
      state.launch_template_versions.upper_bound({id, std::numeric_limits<std::uint64_t>::max()});
  return std::prev(end)->first.second;
}

LaunchTemplateView view(State const& state, LaunchTemplate const& made) {
  return {.launch_template = made, .latest_version = latest_version(state, made.id)};
}

LaunchTemplateVersionView view(LaunchTemplate const& of, LaunchTemplateVersion const& version) {
  return {.version = version,
          .template_name = of.name,
          .is_default = version.number == of.default_version};
}

std::vector<LaunchTemplateVersion const*> versions_of(State const& state,
                                                      LaunchTemplateId const& id) {
  std::vector<LaunchTemplateVersion const*> out;
  auto const& all = state.launch_template_versions;
  for (auto it = all.lower_bound({id, 0}); it != all.end() && it->first.first == id; ++it) {
    out.push_back(&it->second);
  }
  std::ranges::reverse(out);
  return out;
}

Result<LaunchTemplate const*> own_launch_template(State const& state, TenantId const& tenant,
                                                  LaunchTemplateName const& of) {
  if (of.id.empty() && of.name.empty()) {
    return Error{Code::invalid, "missing",
                 "Either a launch template ID or a launch template name must be specified in the "
                 "request"};
  }
  if (!of.id.empty() && !of.name.empty()) {
    return Error{Code::invalid, "combination",
                 "A launch template ID and a launch template name cannot both be specified in the "
                 "request"};
  }
  if (!of.id.empty()) {
    if (!is_id(of.id, "lt-")) {
      return Error{Code::invalid, "launch-template-id",
                   "Invalid id: \"" + of.id + "\" (expecting \"lt-...\")"};
    }
    LaunchTemplate const* found = find(state.launch_templates, LaunchTemplateId(of.id));
    if (found != nullptr && found->tenant == tenant) return found;
    return Error{Code::not_found, "launch-template-id",
                 "The specified launch template, with template ID " + of.id + ", does not exist."};
  }
  TRY(check_launch_template_name(of.name));
  LaunchTemplateId const* id = find(state.derived.launch_template_by_name, {tenant, of.name});
  if (id != nullptr) return find(state.launch_templates, *id);
  return Error{
      Code::not_found, "launch-template-name",
      "The specified launch template, with template name " + of.name + ", does not exist."};
}

Result<LaunchTemplateVersion const*> version_of(State const& state, LaunchTemplate const& of,
                                                std::string const& version) {
  std::uint64_t number = of.default_version;
  if (version == "$Latest") {
    number = latest_version(state, of.id);
  } else if (version != "$Default") {
    number = TRY(version_number(version));
  }
  LaunchTemplateVersion const* found = find(state.launch_template_versions, {of.id, number});
  if (found == nullptr) return no_version(of, version);
  return found;
}

Result<RunInstances> with_launch_template(State const& state, TenantId const& tenant,
                                          RunInstances const& ask) {
  if (!ask.launch_template) return ask;
  LaunchTemplate const* made = TRY(own_launch_template(state, tenant, ask.launch_template->of));
  std::string const& asked = ask.launch_template->version;
  LaunchTemplateVersion const* version =
      TRY(version_of(state, *made, asked.empty() ? "$Default" : asked));
  LaunchTemplateData const& data = version->data;
  RunInstances out = ask;
  auto const text = [](std::string& own, std::optional<std::string> const& from) {
    if (own.empty() && from) own = *from;
  };
  text(out.image_id, data.image_id);
  if (PLANTED(template_overrides) && data.type) out.type.clear();
  text(out.type, data.type);
  text(out.key_name, data.key_name);
  text(out.user_data, data.user_data);
  text(out.zone, data.zone);
  // A partition is of its group: with another group the template's does not hold.
  if (out.placement_group.empty()) {
    out.placement_group = {.id = data.placement_group_id.value_or(""),
                           .name = data.placement_group_name.value_or("")};
    if (!out.partition) out.partition = data.partition;
  }
  auto const value = [](auto& own, auto const& from) {
    if (!own) own = from;
  };
  value(out.root_disk_gib, data.root_disk_gib);
  value(out.disable_api_termination, data.disable_api_termination);
  value(out.disable_api_stop, data.disable_api_stop);
  value(out.ebs_optimized, data.ebs_optimized);
  value(out.monitoring, data.monitoring);
  value(out.shutdown_behavior, data.shutdown_behavior);
  // Both give tags; of one key the request's value stands.
  for (auto const& [key, tag] : data.instance_tags) out.instance_tags.emplace(key, tag);
  out.launch_template = LaunchTemplateVersionName{.of = {.id = made->id.value, .name = {}},
                                                  .version = std::to_string(version->number)};
  return out;
}

}  // namespace berth::core
