#include "ctl/command_line.h"

#include <algorithm>
#include <charconv>

namespace berth::ctl {
namespace {

Error usage(std::string message) {
  return Error{Code::invalid, "usage", std::move(message)};
}

std::string quoted(std::string_view word) {
  return "'" + std::string(word) + "'";
}

std::string hint(std::string_view word, std::vector<std::string> const& known) {
  std::optional<std::string> const near = nearest(word, known);
  return near ? "; did you mean " + quoted(*near) + "?" : "";
}

struct GivenFlag {
  std::string name;
  std::optional<std::string> value;  // absent: no '='
};

GivenFlag split_flag(std::string_view word) {
  word.remove_prefix(2);
  std::size_t const equals = word.find('=');
  GivenFlag out{.name = std::string(word.substr(0, equals)), .value = std::nullopt};
  std::ranges::replace(out.name, '-', '_');
  if (equals != std::string_view::npos) out.value = std::string(word.substr(equals + 1));
  return out;
}

bool is_global(std::string_view name) {
  return std::ranges::any_of(global_flags(),
                             [&](GlobalFlag const& flag) { return flag.name == name; });
}

// A switch may stand without a value; which ones are switches depends on the verb, so only
// `--name=value` gives one to a switch.
bool is_switch(std::string_view name) {
  if (name == "help" || name == "version" || name == "man") return true;
  for (Verb const& verb : verbs()) {
    for (Input const& flag : verb.flags) {
      if (flag.name == name) return flag.kind == Kind::boolean;
    }
  }
  return false;
}

struct Words {
  std::vector<std::string> plain;
  std::vector<GivenFlag> flags;
};

Words sorted_out(std::vector<std::string> const& words) {
  Words out;
  bool are_flags_over = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string const& word = words[i];
    if (are_flags_over || !word.starts_with('-') || word == "-") {
      out.plain.push_back(word);
      continue;
    }
    if (word == "--") {
      are_flags_over = true;
      continue;
    }
    if (word == "-h") {
      out.flags.push_back({"help", std::nullopt});
      continue;
    }
    GivenFlag flag = word.starts_with("--") ? split_flag(word) : split_flag("-" + word);
    bool const has_next = i + 1 < words.size() && !words[i + 1].starts_with("--");
    if (!flag.value && !is_switch(flag.name) && has_next) flag.value = words[++i];
    out.flags.push_back(std::move(flag));
  }
  return out;
}

Result<std::string> checked(Input const& input, std::string const& shown, std::string value) {
  switch (input.kind) {
    case Kind::text: return value;
    case Kind::integer: {
      std::int64_t number = 0;
      auto const [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (code != std::errc() || end != value.data() + value.size()) {
        return usage(shown + " wants a whole number, found " + quoted(value));
      }
      return value;
    }
    case Kind::boolean:
      if (value == "true" || value == "false") return value;
      return usage(shown + " wants true or false, found " + quoted(value));
    case Kind::tags: {
      std::string_view rest = value;
      while (!rest.empty()) {
        std::string_view const pair = rest.substr(0, rest.find(','));
        std::size_t const equals = pair.find('=');
        if (equals == 0 || equals == std::string_view::npos) {
          return usage(shown + " wants k=v,k2=v2, found " + quoted(pair));
        }
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      }
      return value;
    }
  }
  return value;
}

Result<Command> read_command(Verb const& verb, std::vector<std::string> const& arguments,
                             std::vector<GivenFlag> const& flags) {
  Command out{.verb = &verb, .inputs = {}};
  std::string const help = "; see berthctl " + command_of(verb) + " --help";
  if (arguments.size() > verb.arguments.size()) {
    return usage(quoted(arguments[verb.arguments.size()]) + " is one word too many for " +
                 command_of(verb) + help);
  }
  for (std::size_t i = 0; i < verb.arguments.size(); ++i) {
    Input const& input = verb.arguments[i];
    if (i >= arguments.size() || arguments[i].empty())
      return usage(command_of(verb) + " wants " + std::string(input.name) + help);
    out.inputs.emplace(input.name, arguments[i]);
  }
  std::vector<std::string> known;
  for (Input const& input : verb.flags) known.emplace_back(input.name);
  for (GivenFlag const& flag : flags) {
    auto const it = std::ranges::find(verb.flags, flag.name, &Input::name);
    if (it == verb.flags.end()) {
      std::vector<std::string> all = known;
      for (GlobalFlag const& global : global_flags()) all.emplace_back(global.name);
      std::string const near = hint(flag.name, all);
      return usage(command_of(verb) + " has no flag --" + flag.name + (near.empty() ? help : near));
    }
    std::string const shown = "--" + flag.name;
    if (!flag.value && it->kind != Kind::boolean)
      return usage(shown + " wants a value: " + std::string(it->about));
    std::string const value = TRY(checked(*it, shown, flag.value.value_or("true")));
    if (!out.inputs.emplace(flag.name, value).second) return usage(shown + " is there twice");
  }
  for (Input const& input : verb.flags) {
    if (input.is_required && !out.inputs.contains(input.name)) {
      return usage(command_of(verb) + " wants --" + std::string(input.name) + " (" +
                   std::string(input.about) + ")" + help);
    }
  }
  return out;
}

std::vector<std::string> strings(std::vector<std::string_view> const& views) {
  return {views.begin(), views.end()};
}

std::vector<std::string> verbs_of(std::string_view noun) {
  std::vector<std::string> out;
  for (Verb const& verb : verbs()) {
    if (verb.noun == noun && !verb.verb.empty()) out.emplace_back(verb.verb);
  }
  return out;
}

Result<void> check_noun(std::string const& noun) {
  if (!noun_summary(noun).empty()) return {};
  std::vector<std::string> known = strings(nouns());
  known.insert(known.end(), {"help", "completion"});
  std::string near = hint(noun, known);
  if (near.empty()) near = "; see berthctl --help";
  return usage("there is no " + quoted(noun) + near);
}

Result<Verb const*> chosen_verb(std::vector<std::string> const& plain) {
  std::string const& noun = plain.front();
  TRY(check_noun(noun));
  if (Verb const* alone = find_verb(noun, "")) return alone;
  std::vector<std::string> const known = verbs_of(noun);
  std::string all;
  for (std::string const& v : known) all += (all.empty() ? "" : ", ") + v;
  if (plain.size() < 2) return usage(noun + " wants a verb: " + all);
  if (Verb const* verb = find_verb(noun, plain[1])) return verb;
  std::string near = hint(plain[1], known);
  if (near.empty()) near = ": there are " + all;
  return usage(noun + " has no verb " + quoted(plain[1]) + near);
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::vector<std::string> const& known) {
  std::optional<std::string> best;
  std::size_t best_distance = word.size() < 4 ? 2 : 3;  // one less is the most that still counts
  for (std::string const& candidate : known) {
    if (word.size() >= 3 && candidate.starts_with(word)) return candidate;
    // Edits between prefixes, row by row; a swap of neighbours is one edit.
    std::vector<std::vector<std::size_t>> d(word.size() + 1,
                                            std::vector<std::size_t>(candidate.size() + 1));
    for (std::size_t i = 0; i <= word.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= candidate.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        std::size_t const differs = word[i - 1] == candidate[j - 1] ? 0 : 1;
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differs});
        bool const is_swap =
            i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1];
        if (is_swap) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
    if (d[word.size()][candidate.size()] < best_distance) {
      best_distance = d[word.size()][candidate.size()];
      best = candidate;
    }
  }
  return best;
}

Result<CommandLine> parse(std::vector<std::string> const& words) {
  constexpr std::size_t kWordsMax = 1'000;
  if (words.size() > kWordsMax) return usage("more than " + std::to_string(kWordsMax) + " words");
  Words given = sorted_out(words);
  CommandLine out;
  bool is_help = given.plain.empty();
  bool is_man = false;
  std::vector<GivenFlag> rest;
  for (GivenFlag& flag : given.flags) {
    if (flag.name == "help") {
      is_help = true;
      continue;
    }
    if (flag.name == "man") {
      is_man = true;
      continue;
    }
    if (flag.name == "version") {
      out.what = VersionAsk{};
      return out;
    }
    if (!is_global(flag.name)) {
      rest.push_back(std::move(flag));
      continue;
    }
    if (!flag.value || flag.value->empty()) return usage("--" + flag.name + " wants a value");
    if (flag.name == "output" && *flag.value != "table" && *flag.value != "json") {
      return usage("--output wants table or json, found " + quoted(*flag.value));
    }
    out.globals.emplace_back(flag.name, *flag.value);
  }
  std::vector<std::string>& plain = given.plain;
  if (!plain.empty() && plain.front() == "help") {
    plain.erase(plain.begin());
    if (is_man) {
      out.what = ManAsk{};
      return out;
    }
    is_help = true;
  }
  if (is_help) {
    HelpAsk ask;
    if (!plain.empty()) {
      TRY(check_noun(plain[0]));
      ask.noun = plain[0];
    }
    if (plain.size() > 1) ask.verb = TRY(chosen_verb(plain))->verb;
    out.what = ask;
    return out;
  }
  if (plain.front() == "completion") {
    if (plain.size() != 2 || plain[1] != "bash")
      return usage("completion is for bash: berthctl completion bash");
    out.what = CompletionAsk{};
    return out;
  }
  Verb const* verb = TRY(chosen_verb(plain));
  plain.erase(plain.begin(), plain.begin() + (verb->verb.empty() ? 1 : 2));
  out.what = TRY(read_command(*verb, plain, rest));
  return out;
}

}  // namespace berth::ctl
