// Create, modify and delete launch templates and their versions.

#include <algorithm>

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/launch_template_lookup.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

Result<void> check_token(std::string const& token) {
  if (token.size() <= limits::kLaunchTemplateTokenCharactersMax) return {};
  return Error{Code::invalid, "client-token",
               "A client token has at most " +
                   std::to_string(limits::kLaunchTemplateTokenCharactersMax) +
                   " characters; found " + std::to_string(token.size())};
}

Error mismatch() {
  return Error{
      Code::conflict, "client-token",
      "The request uses the same client token as a previous, but non-identical request. Do not "
      "reuse a client token with different requests, unless the requests are identical"};
}

Error at_limit(std::string_view what, std::size_t limit) {
  return Error{Code::quota, "launch-template",
               "You have reached the limit of " + std::to_string(limit) + " " + std::string(what)};
}

// What can be said of a version before it is launched. That its image, type, key pair and zone
// exist is asked at the launch, as on EC2: they may come and go.
Result<void> check_version(std::string const& description, LaunchTemplateData const& data) {
  if (description.size() > limits::kLaunchTemplateDescriptionMax) {
    return Error{Code::invalid, "parameter",
                 "A version description has at most " +
                     std::to_string(limits::kLaunchTemplateDescriptionMax) + " bytes; found " +
                     std::to_string(description.size())};
  }
  std::size_t const user_data = data.user_data ? data.user_data->size() : 0;
  if (user_data > limits::kUserDataBytesMax) {
    return Error{Code::invalid, "user-data",
                 "User data is limited to " + std::to_string(limits::kUserDataBytesMax) +
                     " bytes; found " + std::to_string(user_data)};
  }
  TRY(check_tags(data.instance_tags));
  std::size_t bytes = 0;
  for (auto const& [name, value] : data.shown) bytes += name.size() + value.size();
  if (bytes > limits::kLaunchTemplateBytesMax) {
    return Error{Code::invalid, "parameter",
                 "The parameters of a launch template, without its user data, have at most " +
                     std::to_string(limits::kLaunchTemplateBytesMax) + " bytes; found " +
                     std::to_string(bytes)};
  }
  return {};
}

Result<void> check_room_for_version(State const& state, TenantId const& tenant) {
  std::int64_t const* own = find(state.derived.launch_template_versions, tenant);
  if (own != nullptr &&
      *own >= static_cast<std::int64_t>(limits::kLaunchTemplateVersionsPerTenantMax)) {
    return at_limit("launch template versions", limits::kLaunchTemplateVersionsPerTenantMax);
  }
  if (state.launch_template_versions.size() >= limits::kLaunchTemplateVersionsMax) {
    return at_limit("launch template versions in this region", limits::kLaunchTemplateVersionsMax);
  }
  return {};
}

std::string_view first_segment(std::string_view name) {
  return name.substr(0, name.find('.'));
}

// What `own` says, and else what `source` says, parameter by parameter.
LaunchTemplateData based_on(LaunchTemplateData const& source, LaunchTemplateData own) {
  auto const take = [](auto& mine, auto const& theirs) {
    if (!mine) mine = theirs;
  };
  auto const is_given = [&own](std::string_view name) {
    return std::ranges::any_of(own.shown,
                               [&](auto const& p) { return first_segment(p.first) == name; });
  };
  take(own.image_id, source.image_id);
  take(own.type, source.type);
  take(own.key_name, source.key_name);
  take(own.user_data, source.user_data);
  take(own.zone, source.zone);
  if (!is_given("Placement")) {
    own.placement_group_id = source.placement_group_id;
    own.placement_group_name = source.placement_group_name;
    own.partition = source.partition;
  }
  take(own.disable_api_termination, source.disable_api_termination);
  take(own.disable_api_stop, source.disable_api_stop);
  take(own.ebs_optimized, source.ebs_optimized);
  take(own.monitoring, source.monitoring);
  take(own.shutdown_behavior, source.shutdown_behavior);
  // A list that is given stands for the whole of the source's.
  if (!is_given("BlockDeviceMapping")) own.root_disk_gib = source.root_disk_gib;
  if (!is_given("TagSpecification")) own.instance_tags = source.instance_tags;
  std::vector<std::pair<std::string, std::string>> inherited;
  for (auto const& parameter : source.shown) {
    if (!is_given(first_segment(parameter.first))) inherited.push_back(parameter);
  }
  own.shown.insert(own.shown.end(), inherited.begin(), inherited.end());
  return own;
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller, CreateLaunchTemplate const& ask,
                      Context& context) {
  TRY(check_launch_template_name(ask.name));
  TRY(check_token(ask.client_token));
  std::size_t count = 0;
  LaunchTemplate const* earlier = nullptr;
  visit_own(state, caller.tenant, [&](LaunchTemplate const& t) {
    ++count;
    if (!ask.client_token.empty() && t.client_token == ask.client_token) earlier = &t;
    return true;
  });
  if (earlier != nullptr) {
    if (earlier->parameters_digest != ask.parameters_digest) return mismatch();
    return Decision{.reply = OneLaunchTemplate{view(state, *earlier)}};
  }
  TRY(check_version(ask.description, ask.data));
  TRY(check_tags(ask.tags));
  if (state.derived.launch_template_by_name.contains({caller.tenant, ask.name})) {
    return Error{Code::exists, "launch-template", "Launch template name already in use."};
  }
  if (count >= limits::kLaunchTemplatesPerTenantMax) {
    return at_limit("launch templates", limits::kLaunchTemplatesPerTenantMax);
  }
  TRY(check_room_for_version(state, caller.tenant));
  LaunchTemplate made{.id = drawn<LaunchTemplateId>("lt-", context.entropy),
                      .tenant = caller.tenant,
                      .name = ask.name,
                      .client_token = ask.client_token,
                      .parameters_digest = ask.parameters_digest,
                      .tags = ask.tags,
                      .created = context.now.wall};
  LaunchTemplateVersion first{.launch_template = made.id,
                              .number = 1,
                              .tenant = caller.tenant,
                              .description = ask.description,
                              .client_token = {},
                              .parameters_digest = {},
                              .data = ask.data,
                              .created = context.now.wall};
  Decision decision{.reply = OneLaunchTemplate{{.launch_template = made, .latest_version = 1}}};
  decision.changes.emplace_back(PutLaunchTemplate{std::move(made)});
  decision.changes.emplace_back(PutLaunchTemplateVersion{std::move(first)});
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller,
                      CreateLaunchTemplateVersion const& ask, Context& context) {
  TRY(check_token(ask.client_token));
  LaunchTemplate const* of = TRY(own_launch_template(state, caller.tenant, ask.of));
  std::vector<LaunchTemplateVersion const*> const versions = versions_of(state, of->id);
  for (LaunchTemplateVersion const* v : versions) {
    if (ask.client_token.empty() || v->client_token != ask.client_token) continue;
    if (v->parameters_digest != ask.parameters_digest) return mismatch();
    return Decision{.reply = OneLaunchTemplateVersion{view(*of, *v)}};
  }
  LaunchTemplateData data = ask.data;
  if (!ask.source_version.empty()) {
    LaunchTemplateVersion const* source = TRY(version_of(state, *of, ask.source_version));
    data = based_on(source->data, std::move(data));
  }
  TRY(check_version(ask.description, data));
  if (versions.size() >= limits::kVersionsPerLaunchTemplateMax) {
    return at_limit("versions of one launch template", limits::kVersionsPerLaunchTemplateMax);
  }
  TRY(check_room_for_version(state, caller.tenant));
  LaunchTemplate next = *of;
  ++next.last_version;
  LaunchTemplateVersion version{.launch_template = of->id,
                                .number = next.last_version,
                                .tenant = caller.tenant,
                                .description = ask.description,
                                .client_token = ask.client_token,
                                .parameters_digest = ask.parameters_digest,
                                .data = std::move(data),
                                .created = context.now.wall};
  Decision decision{.reply = OneLaunchTemplateVersion{view(next, version)}};
  decision.changes.emplace_back(PutLaunchTemplate{std::move(next)});
  decision.changes.emplace_back(PutLaunchTemplateVersion{std::move(version)});
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, ModifyLaunchTemplate const& ask,
                      Context&) {
  TRY(check_token(ask.client_token));
  LaunchTemplate const* of = TRY(own_launch_template(state, caller.tenant, ask.of));
  if (ask.default_version.empty()) {
    return Error{Code::invalid, "missing",
                 "The request must contain the parameter SetDefaultVersion"};
  }
  LaunchTemplateVersion const* version = TRY(version_of(state, *of, ask.default_version));
  LaunchTemplate next = *of;
  if (!PLANTED(template_default_kept)) next.default_version = version->number;
  Decision decision{.reply = OneLaunchTemplate{{.launch_template = next,
                                                .latest_version = latest_version(state, of->id)}}};
  if (next != *of) decision.changes.emplace_back(PutLaunchTemplate{std::move(next)});
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, DeleteLaunchTemplate const& ask,
                      Context&) {
  LaunchTemplate const* of = TRY(own_launch_template(state, caller.tenant, ask.of));
  Decision decision{.reply = OneLaunchTemplate{view(state, *of)}};
  for (LaunchTemplateVersion const* v : versions_of(state, of->id)) {
    decision.changes.emplace_back(EraseLaunchTemplateVersion{of->id, v->number});
  }
  decision.changes.emplace_back(EraseLaunchTemplate{of->id});
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller,
                      DeleteLaunchTemplateVersions const& ask, Context&) {
  LaunchTemplate const* of = TRY(own_launch_template(state, caller.tenant, ask.of));
  if (ask.versions.empty()) {
    return Error{Code::invalid, "missing",
                 "The request must contain the parameter LaunchTemplateVersion"};
  }
  if (ask.versions.size() > limits::kVersionsPerLaunchTemplateMax) {
    return Error{Code::invalid, "parameter",
                 "At most " + std::to_string(limits::kVersionsPerLaunchTemplateMax) +
                     " versions may be given; found " + std::to_string(ask.versions.size())};
  }
  std::set<std::uint64_t> numbers;
  for (std::string const& text : ask.versions) numbers.insert(TRY(version_number(text)));
  DeletedLaunchTemplateVersions reply{.id = of->id, .name = of->name, .deleted = {}, .kept = {}};
  Decision decision;
  using Why = DeletedLaunchTemplateVersions::Why;
  for (std::uint64_t const number : numbers) {
    if (!state.launch_template_versions.contains({of->id, number})) {
      reply.kept.push_back({number, Why::absent});
    } else if (number == of->default_version) {
      reply.kept.push_back({number, Why::is_default});
    } else {
      reply.deleted.push_back(number);
      decision.changes.emplace_back(EraseLaunchTemplateVersion{of->id, number});
    }
  }
  decision.reply = std::move(reply);
  return decision;
}

}  // namespace berth::core
