// Create, describe, modify and delete launch templates and their versions.

#include <algorithm>
#include <limits>
#include <map>

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/launch_template_lookup.h"
#include "daemon/core/filter.h"
#include "daemon/core/names.h"
#include "daemon/core/page.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

constexpr PageRange kPages{.low = 1, .high = limits::kLaunchTemplatesPerPageMax};

Values none(LaunchTemplateVersionView const&) {
  return {};
}
Values text(std::optional<std::string> const& value) {
  return value && !value->empty() ? Values{*value} : Values{};
}

FilterField<LaunchTemplate> const kTemplateFields[] = {
    {"create-time", [](LaunchTemplate const& t) { return Values{iso8601(t.created)}; }},
    {"launch-template-name", [](LaunchTemplate const& t) { return Values{t.name}; }},
    {"tag", [](LaunchTemplate const&) { return Values{}; }},
};

FilterField<LaunchTemplateVersionView> const kVersionFields[] = {
    {"create-time",
     [](LaunchTemplateVersionView const& v) { return Values{iso8601(v.version.created)}; }},
    {"is-default-version",
     [](LaunchTemplateVersionView const& v) { return Values{v.is_default ? "true" : "false"}; }},
    {"image-id", [](LaunchTemplateVersionView const& v) { return text(v.version.data.image_id); }},
    {"instance-type", [](LaunchTemplateVersionView const& v) { return text(v.version.data.type); }},
    {"ebs-optimized",
     [](LaunchTemplateVersionView const& v) {
       auto const& is = v.version.data.ebs_optimized;
       return is ? Values{*is ? "true" : "false"} : Values{};
     }},
    // EC2 knows these; no version here has a value for them.
    {"http-endpoint", none},
    {"http-protocol-ipv4", none},
    {"host-resource-group-arn", none},
    {"iam-instance-profile", none},
    {"kernel-id", none},
    {"license-configuration-arn", none},
    {"network-card-index", none},
    {"ram-disk-id", none},
};

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

LaunchTemplateVersionView view(LaunchTemplate const& of, LaunchTemplateVersion const& version) {
  return {.version = version,
          .template_name = of.name,
          .is_default = version.number == of.default_version};
}

// All templates of a tenant, by name.
template <class Visit>
void visit_own(State const& state, TenantId const& tenant, Visit visit) {
  auto const& index = state.derived.launch_template_by_name;
  for (auto it = index.lower_bound({tenant, ""}); it != index.end() && it->first.first == tenant;
       ++it) {
    if (!visit(state.launch_templates.at(it->second))) return;
  }
}

// The versions of one template, the newest first.
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

Result<Decision> call(State const& state, Caller const& caller, DescribeLaunchTemplates const& ask,
                      Context&) {
  if (ask.ids.size() + ask.names.size() > limits::kIdsPerRequestMax) {
    return Error{Code::invalid, "parameter",
                 "At most " + std::to_string(limits::kIdsPerRequestMax) +
                     " launch templates may be given; found " +
                     std::to_string(ask.ids.size() + ask.names.size())};
  }
  std::string const start = TRY(page_start(ask.page, "launch-templates", kPages));
  auto const set = TRY(FilterSet<LaunchTemplate>::make(kTemplateFields, ask.filters));
  std::set<LaunchTemplateId> wanted;
  for (std::string const& id : ask.ids) {
    if (id.empty()) continue;
    LaunchTemplate const* t =
        TRY(own_launch_template(state, caller.tenant, {.id = id, .name = {}}));
    wanted.insert(t->id);
  }
  for (std::string const& name : ask.names) {
    if (name.empty()) continue;
    LaunchTemplate const* t =
        TRY(own_launch_template(state, caller.tenant, {.id = {}, .name = name}));
    wanted.insert(t->id);
  }
  LaunchTemplates reply;
  PageFill fill(ask.page, "launch-templates");
  visit_own(state, caller.tenant, [&](LaunchTemplate const& t) {
    if (t.name <= start || (!wanted.empty() && !wanted.contains(t.id))) return true;
    if (!set.accepts(t, &t.tags)) return true;
    if (!fill.take(t.name)) return false;
    reply.items.push_back(view(state, t));
    return true;
  });
  reply.next_token = fill.next_token();
  return Decision{.reply = std::move(reply)};
}

namespace {

// Of one template, those that the request names, the newest first; each once.
Result<std::vector<LaunchTemplateVersion const*>> asked_versions(
    State const& state, LaunchTemplate const& of, DescribeLaunchTemplateVersions const& ask) {
  std::vector<LaunchTemplateVersion const*> out;
  if (ask.versions.empty()) {
    out = versions_of(state, of.id);
  } else {
    std::map<std::uint64_t, LaunchTemplateVersion const*, std::greater<>> found;
    for (std::string const& text : ask.versions) {
      LaunchTemplateVersion const* v = TRY(version_of(state, of, text));
      found[v->number] = v;
    }
    for (auto const& [number, v] : found) out.push_back(v);
  }
  if (!ask.min_version.empty()) {
    std::uint64_t const low = TRY(version_number(ask.min_version));
    std::erase_if(out, [low](auto const* v) { return v->number < low; });
  }
  if (!ask.max_version.empty()) {
    std::uint64_t const high = TRY(version_number(ask.max_version));
    std::erase_if(out, [high](auto const* v) { return v->number > high; });
  }
  return out;
}

// In the order of the answer: by name, then the newest first.
std::string position(LaunchTemplate const& of, LaunchTemplateVersion const& v) {
  std::string const number = std::to_string(std::numeric_limits<std::int64_t>::max() -
                                            static_cast<std::int64_t>(v.number));
  return of.name + " " + std::string(19 - number.size(), '0') + number;
}

Result<std::vector<LaunchTemplate const*>> asked_templates(
    State const& state, TenantId const& tenant, DescribeLaunchTemplateVersions const& ask) {
  std::vector<LaunchTemplate const*> out;
  if (!ask.of.id.empty() || !ask.of.name.empty()) {
    out.push_back(TRY(own_launch_template(state, tenant, ask.of)));
    return out;
  }
  bool const are_relative =
      !ask.versions.empty() && std::ranges::all_of(ask.versions, [](std::string const& v) {
        return v == "$Latest" || v == "$Default";
      });
  if (!are_relative || !ask.min_version.empty() || !ask.max_version.empty()) {
    return Error{Code::invalid, "missing",
                 "Either a launch template ID or a launch template name must be specified in the "
                 "request, or the versions $Latest or $Default of all launch templates"};
  }
  visit_own(state, tenant, [&](LaunchTemplate const& t) {
    out.push_back(&t);
    return true;
  });
  return out;
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller,
                      DescribeLaunchTemplateVersions const& ask, Context&) {
  if (ask.versions.size() > limits::kIdsPerRequestMax) {
    return Error{Code::invalid, "parameter",
                 "At most " + std::to_string(limits::kIdsPerRequestMax) +
                     " versions may be given; found " + std::to_string(ask.versions.size())};
  }
  std::string const start = TRY(page_start(ask.page, "launch-template-versions", kPages));
  auto const set = TRY(FilterSet<LaunchTemplateVersionView>::make(kVersionFields, ask.filters));
  LaunchTemplateVersions reply;
  PageFill fill(ask.page, "launch-template-versions");
  for (LaunchTemplate const* t : TRY(asked_templates(state, caller.tenant, ask))) {
    for (LaunchTemplateVersion const* v : TRY(asked_versions(state, *t, ask))) {
      std::string const at = position(*t, *v);
      if (at <= start) continue;
      LaunchTemplateVersionView seen = view(*t, *v);
      if (!set.accepts(seen, nullptr)) continue;
      if (!fill.take(at)) {
        reply.next_token = fill.next_token();
        return Decision{.reply = std::move(reply)};
      }
      reply.items.push_back(std::move(seen));
    }
  }
  return Decision{.reply = std::move(reply)};
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
