// DescribeRegions, DescribeAvailabilityZones, DescribeAccountAttributes, GetCallerIdentity.

#include <algorithm>

#include "daemon/core/calls/calls.h"
#include "daemon/core/filter.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

struct RegionSubject {
  std::string const& name;
};
struct ZoneSubject {
  Zone const& zone;
  std::string const& region;
};

Values no_message(ZoneSubject const&) {
  return {};
}

FilterField<RegionSubject> const kRegionFields[] = {
    {"region-name", [](RegionSubject const& r) { return Values{r.name}; }},
    {"endpoint", [](RegionSubject const& r) { return Values{"ec2." + r.name + ".amazonaws.com"}; }},
    {"opt-in-status", [](RegionSubject const&) { return Values{"opt-in-not-required"}; }},
};

FilterField<ZoneSubject> const kZoneFields[] = {
    {"zone-name", [](ZoneSubject const& z) { return Values{z.zone.name.value}; }},
    {"zone-id", [](ZoneSubject const& z) { return Values{z.zone.id}; }},
    {"region-name", [](ZoneSubject const& z) { return Values{z.region}; }},
    {"group-name", [](ZoneSubject const& z) { return Values{z.region}; }},
    {"state", [](ZoneSubject const&) { return Values{"available"}; }},
    {"zone-state", [](ZoneSubject const&) { return Values{"available"}; }},
    {"zone-type", [](ZoneSubject const&) { return Values{"availability-zone"}; }},
    {"opt-in-status", [](ZoneSubject const&) { return Values{"opt-in-not-required"}; }},
    {"message", no_message},
    {"parent-zone-id", no_message},
    {"parent-zone-name", no_message},
};

bool contains(std::vector<std::string> const& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

}  // namespace

Result<Decision> call(State const& state, Caller const&, DescribeRegions const& ask, Context&) {
  auto const set = TRY(FilterSet<RegionSubject>::make(kRegionFields, ask.filters));
  for (std::string const& name : ask.names) {
    if (name != state.region.name) {
      return Error{Code::invalid, "parameter", "Invalid region names provided: '" + name + "'"};
    }
  }
  Regions reply;
  if (set.accepts(RegionSubject{state.region.name}, nullptr))
    reply.names.push_back(state.region.name);
  return Decision{.reply = std::move(reply)};
}

Result<Decision> call(State const& state, Caller const&, DescribeZones const& ask, Context&) {
  auto const set = TRY(FilterSet<ZoneSubject>::make(kZoneFields, ask.filters));
  for (std::string const& name : ask.names) {
    if (!state.zones.contains(ZoneName(name))) {
      return Error{Code::invalid, "zone", "Invalid availability zone: [" + name + "]"};
    }
  }
  for (std::string const& id : ask.ids) {
    bool const exists =
        std::ranges::any_of(state.zones, [&](auto const& z) { return z.second.id == id; });
    if (!exists) return Error{Code::invalid, "zone", "Invalid availability zone-id: [" + id + "]"};
  }
  Zones reply{.region = state.region.name};
  for (auto const& [name, zone] : state.zones) {
    if (!ask.names.empty() && !contains(ask.names, name.value)) continue;
    if (!ask.ids.empty() && !contains(ask.ids, zone.id)) continue;
    if (set.accepts(ZoneSubject{zone, state.region.name}, nullptr)) reply.items.push_back(zone);
  }
  return Decision{.reply = std::move(reply)};
}

Result<Decision> call(State const& state, Caller const& caller, DescribeAccountAttributes const&,
                      Context&) {
  return Decision{.reply = AccountAttributes{state.tenants.at(caller.tenant).quota}};
}

Result<Decision> call(State const& state, Caller const& caller, GetCallerIdentity const&,
                      Context&) {
  return Decision{
      .reply = CallerIdentity{caller.tenant, caller.key, state.tenants.at(caller.tenant).name}};
}

}  // namespace berth::core
