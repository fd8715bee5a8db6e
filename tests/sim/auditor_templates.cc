// Launch templates as EC2's documentation has them: names are unique, versions are numbered and
// never change, the default one stays, and a request's parameters are stronger than its template's.

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "tests/sim/auditor.h"

namespace berth::sim {

namespace {

using Views = std::vector<core::LaunchTemplateView>;

core::LaunchTemplateView const* named(Views const& all, std::string const& name) {
  auto const it = std::ranges::find_if(
      all, [&](core::LaunchTemplateView const& v) { return v.launch_template.name == name; });
  return it == all.end() ? nullptr : &*it;
}

bool are_alike(core::LaunchTemplateView const& a, core::LaunchTemplateView const& b) {
  return a.launch_template == b.launch_template && a.latest_version == b.latest_version;
}

// The number that a request's words mean; nothing: none that is a number.
std::optional<std::uint64_t> meant(core::LaunchTemplateView const& of, std::string const& text) {
  if (text.empty() || text == "$Default") return of.launch_template.default_version;
  if (text == "$Latest") return of.latest_version;
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_refusal(Operation const& o, Code code, std::string const& subject) {
  return !*o.reply && o.reply->error().code == code && o.reply->error().subject == subject;
}

}  // namespace

bool Auditor::is_about_templates(core::ApiAction const& action) {
  return std::visit(
      []<class Action>(Action const& ask) {
        if constexpr (std::is_same_v<Action, core::RunInstances>)
          return ask.launch_template.has_value();
        else
          return std::is_same_v<Action, core::CreateLaunchTemplate> ||
                 std::is_same_v<Action, core::CreateLaunchTemplateVersion> ||
                 std::is_same_v<Action, core::ModifyLaunchTemplate> ||
                 std::is_same_v<Action, core::DeleteLaunchTemplate> ||
                 std::is_same_v<Action, core::DeleteLaunchTemplateVersions>;
      },
      action);
}

// What was acknowledged is there, and nothing changed but by a call.
void Auditor::read_templates(Operation const& o) {
  Books& books = books_[o.tenant];
  if (books.are_templates_certain) {
    bool is_as_left = books.templates.size() == o.templates_before.size();
    for (core::LaunchTemplateView const& v : o.templates_before) {
      auto const it = books.templates.find(v.launch_template.name);
      is_as_left = is_as_left && it != books.templates.end() && are_alike(it->second, v);
    }
    if (!is_as_left) wrong(o, "I2: the launch templates are not as the last call left them");
  }
  if (!*o.reply || o.call.dry_run) judge_templates_but(o, "");
  books.templates.clear();
  for (core::LaunchTemplateView const& v : o.templates_after) {
    books.templates.emplace(v.launch_template.name, v);
  }
  books.are_templates_certain = true;
}

// The call changed none but the one of this name.
void Auditor::judge_templates_but(Operation const& o, std::string const& name) {
  auto const count = [&](Views const& all) {
    return std::ranges::count_if(
        all, [&](core::LaunchTemplateView const& v) { return v.launch_template.name != name; });
  };
  bool is_unchanged = count(o.templates_before) == count(o.templates_after);
  for (core::LaunchTemplateView const& v : o.templates_before) {
    if (v.launch_template.name == name) continue;
    auto const* after = named(o.templates_after, v.launch_template.name);
    is_unchanged = is_unchanged && after != nullptr && are_alike(v, *after);
  }
  if (!is_unchanged) wrong(o, "a launch template changed that was not asked about");
}

// Judges the answer about a template that is not there; true: there is no more to judge.
bool Auditor::is_absent_template(Operation const& o, core::LaunchTemplateName const& of) {
  bool const is_there = named(o.templates_before, of.name) != nullptr;
  bool const is_refused = is_refusal(o, Code::not_found, "launch-template-name");
  if (is_there && is_refused) wrong(o, "does not find the launch template " + of.name);
  if (!is_there && *o.reply) wrong(o, "finds a launch template that is not there");
  return !is_there || is_refused;
}

void Auditor::judge_action(Operation const& o, core::CreateLaunchTemplate const& ask) {
  auto const* before = named(o.templates_before, ask.name);
  if (!*o.reply) {
    Code const code = o.reply->error().code;
    bool const is_malformed = ask.name.find(' ') != std::string::npos;
    Code const wanted = is_malformed        ? Code::invalid
                        : before != nullptr ? Code::exists
                                            : Code::quota;
    if (code != wanted && code != Code::throttled) {
      wrong(o, "answered " + std::string(name(code)) + ", wanted " + std::string(name(wanted)));
    }
    return;
  }
  if (o.call.dry_run) return;
  core::LaunchTemplateView const& told = std::get<core::OneLaunchTemplate>(**o.reply).view;
  std::string const id = told.launch_template.id.value;
  auto const* after = named(o.templates_after, ask.name);
  if (after == nullptr || !are_alike(told, *after)) {
    wrong(o, "the new launch template is not listed as it was told");
  }
  judge_templates_but(o, ask.name);
  if (before != nullptr) {  // the first success of the same token
    if (ask.client_token.empty() || !are_alike(*before, told)) {
      wrong(o, "a second launch template of one name was made");
    }
  } else if (told.latest_version != 1 || told.launch_template.default_version != 1 ||
             told.launch_template.tags != ask.tags) {
    wrong(o, "a launch template did not begin as it should");
  }
  books_[o.tenant].template_data[{id, 1}] = ask.data;
}

void Auditor::judge_action(Operation const& o, core::CreateLaunchTemplateVersion const& ask) {
  if (is_absent_template(o, ask.of)) return;
  auto const& before = *named(o.templates_before, ask.of.name);
  if (!*o.reply || o.call.dry_run) return;
  LaunchTemplateVersion const& told =
      std::get<core::OneLaunchTemplateVersion>(**o.reply).view.version;
  auto const* after = named(o.templates_after, ask.of.name);
  if (after == nullptr) {
    wrong(o, "the launch template is gone after it got a version");
    return;
  }
  bool const is_new = told.number > before.latest_version && told.number == after->latest_version;
  bool const is_repeated = !ask.client_token.empty() && are_alike(before, *after);
  if (!is_new && !is_repeated) wrong(o, "the new version is not the latest");
  if (told.data.type != ask.data.type ||
      (ask.source_version.empty() && told.data != ask.data && !is_repeated)) {
    wrong(o, "the new version is not what was asked for");
  }
  judge_templates_but(o, ask.of.name);
  auto& known = books_[o.tenant].template_data;
  std::pair const key{told.launch_template.value, told.number};
  auto const [it, is_first] = known.try_emplace(key, told.data);
  if (!is_first && it->second != told.data) wrong(o, "I3: one number was given to two versions");
}

void Auditor::judge_action(Operation const& o, core::ModifyLaunchTemplate const& ask) {
  if (is_absent_template(o, ask.of) || !*o.reply || o.call.dry_run) return;
  auto const* before = named(o.templates_before, ask.of.name);
  auto const* after = named(o.templates_after, ask.of.name);
  if (after == nullptr ||
      meant(*before, ask.default_version) != after->launch_template.default_version)
    wrong(o, "the default version is not the one that was asked for");
  judge_templates_but(o, ask.of.name);
}

void Auditor::judge_action(Operation const& o, core::DeleteLaunchTemplate const& ask) {
  if (is_absent_template(o, ask.of) || !*o.reply || o.call.dry_run) return;
  if (named(o.templates_after, ask.of.name) != nullptr) {
    wrong(o, "the deleted launch template is still listed");
  }
  judge_templates_but(o, ask.of.name);
}

void Auditor::judge_action(Operation const& o, core::DeleteLaunchTemplateVersions const& ask) {
  if (is_absent_template(o, ask.of) || !*o.reply || o.call.dry_run) return;
  auto const& told = std::get<core::DeletedLaunchTemplateVersions>(**o.reply);
  auto const* before = named(o.templates_before, ask.of.name);
  auto const* after = named(o.templates_after, ask.of.name);
  std::uint64_t const kept = before->launch_template.default_version;
  if (std::ranges::find(told.deleted, kept) != told.deleted.end()) {
    wrong(o, "the default version was deleted");
  }
  if (told.deleted.size() + told.kept.size() != ask.versions.size()) {
    wrong(o, "does not say of each version what became of it");
  }
  if (after == nullptr || after->launch_template.default_version != kept) {
    wrong(o, "the default version changed");
  } else if (std::ranges::find(told.deleted, after->latest_version) != told.deleted.end()) {
    wrong(o, "a deleted version is the latest");
  }
  judge_templates_but(o, ask.of.name);
}

std::optional<core::RunInstances> Auditor::whole(Operation const& o,
                                                 core::RunInstances const& ask) {
  if (!ask.launch_template) return ask;
  if (is_absent_template(o, ask.launch_template->of)) return std::nullopt;
  judge_templates_but(o, "");
  auto const& made = std::get<core::Launched>(**o.reply).reservation;
  // What an earlier call launched, whose answer was lost: the template may be another since.
  if (std::ranges::any_of(made.instances, [&](core::InstanceView const& v) {
        return o.before->contains(v.instance.id.value);
      })) {
    return std::nullopt;
  }
  core::LaunchTemplateView const& of = *named(o.templates_before, ask.launch_template->of.name);
  std::optional<std::uint64_t> const number = meant(of, ask.launch_template->version);
  if (!number) {
    wrong(o, "launched a version that is none");
    return std::nullopt;
  }
  auto const& known = books_[o.tenant].template_data;
  auto const data = known.find({of.launch_template.id.value, *number});
  if (data == known.end()) return std::nullopt;
  core::RunInstances out = ask;
  if (out.type.empty()) out.type = data->second.type.value_or("");
  if (out.image_id.empty()) out.image_id = data->second.image_id.value_or("");
  for (auto const& [key, value] : data->second.instance_tags) out.instance_tags.emplace(key, value);
  out.instance_tags["aws:ec2launchtemplate:id"] = of.launch_template.id.value;
  out.instance_tags["aws:ec2launchtemplate:version"] = std::to_string(*number);
  return out;
}

}  // namespace berth::sim
