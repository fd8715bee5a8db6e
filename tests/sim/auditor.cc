#include "tests/sim/auditor.h"

#include <algorithm>

#include "berth/base/overloaded.h"

namespace berth::sim {

namespace {

using core::InstanceState;

bool is_ending(InstanceState s) {
  return s == InstanceState::shutting_down || s == InstanceState::terminated;
}

// "i-" and 8 or 17 lower-case hex digits.
bool is_instance_id(std::string const& id) {
  if (!id.starts_with("i-") || (id.size() != 10 && id.size() != 19)) return false;
  return std::all_of(id.begin() + 2, id.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string code_text(Result<core::Reply> const& reply) {
  return reply ? "success"
               : std::string(name(reply.error().code)) + "/" + reply.error().subject + ": " +
                     reply.error().message;
}

std::string replaced(std::string text, std::string const& what, std::string const& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// EC2's wildcards, the plain way: try every split.
bool is_like(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (is_like(pattern.substr(1), text.substr(i))) return true;
    }
    return false;
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         is_like(pattern.substr(1), text.substr(1));
}

// The value a documented filter is about; empty: it has none.
std::optional<std::string> filter_value(core::InstanceView const& v, std::string const& filter) {
  if (filter == "instance-id") return v.instance.id.value;
  if (filter == "instance-type") return v.instance.type.value;
  if (filter == "instance-state-name") return std::string(core::name(v.state));
  if (filter == "image-id") return v.instance.image.value;
  if (filter == "availability-zone") return v.instance.zone.value;
  if (filter.starts_with("tag:")) {
    auto const it = v.instance.tags.find(filter.substr(4));
    if (it != v.instance.tags.end()) return it->second;
  }
  return std::nullopt;
}

}  // namespace

Listing listing_of(core::Reservations const& reply) {
  Listing out;
  for (core::ReservationView const& r : reply.items) {
    for (core::InstanceView const& v : r.instances) out.emplace(v.instance.id.value, v);
  }
  return out;
}

Auditor::Auditor(World& world, std::size_t tenants,
                 std::function<bool(std::string const&)> was_reaped)
    : world_(world), was_reaped_(std::move(was_reaped)), books_(tenants) {}

bool Auditor::is_same(Listing const& before, Listing const& after) {
  for (auto const& [id, v] : before) {
    auto const now = after.find(id);
    if (now == after.end()) {
      if (v.state != InstanceState::terminated) return false;  // else its time has come
    } else if (v.instance != now->second.instance || v.state != now->second.state) {
      return false;
    }
  }
  return std::ranges::all_of(after,
                             [&](auto const& entry) { return before.contains(entry.first); });
}

void Auditor::wrong(Operation const& o, std::string const& what) {
  world_.violated("auditor: " + o.call.action_name + " of tenant " + std::to_string(o.tenant) +
                  ": " + what);
}

// ---- The books ---------------------------------------------------------------------------------

void Auditor::acknowledged(Operation const& o) {
  if (!*o.reply) return;
  if (auto const* launched = std::get_if<core::Launched>(&**o.reply)) {
    for (core::InstanceView const& v : launched->reservation.instances) {
      books_[o.tenant].acknowledged.insert(v.instance.id.value);
    }
  }
}

void Auditor::lost(Operation const& o) {
  Books& books = books_[o.tenant];
  if (is_about_templates(o.call.action)) books.are_templates_certain = false;
  if (is_about_groups(o.call.action)) books.are_groups_certain = false;
  if (o.reply) return;  // answered; only the look afterwards is missing
  if (auto const* run = std::get_if<core::RunInstances>(&o.call.action);
      run != nullptr && !o.call.dry_run) {
    books.lost_launches += run->max_count;
  }
  books.are_tags_certain = false;
}

void Auditor::given_up(Operation const& o) {
  if (!*o.reply) return;
  Books& books = books_[o.tenant];
  if (is_about_templates(o.call.action)) books.are_templates_certain = false;
  if (is_about_groups(o.call.action)) books.are_groups_certain = false;
  if (auto const* launched = std::get_if<core::Launched>(&**o.reply)) {
    books.lost_launches += static_cast<std::int64_t>(launched->reservation.instances.size());
  }
  books.are_tags_certain = false;
}

void Auditor::on_wall_step() {
  for (Books& books : books_) {
    for (auto& [name, token] : books.tokens) token.may_be_forgotten = true;
  }
}

void Auditor::read(std::size_t tenant, Listing const& listing) {
  Books& books = books_[tenant];
  for (std::string const& id : books.acknowledged) {
    if (!listing.contains(id) && !books.ending.contains(id) && !was_reaped_(id)) {
      world_.violated("auditor: I2: " + id + " was acknowledged and is not listed");
    }
  }
  for (std::string const& id : books.known) {
    if (!listing.contains(id) && !books.ending.contains(id) && !was_reaped_(id)) {
      world_.violated("auditor: I2: " + id + " was listed and is not any more");
    }
  }
  for (auto const& [id, v] : listing) {
    if (books.known.insert(id).second && !books.acknowledged.contains(id) &&
        --books.lost_launches < 0) {
      world_.violated("auditor: I3: " + id + " is listed, but no client asked for it");
    }
    if (is_ending(v.state)) {
      books.ending.insert(id);
    } else if (books.ending.contains(id)) {
      world_.violated("auditor: I9: " + id + " is " + std::string(core::name(v.state)) +
                      " after it was terminated");
    }
    auto const [tags, is_new] = books.tags.try_emplace(id, v.instance.tags);
    if (!is_new && tags->second != v.instance.tags && books.are_tags_certain) {
      world_.violated("auditor: I2: the tags of " + id + " changed without a call");
    }
    tags->second = v.instance.tags;
  }
  books.are_tags_certain = true;
}

void Auditor::tenant_enabled(std::size_t tenant, bool enabled, bool is_known) {
  books_[tenant].is_enabled = is_known ? std::optional(enabled) : std::nullopt;
}
void Auditor::key_enabled(std::size_t tenant, bool enabled, bool is_known) {
  books_[tenant].is_key_enabled = is_known ? std::optional(enabled) : std::nullopt;
}
void Auditor::quota_set(std::size_t tenant, Quota const& quota, bool is_known) {
  books_[tenant].quota = is_known ? std::optional(quota) : std::nullopt;
}

std::optional<core::ApiCall> Auditor::used_token(std::size_t tenant, Entropy& entropy) const {
  auto const& tokens = books_[tenant].tokens;
  if (tokens.empty()) return std::nullopt;
  auto it = tokens.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(entropy.below(tokens.size())));
  return it->second.call;
}

// ---- One operation -----------------------------------------------------------------------------

bool Auditor::is_refused_caller(Operation const& o) {
  Books const& books = books_[o.tenant];
  bool const is_refused = !*o.reply && o.reply->error().code == Code::unauthenticated;
  if (books.is_enabled && books.is_key_enabled) {
    bool const is_allowed = *books.is_enabled && *books.is_key_enabled;
    if (is_allowed == is_refused) {
      wrong(o, is_refused ? "refused a caller that stands" : "served a caller that was disabled");
    }
  }
  return is_refused;
}

void Auditor::judge(Operation const& o) {
  ++judged_;
  if (is_refused_caller(o)) return;
  if (!*o.reply && o.reply->error().code == Code::unavailable) {
    if (world_.now() > store_full_until_ + minutes(10))
      wrong(o, "answered " + code_text(*o.reply) + ", the store has room");
    judge_unchanged(o);
    return;
  }
  // What this very call launched was not acknowledged yet when the first listing was decided.
  Books& books = books_[o.tenant];
  std::set<std::string> const acknowledged_since = books.acknowledged;
  if (auto const* made = *o.reply ? std::get_if<core::Launched>(&**o.reply) : nullptr) {
    for (core::InstanceView const& v : made->reservation.instances) {
      books.acknowledged.erase(v.instance.id.value);
    }
  }
  read(o.tenant, *o.before);
  books.acknowledged = acknowledged_since;
  if (o.call.dry_run && *o.reply && !std::holds_alternative<core::WouldSucceed>(**o.reply)) {
    wrong(o, "a dry run must answer DryRunOperation or the error");
  }
  if (is_about_templates(o.call.action)) read_templates(o);
  if (is_about_groups(o.call.action)) read_groups(o);
  // What another operation did is not in between: these three were decided at once.
  if (!*o.reply || o.call.dry_run) judge_unchanged(o);
  std::visit(
      [&]<class Action>(Action const& ask) {
        if constexpr (requires { this->judge_action(o, ask); }) judge_action(o, ask);
      },
      o.call.action);
  // Tags are judged by the action; the listing after it is what the books go on from.
  books_[o.tenant].are_tags_certain = false;
  read(o.tenant, *o.after);
}

void Auditor::judge_unchanged(Operation const& o) {
  if (!is_same(*o.before, *o.after)) {
    wrong(o, o.call.dry_run ? "a dry run changed something" : "a refused call changed something");
  }
}

Auditor::Expectation Auditor::ids_expected(Operation const& o,
                                           std::vector<std::string> const& ids) const {
  Expectation out;
  if (ids.empty()) out.error = Code::invalid;
  bool is_missing = false;
  for (std::string const& id : ids) {
    if (!is_instance_id(id)) out.error = Code::invalid;
    is_missing = is_missing || !o.before->contains(id);
  }
  if (!out.error && is_missing) out.error = Code::not_found;
  return out;
}

void Auditor::judge_states(Operation const& o, Expectation const& expected) {
  Result<core::Reply> const& reply = *o.reply;
  if (!reply) {
    Code const code = reply.error().code;
    bool const is_room =
        expected.may_lack_room && (code == Code::quota || code == Code::no_capacity);
    if (code == Code::throttled || is_room) return;
    if (expected.error != code) {
      wrong(o, "answered " + code_text(reply) + ", wanted " +
                   (expected.error ? std::string(name(*expected.error)) : std::string("success")));
    }
    return;
  }
  if (expected.error) {
    wrong(o, "succeeded, wanted " + std::string(name(*expected.error)));
    return;
  }
  if (o.call.dry_run) return;
  for (auto const& [id, v] : *o.before) {
    auto const after = o.after->find(id);
    if (after == o.after->end()) continue;  // judged by read()
    auto const become = expected.become.find(id);
    InstanceState const wanted = become != expected.become.end() ? become->second : v.state;
    if (after->second.state != wanted) {
      wrong(o, id + " was " + std::string(core::name(v.state)) + " and is " +
                   std::string(core::name(after->second.state)) + ", wanted " +
                   std::string(core::name(wanted)));
    }
  }
  if (auto const* changes = std::get_if<core::StateChanges>(&*reply)) {
    for (core::StateChange const& c : changes->items) {
      auto const before = o.before->find(c.id.value);
      auto const after = o.after->find(c.id.value);
      if (before == o.before->end() || after == o.after->end()) continue;
      if (c.previous != before->second.state || c.current != after->second.state) {
        wrong(o, "previous and current state of " + c.id.value + " are not what is listed");
      }
    }
  }
}

void Auditor::judge_action(Operation const& o, core::StartInstances const& ask) {
  Expectation expected = ids_expected(o, ask.ids);
  if (!expected.error) {
    for (std::string const& id : ask.ids) {
      InstanceState const now = o.before->at(id).state;
      if (now == InstanceState::stopped) {
        expected.become[id] = InstanceState::pending;
        expected.may_lack_room = true;
      } else if (now != InstanceState::running && now != InstanceState::pending) {
        expected.error = Code::conflict;  // IncorrectInstanceState
      }
    }
  }
  judge_states(o, expected);
}

void Auditor::judge_action(Operation const& o, core::StopInstances const& ask) {
  Expectation expected = ids_expected(o, ask.ids);
  bool is_protected = false;
  if (!expected.error) {
    for (std::string const& id : ask.ids) {
      core::InstanceView const& v = o.before->at(id);
      if (v.state == InstanceState::running) {
        expected.become[id] = InstanceState::stopping;
        is_protected = is_protected || v.instance.disable_api_stop;
      } else if (v.state != InstanceState::stopping && v.state != InstanceState::stopped) {
        expected.error = Code::conflict;
      }
    }
  }
  // Both wrong: EC2 does not say which comes first.
  if (is_protected && !(expected.error && !*o.reply && o.reply->error().code == *expected.error)) {
    expected.error = Code::forbidden;
  }
  judge_states(o, expected);
}

void Auditor::judge_action(Operation const& o, core::RebootInstances const& ask) {
  Expectation expected = ids_expected(o, ask.ids);
  if (!expected.error) {
    for (std::string const& id : ask.ids) {
      InstanceState const now = o.before->at(id).state;
      if (now != InstanceState::running && now != InstanceState::pending)
        expected.error = Code::conflict;
    }
  }
  judge_states(o, expected);
}

void Auditor::judge_action(Operation const& o, core::TerminateInstances const& ask) {
  Expectation expected = ids_expected(o, ask.ids);
  if (!expected.error) {
    for (std::string const& id : ask.ids) {
      core::InstanceView const& v = o.before->at(id);
      if (is_ending(v.state)) continue;  // idempotent
      expected.become[id] = InstanceState::shutting_down;
      if (v.instance.disable_api_termination) expected.error = Code::forbidden;
    }
  }
  judge_states(o, expected);
}

void Auditor::judge_action(Operation const& o, core::ModifyInstance const& ask) {
  Expectation expected = ids_expected(o, {ask.id});
  if (ask.id.empty()) expected.error = Code::invalid;
  if (!expected.error) {
    InstanceState const now = o.before->at(ask.id).state;
    if (is_ending(now) || ((ask.type || ask.user_data) && now != InstanceState::stopped)) {
      expected.error = Code::conflict;
    }
  }
  judge_states(o, expected);
  if (!*o.reply || o.call.dry_run) return;
  Instance const& after = o.after->at(ask.id).instance;
  if ((ask.disable_api_termination &&
       after.disable_api_termination != *ask.disable_api_termination) ||
      (ask.disable_api_stop && after.disable_api_stop != *ask.disable_api_stop) ||
      (ask.type && after.type.value != *ask.type)) {
    wrong(o, "an attribute does not read back");
  }
}

// ---- Launches ----------------------------------------------------------------------------------

void Auditor::judge_action(Operation const& o, core::RunInstances const& ask) {
  Books& books = books_[o.tenant];
  bool may_be_forgotten = false;
  if (!ask.client_token.empty()) {
    auto const token = books.tokens.find(ask.client_token);
    may_be_forgotten =
        token != books.tokens.end() &&
        (token->second.may_be_forgotten ||  // the daemon's clock may be one in a hundred fast
         world_.now() - token->second.at > Duration{token_retention.ns / 50 * 49});
    if (may_be_forgotten) {
      books.tokens.erase(token);
    } else if (token != books.tokens.end()) {
      judge_repeat(o, ask, token->second);
      return;
    }
  }
  if (is_about_groups(o.call.action)) judge_group_launch(o, ask);
  if (!*o.reply || o.call.dry_run) return;
  auto const* made = std::get_if<core::Launched>(&**o.reply);
  if (made == nullptr) {
    wrong(o, "answered with something else than a reservation");
    return;
  }
  if (auto const all = whole(o, ask)) judge_launch(o, *all, made->reservation);
  if (ask.client_token.empty()) return;
  Token token{.call = o.call, .reservation = made->reservation.id.value, .at = world_.now()};
  token.may_be_forgotten = may_be_forgotten;  // known this time, perhaps not the next
  for (core::InstanceView const& v : made->reservation.instances)
    token.ids.push_back(v.instance.id.value);
  books.tokens.emplace(ask.client_token, std::move(token));
}

void Auditor::judge_launch(Operation const& o, core::RunInstances const& ask,
                           core::ReservationView const& made) {
  auto const count = static_cast<std::int64_t>(made.instances.size());
  std::set<std::string> fresh;
  for (auto const& [id, v] : *o.after) {
    if (!o.before->contains(id)) fresh.insert(id);
  }
  std::set<std::string> told;
  bool is_of_lost_call = false;  // the first success of a call whose earlier answer was lost
  for (core::InstanceView const& v : made.instances) {
    told.insert(v.instance.id.value);
    is_of_lost_call = is_of_lost_call || o.before->contains(v.instance.id.value);
    auto const listed = o.after->find(v.instance.id.value);
    if (listed == o.after->end()) {
      wrong(o, v.instance.id.value + " was launched and is not listed");
      continue;
    }
    Instance const& i = listed->second.instance;
    // The type of one whose launch was answered to nobody may have been modified since.
    bool const is_other_type = i.type.value != ask.type && !is_of_lost_call;
    if (is_other_type || i.image.value != ask.image_id || i.reservation != made.id ||
        (!ask.zone.empty() && i.zone.value != ask.zone)) {
      wrong(o, v.instance.id.value + " is not what was asked for");
    }
    if (!is_of_lost_call &&
        (i.tags != ask.instance_tags || listed->second.state != InstanceState::pending)) {
      wrong(o, v.instance.id.value + " did not begin as it should");
    }
  }
  if (is_of_lost_call && ask.client_token.empty()) wrong(o, "launched what was there before");
  if (!is_of_lost_call && fresh != told) wrong(o, "launched others than it said");
  // Of a repeated call some may have ended and be gone from the listing.
  if (count > ask.max_count || (count < ask.min_count && !is_of_lost_call && !told.empty())) {
    wrong(o, "launched " + std::to_string(count) + ", wanted " + std::to_string(ask.min_count) +
                 " to " + std::to_string(ask.max_count));
  }
}

void Auditor::judge_repeat(Operation const& o, core::RunInstances const& ask, Token const& token) {
  auto const& first = std::get<core::RunInstances>(token.call.action);
  bool const is_same_request = first.parameters_digest == ask.parameters_digest;
  if (!*o.reply) {
    if (is_same_request) {
      wrong(o, "I3: the same token again answered " + code_text(*o.reply));
    } else if (o.reply->error().code != Code::conflict ||
               o.reply->error().subject != "client-token") {
      wrong(o, "I3: a token with other parameters answered " + code_text(*o.reply));
    }
    return;
  }
  if (!is_same_request) {
    wrong(o, "I3: a token with other parameters succeeded");
    return;
  }
  if (o.call.dry_run) return;
  if (!is_same(*o.before, *o.after)) wrong(o, "I3: a repeated token changed something");
  auto const* made = std::get_if<core::Launched>(&**o.reply);
  if (made == nullptr || made->reservation.id.value != token.reservation) {
    wrong(o, "I3: a repeated token answered another reservation");
    return;
  }
  for (std::string const& id : token.ids) {
    bool const is_told =
        std::ranges::any_of(made->reservation.instances,
                            [&](core::InstanceView const& v) { return v.instance.id.value == id; });
    if (is_told != o.after->contains(id)) wrong(o, "I3: a repeated token did not answer " + id);
  }
}

// ---- Tags and keys -----------------------------------------------------------------------------

void Auditor::judge_action(Operation const& o, core::CreateTags const& ask) {
  if (is_about_groups(o.call.action)) judge_group_tags(o, ask);
  bool const is_instances = std::ranges::all_of(ask.resources, is_instance_id);
  if (is_instances) judge_states(o, ids_expected(o, ask.resources));
  if (!*o.reply || o.call.dry_run) return;
  for (auto const& [id, v] : *o.before) {
    auto const after = o.after->find(id);
    if (after == o.after->end()) continue;
    Tags wanted = v.instance.tags;
    if (std::ranges::find(ask.resources, id) != ask.resources.end()) {
      for (auto const& [key, value] : ask.tags) wanted[key] = value;
    }
    if (after->second.instance.tags != wanted) wrong(o, "the tags of " + id + " do not read back");
  }
}

void Auditor::judge_action(Operation const& o, core::DeleteTags const& ask) {
  if (std::ranges::all_of(ask.resources, is_instance_id))
    judge_states(o, ids_expected(o, ask.resources));
  if (!*o.reply || o.call.dry_run) return;
  for (auto const& [id, v] : *o.before) {
    auto const after = o.after->find(id);
    if (after == o.after->end()) continue;
    Tags wanted = v.instance.tags;
    if (std::ranges::find(ask.resources, id) != ask.resources.end()) {
      if (ask.tags.empty()) {
        // "all user-defined tags": what EC2 gave itself stays.
        std::erase_if(wanted, [](auto const& entry) { return !entry.first.starts_with("aws:"); });
      }
      for (core::TagToDelete const& tag : ask.tags) {
        std::erase_if(wanted, [&](auto const& entry) {
          return entry.first == tag.key && (!tag.value || *tag.value == entry.second);
        });
      }
    }
    if (after->second.instance.tags != wanted)
      wrong(o, "the tags of " + id + " are not what is left");
  }
}

void Auditor::judge_action(Operation const& o, core::AddKeyPair const& ask) {
  auto const has = [&](std::vector<KeyPair> const& keys) {
    return std::ranges::any_of(keys, [&](KeyPair const& k) { return k.name == ask.name; });
  };
  if (!*o.reply) {
    Code const code = o.reply->error().code;
    Code const wanted = has(o.keys_before) ? Code::exists : Code::quota;
    if (code != wanted && code != Code::throttled) {
      wrong(o, "answered " + code_text(*o.reply) + ", wanted " + std::string(name(wanted)));
    }
    return;
  }
  if (has(o.keys_before)) wrong(o, "a second key pair of one name was made");
  if (!o.call.dry_run && !has(o.keys_after)) wrong(o, "the new key pair is not listed");
}

void Auditor::judge_action(Operation const& o, core::DeleteKeyPair const& ask) {
  if (!*o.reply) {
    wrong(o, "deleting a key pair, there or not, must succeed; answered " + code_text(*o.reply));
    return;
  }
  if (o.call.dry_run) return;
  for (KeyPair const& k : o.keys_after) {
    if (k.name == ask.name) wrong(o, "the deleted key pair is still listed");
  }
}

// ---- Reads -------------------------------------------------------------------------------------

void Auditor::judge_filtered(Listing const& all, std::vector<core::Filter> const& filters,
                             Result<core::Reply> const& reply) {
  ++judged_;
  if (!reply) {
    if (reply.error().code != Code::unauthenticated) {
      world_.violated("auditor: a listing with good filters answered " + code_text(reply));
    }
    return;
  }
  Listing const found = listing_of(std::get<core::Reservations>(*reply));
  for (auto const& [id, v] : all) {
    bool is_wanted = true;
    for (core::Filter const& f : filters) {
      std::optional<std::string> const value = filter_value(v, f.name);
      is_wanted =
          is_wanted && value && std::ranges::any_of(f.values, [&](std::string const& pattern) {
            return is_like(pattern, *value);
          });
    }
    if (is_wanted != found.contains(id)) {
      world_.violated("auditor: the filters " + filters.front().name + "… " +
                      (is_wanted ? "lose " : "let through ") + id);
    }
  }
}

void Auditor::judge_pages(Listing const& before, std::vector<std::string> const& seen,
                          Listing const& after) {
  ++judged_;
  std::set<std::string> const unique(seen.begin(), seen.end());
  if (unique.size() != seen.size()) world_.violated("auditor: an instance is on two pages");
  for (auto const& [id, v] : before) {
    if (after.contains(id) && !unique.contains(id))
      world_.violated("auditor: " + id + " is on no page");
  }
}

void Auditor::judge_pair(std::string const& foreign, Result<core::Reply> const& of_foreign,
                         std::string const& absent, Result<core::Reply> const& of_absent) {
  ++judged_;
  if (of_foreign && of_absent) {
    // Deleting or describing what is not there may succeed; then both must look alike.
    if (of_foreign->index() != of_absent->index())
      world_.violated("auditor: I10: two kinds of answers");
    return;
  }
  bool const is_alike = !of_foreign && !of_absent &&
                        of_foreign.error().code == of_absent.error().code &&
                        of_foreign.error().subject == of_absent.error().subject &&
                        replaced(of_foreign.error().message, foreign, "X") ==
                            replaced(of_absent.error().message, absent, "X");
  if (!is_alike) {
    world_.violated("auditor: I10: about " + foreign + " " + code_text(of_foreign) +
                    "; about an absent one " + code_text(of_absent));
  }
}

}  // namespace berth::sim
