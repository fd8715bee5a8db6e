// Operators' calls on zones, tenants and access keys.

#include <algorithm>

#include "daemon/core/calls/calls.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

// EC2's zone ids: "use1-az1" for us-east-1. Two letters of the area, the first of each further
// word, the number; then a running number within the region.
std::string zone_id(std::string_view region, std::size_t number) {
  std::string out;
  std::size_t word = 0;
  for (std::size_t i = 0; i < region.size(); ++word) {
    std::size_t const end = std::min(region.find('-', i), region.size());
    std::string_view const part = region.substr(i, end - i);
    if (word == 0)
      out += part.substr(0, 2);
    else if (!part.empty())
      out += part.front();
    i = end + 1;
  }
  return out + "-az" + std::to_string(number);
}

bool is_jurisdiction(std::string const& code) {
  return code.empty() || (code.size() == 2 &&
                          std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; }));
}

Result<Tenant const*> find_tenant(State const& state, std::string const& id) {
  Tenant const* tenant = find(state.tenants, TenantId(id));
  if (tenant != nullptr) return tenant;
  return Error{Code::not_found, "tenant", "no tenant has the id '" + id + "'"};
}

Result<AccessKey const*> find_key(State const& state, std::string const& id) {
  AccessKey const* key = find(state.access_keys, AccessKeyId(id));
  if (key != nullptr) return key;
  return Error{Code::not_found, "access-key", "no access key has the id '" + id + "'"};
}

TenantView tenant_view(State const& state, Tenant const& tenant) {
  TenantView view{.tenant = tenant, .used = used_by(state, tenant.id)};
  auto const& keys = state.derived.key_pair_by_name;
  for (auto it = keys.lower_bound({tenant.id, ""});
       it != keys.end() && it->first.first == tenant.id; ++it) {
    ++view.key_pairs;
  }
  return view;
}

}  // namespace

Result<Decision> admin_call(State const& state, PutZoneCall const& ask, Context& context) {
  if (!is_label(ask.name)) {
    return Error{Code::invalid, "name",
                 "a zone's name is 1 to 63 lower-case letters, digits, '-' or '.'; found '" +
                     ask.name + "'"};
  }
  if (!ask.name.starts_with(state.region.name) || ask.name.size() == state.region.name.size()) {
    return Error{Code::invalid, "name",
                 "a zone's name is the region's name and a letter, like " + state.region.name +
                     "a (clients check it); found '" + ask.name + "'"};
  }
  if (!is_jurisdiction(ask.jurisdiction)) {
    return Error{Code::invalid, "parameter",
                 "a jurisdiction is a two-letter ISO 3166-1 code in capitals; found '" +
                     ask.jurisdiction + "'"};
  }
  Zone const* old = find(state.zones, ZoneName(ask.name));
  if (old == nullptr && state.zones.size() >= limits::kZonesMax) {
    return Error{Code::quota, "zones",
                 "a region has at most " + std::to_string(limits::kZonesMax) + " zones"};
  }
  Zone zone = old != nullptr ? *old
                             : Zone{.name = ZoneName(ask.name),
                                    .id = zone_id(state.region.name, state.zones.size() + 1),
                                    .created = context.now.wall};
  zone.jurisdiction = ask.jurisdiction;
  zone.operator_name = ask.operator_name;
  Decision decision{.reply = ZoneList{{ZoneView{.zone = zone}}}};
  decision.changes.emplace_back(PutZone{std::move(zone)});
  return decision;
}

Result<Decision> admin_call(State const& state, ListZones const&, Context&) {
  ZoneList reply;
  for (auto const& [name, zone] : state.zones) {
    ZoneView view{.zone = zone};
    for (auto const& [id, room] : state.derived.fleet) {
      if (room.zone != name) continue;
      ++view.hosts;
      view.capacity += room.capacity;
      view.used += room.used;
    }
    reply.items.push_back(std::move(view));
  }
  return Decision{.reply = std::move(reply)};
}

Result<Decision> admin_call(State const& state, CreateTenant const& ask, Context& context) {
  if (!is_name(ask.name)) {
    return Error{Code::invalid, "name",
                 "a tenant needs a name of 1 to 255 letters, digits and ._-:/@+=()"};
  }
  if (state.tenants.size() >= limits::kTenantsMax) {
    return Error{Code::quota, "tenants", "the region is at its limit of tenants"};
  }
  for (auto const& [id, tenant] : state.tenants) {
    if (tenant.name == ask.name) {
      return Error{Code::exists, "tenant", "tenant '" + ask.name + "' exists with id " + id.value};
    }
  }
  std::string id = ask.id.value_or("");
  bool const is_digits = std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
  if (ask.id && (id.size() != 12 || !is_digits)) {
    return Error{Code::invalid, "parameter", "a tenant's id is 12 digits; found '" + id + "'"};
  }
  if (ask.id && state.tenants.contains(TenantId(id))) {
    return Error{Code::exists, "tenant", "a tenant with id " + id + " exists"};
  }
  while (id.empty() || state.tenants.contains(TenantId(id))) id = drawn_account_id(context.entropy);
  Tenant tenant{.id = TenantId(id),
                .name = ask.name,
                .quota = context.policy.default_quota,
                .created = context.now.wall};
  Decision decision{.reply = TenantList{{TenantView{.tenant = tenant}}}};
  decision.changes.emplace_back(PutTenant{std::move(tenant)});
  return decision;
}

Result<Decision> admin_call(State const& state, SetTenant const& ask, Context&) {
  Tenant tenant = *TRY(find_tenant(state, ask.id));
  if (ask.enabled) tenant.enabled = *ask.enabled;
  if (ask.quota) {
    Quota const& q = *ask.quota;
    if (q.instances < 0 || q.vcpus < 0 || q.memory.value < 0 || q.disk_gib < 0 || q.key_pairs < 0 ||
        q.images < 0) {
      return Error{Code::invalid, "parameter", "a quota is a number from 0 on"};
    }
    tenant.quota = q;
  }
  Decision decision{.reply = TenantList{{tenant_view(state, tenant)}}};
  decision.changes.emplace_back(PutTenant{std::move(tenant)});
  return decision;
}

Result<Decision> admin_call(State const& state, ListTenants const&, Context&) {
  TenantList reply;
  for (auto const& [id, tenant] : state.tenants) reply.items.push_back(tenant_view(state, tenant));
  return Decision{.reply = std::move(reply)};
}

Result<Decision> admin_call(State const& state, CreateAccessKey const& ask, Context& context) {
  Tenant const* tenant = TRY(find_tenant(state, ask.tenant));
  if (ask.id.empty() || ask.secret_sealed.empty()) {
    return Error{Code::invalid, "parameter", "an access key needs an id and a sealed secret"};
  }
  if (state.access_keys.contains(AccessKeyId(ask.id))) {
    return Error{Code::exists, "access-key", "access key " + ask.id + " exists"};
  }
  auto const* keys = find(state.derived.access_keys_of_tenant, tenant->id);
  if (keys != nullptr && keys->size() >= limits::kAccessKeysPerTenantMax) {
    return Error{
        Code::quota, "access-key",
        "a tenant has at most " + std::to_string(limits::kAccessKeysPerTenantMax) + " access keys"};
  }
  AccessKey key{.id = AccessKeyId(ask.id),
                .tenant = tenant->id,
                .secret_sealed = ask.secret_sealed,
                .created = context.now.wall};
  Decision decision{.reply = AccessKeyList{{key}}};
  decision.changes.emplace_back(PutAccessKey{std::move(key)});
  return decision;
}

Result<Decision> admin_call(State const& state, SetAccessKey const& ask, Context&) {
  AccessKey key = *TRY(find_key(state, ask.id));
  key.enabled = ask.enabled;
  Decision decision{.reply = AccessKeyList{{key}}};
  decision.changes.emplace_back(PutAccessKey{std::move(key)});
  return decision;
}

Result<Decision> admin_call(State const& state, DeleteAccessKey const& ask, Context&) {
  AccessKey const* key = TRY(find_key(state, ask.id));
  Decision decision{.reply = Done{}};
  decision.changes.emplace_back(EraseAccessKey{key->id});
  return decision;
}

Result<Decision> admin_call(State const& state, ListAccessKeys const& ask, Context&) {
  if (!ask.tenant.empty()) TRY(find_tenant(state, ask.tenant));
  AccessKeyList reply;
  for (auto const& [id, key] : state.access_keys) {
    if (ask.tenant.empty() || key.tenant.value == ask.tenant) reply.items.push_back(key);
  }
  return Decision{.reply = std::move(reply)};
}

}  // namespace berth::core
