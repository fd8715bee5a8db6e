// CreateKeyPair and ImportKeyPair (AddKeyPair), DescribeKeyPairs, DeleteKeyPair.

#include <algorithm>

#include "daemon/core/calls/calls.h"
#include "daemon/core/filter.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

FilterField<KeyPair> const kKeyFields[] = {
    {"key-name", [](KeyPair const& k) { return Values{k.name}; }},
    {"key-pair-id", [](KeyPair const& k) { return Values{k.id.value}; }},
    {"fingerprint", [](KeyPair const& k) { return Values{k.fingerprint}; }},
    {"tag", [](KeyPair const&) { return Values{}; }},
};

std::int64_t count_of(State const& state, TenantId const& tenant) {
  auto const& index = state.derived.key_pair_by_name;
  std::int64_t n = 0;
  for (auto it = index.lower_bound({tenant, ""}); it != index.end() && it->first.first == tenant;
       ++it)
    ++n;
  return n;
}

// EC2: up to 255 ASCII characters.
bool is_key_name(std::string const& name) {
  return !name.empty() && name.size() <= limits::kNameCharactersMax && name.front() != ' ' &&
         name.back() != ' ' &&
         std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller, AddKeyPair const& ask,
                      Context& context) {
  if (!is_key_name(ask.name)) {
    return Error{
        Code::invalid, "key-name",
        "Value (" + ask.name +
            ") for parameter KeyName is invalid. Expecting up to 255 ASCII characters without "
            "leading or trailing spaces"};
  }
  TRY(check_tags(ask.tags));
  if (state.derived.key_pair_by_name.contains({caller.tenant, ask.name})) {
    return Error{Code::exists, "key-pair", "The keypair '" + ask.name + "' already exists."};
  }
  Quota const& quota = state.tenants.at(caller.tenant).quota;
  if (count_of(state, caller.tenant) >= quota.key_pairs) {
    return Error{
        Code::quota, "key-pair",
        "You have reached your quota of key pairs (" + std::to_string(quota.key_pairs) + ")"};
  }
  KeyPair key{.id = drawn<KeyPairId>("key-", context.entropy),
              .tenant = caller.tenant,
              .name = ask.name,
              .kind = ask.kind,
              .public_key = ask.public_key,
              .fingerprint = ask.fingerprint,
              .tags = ask.tags,
              .created = context.now.wall};
  Decision decision{.reply = OneKeyPair{key}};
  decision.changes.emplace_back(PutKeyPair{std::move(key)});
  return decision;
}

Result<Decision> call(State const& state, Caller const& caller, DescribeKeyPairs const& ask,
                      Context&) {
  auto const set = TRY(FilterSet<KeyPair>::make(kKeyFields, ask.filters));
  std::set<KeyPairId> wanted;
  for (std::string const& name : ask.names) {
    KeyPairId const* id = find(state.derived.key_pair_by_name, {caller.tenant, name});
    if (id == nullptr) {
      return Error{Code::not_found, "key-pair", "The key pair '" + name + "' does not exist"};
    }
    wanted.insert(*id);
  }
  for (std::string const& text : ask.ids) {
    if (!is_id(text, "key-")) {
      return Error{Code::invalid, "key-pair-id",
                   "Invalid id: \"" + text + "\" (expecting \"key-...\")"};
    }
    KeyPair const* key = find(state.key_pairs, KeyPairId(text));
    if (key == nullptr || key->tenant != caller.tenant) {
      return Error{Code::not_found, "key-pair", "The key pair ID '" + text + "' does not exist"};
    }
    wanted.insert(key->id);
  }
  KeyPairs reply;
  auto const& index = state.derived.key_pair_by_name;
  for (auto it = index.lower_bound({caller.tenant, ""});
       it != index.end() && it->first.first == caller.tenant; ++it) {
    KeyPair const& key = state.key_pairs.at(it->second);
    if (!wanted.empty() && !wanted.contains(key.id)) continue;
    if (set.accepts(key, &key.tags)) reply.items.push_back(key);
  }
  return Decision{.reply = std::move(reply)};
}

// Deleting what is not there succeeds, as on EC2; a malformed id does not.
Result<Decision> call(State const& state, Caller const& caller, DeleteKeyPair const& ask,
                      Context&) {
  if (ask.name.empty() && ask.id.empty()) {
    return Error{Code::invalid, "missing",
                 "The request must contain the parameter KeyName or KeyPairId"};
  }
  if (!ask.id.empty() && !is_id(ask.id, "key-")) {
    return Error{Code::invalid, "key-pair-id",
                 "Invalid id: \"" + ask.id + "\" (expecting \"key-...\")"};
  }
  KeyPair const* key = nullptr;
  if (!ask.id.empty()) {
    key = find(state.key_pairs, KeyPairId(ask.id));
    if (key != nullptr && key->tenant != caller.tenant) key = nullptr;
  } else if (KeyPairId const* id =
                 find(state.derived.key_pair_by_name, {caller.tenant, ask.name})) {
    key = find(state.key_pairs, *id);
  }
  Decision decision{.reply = Done{}};
  if (key != nullptr) {
    decision.reply = OneKeyPair{*key};
    decision.changes.emplace_back(EraseKeyPair{key->id});
  }
  return decision;
}

}  // namespace berth::core
