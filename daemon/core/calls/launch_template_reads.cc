// DescribeLaunchTemplates and DescribeLaunchTemplateVersions.

#include <algorithm>
#include <limits>
#include <map>

#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/launch_template_lookup.h"
#include "daemon/core/filter.h"
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

}  // namespace

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

}  // namespace berth::core
