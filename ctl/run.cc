#include "ctl/run.h"

#include <charconv>

#include "ctl/actions.h"
#include "ctl/document.h"
#include "ctl/explanation.h"
#include "ctl/table.h"

namespace berth::ctl {
namespace {

std::int64_t number(std::string const& text) {
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);  // checked by parse()
  return out;
}

std::map<std::string, std::string> tags(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    std::string_view const pair = text.substr(0, text.find(','));
    std::size_t const equals = pair.find('=');
    out.insert_or_assign(std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1)));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
  }
  return out;
}

Member::Value body_value(Input const& wanted, std::string const& text) {
  switch (wanted.kind) {
    case Kind::text: return text;
    case Kind::integer: return number(text);
    case Kind::boolean: return text == "true";
    case Kind::tags: break;
  }
  return tags(text);
}

template <class Visit>
void each_given(Command const& command, Place place, Visit visit) {
  for (auto const inputs : {command.verb->arguments, command.verb->flags}) {
    for (Input const& wanted : inputs) {
      auto const it = command.inputs.find(wanted.name);
      if (wanted.place == place && it != command.inputs.end()) visit(wanted, it->second);
    }
  }
}

Request request_of(Command const& command) {
  return Request{.method = std::string(command.verb->method),
                 .target = target_of(command),
                 .body = body_of(command),
                 .on_progress = {}};
}

// Every page of a list.
Result<std::vector<Document>> all_items(Command const& command, Session& session) {
  std::string const target = target_of(command);
  bool const is_audit = command.verb->noun == "audit";
  std::vector<Document> items;
  std::string next;
  do {
    std::string page = target;
    if (!next.empty() && is_audit)
      page = std::string(command.verb->path) + "?first=" + next;
    else if (!next.empty())
      page += (page.find('?') == std::string::npos ? "?after=" : "&after=") + percent_encoded(next);
    Document const answer =
        TRY(ask(session, Request{.method = "GET", .target = page, .body = {}, .on_progress = {}}));
    for (Document& item : answer.items("items")) items.push_back(std::move(item));
    std::string const following = answer.text("next");
    if (!following.empty() && following == next)
      return Error{Code::corrupt, "answer", "the daemon gives the same page again"};
    next = following;
  } while (!next.empty());
  return items;
}

// "host {name} is there" from the answer, or else from what was given.
std::string filled(std::string_view text, Document const& answer, Command const& command) {
  std::string out;
  while (!text.empty()) {
    std::size_t const open = std::min(text.find('{'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    std::size_t const close = text.find('}');
    std::string_view const name = text.substr(1, close - 1);
    std::string const value = answer.text(name);
    out += printable(value.empty() ? input(command, name) : value);
    text.remove_prefix(close + 1);
  }
  return out;
}

std::string counts(Document const& answer, std::string_view path) {
  std::string out;
  for (auto const& [name, value] : answer.leaves()) {
    if (!name.starts_with(path) || value == "0") continue;
    std::string word = name.substr(path.size());
    for (char& c : word) c = c == '_' ? ' ' : c;
    out += (out.empty() ? "" : ", ") + value + " " + word;
  }
  return out.empty() ? "none" : out;
}

std::string status_text(Verb const& verb, Document const& answer) {
  std::string out = "region     " + printable(answer.text("region")) + ", berthd " +
                    printable(answer.text("version")) + ", term " + answer.text("term") + "\n";
  if (answer.text("quarantined") == "true" || answer.text("quarantined") == "yes")
    out +=
        "           IN QUARANTINE: nothing is started, stopped or removed; see berthctl region "
        "show\n";
  out += "hosts      " + counts(answer, "hosts.") + "\n";
  out += "instances  " + counts(answer, "instances.") + "\n";
  out += "catalogue  " + answer.text("types") + " types, " + answer.text("images") + " images, " +
         answer.text("tenants") + " tenants\n";
  std::vector<Document> const zones = answer.items("zones");
  if (zones.empty())
    return out + "\nNo zone yet. Make the first: berthctl zone create " +
           printable(answer.text("region")) + "a\n";
  return out + "\n" + table(verb.columns, zones);
}

Result<void> show_answer(Command const& command, Session& session) {
  Verb const& verb = *command.verb;
  if (verb.act == Act::list) {
    std::vector<Document> const items = TRY(all_items(command, session));
    session.out << (session.is_json ? list_text(items) + "\n" : table(verb.columns, items));
    return {};
  }
  Document const answer = TRY(ask(session, request_of(command)));
  if (session.is_json) {
    session.out << answer.dump() << "\n";
    return {};
  }
  if (verb.act == Act::show)
    session.out << listing(answer);
  else if (verb.act == Act::status)
    session.out << status_text(verb, answer);
  else if (verb.act == Act::explain)
    session.out << explanation(answer);
  else if (verb.act == Act::create_key) {
    session.out << "access key id      " << printable(answer.text("access_key_id")) << "\n"
                << "secret access key  " << printable(answer.text("secret_access_key")) << "\n"
                << "The secret is shown this once and never again.\n";
  } else {
    session.out << filled(verb.done_text, answer, command) << "\n";
  }
  return {};
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    bool const is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain)
      out += c;
    else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string input(Command const& command, std::string_view name) {
  auto const it = command.inputs.find(name);
  return it == command.inputs.end() ? std::string() : it->second;
}

std::string target_of(Command const& command) {
  std::string out(command.verb->path);
  each_given(command, Place::path, [&](Input const& wanted, std::string const& text) {
    std::string const hole = "{" + std::string(wanted.field) + "}";
    out.replace(out.find(hole), hole.size(), percent_encoded(text));
  });
  char separator = '?';
  each_given(command, Place::query, [&](Input const& wanted, std::string const& text) {
    out += separator + std::string(wanted.field) + "=" + percent_encoded(text);
    separator = '&';
  });
  return out;
}

std::string body_of(Command const& command) {
  std::vector<Member> members;
  each_given(command, Place::body, [&](Input const& wanted, std::string const& text) {
    members.push_back(Member{.name = std::string(wanted.field), .value = body_value(wanted, text)});
  });
  bool const takes_none = command.verb->method == "GET" || command.verb->method == "DELETE";
  if (members.empty() && (takes_none || command.verb->fixed_body.empty())) return "";
  return object_text(members, command.verb->fixed_body);
}

Result<Document> ask(Session& session, Request const& request) {
  Response const response = TRY(session.exchange(request));
  if (response.status >= 200 && response.status < 300) return Document::parse(response.body);
  Result<Document> const refusal = Document::parse(response.body);
  std::string message = refusal ? refusal->text("error.message") : "";
  std::string const id = refusal ? refusal->text("error.request_id") : "";
  if (message.empty())
    message = "the daemon answered with HTTP status " + std::to_string(response.status) +
              (refusal ? "" : ": " + response.body.substr(0, 200));
  return Error{Code::conflict, "refused",
               printable(message) + (id.empty() ? "" : " (request " + printable(id) + ")")};
}

Result<void> run(Command const& command, Session& session) {
  switch (command.verb->act) {
    case Act::import_image: return import_image(command, session);
    case Act::enroll_host: return enroll_host(command, session);
    case Act::set_quota: return set_quota(command, session);
    case Act::verify_audit: return verify_audit(command, session);
    case Act::make_backup: return make_backup(command, session);
    case Act::pack: return pack(command, session);
    case Act::list:
    case Act::show:
    case Act::change:
    case Act::status:
    case Act::explain:
    case Act::create_key: break;
  }
  return show_answer(command, session);
}

Exit exit_code(Error const& error) {
  if (error.subject == "usage" || error.subject == "file") return Exit::usage;
  if (error.subject == "daemon" || error.subject == "answer") return Exit::unreachable;
  return Exit::refused;
}

}  // namespace berth::ctl
