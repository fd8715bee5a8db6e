// CreateTags, DeleteTags, DescribeTags: all or nothing over their resources.

#include <algorithm>
#include <iterator>

#include "berth/base/plant.h"
#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/placement_group_lookup.h"
#include "daemon/core/filter.h"
#include "daemon/core/names.h"
#include "daemon/core/page.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

FilterField<TagView> const kTagFields[] = {
    {"key", [](TagView const& t) { return Values{t.key}; }},
    {"value", [](TagView const& t) { return Values{t.value}; }},
    {"resource-id", [](TagView const& t) { return Values{t.resource}; }},
    {"resource-type", [](TagView const& t) { return Values{t.resource_type}; }},
    {"tag", [](TagView const&) { return Values{}; }},
};

Error bad_id(std::string const& id) {
  return Error{Code::invalid, "resource-id", "The ID '" + id + "' is not valid"};
}

// A record with tags that the tenant owns, as the change that would put it back.
Result<Change> own_resource(State const& state, TenantId const& tenant, std::string const& id) {
  if (id.starts_with("i-")) {
    Instance const* instance = TRY(own_instance(state, tenant, id));
    return Change(PutInstance{*instance});
  }
  if (id.starts_with("ami-")) {
    Image const* image = TRY(visible_image(state, tenant, id));
    if (image->owner != tenant) {
      return Error{Code::not_found, "image", "The image id '[" + id + "]' does not exist"};
    }
    return Change(PutImage{*image});
  }
  if (id.starts_with("key-")) {
    if (!is_id(id, "key-")) return bad_id(id);
    KeyPair const* key = find(state.key_pairs, KeyPairId(id));
    if (key == nullptr || key->tenant != tenant) {
      return Error{Code::not_found, "key-pair", "The key pair ID '" + id + "' does not exist"};
    }
    return Change(PutKeyPair{*key});
  }
  if (id.starts_with("lt-")) {
    LaunchTemplate const* made = TRY(own_launch_template(state, tenant, {.id = id, .name = {}}));
    return Change(PutLaunchTemplate{*made});
  }
  if (id.starts_with("pg-")) {
    PlacementGroup const* group = TRY(own_placement_group(state, tenant, {.id = id, .name = {}}));
    return Change(PutPlacementGroup{*group});
  }
  return bad_id(id);
}

Tags& tags_of(Change& change) {
  if (auto* put = std::get_if<PutInstance>(&change)) return put->instance.tags;
  if (auto* put = std::get_if<PutImage>(&change)) return put->image.tags;
  if (auto* put = std::get_if<PutLaunchTemplate>(&change)) return put->launch_template.tags;
  if (auto* put = std::get_if<PutPlacementGroup>(&change)) return put->group.tags;
  return std::get<PutKeyPair>(change).key.tags;
}

bool is_of_system(std::pair<std::string const, std::string> const& tag) {
  return tag.first.starts_with("aws:");
}

template <class Edit>
Result<Decision> edit_tags(State const& state, Caller const& caller,
                           std::vector<std::string> const& resources, Edit edit) {
  if (resources.empty()) {
    return Error{Code::invalid, "missing", "The request must contain the parameter resourceIdSet"};
  }
  if (resources.size() > limits::kIdsPerRequestMax) {
    return Error{
        Code::invalid, "parameter",
        "At most " + std::to_string(limits::kIdsPerRequestMax) + " resources may be given"};
  }
  Decision decision{.reply = Done{}};
  std::set<std::string> const unique(resources.begin(), resources.end());
  for (std::string const& id : unique) {
    Change change = TRY(own_resource(state, caller.tenant, id));
    Tags& tags = tags_of(change);
    Tags const before = tags;
    // What we gave an instance ourselves is neither counted nor changed.
    std::erase_if(tags, is_of_system);
    edit(tags);
    TRY(check_tags(tags));
    std::ranges::copy_if(before, std::inserter(tags, tags.end()), is_of_system);
    if (tags != before && !PLANTED(tags_not_stored)) decision.changes.push_back(std::move(change));
  }
  return decision;
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller, CreateTags const& ask, Context&) {
  if (ask.tags.empty()) {
    return Error{Code::invalid, "missing", "The request must contain the parameter tagSet"};
  }
  TRY(check_tags(ask.tags));
  return edit_tags(state, caller, ask.resources, [&](Tags& tags) {
    for (auto const& [key, value] : ask.tags) tags[key] = value;
  });
}

// EC2: without tags every tag of ours goes; a key without a value goes whatever its value is.
Result<Decision> call(State const& state, Caller const& caller, DeleteTags const& ask, Context&) {
  for (TagToDelete const& tag : ask.tags) {
    if (tag.key.starts_with("aws:")) TRY(check_tags({{tag.key, ""}}));
  }
  return edit_tags(state, caller, ask.resources, [&](Tags& tags) {
    if (ask.tags.empty()) tags.clear();
    for (TagToDelete const& tag : ask.tags) {
      auto const it = tags.find(tag.key);
      if (it != tags.end() && (!tag.value || *tag.value == it->second)) tags.erase(it);
    }
  });
}

Result<Decision> call(State const& state, Caller const& caller, DescribeTags const& ask, Context&) {
  std::string const start = TRY(page_start(ask.page, "tags", {}));
  auto const set = TRY(FilterSet<TagView>::make(kTagFields, ask.filters));
  TagList reply;
  PageFill fill(ask.page, "tags");
  // In order of resource id, then key: the key of the page's token.
  std::map<std::string, std::pair<std::string_view, Tags const*>> resources;
  if (auto const* own = find(state.derived.instances_of_tenant, caller.tenant)) {
    for (InstanceId const& id : *own)
      resources[id.value] = {"instance", &state.instances.at(id).tags};
  }
  for (auto const& [id, image] : state.images) {
    if (image.owner == caller.tenant) resources[id.value] = {"image", &image.tags};
  }
  auto const& keys = state.derived.key_pair_by_name;
  for (auto it = keys.lower_bound({caller.tenant, ""});
       it != keys.end() && it->first.first == caller.tenant; ++it) {
    resources[it->second.value] = {"key-pair", &state.key_pairs.at(it->second).tags};
  }
  auto const& templates = state.derived.launch_template_by_name;
  for (auto it = templates.lower_bound({caller.tenant, ""});
       it != templates.end() && it->first.first == caller.tenant; ++it) {
    resources[it->second.value] = {"launch-template", &state.launch_templates.at(it->second).tags};
  }
  visit_own_groups(state, caller.tenant, [&](PlacementGroup const& group) {
    resources[group.id.value] = {"placement-group", &group.tags};
  });
  for (auto const& [resource, typed] : resources) {
    for (auto const& [key, value] : *typed.second) {
      std::string const position = resource + "/" + key;
      TagView tag{resource, std::string(typed.first), key, value};
      Tags const alone{{key, value}};
      if (position <= start || !set.accepts(tag, &alone)) continue;
      if (!fill.take(position)) {
        reply.next_token = fill.next_token();
        return Decision{.reply = std::move(reply)};
      }
      reply.items.push_back(std::move(tag));
    }
  }
  return Decision{.reply = std::move(reply)};
}

}  // namespace berth::core
