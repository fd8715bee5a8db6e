// Describe calls for instances. Order: by id; pages never repeat or lose one that stayed.

#include <algorithm>

#include "daemon/core/calls/calls.h"
#include "daemon/core/calls/placement_group_lookup.h"
#include "daemon/core/filter.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/page.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

// A record with what its filters need beside it.
struct Subject {
  InstanceView const& view;
  std::string const& region;
};

Values one(std::string value) {
  return value.empty() ? Values{} : Values{std::move(value)};
}
Values yes_no(bool value) {
  return {value ? "true" : "false"};
}
Values none(Subject const&) {
  return {};
}

// EC2's two status checks: the host's reachability, and the guest's as far as the host sees it.
std::string system_status(InstanceView const& v) {
  if (v.state != InstanceState::running) return "not-applicable";
  return v.host_health == HostHealth::up || v.host_health == HostHealth::suspect ? "ok"
                                                                                 : "impaired";
}

FilterField<Subject> const kInstanceFields[] = {
    {"instance-id", [](Subject const& s) { return Values{s.view.instance.id.value}; }},
    {"instance-type", [](Subject const& s) { return Values{s.view.instance.type.value}; }},
    {"instance-state-name",
     [](Subject const& s) { return Values{std::string(name(s.view.state))}; }},
    {"instance-state-code",
     [](Subject const& s) { return Values{std::to_string(static_cast<int>(s.view.state))}; }},
    {"image-id", [](Subject const& s) { return Values{s.view.instance.image.value}; }},
    {"availability-zone", [](Subject const& s) { return Values{s.view.instance.zone.value}; }},
    {"key-name", [](Subject const& s) { return one(s.view.instance.key_name); }},
    {"owner-id", [](Subject const& s) { return Values{s.view.instance.tenant.value}; }},
    {"reservation-id", [](Subject const& s) { return Values{s.view.instance.reservation.value}; }},
    {"client-token", [](Subject const& s) { return one(s.view.instance.client_token); }},
    {"private-ip-address", [](Subject const& s) { return one(s.view.instance.private_ip); }},
    {"network-interface.addresses.private-ip-address",
     [](Subject const& s) { return one(s.view.instance.private_ip); }},
    {"network-interface.mac-address", [](Subject const& s) { return one(s.view.instance.mac); }},
    {"private-dns-name",
     [](Subject const& s) { return one(private_dns_name(s.view.instance, s.region)); }},
    {"launch-time", [](Subject const& s) { return Values{iso8601(s.view.instance.launch_time)}; }},
    {"launch-index",
     [](Subject const& s) { return Values{std::to_string(s.view.instance.launch_index)}; }},
    {"architecture", [](Subject const&) { return Values{"x86_64"}; }},
    {"virtualization-type", [](Subject const&) { return Values{"hvm"}; }},
    {"hypervisor", [](Subject const&) { return Values{"xen"}; }},
    {"root-device-type", [](Subject const&) { return Values{"ebs"}; }},
    {"root-device-name", [](Subject const&) { return Values{"/dev/sda1"}; }},
    {"block-device-mapping.device-name", [](Subject const&) { return Values{"/dev/sda1"}; }},
    {"tenancy", [](Subject const&) { return Values{"default"}; }},
    {"monitoring-state",
     [](Subject const& s) {
       return Values{s.view.instance.is_monitored ? "enabled" : "disabled"};
     }},
    {"reason", [](Subject const& s) { return one(s.view.instance.transition_reason); }},
    {"state-reason-code", [](Subject const& s) { return one(s.view.instance.state_reason.code); }},
    {"state-reason-message",
     [](Subject const& s) { return one(s.view.instance.state_reason.message); }},
    {"ebs-optimized", [](Subject const& s) { return yes_no(s.view.instance.ebs_optimized); }},
    {"placement-group-name", [](Subject const& s) { return one(s.view.placement_group_name); }},
    {"placement-partition-number",
     [](Subject const& s) {
       bool const is_member = !s.view.placement_group_name.empty();
       std::int32_t const number = s.view.instance.partition;
       return is_member && number > 0 ? Values{std::to_string(number)} : Values{};
     }},
    // EC2 knows these; no instance here has a value for them yet, so nothing matches.
    {"dns-name", none},
    {"ip-address", none},
    {"vpc-id", none},
    {"subnet-id", none},
    {"group-id", none},
    {"group-name", none},
    {"instance.group-id", none},
    {"instance.group-name", none},
    {"platform", none},
    {"product-code", none},
    {"spot-instance-request-id", none},
    {"instance-lifecycle", none},
    {"iam-instance-profile.arn", none},
    {"host-id", none},
    {"ramdisk-id", none},
    {"kernel-id", none},
    {"affinity", none},
    {"capacity-reservation-id", none},
    {"requester-id", none},
    {"source-dest-check", none},
    {"outpost-arn", none},
    {"network-interface.subnet-id", none},
    {"network-interface.vpc-id", none},
    {"network-interface.network-interface-id", none},
    {"network-interface.group-id", none},
    {"block-device-mapping.volume-id", none},
    {"block-device-mapping.status", none},
    {"tag", none},  // says that tag filters apply
};

FilterField<Subject> const kStatusFields[] = {
    {"availability-zone", [](Subject const& s) { return Values{s.view.instance.zone.value}; }},
    {"instance-state-name",
     [](Subject const& s) { return Values{std::string(name(s.view.state))}; }},
    {"instance-state-code",
     [](Subject const& s) { return Values{std::to_string(static_cast<int>(s.view.state))}; }},
    {"instance-status.status", [](Subject const& s) { return Values{system_status(s.view)}; }},
    {"system-status.status", [](Subject const& s) { return Values{system_status(s.view)}; }},
    {"instance-status.reachability",
     [](Subject const& s) { return Values{system_status(s.view) == "ok" ? "passed" : "failed"}; }},
    {"system-status.reachability",
     [](Subject const& s) { return Values{system_status(s.view) == "ok" ? "passed" : "failed"}; }},
    {"event.code", none},
    {"event.description", none},
    {"event.instance-event-id", none},
    {"event.not-after", none},
    {"event.not-before", none},
    {"event.not-before-deadline", none},
    {"tag", none},
};

Result<void> check_page(std::vector<std::string> const& ids, Page const& page) {
  if (!ids.empty() && page.max_results) {
    return Error{Code::invalid, "combination",
                 "The parameter instancesSet cannot be used with the parameter maxResults"};
  }
  return {};
}

struct Selection {
  std::vector<InstanceView> items;
  std::string next_token;
};

// The tenant's instances by ids, filters and page. `look` writes the view that filters and answer
// are about where it will stay (a record is large to move); false for what the call leaves out.
template <class Look>
Result<Selection> select(State const& state, Caller const& caller,
                         std::vector<std::string> const& ids, std::vector<Filter> const& filters,
                         Page const& page, std::span<FilterField<Subject> const> fields,
                         Look look) {
  TRY(check_page(ids, page));
  std::string const start = TRY(page_start(page, "instances", {}));
  auto const set = TRY(FilterSet<Subject>::make(fields, filters));
  Selection out;
  PageFill fill(page, "instances");
  // False: the page is full.
  auto const consider = [&](Instance const& instance) {
    InstanceView& v = out.items.emplace_back();
    bool const is_meant =
        look(instance, v) && set.accepts(Subject{v, state.region.name}, &instance.tags);
    bool const has_room = !is_meant || fill.take(instance.id.value);
    if (!is_meant || !has_room) out.items.pop_back();
    return has_room;
  };
  if (!ids.empty()) {
    auto const asked = TRY(own_instances(state, caller.tenant, ids));
    out.items.reserve(asked.size() + 1);
    for (Instance const* instance : asked) {
      if (!consider(*instance)) break;
    }
  } else if (auto const* own = find(state.derived.instances_of_tenant, caller.tenant)) {
    out.items.reserve(
        std::min(own->size(), static_cast<std::size_t>(page.max_results.value_or(0)) + 1));
    auto it = own->upper_bound(InstanceId(start));
    while (it != own->end() && consider(state.instances.at(*it))) ++it;
  }
  out.next_token = fill.next_token();
  return out;
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller, DescribeInstances const& ask,
                      Context&) {
  // What it says of an instance does not depend on its host: nothing is looked up for it.
  auto const look = [&state](Instance const& i, InstanceView& v) {
    v.instance = i;
    v.state = instance_state(i);
    v.host_health = HostHealth::up;
    v.placement_group_name = group_name_of(state, i);
    return true;
  };
  Selection found =
      TRY(select(state, caller, ask.ids, ask.filters, ask.page, kInstanceFields, look));
  Reservations reply{.next_token = std::move(found.next_token)};
  reply.items.reserve(found.items.size());
  std::map<std::string_view, std::size_t> index;  // into the ids of the reply, which do not move
  for (InstanceView& v : found.items) {
    auto it = index.find(v.instance.reservation.value);
    if (it == index.end()) {
      reply.items.push_back({.id = v.instance.reservation, .owner = v.instance.tenant});
      it = index.try_emplace(reply.items.back().id.value, reply.items.size() - 1).first;
    }
    reply.items[it->second].instances.push_back(std::move(v));
  }
  for (ReservationView& r : reply.items) {
    std::ranges::sort(r.instances, {},
                      [](InstanceView const& v) { return v.instance.launch_index; });
  }
  return Decision{.reply = std::move(reply)};
}

Result<Decision> call(State const& state, Caller const& caller, DescribeInstanceStatus const& ask,
                      Context& context) {
  auto const look = [&](Instance const& i, InstanceView& v) {
    if (!ask.include_all && instance_state(i) != InstanceState::running) return false;
    v = view(state, i, context);
    return true;
  };
  Selection found = TRY(select(state, caller, ask.ids, ask.filters, ask.page, kStatusFields, look));
  return Decision{.reply = Statuses{std::move(found.items), std::move(found.next_token)}};
}

Result<Decision> call(State const& state, Caller const& caller, DescribeInstance const& ask,
                      Context& context) {
  Instance const* instance = TRY(own_instance(state, caller.tenant, ask.id));
  return Decision{.reply = OneInstance{view(state, *instance, context)}};
}

Result<Decision> call(State const& state, Caller const& caller, ReadConsole const& ask, Context&) {
  Instance const* instance = TRY(own_instance(state, caller.tenant, ask.id));
  ConsoleAt reply{.instance = instance->id};
  if (instance->placement) reply.host = instance->placement->host;
  return Decision{.reply = std::move(reply)};
}

}  // namespace berth::core
