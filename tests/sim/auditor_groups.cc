// Placement groups as EC2's documentation has them: a name is unique, a group in use is not
// deleted, a launch says its group, and its instances show it. Where they are is for group_rules.h.

#include <algorithm>
#include <type_traits>

#include "tests/sim/auditor.h"

namespace berth::sim {

namespace {

using Groups = std::vector<PlacementGroup>;

PlacementGroup const* named(Groups const& all, core::PlacementGroupName const& of) {
  auto const it = std::ranges::find_if(all, [&](PlacementGroup const& g) {
    return of.id.empty() ? g.name == of.name : g.id.value == of.id;
  });
  return it == all.end() ? nullptr : &*it;
}

bool is_refusal(Operation const& o, Code code, std::string const& subject) {
  return !*o.reply && o.reply->error().code == code && o.reply->error().subject == subject;
}

std::string answer(Operation const& o) {
  if (*o.reply) return "success";
  return std::string(name(o.reply->error().code)) + "/" + o.reply->error().subject;
}

bool has_members(Listing const& listing, PlacementGroup const& group) {
  return std::ranges::any_of(listing, [&](auto const& entry) {
    return entry.second.instance.placement_group == group.id &&
           entry.second.state != core::InstanceState::terminated;
  });
}

}  // namespace

bool Auditor::is_about_groups(core::ApiAction const& action) {
  return std::visit(
      []<class Action>(Action const& ask) {
        if constexpr (std::is_same_v<Action, core::RunInstances>)
          return !ask.placement_group.empty();
        else if constexpr (std::is_same_v<Action, core::CreateTags>)
          return std::ranges::any_of(ask.resources,
                                     [](std::string const& id) { return id.starts_with("pg-"); });
        else
          return std::is_same_v<Action, core::CreatePlacementGroup> ||
                 std::is_same_v<Action, core::DeletePlacementGroup>;
      },
      action);
}

// What was acknowledged is there, and nothing changed but by a call.
void Auditor::read_groups(Operation const& o) {
  Books& books = books_[o.tenant];
  if (books.are_groups_certain && books.groups != o.groups_before) {
    wrong(o, "I2: the placement groups are not as the last call left them");
  }
  bool const may_change =
      *o.reply && !o.call.dry_run && !std::holds_alternative<core::RunInstances>(o.call.action);
  if (!may_change && o.groups_before != o.groups_after) {
    wrong(o, "a call changed placement groups that it may not change");
  }
  books.groups = o.groups_after;
  books.are_groups_certain = true;
}

void Auditor::judge_action(Operation const& o, core::CreatePlacementGroup const& ask) {
  PlacementGroup const* before = named(o.groups_before, {.id = {}, .name = ask.name});
  bool const is_partition = ask.strategy == PlacementStrategy::partition;
  bool const is_count_bad = ask.partition_count &&
                            (!is_partition || *ask.partition_count < 1 || *ask.partition_count > 7);
  bool const is_level_bad = ask.spread_level && ask.strategy != PlacementStrategy::spread;
  std::optional<Code> wanted;
  if (is_count_bad || is_level_bad)
    wanted = Code::invalid;
  else if (before != nullptr)
    wanted = Code::exists;
  if (!*o.reply) {
    Code const code = o.reply->error().code;
    if (code != Code::throttled && wanted != code) wrong(o, "answered " + answer(o));
    return;
  }
  if (wanted) wrong(o, "succeeded, wanted " + std::string(name(*wanted)));
  if (o.call.dry_run) return;
  PlacementGroup const& told = std::get<core::OnePlacementGroup>(**o.reply).group;
  std::int64_t const count = is_partition ? ask.partition_count.value_or(2) : 0;
  if (told.name != ask.name || told.strategy != ask.strategy || told.partition_count != count ||
      told.spread_level != ask.spread_level.value_or(SpreadLevel::rack)) {
    wrong(o, "the new placement group is not what was asked for");
  }
  Groups all = o.groups_before;
  all.push_back(told);
  std::ranges::sort(all, {}, &PlacementGroup::name);
  if (all != o.groups_after) wrong(o, "the new placement group is not listed as it was told");
}

void Auditor::judge_action(Operation const& o, core::DeletePlacementGroup const& ask) {
  PlacementGroup const* before = named(o.groups_before, {.id = {}, .name = ask.name});
  if (before == nullptr) {
    if (!is_refusal(o, Code::not_found, "placement-group")) wrong(o, "answered " + answer(o));
    return;
  }
  bool const is_used = has_members(*o.before, *before);
  bool const is_told_used = is_refusal(o, Code::conflict, "placement-group");
  if (is_used != is_told_used) {
    wrong(o, (is_used ? "the group has members, and it answered "
                      : "the group has no member, and it answered ") +
                 answer(o));
  }
  if (!*o.reply || o.call.dry_run) return;
  Groups all = o.groups_before;
  std::erase_if(all, [&](PlacementGroup const& g) { return g.name == ask.name; });
  if (all != o.groups_after) wrong(o, "not the group that was named is gone");
}

void Auditor::judge_group_tags(Operation const& o, core::CreateTags const& ask) {
  if (!*o.reply || o.call.dry_run) return;
  Groups wanted = o.groups_before;
  for (PlacementGroup& group : wanted) {
    if (std::ranges::find(ask.resources, group.id.value) == ask.resources.end()) continue;
    for (auto const& [key, value] : ask.tags) group.tags[key] = value;
  }
  if (wanted != o.groups_after) wrong(o, "the tags of a placement group do not read back");
}

// A launch names a group that is there, and its instances show it.
void Auditor::judge_group_launch(Operation const& o, core::RunInstances const& ask) {
  PlacementGroup const* group = named(o.groups_before, ask.placement_group);
  bool const is_told_absent = is_refusal(o, Code::not_found, "placement-group");
  if (group == nullptr) {
    // A repeated token answers for the group that there was.
    if (*o.reply && ask.client_token.empty()) wrong(o, "launched into a group that is not there");
    return;
  }
  if (is_told_absent) wrong(o, "does not find the placement group " + group->name);
  if (!*o.reply || o.call.dry_run) return;
  auto const* made = std::get_if<core::Launched>(&**o.reply);
  if (made == nullptr) return;  // judged with every launch
  for (core::InstanceView const& v : made->reservation.instances) {
    if (o.before->contains(v.instance.id.value)) continue;  // of an earlier, lost call
    auto const listed = o.after->find(v.instance.id.value);
    if (listed == o.after->end()) continue;
    Instance const& i = listed->second.instance;
    bool const is_partition = group->strategy == PlacementStrategy::partition;
    bool const is_its_partition = ask.partition  ? i.partition == *ask.partition
                                  : is_partition ? i.partition >= 1
                                                 : i.partition == 0;
    if (i.placement_group != group->id || listed->second.placement_group_name != group->name ||
        !is_its_partition || i.partition > group->partition_count) {
      wrong(o, i.id.value + " does not show the group it was launched into");
    }
  }
}

}  // namespace berth::sim
