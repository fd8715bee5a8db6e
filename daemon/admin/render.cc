#include "daemon/admin/render.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "berth/base/overloaded.h"

namespace berth::admin {
namespace {

namespace json = boost::json;

std::string_view name_of(HostHealth health) {
  switch (health) {
    case HostHealth::never_seen: return "never_seen";
    case HostHealth::up: return "up";
    case HostHealth::suspect: return "suspect";
    case HostHealth::lost: return "lost";
  }
  return "";
}
std::string_view name_of(Wanted wanted) {
  switch (wanted) {
    case Wanted::running: return "running";
    case Wanted::stopped: return "stopped";
    case Wanted::terminated: return "terminated";
  }
  return "";
}
std::string_view name_of(Seen seen) {
  switch (seen) {
    case Seen::nothing: return "nothing";
    case Seen::preparing: return "preparing";
    case Seen::running: return "running";
    case Seen::stopped: return "stopped";
    case Seen::absent: return "absent";
    case Seen::failed: return "failed";
  }
  return "";
}
std::string_view name_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::qcow2: return "qcow2";
    case ImageFormat::raw: return "raw";
  }
  return "";
}

json::string text(std::string_view s) {
  return json::string(json::string_view(s.data(), s.size()));
}

json::value time(WallTime t) {
  return t.ms == 0 ? json::value(nullptr) : json::value(text(iso8601(t)));
}

json::object tags_of(Tags const& tags) {
  json::object out;
  for (auto const& [key, value] : tags) out[key] = text(value);
  return out;
}

json::object object(core::Amount const& a) {
  return {{"vcpus", a.vcpus},
          {"memory_mib", a.memory.value},
          {"disk_gib", a.disk_gib},
          {"instances", a.instances}};
}

json::object object(core::ZoneView const& v) {
  return {{"name", text(v.zone.name.value)},
          {"id", text(v.zone.id)},
          {"jurisdiction", text(v.zone.jurisdiction)},
          {"operator", text(v.zone.operator_name)},
          {"hosts", v.hosts},
          {"capacity", object(v.capacity)},
          {"used", object(v.used)},
          {"created", time(v.zone.created)}};
}

json::object object(core::TenantView const& v) {
  Quota const& q = v.tenant.quota;
  json::object quota{{"instances", q.instances},     {"vcpus", q.vcpus},
                     {"memory_mib", q.memory.value}, {"disk_gib", q.disk_gib},
                     {"key_pairs", q.key_pairs},     {"images", q.images}};
  return {{"id", text(v.tenant.id.value)},    {"name", text(v.tenant.name)},
          {"enabled", v.tenant.enabled},      {"quota", std::move(quota)},
          {"used", object(v.used)},           {"key_pairs", v.key_pairs},
          {"created", time(v.tenant.created)}};
}

json::object object(AccessKey const& k) {
  return {{"access_key_id", text(k.id.value)},
          {"tenant", text(k.tenant.value)},
          {"enabled", k.enabled},
          {"created", time(k.created)}};
}

json::object object(HostInventory const& i) {
  return {{"hostname", text(i.hostname)},
          {"cpu_model", text(i.cpu_model)},
          {"cpu_vendor", text(i.cpu_vendor)},
          {"cpus", cpu_count(i)},
          {"memory_mib", memory(i).value},
          {"numa_cells", i.cells.size()},
          {"virt_type", i.virt_type == VirtType::kvm ? "kvm" : "qemu"},
          {"is_confined", i.is_confined},
          {"disk_total_bytes", i.disk_total.value},
          {"disk_free_bytes", i.disk_free.value},
          {"libvirt_version", text(i.libvirt_version)},
          {"qemu_version", text(i.qemu_version)},
          {"agent_version", text(i.agent_version)}};
}

json::object object(core::HostView const& v) {
  json::array foreign, unknown;
  for (std::string const& domain : v.foreign) foreign.emplace_back(text(domain));
  for (InstanceId const& id : v.unknown) unknown.emplace_back(text(id.value));
  Host const& h = v.host;
  return {{"id", text(h.id.value)},
          {"name", text(h.name)},
          {"zone", text(h.zone.value)},
          {"rack", text(h.rack)},
          {"tags", tags_of(h.tags)},
          {"health", text(name_of(v.health))},
          {"is_cordoned", h.is_cordoned},
          {"is_connected", v.is_connected},
          {"is_current", v.is_current},
          {"has_joined", !h.host_uuid.empty()},
          {"host_uuid", text(h.host_uuid)},
          {"seconds_since_seen",
           v.seconds_since_seen < 0 ? json::value(nullptr) : json::value(v.seconds_since_seen)},
          {"capacity", object(v.capacity)},
          {"used", object(v.used)},
          {"foreign_domains", std::move(foreign)},
          {"unknown_instances", std::move(unknown)},
          {"inventory", h.inventory ? json::value(object(*h.inventory)) : json::value(nullptr)},
          {"created", time(h.created)}};
}

json::object object(InstanceType const& t) {
  return {{"name", text(t.name.value)},
          {"vcpus", t.vcpus},
          {"memory_mib", t.memory.value},
          {"threads_per_core", t.threads_per_core},
          {"burstable", t.is_burstable},
          {"current_generation", t.is_current_generation},
          {"free_tier_eligible", t.is_free_tier_eligible},
          {"network_mbps", t.network_mbps},
          {"ebs_mbps", t.ebs_mbps},
          {"cpu_vendor", text(t.cpu_vendor)},
          {"dedicated_cpus", t.is_cpu_dedicated}};
}

std::string numbers(std::vector<std::int32_t> const& all) {
  std::string out;
  for (std::int32_t const n : all) out += (out.empty() ? "" : ",") + std::to_string(n);
  return out;
}

json::object object(Image const& i) {
  return {{"id", text(i.id.value)},
          {"name", text(i.name)},
          {"description", text(i.description)},
          {"owner", text(i.owner.value)},
          {"public", i.is_public},
          {"format", text(name_of(i.format))},
          {"digest", text(i.digest)},
          {"file_bytes", i.file_size.value},
          {"virtual_bytes", i.virtual_size.value},
          {"tags", tags_of(i.tags)},
          {"created", time(i.created)}};
}

// User data may hold a tenant's secrets: its size is all that operators see.
json::object object(core::InstanceView const& v) {
  Instance const& i = v.instance;
  json::value host(nullptr), health(nullptr), generation(nullptr);
  if (i.placement) {
    host = text(i.placement->host.value);
    health = text(name_of(v.host_health));
    generation = i.placement->generation.value;
  }
  Placement const place = i.placement.value_or(Placement{});
  std::string const reason =
      i.state_reason.code.empty() ? "" : i.state_reason.code + ": " + i.state_reason.message;
  return {{"id", text(i.id.value)},
          {"tenant", text(i.tenant.value)},
          {"reservation", text(i.reservation.value)},
          {"type", text(i.type.value)},
          {"vcpus", i.vcpus},
          {"memory_mib", i.memory.value},
          {"disk_gib", i.disk_gib},
          {"image", text(i.image.value)},
          {"state", text(core::name(v.state))},
          {"wanted", text(name_of(i.wanted))},
          {"seen", text(name_of(i.seen))},
          {"seen_reason", text(i.seen_reason)},
          {"state_reason", text(reason)},
          {"zone", text(i.zone.value)},
          {"host", std::move(host)},
          {"host_name", text(v.host_name)},
          {"host_health", std::move(health)},
          {"generation", std::move(generation)},
          {"cells", numbers(place.cells)},
          {"cpus", numbers(place.cpus)},
          {"unpinned", text(v.unpinned)},
          {"private_ip", text(i.private_ip)},
          {"mac", text(i.mac)},
          {"uuid", text(i.uuid)},
          {"key_name", text(i.key_name)},
          {"user_data_bytes", i.user_data.size()},
          {"tags", tags_of(i.tags)},
          {"launch_time", time(i.launch_time)},
          {"created", time(i.created)},
          {"ended", time(i.ended)}};
}

json::object object(core::AuditRecord const& r) {
  json::array subjects;
  for (std::string const& s : r.subjects) subjects.emplace_back(text(s));
  return {{"number", r.number},         {"time_ms", r.time.ms},
          {"time", time(r.time)},       {"actor", text(r.actor)},
          {"source", text(r.source)},   {"request_id", text(r.request_id)},
          {"action", text(r.action)},   {"subjects", std::move(subjects)},
          {"outcome", text(r.outcome)}, {"digest", text(r.digest)}};
}

json::object object(core::Summary const& s, std::string_view version) {
  json::object hosts{{"never_seen", 0}, {"up", 0}, {"suspect", 0}, {"lost", 0}};
  for (auto const& [health, count] : s.hosts) hosts[json::string_view(name_of(health))] = count;
  json::object instances{{"pending", 0}, {"running", 0},       {"stopping", 0},
                         {"stopped", 0}, {"shutting_down", 0}, {"terminated", 0}};
  for (auto const& [state, count] : s.instances) {
    std::string key(core::name(state));
    std::ranges::replace(key, '-', '_');
    instances[key] = count;
  }
  json::array zones;
  for (core::ZoneView const& zone : s.zones) zones.emplace_back(object(zone));
  return {
      {"region", text(s.region)}, {"term", s.term.value},      {"quarantined", s.is_quarantined},
      {"version", text(version)}, {"tenants", s.tenants},      {"images", s.images},
      {"types", s.types},         {"hosts", std::move(hosts)}, {"instances", std::move(instances)},
      {"zones", std::move(zones)}};
}

json::array texts(std::vector<std::string> const& all) {
  json::array out;
  for (std::string const& one : all) out.emplace_back(text(one));
  return out;
}
json::array ids(std::vector<InstanceId> const& all) {
  json::array out;
  for (InstanceId const& one : all) out.emplace_back(text(one.value));
  return out;
}

json::object object(core::UnknownInstance const& u) {
  return {{"id", text(u.id.value)},         {"host", text(u.host.value)},
          {"host_name", text(u.host_name)}, {"tenant", text(u.tenant)},
          {"type", text(u.type)},           {"obstacle", text(u.obstacle)}};
}

json::object object(core::RegionView const& v) {
  auto const& quarantine = v.region.quarantine;
  auto const adoptable = std::ranges::count(v.unknown, "", &core::UnknownInstance::obstacle);
  return {{"region", text(v.region.name)},
          {"term", v.region.term.value},
          {"quarantined", quarantine.has_value()},
          {"since", quarantine ? time(quarantine->since) : json::value(nullptr)},
          {"reason", text(quarantine ? quarantine->reason : "")},
          {"unknown_instances", v.unknown.size()},
          {"adoptable_instances", quarantine ? adoptable : 0},
          {"gone_instances", ids(v.gone)},
          {"silent_hosts", texts(v.silent)}};
}

json::object object(core::PlacementView const& v) {
  json::array removed, rows;
  for (PlacementNote::Removed const& one : v.note.removed)
    removed.emplace_back(json::object{{"reason", text(one.reason)}, {"hosts", one.hosts}});
  for (core::PlacementRow const& row : v.rows)
    rows.emplace_back(json::object{{"host", text(row.host.value)},
                                   {"host_name", text(row.host_name)},
                                   {"cells", numbers(row.cells)},
                                   {"score", row.score}});
  return {{"id", text(v.id)},
          {"outcome", v.is_placed ? "placed" : "refused"},
          {"tenant", text(v.tenant.value)},
          {"type", text(v.type)},
          {"zone", text(v.zone)},
          {"placement_group", text(v.placement_group)},
          {"at", time(v.at)},
          {"wanted", v.wanted},
          {"found", v.found},
          {"policy", text(v.note.policy)},
          {"hosts", v.note.hosts},
          {"removed", std::move(removed)},
          {"scored_worse", v.note.scored_worse},
          {"tightest", text(v.note.tightest)},
          {"scores", std::move(rows)},
          {"remedies", texts(v.remedies)}};
}

json::object object(core::CapacityView const& v) {
  return {{"zone", text(v.zone.value)}, {"type", text(v.type.value)}, {"instances", v.instances}};
}

json::object object(BackupFile const& b) {
  return {{"file", text(b.path)}, {"bytes", b.bytes}, {"created", time(b.created)}};
}

// By what a list is ordered and paged.
std::string const& key(core::UnknownInstance const& v) {
  return v.id.value;
}
std::string const& key(core::PlacementView const& v) {
  return v.id;
}
std::string const& key(core::CapacityView const& v) {
  return v.zone.value;
}
std::string const& key(BackupFile const& v) {
  return v.path;
}
std::string const& key(core::ZoneView const& v) {
  return v.zone.name.value;
}
std::string const& key(core::TenantView const& v) {
  return v.tenant.id.value;
}
std::string const& key(AccessKey const& v) {
  return v.id.value;
}
std::string const& key(core::HostView const& v) {
  return v.host.name;
}
std::string const& key(InstanceType const& v) {
  return v.name.value;
}
std::string const& key(Image const& v) {
  return v.id.value;
}
std::string const& key(core::InstanceView const& v) {
  return v.instance.id.value;
}

Error wrong_reply() {
  return Error{Code::unavailable, "reply",
               "the daemon answered itself with something this route cannot show"};
}

template <class Item>
Result<std::string> render_items(RenderAsk const& ask, std::vector<Item> const& items) {
  if (ask.form == Form::one && ask.pick.empty()) {
    if (items.size() != 1) return wrong_reply();
    return json::serialize(object(items.front()));
  }
  if (!ask.pick.empty()) {
    auto const it =
        std::ranges::find_if(items, [&](Item const& item) { return key(item) == ask.pick; });
    if (it == items.end()) {
      return Error{Code::not_found, "tenant", "there is no \"" + ask.pick + "\""};
    }
    return json::serialize(object(*it));
  }
  std::vector<Item const*> rest;
  for (Item const& item : items) {
    if (ask.page.after.empty() || key(item) > ask.page.after) rest.push_back(&item);
  }
  std::ranges::sort(rest, {}, [](Item const* item) -> std::string const& { return key(*item); });
  bool const is_more = rest.size() > ask.page.limit;
  if (is_more) rest.resize(ask.page.limit);
  json::array array;
  array.reserve(rest.size());
  for (Item const* item : rest) array.emplace_back(object(*item));
  json::object out{{"items", std::move(array)}, {"next", nullptr}};
  if (is_more) out["next"] = text(key(*rest.back()));
  return json::serialize(out);
}

Result<std::string> render_region(RenderAsk const& ask, core::RegionView const& view) {
  if (ask.noun == Noun::region) return json::serialize(object(view));
  if (ask.noun == Noun::unknown_instance) return render_items(ask, view.unknown);
  return wrong_reply();
}

Result<std::string> render_instances(RenderAsk const& ask, core::InstanceList const& list) {
  if (ask.noun == Noun::instance) return render_items(ask, list.items);
  if (ask.noun != Noun::adopted) return wrong_reply();
  std::vector<InstanceId> adopted;
  for (core::InstanceView const& view : list.items) adopted.push_back(view.instance.id);
  return json::serialize(json::object{{"adopted", adopted.size()}, {"instances", ids(adopted)}});
}

Result<std::string> render_summary(RenderAsk const& ask, core::Summary const& summary) {
  if (ask.noun == Noun::status) return json::serialize(object(summary, ask.version));
  if (ask.noun != Noun::health) return wrong_reply();
  return json::serialize(json::object{
      {"status", "ok"}, {"region", text(summary.region)}, {"version", text(ask.version)}});
}

}  // namespace

Result<std::string> render(RenderAsk const& ask, core::Reply const& reply) {
  auto const only = [&](Noun noun, auto const& items) -> Result<std::string> {
    if (ask.noun != noun) return wrong_reply();
    return render_items(ask, items);
  };
  return std::visit(
      overloaded{
          [&](core::Done const&) -> Result<std::string> {
            if (ask.noun != Noun::done) return wrong_reply();
            return json::serialize(json::object{{"done", true}});
          },
          [&](core::Summary const& r) { return render_summary(ask, r); },
          [&](core::ZoneList const& r) { return only(Noun::zone, r.items); },
          [&](core::TenantList const& r) { return only(Noun::tenant, r.items); },
          [&](core::AccessKeyList const& r) { return only(Noun::access_key, r.items); },
          [&](core::HostList const& r) { return only(Noun::host, r.items); },
          [&](core::Types const& r) { return only(Noun::instance_type, r.items); },
          [&](core::Images const& r) { return only(Noun::image, r.items); },
          [&](core::InstanceList const& r) { return render_instances(ask, r); },
          [&](core::RegionView const& r) { return render_region(ask, r); },
          [&](core::PlacementView const& r) { return only(Noun::placement, std::vector{r}); },
          [&](core::CapacityList const& r) { return only(Noun::capacity, r.items); },
          [&](core::OneInstance const& r) { return only(Noun::instance, std::vector{r.view}); },
          [](auto const&) -> Result<std::string> { return wrong_reply(); },
      },
      reply);
}

std::string render(BackupFile const& made) {
  return json::serialize(object(made));
}

Result<std::string> render_backups(PageAsk const& page, std::vector<BackupFile> const& all) {
  return render_items(
      {.noun = Noun::backup, .form = Form::list, .page = page, .pick = {}, .version = {}}, all);
}

std::string render(NewAccessKey const& made) {
  return json::serialize(json::object{{"access_key_id", text(made.id)},
                                      {"secret_access_key", text(made.secret)},
                                      {"tenant", text(made.tenant)}});
}

std::string render_enrolled(Host const& host, std::string_view token,
                            std::string_view daemon_address) {
  return json::serialize(json::object{{"host_id", text(host.id.value)},
                                      {"name", text(host.name)},
                                      {"zone", text(host.zone.value)},
                                      {"token", text(token)},
                                      {"token_expires", time(host.join_token_expires)},
                                      {"daemon", text(daemon_address)}});
}

std::string render_audit(std::vector<core::AuditRecord> const& records, std::size_t asked) {
  json::array items;
  for (core::AuditRecord const& record : records) items.emplace_back(object(record));
  json::object out{{"items", std::move(items)}, {"next", nullptr}};
  // Fewer than asked: the end of the chain.
  if (!records.empty() && records.size() >= asked)
    out["next"] = text(std::to_string(records.back().number + 1));
  return json::serialize(out);
}

std::string render_error(Error const& error, std::string_view request_id) {
  json::object inner{{"code", text(name(error.code))},
                     {"subject", text(error.subject)},
                     {"message", text(error.message)},
                     {"request_id", text(request_id)}};
  return json::serialize(json::object{{"error", std::move(inner)}});
}

}  // namespace berth::admin
