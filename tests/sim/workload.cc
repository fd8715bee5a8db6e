#include "tests/sim/workload.h"

#include <algorithm>
#include <utility>

namespace berth::sim {

namespace {

bool is_read(core::ApiAction const& action) {
  return std::holds_alternative<core::DescribeInstances>(action) ||
         std::holds_alternative<core::DescribeInstanceStatus>(action) ||
         std::holds_alternative<core::DescribeInstance>(action) ||
         std::holds_alternative<core::ReadConsole>(action) ||
         std::holds_alternative<core::DescribeInstanceTypes>(action) ||
         std::holds_alternative<core::DescribeInstanceTypeOfferings>(action) ||
         std::holds_alternative<core::DescribeImages>(action) ||
         std::holds_alternative<core::DescribeRegions>(action) ||
         std::holds_alternative<core::DescribeZones>(action) ||
         std::holds_alternative<core::DescribeKeyPairs>(action) ||
         std::holds_alternative<core::DescribeTags>(action) ||
         std::holds_alternative<core::DescribeLaunchTemplates>(action) ||
         std::holds_alternative<core::DescribeLaunchTemplateVersions>(action) ||
         std::holds_alternative<core::DescribePlacementGroups>(action) ||
         std::holds_alternative<core::DescribeAccountAttributes>(action) ||
         std::holds_alternative<core::GetCallerIdentity>(action);
}

}  // namespace

Workload::Workload(Cluster& cluster, Auditor& auditor)
    : cluster_(cluster),
      auditor_(auditor),
      world_(cluster.world),
      ids_(cluster.tenants.size()),
      group_ids_(cluster.tenants.size()),
      is_enabled_(cluster.tenants.size(), true),
      is_key_enabled_(cluster.tenants.size(), true),
      quota_(cluster.tenants.size(), cluster.options.policy.default_quota) {}

void Workload::start() {
  is_running_ = true;
  next_call();
  next_operator_call();
}

void Workload::next_call() {
  world_.after(world_.about(cluster_.options.call_every), [this] {
    if (!is_running_) return;
    next_call();
    if (!cluster_.daemon.is_up()) return;
    std::size_t const tenant = world_.entropy().below(cluster_.tenants.size());
    std::uint64_t const kind = world_.entropy().below(100);
    if (kind < 22)
      launch(tenant);
    else if (kind < 27)
      change_groups(tenant);
    else if (kind < 31)
      repeat(tenant);
    else if (kind < 63)
      change_power(tenant);
    else if (kind < 70)
      change_tags(tenant);
    else if (kind < 76)
      change_keys(tenant);
    else if (kind < 80)
      modify(tenant);
    else if (kind < 86)
      list_filtered(tenant);
    else if (kind < 90)
      list_paged(tenant);
    else if (kind < 94)
      ask_in_pairs(tenant);
    else if (kind < 98)
      change_templates(tenant);
    else
      ask_anything(tenant);
  });
}

core::ApiCall Workload::call(std::size_t tenant, std::string name, core::ApiAction action,
                             bool dry_run) {
  ++calls_;
  return {.caller = {.tenant = cluster_.tenants[tenant].id,
                     .key = cluster_.tenants[tenant].key,
                     .source = "192.0.2.1",
                     .request_id = "req-" + std::to_string(++requests_)},
          .action_name = std::move(name),
          .dry_run = dry_run,
          .action = std::move(action)};
}

void Workload::send(std::size_t tenant, std::string name, core::ApiAction action, bool dry_run) {
  auto const operation = std::make_shared<Operation>();
  operation->tenant = tenant;
  operation->call = call(tenant, std::move(name), std::move(action), dry_run);
  operation->is_answer_lost = world_.chance(cluster_.options.ppm.answer_lost);
  for (InstanceId const& id : named_in(operation->call.action)) {
    if (operation->is_answer_lost) cluster_.hit_instance(Fault::answer_lost, id);
    if (on_call) on_call(id);
  }
  send(operation);
  if (is_safe_to_repeat(*operation) && world_.chance(cluster_.options.ppm.call_doubled))
    send(repeated(*operation));
}

// With its token a launch may be sent as often as one likes.
bool Workload::is_safe_to_repeat(Operation const& o) {
  auto const* run = std::get_if<core::RunInstances>(&o.call.action);
  return run == nullptr || !run->client_token.empty();
}

Workload::OperationRef Workload::repeated(Operation const& o) {
  auto again = std::make_shared<Operation>();
  again->tenant = o.tenant;
  again->call = o.call;
  again->call.caller.request_id = "req-" + std::to_string(++requests_);
  return again;
}

// As an SDK does that has no answer: again, after a pause.
void Workload::send_again_later(Operation const& o) {
  world_.after(world_.between(seconds(1), minutes(4)), [this, again = repeated(o)] {
    if (cluster_.daemon.is_up()) send(again);
  });
}

std::vector<InstanceId> Workload::named_in(core::ApiAction const& action) {
  std::vector<InstanceId> out;
  auto add = [&out](std::vector<std::string> const& ids) {
    for (std::string const& id : ids) out.emplace_back(id);
  };
  std::visit(
      [&]<class Action>(Action const& ask) {
        if constexpr (requires { ask.ids.front().size(); })
          add(ask.ids);
        else if constexpr (requires { ask.resources.front().size(); })
          add(ask.resources);
      },
      action);
  return out;
}

void Workload::send(OperationRef o) {
  under_way_.push_back(o);
  world_.note("call", o->call.action_name, o->call.caller.request_id, o->tenant);
  auto list = [this, o](std::optional<Listing> Operation::* where, bool is_last) {
    cluster_.daemon.submit(call(o->tenant, "DescribeInstances", core::DescribeInstances{}),
                           [this, o, where, is_last](Result<core::Reply> reply) {
                             auto const* found =
                                 reply ? std::get_if<core::Reservations>(&*reply) : nullptr;
                             (*o).*where = found != nullptr ? listing_of(*found) : Listing{};
                             if (is_last) settle(o);
                           });
  };
  auto keys = [this, o](std::vector<KeyPair> Operation::* where) {
    cluster_.daemon.submit(call(o->tenant, "DescribeKeyPairs", core::DescribeKeyPairs{}),
                           [o, where](Result<core::Reply> reply) {
                             if (reply) (*o).*where = std::get<core::KeyPairs>(*reply).items;
                           });
  };
  bool const is_about_keys = std::holds_alternative<core::AddKeyPair>(o->call.action) ||
                             std::holds_alternative<core::DeleteKeyPair>(o->call.action);
  auto templates = [this, o](std::vector<core::LaunchTemplateView> Operation::* where) {
    cluster_.daemon.submit(
        call(o->tenant, "DescribeLaunchTemplates", core::DescribeLaunchTemplates{}),
        [o, where](Result<core::Reply> reply) {
          if (reply) (*o).*where = std::get<core::LaunchTemplates>(*reply).items;
        });
  };
  bool const is_about_templates = Auditor::is_about_templates(o->call.action);
  auto groups = [this, o](std::vector<PlacementGroup> Operation::* where) {
    cluster_.daemon.submit(
        call(o->tenant, "DescribePlacementGroups", core::DescribePlacementGroups{}),
        [o, where](Result<core::Reply> reply) {
          if (reply) (*o).*where = std::get<core::PlacementGroups>(*reply).items;
        });
  };
  bool const is_about_groups = Auditor::is_about_groups(o->call.action);
  list(&Operation::before, false);
  if (is_about_groups) groups(&Operation::groups_before);
  if (is_about_keys) keys(&Operation::keys_before);
  if (is_about_templates) templates(&Operation::templates_before);
  cluster_.daemon.submit(o->call, [this, o](Result<core::Reply> reply) {
    world_.note("reply", o->call.caller.request_id, reply ? "ok" : name(reply.error().code));
    bool const is_mutation = reply && !o->call.dry_run && !is_read(o->call.action);
    o->reply.emplace(std::move(reply));
    if (o->is_answer_lost) {
      auditor_.given_up(*o);
      return;
    }
    if (is_mutation) cluster_.checkers.on_acknowledged(o->call.caller.request_id);
    auditor_.acknowledged(*o);
  });
  if (is_about_keys) keys(&Operation::keys_after);
  if (is_about_templates) templates(&Operation::templates_after);
  if (is_about_groups) groups(&Operation::groups_after);
  list(&Operation::after, true);
}

void Workload::settle(OperationRef const& o) {
  std::erase(under_way_, o);
  std::string const outcome = *o->reply ? "ok" : std::string(name(o->reply->error().code));
  world_.met(o->call.action_name + (o->call.dry_run ? " (dry run)" : ""), outcome);
  if (!o->is_answer_lost) {
    auditor_.judge(*o);
  } else if (is_safe_to_repeat(*o) && is_running_) {
    send_again_later(*o);
  }
  if (Auditor::is_about_groups(o->call.action)) {
    group_ids_[o->tenant].clear();
    for (PlacementGroup const& g : o->groups_after) group_ids_[o->tenant][g.name] = g.id.value;
  }
  auto const was = std::exchange(ids_[o->tenant], {});
  for (auto const& [id, v] : *o->after) {
    ids_[o->tenant][id] = v.state;
    bool const is_down = v.state == core::InstanceState::stopped && was.contains(id) &&
                         was.at(id) == core::InstanceState::running;
    if (is_down && is_running_ && world_.entropy().below(2) == 0) start_soon(o->tenant, id);
    auto const before = o->before->find(id);
    bool const is_new = before == o->before->end() || before->second.state != v.state ||
                        before->second.instance.reboots_wanted != v.instance.reboots_wanted;
    if (is_new && on_change) on_change(v.instance.id);
    if (is_new && is_running_ && world_.entropy().below(8) == 0) follow_up(o->tenant, id);
  }
}

// Somebody who watches, and starts again what has gone down by itself.
void Workload::start_soon(std::size_t tenant, std::string const& id) {
  world_.after(world_.between({}, seconds(5)), [this, tenant, id] {
    if (is_running_ && cluster_.daemon.is_up())
      send(tenant, "StartInstances", core::StartInstances{{id}});
  });
}

// Somebody who does not wait for the first to be done.
void Workload::follow_up(std::size_t tenant, std::string const& id) {
  world_.after(world_.between({}, seconds(4)), [this, tenant, id] {
    if (!is_running_ || !cluster_.daemon.is_up()) return;
    switch (world_.entropy().below(5)) {
      case 0: send(tenant, "StartInstances", core::StartInstances{{id}}); break;
      case 1: send(tenant, "StopInstances", core::StopInstances{{id}}); break;
      case 2: send(tenant, "RebootInstances", core::RebootInstances{{id}}); break;
      case 3: send(tenant, "TerminateInstances", core::TerminateInstances{{id}}); break;
      default: send(tenant, "CreateTags", core::CreateTags{{id}, {{"Name", tag_word()}}}); break;
    }
  });
}

void Workload::on_daemon_crash() {
  for (OperationRef const& o : std::exchange(under_way_, {})) {
    world_.met("crash", o->reply ? "call answered" : "call unanswered");
    auditor_.lost(*o);
    if (is_safe_to_repeat(*o) && !o->reply) send_again_later(*o);
  }
}

void Workload::look() {
  for (std::size_t t = 0; t < cluster_.tenants.size(); ++t) {
    send(t, "DescribeAccountAttributes", core::DescribeAccountAttributes{});
  }
}

// ---- What tenants do ---------------------------------------------------------------------------

std::string Workload::absent_id() {
  return "i-" + world_.entropy().hex(17);
}

std::string Workload::tag_word() {
  static char const* const kWords[] = {"Name", "stage", "owner", "cost centre",
                                       "a",    "β",     "x=y",   ""};
  return kWords[world_.entropy().below(8)];
}

std::vector<std::string> Workload::some_ids(std::size_t tenant,
                                            std::optional<core::InstanceState> state) {
  std::vector<std::string> own;
  bool const is_any = !state || world_.entropy().below(5) == 0;
  for (auto const& [id, is] : ids_[tenant]) {
    if (is_any || is == *state) own.push_back(id);
  }
  std::vector<std::string> out;
  std::uint64_t const count = world_.entropy().below(5) == 0 ? 1 + world_.entropy().below(5) : 1;
  for (std::uint64_t i = 0; i < count && !own.empty(); ++i) {
    out.push_back(own[world_.entropy().below(own.size())]);
  }
  switch (world_.entropy().below(40)) {
    case 0: out.push_back(absent_id()); break;
    case 1: out.emplace_back("i-xyz"); break;
    case 2: out.clear(); break;
    case 3: {
      std::size_t const other = world_.entropy().below(ids_.size());
      if (other != tenant && !ids_[other].empty()) out.push_back(ids_[other].begin()->first);
      break;
    }
    default: break;
  }
  return out;
}

void Workload::launch(std::size_t tenant) {
  Entropy& e = world_.entropy();
  core::RunInstances ask{.image_id = cluster_.public_images[e.below(2)],
                         .type = cluster_.types[e.below(cluster_.types.size())]};
  std::uint64_t const odd = e.below(40);
  if (odd == 0) ask.image_id = cluster_.public_images[2];  // cannot be fetched
  if (odd == 1) ask.image_id = cluster_.tenants[e.below(cluster_.tenants.size())].private_image;
  if (odd == 2) ask.image_id = "ami-" + e.hex(17);
  if (odd == 3) ask.type = "x9.huge";
  if (odd == 4) ask.key_name = "nobody";
  if (odd == 5) ask.zone = "nowhere-1a";
  if (odd == 6) ask.user_data = std::string(20'000, 'x');
  if (odd == 7) ask.min_count = 0;
  ask.max_count = e.below(4) == 0 ? e.between(1, 8) : 1;
  if (odd != 7) ask.min_count = e.between(1, ask.max_count);
  if (odd == 8) ask.min_count = ask.max_count + 1;
  if (odd == 9) ask.max_count = 1'001;
  if (e.below(3) == 0)
    ask.zone = ask.zone.empty() ? cluster_.zones[e.below(cluster_.zones.size())] : ask.zone;
  if (e.below(3) == 0) ask.instance_tags = {{"Name", tag_word()}, {"stage", "test"}};
  if (e.below(10) == 0) ask.disable_api_termination = true;
  if (e.below(10) == 0) ask.disable_api_stop = true;
  if (e.below(4) == 0) ask.shutdown_behavior = ShutdownBehavior::terminate;
  if (e.below(3) != 0) {
    ask.client_token = "token-" + std::to_string(++tokens_);
    ask.parameters_digest = e.hex(16);
  }
  send(tenant, "RunInstances", std::move(ask), e.below(12) == 0);
}

void Workload::repeat(std::size_t tenant) {
  std::optional<core::ApiCall> const used = auditor_.used_token(tenant, world_.entropy());
  if (!used) return;
  auto ask = std::get<core::RunInstances>(used->action);
  if (world_.entropy().below(3) == 0) {
    ask.max_count += 1;
    ask.parameters_digest += "-other";
  }
  send(tenant, "RunInstances", std::move(ask), world_.entropy().below(12) == 0);
}

void Workload::change_power(std::size_t tenant) {
  bool const dry_run = world_.entropy().below(20) == 0;
  auto ids = [&](core::InstanceState state) { return some_ids(tenant, state); };
  using core::InstanceState;
  switch (world_.entropy().below(15)) {
    case 0:
    case 1:
    case 2:
    case 13:
    case 14:
      send(tenant, "StartInstances", core::StartInstances{ids(InstanceState::stopped)}, dry_run);
      break;
    case 3:
    case 4:
    case 5:
    case 6:
      send(tenant, "StopInstances", core::StopInstances{ids(InstanceState::running)}, dry_run);
      break;
    case 7:
    case 8:
      send(tenant, "RebootInstances", core::RebootInstances{ids(InstanceState::running)}, dry_run);
      break;
    default:
      send(tenant, "TerminateInstances", core::TerminateInstances{some_ids(tenant)}, dry_run);
      break;
  }
}

void Workload::change_tags(std::size_t tenant) {
  std::vector<std::string> const ids = some_ids(tenant);
  if (ids.empty()) return;
  if (world_.entropy().below(3) != 0) {
    std::string const key = tag_word();
    send(tenant, "CreateTags", core::CreateTags{ids, {{key.empty() ? "k" : key, tag_word()}}});
    return;
  }
  core::DeleteTags ask{.resources = ids};
  if (world_.entropy().below(4) != 0) ask.tags.push_back({.key = "Name"});
  if (world_.entropy().below(4) == 0) ask.tags.push_back({.key = "stage", .value = tag_word()});
  send(tenant, "DeleteTags", std::move(ask));
}

void Workload::change_keys(std::size_t tenant) {
  std::string const name = "key-" + std::to_string(world_.entropy().below(12));
  if (world_.entropy().below(5) < 3) {
    send(tenant, "CreateKeyPair",
         core::AddKeyPair{.name = name,
                          .kind = KeyKind::ed25519,
                          .public_key = "ssh-ed25519 AAAA",
                          .fingerprint = "f"});
  } else {
    send(tenant, "DeleteKeyPair", core::DeleteKeyPair{.name = name});
  }
}

void Workload::modify(std::size_t tenant) {
  std::vector<std::string> const ids = some_ids(tenant);
  if (ids.empty()) return;
  core::ModifyInstance ask{.id = ids.front()};
  switch (world_.entropy().below(3)) {
    case 0: ask.disable_api_termination = world_.entropy().below(3) == 0; break;
    case 1: ask.disable_api_stop = world_.entropy().below(3) == 0; break;
    default: ask.type = cluster_.types[world_.entropy().below(cluster_.types.size())]; break;
  }
  send(tenant, "ModifyInstanceAttribute", std::move(ask));
}

void Workload::list_filtered(std::size_t tenant) {
  static std::vector<std::vector<core::Filter>> const kFilters = {
      {{"instance-state-name", {"running", "pending"}}},
      {{"instance-state-name", {"stop*"}}, {"instance-type", {"t3.*"}}},
      {{"tag:Name", {"*"}}},
      {{"tag:stage", {"t?st"}}, {"instance-state-name", {"running"}}},
      {{"instance-id", {"i-0*", "i-f*"}}},
      {{"availability-zone", {"us-east-1a"}}},
  };
  auto const filters = kFilters[world_.entropy().below(kFilters.size())];
  auto const all = std::make_shared<std::optional<Listing>>();
  cluster_.daemon.submit(call(tenant, "DescribeInstances", core::DescribeInstances{}),
                         [all](Result<core::Reply> reply) {
                           if (reply) *all = listing_of(std::get<core::Reservations>(*reply));
                         });
  cluster_.daemon.submit(
      call(tenant, "DescribeInstances", core::DescribeInstances{.filters = filters}),
      [this, all, filters](Result<core::Reply> reply) {
        if (*all) auditor_.judge_filtered(**all, filters, reply);
      });
}

void Workload::list_paged(std::size_t tenant) {
  auto const walk = std::make_shared<Walk>();
  walk->page = world_.entropy().between(5, 12);
  cluster_.daemon.submit(call(tenant, "DescribeInstances", core::DescribeInstances{}),
                         [this, tenant, walk](Result<core::Reply> reply) {
                           if (!reply) return;
                           walk->before = listing_of(std::get<core::Reservations>(*reply));
                           next_page(tenant, walk, "");
                         });
}

void Workload::next_page(std::size_t tenant, std::shared_ptr<Walk> walk, std::string token) {
  core::DescribeInstances ask{.page = {.max_results = walk->page, .next_token = std::move(token)}};
  cluster_.daemon.submit(call(tenant, "DescribeInstances", std::move(ask)),
                         [this, tenant, walk](Result<core::Reply> reply) {
                           if (!reply) return;  // disabled meanwhile
                           auto const& page = std::get<core::Reservations>(*reply);
                           for (auto const& [id, v] : listing_of(page)) walk->seen.push_back(id);
                           if (!page.next_token.empty()) {
                             next_page(tenant, walk, page.next_token);
                             return;
                           }
                           cluster_.daemon.submit(
                               call(tenant, "DescribeInstances", core::DescribeInstances{}),
                               [this, walk](Result<core::Reply> after) {
                                 if (!after) return;
                                 auditor_.judge_pages(
                                     walk->before, walk->seen,
                                     listing_of(std::get<core::Reservations>(*after)));
                               });
                         });
}

void Workload::ask_in_pairs(std::size_t tenant) {
  std::size_t const other = world_.entropy().below(ids_.size());
  if (other == tenant || ids_[other].empty()) return;
  auto it = ids_[other].begin();
  std::advance(it, static_cast<std::ptrdiff_t>(world_.entropy().below(ids_[other].size())));
  std::string const foreign = it->first;
  std::string const absent = absent_id();
  std::uint64_t const kind = world_.entropy().below(9);
  auto action = [kind](std::string const& id) -> core::ApiAction {
    switch (kind) {
      case 0: return core::StartInstances{{id}};
      case 1: return core::StopInstances{{id}};
      case 2: return core::RebootInstances{{id}};
      case 3: return core::TerminateInstances{{id}};
      case 4: return core::DescribeInstances{.ids = {id}};
      case 5: return core::DescribeInstanceStatus{.ids = {id}};
      case 6: return core::CreateTags{{id}, {{"k", "v"}}};
      case 7: return core::ModifyInstance{.id = id, .disable_api_stop = true};
      default: return core::ReadConsole{id};
    }
  };
  auto const first = std::make_shared<std::optional<Result<core::Reply>>>();
  cluster_.daemon.submit(call(tenant, "Pair", action(foreign)),
                         [first](Result<core::Reply> reply) { first->emplace(std::move(reply)); });
  cluster_.daemon.submit(call(tenant, "Pair", action(absent)),
                         [this, first, foreign, absent](Result<core::Reply> reply) {
                           if (*first) auditor_.judge_pair(foreign, **first, absent, reply);
                         });
}

void Workload::ask_anything(std::size_t tenant) {
  switch (world_.entropy().below(8)) {
    case 0: send(tenant, "DescribeInstanceTypes", core::DescribeInstanceTypes{}); break;
    case 1: send(tenant, "DescribeImages", core::DescribeImages{.owners = {"self"}}); break;
    case 2: send(tenant, "DescribeRegions", core::DescribeRegions{}); break;
    case 3: send(tenant, "DescribeAvailabilityZones", core::DescribeZones{}); break;
    case 4: send(tenant, "DescribeTags", core::DescribeTags{}); break;
    case 5: send(tenant, "DescribeAccountAttributes", core::DescribeAccountAttributes{}); break;
    case 6: send(tenant, "GetCallerIdentity", core::GetCallerIdentity{}); break;
    default:
      send(tenant, "DescribeInstanceStatus", core::DescribeInstanceStatus{.include_all = true});
      break;
  }
}

// ---- What operators do -------------------------------------------------------------------------

void Workload::admin(std::string name, core::AdminAction action, core::Gate::Done done) {
  world_.note("operator", name);
  core::AdminCall ask{.actor = "root",
                      .role = core::Role::admin,
                      .source = "local",
                      .request_id = "op-" + std::to_string(++requests_),
                      .action_name = std::move(name),
                      .action = std::move(action)};
  std::string const id = ask.request_id;
  cluster_.daemon.submit(std::move(ask),
                         [this, id, done = std::move(done)](Result<core::Reply> reply) {
                           if (reply) cluster_.checkers.on_acknowledged(id);
                           if (done) done(std::move(reply));
                         });
}

// An operator's change holds from its answer on; until then, and after a crash, nobody knows.
void Workload::enable_tenant(std::size_t t, bool is_enabled) {
  is_enabled_[t] = is_enabled;
  auditor_.tenant_enabled(t, is_enabled, false);
  admin("tenant.set", core::SetTenant{.id = cluster_.tenants[t].id.value, .enabled = is_enabled},
        [this, t, is_enabled, number = ++operator_calls_](Result<core::Reply> const& reply) {
          // A later call may be on its way already: then this answer says nothing.
          if (reply && operator_calls_ == number) auditor_.tenant_enabled(t, is_enabled, true);
        });
}

void Workload::raise_quota(std::size_t t) {
  Entropy& e = world_.entropy();
  Quota& quota = quota_[t];
  quota.instances += e.between(0, 20);
  quota.vcpus += e.between(0, 40);
  quota.memory += Mebibytes(e.between(0, 40) * 1'024);
  auditor_.quota_set(t, quota, false);
  admin("tenant.set", core::SetTenant{.id = cluster_.tenants[t].id.value, .quota = quota},
        [this, t, now = quota](Result<core::Reply> const& reply) {
          if (reply) auditor_.quota_set(t, now, true);
        });
}

void Workload::next_operator_call() {
  world_.after(world_.about(cluster_.options.operator_every), [this] {
    if (!is_running_) return;
    next_operator_call();
    if (!cluster_.daemon.is_up()) return;
    Entropy& e = world_.entropy();
    std::size_t const t = e.below(cluster_.tenants.size());
    std::string const host = cluster_.hosts[e.below(cluster_.hosts.size())]->machine().id().value;
    switch (e.below(6)) {
      case 0: admin("host.cordon", core::CordonHost{host, e.below(2) == 0}, nullptr); break;
      case 1: enable_tenant(t, !is_enabled_[t] || e.below(2) == 0); break;
      case 2: raise_quota(t); break;
      case 3: {
        is_key_enabled_[t] = !is_key_enabled_[t] || e.below(2) == 0;
        bool const is_enabled = is_key_enabled_[t];
        auditor_.key_enabled(t, is_enabled, false);
        admin("key.set", core::SetAccessKey{cluster_.tenants[t].key.value, is_enabled},
              [this, t, is_enabled, number = ++operator_calls_](Result<core::Reply> const& reply) {
                if (reply && operator_calls_ == number) auditor_.key_enabled(t, is_enabled, true);
              });
        break;
      }
      case 4: admin("host.remove", core::RemoveHost{"no-such-host"}, nullptr); break;
      default:
        admin("tenant.create", core::CreateTenant{.name = "more-" + std::to_string(++requests_)},
              nullptr);
        break;
    }
  });
}

}  // namespace berth::sim
