#include "daemon/ec2/rates.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "berth/base/ensure.h"
#include "berth/model/limits.h"

namespace berth::ec2 {

namespace {

using wire::Action;

constexpr BucketRule kNonMutating{100, 20};
constexpr BucketRule kUnfiltered{50, 10};
constexpr BucketRule kMutating{50, 5};
constexpr BucketRule kLaunch{5, 2};  // RunInstances and StartInstances: requests
constexpr BucketRule kTagging{100, 10};
constexpr BucketRule kInstancesUp{1'000, 2};     // RunInstances, StartInstances
constexpr BucketRule kInstancesDown{1'000, 20};  // StopInstances, TerminateInstances

constexpr RateRule kRules[] = {
    {Action::run_instances, kLaunch, {}, kInstancesUp},
    {Action::describe_instances, kNonMutating, kUnfiltered, {}},
    {Action::describe_instance_status, kNonMutating, kUnfiltered, {}},
    {Action::describe_instance_attribute, kNonMutating, {}, {}},
    {Action::modify_instance_attribute, kMutating, {}, {}},
    {Action::start_instances, kLaunch, {}, kInstancesUp},
    {Action::stop_instances, kMutating, {}, kInstancesDown},
    {Action::reboot_instances, kMutating, {}, {}},
    {Action::terminate_instances, kMutating, {}, kInstancesDown},
    {Action::get_console_output, kNonMutating, {}, {}},
    {Action::describe_instance_types, kNonMutating, kUnfiltered, {}},
    {Action::describe_instance_type_offerings, kNonMutating, kUnfiltered, {}},
    {Action::describe_images, kNonMutating, kUnfiltered, {}},
    {Action::describe_regions, kNonMutating, {}, {}},
    {Action::describe_availability_zones, kNonMutating, {}, {}},
    {Action::create_key_pair, kMutating, {}, {}},
    {Action::import_key_pair, kMutating, {}, {}},
    {Action::describe_key_pairs, kNonMutating, {}, {}},
    {Action::delete_key_pair, kMutating, {}, {}},
    {Action::create_tags, kTagging, {}, {}},
    {Action::delete_tags, kTagging, {}, {}},
    {Action::describe_tags, kNonMutating, kUnfiltered, {}},
    {Action::create_launch_template, kMutating, {}, {}},
    {Action::create_launch_template_version, kMutating, {}, {}},
    {Action::describe_launch_templates, kNonMutating, {}, {}},
    {Action::describe_launch_template_versions, kNonMutating, {}, {}},
    {Action::modify_launch_template, kMutating, {}, {}},
    {Action::delete_launch_template, kMutating, {}, {}},
    {Action::delete_launch_template_versions, kMutating, {}, {}},
    {Action::create_placement_group, kMutating, {}, {}},
    {Action::describe_placement_groups, kNonMutating, {}, {}},
    {Action::delete_placement_group, kMutating, {}, {}},
    {Action::describe_account_attributes, kNonMutating, {}, {}},
    {Action::get_caller_identity, kNonMutating, {}, {}},
};

RateRule const& rule_of(Action action) {
  auto const index = static_cast<std::size_t>(action);
  ENSURE(index < std::size(kRules) && kRules[index].action == action);
  return kRules[index];
}

BucketRule scaled(BucketRule const& rule, std::int64_t percent) {
  return {.tokens = std::max<std::int64_t>(rule.tokens * percent / 100, 1),
          .per_second = std::max<std::int64_t>(rule.per_second * percent / 100, 1)};
}

bool names_with(std::span<wire::Parameter const> parameters, std::string_view prefix) {
  return std::ranges::any_of(parameters,
                             [&](wire::Parameter const& p) { return p.name.starts_with(prefix); });
}

bool is_unfiltered(std::span<wire::Parameter const> parameters) {
  return std::ranges::all_of(parameters, [](wire::Parameter const& p) {
    return p.name == "Action" || p.name == "Version" || p.name == "DryRun";
  });
}

// Before parsing: what is malformed counts as one, and is refused by the parser soon after.
std::int64_t instances_of(Action action, std::span<wire::Parameter const> parameters) {
  std::int64_t count = 1;
  if (action == Action::run_instances) {
    auto const most = std::ranges::find(parameters, "MaxCount", &wire::Parameter::name);
    if (most != parameters.end()) {
      std::string_view const text = most->value;
      (void)std::from_chars(text.data(), text.data() + text.size(), count);
    }
  } else {
    count = std::ranges::count_if(
        parameters, [](wire::Parameter const& p) { return p.name.starts_with("InstanceId"); });
  }
  return std::clamp<std::int64_t>(count, 1, limits::kInstancesPerRequestMax);
}

}  // namespace

std::span<RateRule const> rate_rules() {
  return kRules;
}

Duration TokenBucket::take(std::int64_t tokens, BucketRule const& rule, Instant now) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  // The product fits: at most 10^7 tokens, of at most a second each.
  std::int64_t const size_ns = rule.tokens * kSecond / rule.per_second;
  std::int64_t const price_ns = std::min(tokens, rule.tokens) * kSecond / rule.per_second;
  std::int64_t const full_at = std::max(full_at_ns_, now.ns) + price_ns;
  if (full_at - now.ns > size_ns) return Duration{full_at - now.ns - size_ns};
  full_at_ns_ = full_at;
  return {};
}

Rates::Rates(std::int64_t percent) {
  ENSURE(percent >= 0 && percent <= kPercentMax);
  if (percent == 0) return;
  for (RateRule rule : kRules) {
    rule.requests = scaled(rule.requests, percent);
    if (rule.unfiltered) rule.unfiltered = scaled(*rule.unfiltered, percent);
    if (rule.instances) rule.instances = scaled(*rule.instances, percent);
    rules_.push_back(rule);
  }
}

Rates::Shard& Rates::shard_of(TenantId const& tenant) {
  return shards_[std::hash<TenantId>()(tenant) % kShards];
}

Duration Rates::admit(TenantId const& tenant, Action action,
                      std::span<wire::Parameter const> parameters, Instant now) {
  if (rules_.empty()) return {};
  auto const index = static_cast<std::size_t>(rule_of(action).action);
  RateRule const& rule = rules_[index];
  bool const asks_for_all = rule.unfiltered && is_unfiltered(parameters);
  std::int64_t const instances = rule.instances ? instances_of(action, parameters) : 0;
  Shard& shard = shard_of(tenant);
  std::lock_guard const lock(shard.mutex);
  std::vector<Buckets>& all = shard.tenants[tenant];
  if (all.empty()) all.resize(rules_.size());
  Buckets& buckets = all[index];
  Duration const wait = asks_for_all ? buckets.unfiltered.take(1, *rule.unfiltered, now)
                                     : buckets.requests.take(1, rule.requests, now);
  if (wait.ns > 0 || !rule.instances) return wait;
  return buckets.instances.take(instances, *rule.instances, now);
}

void Rates::keep_only(KeyTable const& keys) {
  if (rules_.empty()) return;
  std::set<TenantId> standing;
  for (auto const& [id, entry] : keys.keys) standing.insert(entry.tenant);
  for (Shard& shard : shards_) {
    std::lock_guard const lock(shard.mutex);
    std::erase_if(shard.tenants, [&](auto const& one) { return !standing.contains(one.first); });
  }
}

std::size_t Rates::tenants() const {
  std::size_t out = 0;
  for (Shard const& shard : shards_) {
    std::lock_guard const lock(shard.mutex);
    out += shard.tenants.size();
  }
  return out;
}

core::InputClass likely_class(Action action, std::span<wire::Parameter const> parameters) {
  RateRule const& rule = rule_of(action);
  bool const is_change = rule.requests != kNonMutating;
  if (is_change) return core::InputClass::mutation;
  auto by_ids = [&](std::string_view prefix) {
    return names_with(parameters, prefix) ? core::InputClass::read : core::InputClass::list;
  };
  switch (action) {
    case Action::describe_instances:
    case Action::describe_instance_status: return by_ids("InstanceId");
    case Action::describe_instance_types: return by_ids("InstanceType");
    case Action::describe_images: return by_ids("ImageId");
    case Action::describe_key_pairs: return by_ids("Key");
    case Action::describe_placement_groups: return by_ids("Group");
    // One of the two: "LaunchTemplateVersion.1" names none.
    case Action::describe_launch_templates:
    case Action::describe_launch_template_versions:
      return names_with(parameters, "LaunchTemplateId") ||
                     names_with(parameters, "LaunchTemplateName")
                 ? core::InputClass::read
                 : core::InputClass::list;
    case Action::describe_instance_type_offerings:
    case Action::describe_tags: return core::InputClass::list;
    default: return core::InputClass::read;
  }
}

std::int64_t retry_after_s(Duration wait, std::uint64_t random) {
  constexpr std::int64_t kMost = 60;
  std::int64_t const least =
      std::clamp<std::int64_t>((wait.ns + 999'999'999) / 1'000'000'000, 1, kMost);
  return least + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(least + 2));
}

}  // namespace berth::ec2
