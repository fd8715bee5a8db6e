#include "tests/crash/script.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>

#include "daemon/core/audit.h"

namespace berth::crash {

namespace {

constexpr char kTenant[] = "111111111111";
constexpr char kKey[] = "AKIAAAAAAAAAAAAAAAAA";
constexpr std::size_t kHosts = 3;
constexpr std::size_t kSetupCalls = 6 + 2 * kHosts;

std::string host_name(std::size_t n) {
  return "h" + std::to_string(n);
}

core::AdminAction setup_action(std::size_t n) {
  switch (n) {
    case 0: return core::PutZoneCall{.name = "us-east-1a", .jurisdiction = "DE"};
    case 1:
      return core::PutTypes{{{.name = TypeName("m5.large"),
                              .vcpus = 2,
                              .memory = Mebibytes(8192),
                              .threads_per_core = 2}}};
    case 2:
      return core::RegisterImage{.name = "tiny",
                                 .is_public = true,
                                 .digest = std::string(64, 'a'),
                                 .file_size = Bytes(1 << 20),
                                 .virtual_size = Bytes(1 << 30)};
    case 3: return core::CreateTenant{.name = "alice", .id = kTenant};
    case 4: return core::CreateTenant{.name = "bob", .id = "222222222222"};
    case 5: return core::CreateAccessKey{.tenant = kTenant, .id = kKey, .secret_sealed = "sealed"};
    default:
      return core::EnrollHost{.name = host_name((n - 6) / 2),
                              .zone = "us-east-1a",
                              .token_digest = std::string(64, 'a')};
  }
}

HostId host_named(core::State const& state, std::string const& name) {
  for (auto const& [id, host] : state.hosts) {
    if (host.name == name) return id;
  }
  return HostId{};
}

core::Input tenants_call(std::string const& request_id, core::ApiAction action, char const* name) {
  return core::ApiCall{.caller = {.tenant = TenantId(kTenant),
                                  .key = AccessKeyId(kKey),
                                  .source = "127.0.0.1",
                                  .request_id = request_id},
                       .action_name = name,
                       .action = std::move(action)};
}

core::Input operators_call(std::string const& request_id, core::AdminAction action) {
  return core::AdminCall{.actor = "root",
                         .role = core::Role::admin,
                         .source = "here",
                         .request_id = request_id,
                         .action_name = "crash_test",
                         .action = std::move(action)};
}

std::string token_of(std::size_t n) {
  return "token-" + std::to_string(n);
}

std::string key_of(std::size_t n) {
  return "key-" + std::to_string(n);
}

// Never below what is used: lowering it further is an operator's right, and no broken limit.
std::int64_t quota_of(std::size_t decade, core::State const& state) {
  std::int64_t used = 0;
  for (auto const& [id, instance] : state.instances) used += instance.placement ? 1 : 0;
  return std::max(used, static_cast<std::int64_t>(decade + 4 + decade % 4));
}

bool took_effect(Answers const& answers, std::size_t n) {
  auto const at = answers.find(n);
  return at != answers.end() && at->second.kind != Answer::Kind::refused;
}

}  // namespace

std::string Answer::line() const {
  constexpr char const* kNames[] = {"done", "done_before", "refused"};
  std::string out = request_id + " " + kNames[static_cast<int>(kind)];
  for (std::string const& word : words) out += " " + word;
  return out;
}

Answer Answer::parse(std::string const& line) {
  std::istringstream in(line);
  Answer out;
  std::string kind;
  in >> out.request_id >> kind;
  if (kind == "done_before") out.kind = Kind::done_before;
  if (kind == "refused") out.kind = Kind::refused;
  for (std::string word; in >> word;) out.words.push_back(word);
  return out;
}

Script::Script(std::size_t calls) : calls_(calls) {}

std::size_t Script::size() const {
  return kSetupCalls + calls_;
}

Script::What Script::what(std::size_t n) const {
  constexpr What kDecade[] = {
      What::launch,       What::tag, What::launch_three, What::add_key,    What::quota,
      What::launch_large, What::tag, What::stop,         What::delete_key, What::end};
  return kDecade[(n - kSetupCalls) % 10];
}

std::size_t Script::group_end(std::size_t first) const {
  if (first < kSetupCalls) return first + 1;
  constexpr std::size_t kEnds[] = {1, 2, 3, 5, 5, 10, 10, 10, 10, 10};
  std::size_t const at = (first - kSetupCalls) % 10;
  return std::min(first - at + kEnds[at], size());
}

std::vector<std::size_t> Script::launches_of(std::size_t n) const {
  std::size_t const decade = n - (n - kSetupCalls) % 10;
  bool const has_before = decade > kSetupCalls;
  switch (what(n)) {
    case What::tag:
      if (n == decade + 1) return {decade};
      return has_before ? std::vector{decade + 2, decade - 10} : std::vector{decade + 2};
    case What::stop: return {decade};
    case What::end:
      return has_before ? std::vector{decade + 2, decade - 5} : std::vector{decade + 2};
    default: return {};
  }
}

std::size_t Script::given(Answers const& answers) const {
  if (answers.empty()) return group_end(0);
  std::size_t const end = group_end(answers.rbegin()->first);
  return end < size() ? group_end(end) : end;
}

std::optional<core::Input> Script::call(std::size_t n, std::string const& request_id,
                                        Answers const& answers, core::State const& state) const {
  if (n < kSetupCalls) {
    if (n >= 6 && n % 2 == 1) {  // each host is enrolled, then joins
      HostId const id = host_named(state, host_name((n - 6) / 2));
      return core::AgentJoin{.host = id,
                             .token_digest = std::string(64, 'a'),
                             .host_uuid = id.value,
                             .source = "here"};
    }
    return operators_call(request_id, setup_action(n));
  }
  core::RunInstances run{.image_id = state.images.begin()->first.value,
                         .type = "m5.large",
                         .client_token = token_of(n),
                         .parameters_digest = std::string(64, 'd')};
  std::vector<std::string> ids;
  for (std::size_t const launch : launches_of(n)) {
    if (!answers.contains(launch)) continue;
    std::vector<std::string> const& made = answers.at(launch).words;
    ids.insert(ids.end(), made.begin(), made.end());
  }
  std::size_t const at = n - kSetupCalls;
  What const kind = what(n);
  if ((kind == What::tag || kind == What::stop || kind == What::end) && ids.empty()) return {};
  switch (kind) {
    case What::launch: break;
    case What::launch_three: run.min_count = run.max_count = 3; break;
    case What::launch_large:
      run.user_data.assign(12'000, 'u');
      run.instance_tags = {{"Name", std::string(200, 'n')}};
      break;
    case What::tag:
      return tenants_call(request_id, core::CreateTags{ids, {{"last", std::to_string(n)}}},
                          "CreateTags");
    case What::add_key:
      return tenants_call(request_id,
                          core::AddKeyPair{.name = key_of(n),
                                           .kind = KeyKind::ed25519,
                                           .public_key = "ssh-ed25519 AAAA test",
                                           .fingerprint = "f"},
                          "ImportKeyPair");
    case What::delete_key:
      if (at < 10) return {};
      return tenants_call(request_id, core::DeleteKeyPair{.name = key_of(n - 15), .id = {}},
                          "DeleteKeyPair");
    case What::quota:
      return operators_call(
          request_id,
          core::SetTenant{.id = kTenant, .quota = Quota{.instances = quota_of(at / 10, state)}});
    case What::stop:
      return tenants_call(request_id, core::StopInstances{.ids = ids}, "StopInstances");
    case What::end:
      return tenants_call(request_id, core::TerminateInstances{ids}, "TerminateInstances");
  }
  return tenants_call(request_id, std::move(run), "RunInstances");
}

std::optional<Answer> Script::answer(std::string const& request_id, bool is_repeated,
                                     Result<core::Reply> const& reply) {
  Answer out{.request_id = request_id};
  if (!reply) {
    switch (reply.error().code) {
      case Code::unavailable: return std::nullopt;
      case Code::quota:
      case Code::no_capacity: out.kind = Answer::Kind::refused; return out;
      case Code::exists:
      case Code::unauthenticated:
        out.kind = Answer::Kind::done_before;
        if (is_repeated) return out;
        break;
      default: break;
    }
    std::fprintf(stderr, "%s was answered with an error: %s\n", request_id.c_str(),
                 reply.error().message.c_str());
    std::exit(3);
  }
  if (auto const* launched = std::get_if<core::Launched>(&*reply)) {
    for (core::InstanceView const& view : launched->reservation.instances) {
      out.words.push_back(view.instance.id.value);
    }
  }
  if (auto const* tenants = std::get_if<core::TenantList>(&*reply)) {
    out.words = {std::to_string(tenants->items.at(0).tenant.quota.instances)};
  }
  return out;
}

// ---- what must hold ----------------------------------------------------------------------------

void Script::check_launches(Answers const& answers, std::size_t given, core::State const& state,
                            std::vector<std::string>& out) const {
  std::map<std::string, std::vector<std::string>> by_token;
  for (auto const& [id, instance] : state.instances) {
    by_token[instance.client_token].push_back(id.value);
  }
  for (std::size_t n = kSetupCalls; n < size(); ++n) {
    What const kind = what(n);
    if (kind != What::launch && kind != What::launch_three && kind != What::launch_large) continue;
    std::vector<std::string> found = by_token[token_of(n)];
    by_token.erase(token_of(n));
    std::string const name = "launch " + std::to_string(n);
    if (n >= given && !found.empty()) out.push_back(name + " was never given, but is there");
    if (!found.empty() && found.size() != (kind == What::launch_three ? 3 : 1)) {
      out.push_back(name + " has " + std::to_string(found.size()) + " instances");
    }
    if (!answers.contains(n)) continue;
    std::vector<std::string> promised = answers.at(n).words;
    std::ranges::sort(promised);
    std::ranges::sort(found);
    if (promised != found) {
      out.push_back(name + " was answered with " + answers.at(n).line() + ", found " +
                    std::to_string(found.size()) + " instances");
    }
    core::TokenRow const* row = core::find(state.tokens, std::pair{TenantId(kTenant), token_of(n)});
    if (!promised.empty() && row == nullptr) out.push_back(name + ": its token is forgotten");
  }
  for (auto const& [token, ids] : by_token) {
    out.push_back("instance " + ids.front() + " is nobody's: token '" + token + "'");
  }
}

void Script::check_edits(Answers const& answers, std::size_t given, core::State const& state,
                         std::vector<std::string>& out) const {
  std::map<std::string, std::set<std::string>> tags;  // by instance: what the tag may be
  std::map<std::string, bool> ends;                   // by instance; true: for certain
  std::map<std::string, bool> stops;
  for (std::size_t n = kSetupCalls; n < given; ++n) {
    bool const is_certain = took_effect(answers, n);
    for (std::size_t const launch : launches_of(n)) {
      if (!answers.contains(launch)) continue;
      for (std::string const& id : answers.at(launch).words) {
        if (what(n) == What::end) ends[id] = ends[id] || is_certain;
        if (what(n) == What::stop) stops[id] = stops[id] || is_certain;
        if (what(n) != What::tag) continue;
        if (tags[id].empty()) tags[id].insert("");
        if (is_certain) tags[id].clear();
        tags[id].insert(std::to_string(n));
      }
    }
  }
  for (auto const& [id, instance] : state.instances) {
    bool const has_ended = instance.wanted == Wanted::terminated;
    if (has_ended != ends.contains(id.value) && (has_ended || ends.at(id.value))) {
      out.push_back("instance " + id.value + (has_ended ? " was ended" : " was not ended"));
    }
    if (has_ended) continue;
    bool const is_stopped = instance.wanted == Wanted::stopped;
    if (is_stopped != stops.contains(id.value) && (is_stopped || stops.at(id.value))) {
      out.push_back("instance " + id.value + (is_stopped ? " was stopped" : " was not stopped"));
    }
    auto const tag = instance.tags.find("last");
    std::string const value = tag == instance.tags.end() ? "" : tag->second;
    auto const may = tags.find(id.value);
    if (may == tags.end() ? !value.empty() : !may->second.contains(value)) {
      out.push_back("instance " + id.value + " has the tag '" + value + "'");
    }
  }
}

void Script::check_keys_and_quota(Answers const& answers, std::size_t given,
                                  core::State const& state, std::vector<std::string>& out) const {
  std::set<std::string> may_be;
  std::set<std::string> must_be;
  std::set<std::string> quotas;
  for (std::size_t n = kSetupCalls; n < given; ++n) {
    bool const is_certain = took_effect(answers, n);
    if (what(n) == What::add_key) {
      may_be.insert(key_of(n));
      if (is_certain) must_be.insert(key_of(n));
    }
    if (what(n) == What::delete_key && n >= kSetupCalls + 10) {
      must_be.erase(key_of(n - 15));
      if (is_certain) may_be.erase(key_of(n - 15));
    }
    if (what(n) == What::quota) {
      if (!answers.contains(n)) return;  // any: it depends on when it was decided
      quotas = {answers.at(n).words.at(0)};
    }
  }
  std::set<std::string> found;
  for (auto const& [id, key] : state.key_pairs) {
    if (!found.insert(key.name).second) out.push_back("key pair " + key.name + " is there twice");
    if (!may_be.contains(key.name)) out.push_back("key pair " + key.name + " should not be there");
  }
  for (std::string const& name : must_be) {
    if (!found.contains(name)) out.push_back("key pair " + name + " is lost");
  }
  Tenant const* const tenant = core::find(state.tenants, TenantId(kTenant));
  if (quotas.empty() || tenant == nullptr) return;
  std::string const quota = std::to_string(tenant->quota.instances);
  if (!quotas.contains(quota)) {
    out.push_back("the quota is " + quota + ", answered was " + *quotas.begin());
  }
}

namespace {

void check_audit(Answers const& answers, core::State const& state,
                 std::vector<core::AuditRecord> const& audit, std::vector<std::string>& out) {
  std::map<std::string, int> records;
  std::string digest;
  std::uint64_t number = 0;
  for (core::AuditRecord const& record : audit) {
    if (!record.request_id.empty()) ++records[record.request_id];
    std::string const name = "audit record " + std::to_string(record.number);
    if (record.number != ++number) out.push_back(name + " is not the next one");
    if (record.digest != core::chained_digest(digest, record)) out.push_back(name + " is forged");
    digest = record.digest;
  }
  if (number != state.region.audit_count || digest != state.region.audit_digest) {
    out.push_back("the audit chain ends at " + std::to_string(number) +
                  ", the region's record says " + std::to_string(state.region.audit_count));
  }
  for (auto const& [request, count] : records) {
    if (count > 1) out.push_back(request + " has " + std::to_string(count) + " audit records");
  }
  for (auto const& [n, answer] : answers) {
    bool const is_join = n < kSetupCalls && n >= 6 && n % 2 == 1;
    if (is_join || answer.kind != Answer::Kind::done) continue;
    if (!records.contains(answer.request_id)) {
      out.push_back(answer.request_id + " was acknowledged and has no audit record");
    }
  }
}

}  // namespace

std::vector<std::string> Script::broken_promises(
    Answers const& answers, std::size_t given, core::State const& state,
    std::vector<core::AuditRecord> const& audit) const {
  std::vector<std::string> out;
  auto const is_lost = [&](std::size_t n, bool is_there, char const* what) {
    if (took_effect(answers, n) && !is_there) out.emplace_back(std::string(what) + " is lost");
  };
  is_lost(0, state.zones.size() == 1, "the zone");
  is_lost(1, state.types.size() == 1, "the type");
  is_lost(2, state.images.size() == 1, "the image");
  is_lost(3, state.tenants.contains(TenantId(kTenant)), "the tenant");
  is_lost(4, state.tenants.size() == 2, "the second tenant");
  is_lost(5, state.access_keys.contains(AccessKeyId(kKey)), "the access key");
  for (std::size_t h = 0; h < kHosts; ++h) {
    Host const* const host = core::find(state.hosts, host_named(state, host_name(h)));
    is_lost(6 + 2 * h, host != nullptr, "a host");
    is_lost(7 + 2 * h, host != nullptr && !host->host_uuid.empty(), "a host's join");
  }
  check_launches(answers, given, state, out);
  check_edits(answers, given, state, out);
  check_keys_and_quota(answers, given, state, out);
  check_audit(answers, state, audit, out);
  return out;
}

}  // namespace berth::crash
