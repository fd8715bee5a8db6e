// DescribeInstanceTypes, DescribeInstanceTypeOfferings.

#include "daemon/core/calls/calls.h"
#include "daemon/core/filter.h"
#include "daemon/core/page.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

Values yes_no(bool value) {
  return {value ? "true" : "false"};
}
Values none(InstanceType const&) {
  return {};
}

FilterField<InstanceType> const kTypeFields[] = {
    {"instance-type", [](InstanceType const& t) { return Values{t.name.value}; }},
    {"current-generation", [](InstanceType const& t) { return yes_no(t.is_current_generation); }},
    {"free-tier-eligible", [](InstanceType const& t) { return yes_no(t.is_free_tier_eligible); }},
    {"burstable-performance-supported",
     [](InstanceType const& t) { return yes_no(t.is_burstable); }},
    {"bare-metal", [](InstanceType const&) { return yes_no(false); }},
    {"hypervisor", [](InstanceType const&) { return Values{"nitro"}; }},
    {"vcpu-info.default-vcpus",
     [](InstanceType const& t) { return Values{std::to_string(t.vcpus)}; }},
    {"vcpu-info.default-cores",
     [](InstanceType const& t) { return Values{std::to_string(t.vcpus / t.threads_per_core)}; }},
    {"vcpu-info.default-threads-per-core",
     [](InstanceType const& t) { return Values{std::to_string(t.threads_per_core)}; }},
    {"memory-info.size-in-mib",
     [](InstanceType const& t) { return Values{std::to_string(t.memory.value)}; }},
    {"processor-info.supported-architecture", [](InstanceType const&) { return Values{"x86_64"}; }},
    {"supported-usage-class", [](InstanceType const&) { return Values{"on-demand"}; }},
    {"supported-root-device-type", [](InstanceType const&) { return Values{"ebs"}; }},
    {"supported-virtualization-type", [](InstanceType const&) { return Values{"hvm"}; }},
    {"supported-boot-mode", [](InstanceType const&) { return Values{"legacy-bios"}; }},
    {"instance-storage-supported", [](InstanceType const&) { return yes_no(false); }},
    {"hibernation-supported", [](InstanceType const&) { return yes_no(false); }},
    {"dedicated-hosts-supported", [](InstanceType const&) { return yes_no(false); }},
    {"auto-recovery-supported", [](InstanceType const&) { return yes_no(false); }},
    {"ebs-info.ebs-optimized-support", [](InstanceType const&) { return Values{"default"}; }},
    {"ebs-info.encryption-support", [](InstanceType const&) { return Values{"unsupported"}; }},
    {"ebs-info.nvme-support", [](InstanceType const&) { return Values{"unsupported"}; }},
    {"network-info.ena-support", [](InstanceType const&) { return Values{"unsupported"}; }},
    {"network-info.ipv6-supported", [](InstanceType const&) { return yes_no(false); }},
    {"network-info.efa-supported", [](InstanceType const&) { return yes_no(false); }},
    {"instance-storage-info.disk.count", none},
    {"instance-storage-info.disk.size-in-gb", none},
    {"instance-storage-info.disk.type", none},
    {"instance-storage-info.nvme-support", none},
    {"instance-storage-info.total-size-in-gb", none},
    {"network-info.maximum-network-interfaces", none},
    {"network-info.network-performance", none},
    {"processor-info.sustained-clock-speed-in-ghz", none},
    {"vcpu-info.valid-cores", none},
    {"vcpu-info.valid-threads-per-core", none},
};

FilterField<Offering> const kOfferingFields[] = {
    {"instance-type", [](Offering const& o) { return Values{o.type.value}; }},
    {"location", [](Offering const& o) { return Values{o.location}; }},
};

}  // namespace

Result<Decision> call(State const& state, Caller const&, DescribeInstanceTypes const& ask,
                      Context&) {
  if (!ask.names.empty() && ask.page.max_results) {
    return Error{Code::invalid, "combination",
                 "The parameter InstanceTypes cannot be used with the parameter MaxResults"};
  }
  std::string const start = TRY(page_start(ask.page, "types", {.low = 5, .high = 100}));
  auto const set = TRY(FilterSet<InstanceType>::make(kTypeFields, ask.filters));
  std::string missing;
  std::set<std::string> const wanted(ask.names.begin(), ask.names.end());
  for (std::string const& name : wanted) {
    if (!state.types.contains(TypeName(name))) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty()) {
    return Error{Code::not_found, "instance-type",
                 "The following supplied instance types do not exist: [" + missing + "]"};
  }
  Types reply;
  PageFill fill(ask.page, "types");
  for (auto it = state.types.upper_bound(TypeName(start)); it != state.types.end(); ++it) {
    if (!wanted.empty() && !wanted.contains(it->first.value)) continue;
    if (!set.accepts(it->second, nullptr)) continue;
    if (!fill.take(it->first.value)) break;
    reply.items.push_back(it->second);
  }
  reply.next_token = fill.next_token();
  return Decision{.reply = std::move(reply)};
}

Result<Decision> call(State const& state, Caller const&, DescribeInstanceTypeOfferings const& ask,
                      Context&) {
  std::string const start = TRY(page_start(ask.page, "offerings", {}));
  auto const set = TRY(FilterSet<Offering>::make(kOfferingFields, ask.filters));
  Offerings reply{.location_type = ask.location_type.empty() ? "region" : ask.location_type};
  std::vector<std::string> locations;
  if (reply.location_type == "region") {
    locations.push_back(state.region.name);
  } else if (reply.location_type == "availability-zone" ||
             reply.location_type == "availability-zone-id") {
    for (auto const& [name, zone] : state.zones) {
      locations.push_back(reply.location_type == "availability-zone" ? name.value : zone.id);
    }
  } else {
    return Error{
        Code::invalid, "parameter",
        "Value (" + ask.location_type +
            ") for parameter LocationType is invalid. Expecting region, availability-zone or "
            "availability-zone-id"};
  }
  PageFill fill(ask.page, "offerings");
  for (auto const& [name, type] : state.types) {
    for (std::string const& location : locations) {
      std::string const key = name.value + "@" + location;
      Offering offering{name, location};
      if (key <= start || !set.accepts(offering, nullptr)) continue;
      if (!fill.take(key)) {
        reply.next_token = fill.next_token();
        return Decision{.reply = std::move(reply)};
      }
      reply.items.push_back(std::move(offering));
    }
  }
  return Decision{.reply = std::move(reply)};
}

}  // namespace berth::core
