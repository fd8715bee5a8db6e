#include "ctl/help.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace berth::ctl {
namespace {

constexpr auto kExits = std::to_array<std::pair<char const*, char const*>>({
    {"0", "done"},
    {"1", "the daemon refused, and said why"},
    {"2", "wrong usage; nothing was asked"},
    {"3", "the daemon cannot be reached, or its answer cannot be read"},
});

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string aligned(Rows const& rows) {
  std::size_t longest = 0;
  for (auto const& [left, right] : rows) longest = std::max(longest, left.size());
  std::string out;
  for (auto const& [left, right] : rows)
    out += "  " + left + std::string(longest - left.size() + 2, ' ') + right + "\n";
  return out;
}

std::string_view placeholder(Kind kind) {
  switch (kind) {
    case Kind::text: return "TEXT";
    case Kind::integer: return "N";
    case Kind::boolean: return "";
    case Kind::tags: return "K=V,...";
  }
  return "";
}

std::string flag_form(Input const& flag) {
  std::string_view const value = flag.value.empty() ? placeholder(flag.kind) : flag.value;
  return "--" + std::string(flag.name) + (value.empty() ? "" : "=" + std::string(value));
}

Rows global_rows() {
  Rows out;
  for (GlobalFlag const& flag : global_flags()) {
    std::string about = flag.about;
    if (*flag.fallback != '\0') about += std::string(" [") + flag.fallback + "]";
    out.emplace_back(std::string("--") + flag.name + "=" + flag.value, about);
  }
  return out;
}

Rows exit_rows() {
  Rows out;
  for (auto const& [code, meaning] : kExits) out.emplace_back(code, meaning);
  return out;
}

std::string usage_line(Verb const& verb) {
  std::string out = "berthctl " + command_of(verb);
  for (Input const& argument : verb.arguments) out += " " + std::string(argument.name);
  for (Input const& flag : verb.flags)
    out += flag.is_required ? " " + flag_form(flag) : " [" + flag_form(flag) + "]";
  return out;
}

Rows verb_rows(std::string_view noun) {
  Rows out;
  for (Verb const& verb : verbs()) {
    if (noun.empty() || verb.noun == noun) out.emplace_back(command_of(verb), verb.summary);
  }
  return out;
}

Rows input_rows(std::span<Input const> inputs, bool are_flags) {
  Rows out;
  for (Input const& input : inputs) {
    std::string const about =
        std::string(input.about) + (are_flags && input.is_required ? " (required)" : "");
    out.emplace_back(are_flags ? flag_form(input) : std::string(input.name), about);
  }
  return out;
}

// What troff reads as a command is escaped: a backslash anywhere, a dot or quote at a line's start;
// hyphens must stay hyphens, so that a command line can be copied.
std::string troff(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (char const c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else
      out += c;
  }
  return out;
}

std::string troff_rows(Rows const& rows) {
  std::string out;
  for (auto const& [left, right] : rows)
    out += ".TP\n\\fB" + troff(left) + "\\fR\n" + troff(right) + "\n";
  return out;
}

}  // namespace

std::string help_text() {
  std::string out =
      "berthctl operates a Berth region through its daemon.\n\n  berthctl [FLAGS] NOUN VERB "
      "[ARGUMENTS] [FLAGS]\n\n";
  out += "Commands:\n" + aligned(verb_rows(""));
  out += "\nFlags of every command:\n" + aligned(global_rows());
  out += "\nExit codes:\n" + aligned(exit_rows());
  out +=
      "\nberthctl NOUN VERB --help tells more and gives an example. Completion: source <(berthctl "
      "completion bash)\n";
  return out;
}

std::string help_text(std::string_view noun) {
  if (Verb const* alone = find_verb(noun, "")) return help_text(*alone);
  return "berthctl " + std::string(noun) + ": " + std::string(noun_summary(noun)) + "\n\n" +
         aligned(verb_rows(noun)) + "\nberthctl " + std::string(noun) +
         " VERB --help tells more of each.\n";
}

std::string help_text(Verb const& verb) {
  std::string out = std::string(verb.summary) + ".\n\n  " + usage_line(verb) + "\n";
  if (!verb.arguments.empty()) out += "\nArguments:\n" + aligned(input_rows(verb.arguments, false));
  if (!verb.flags.empty()) out += "\nFlags:\n" + aligned(input_rows(verb.flags, true));
  if (!verb.more.empty()) out += "\n" + std::string(verb.more) + "\n";
  out += "\nExample:\n  " + std::string(verb.example) +
         "\n\nFlags of every command: berthctl --help\n";
  return out;
}

std::string man_page() {
  std::string out =
      ".TH BERTHCTL 1 \"\" \"Berth\" \"Operating Berth\"\n.SH NAME\nberthctl \\- operate a Berth "
      "region\n";
  out +=
      ".SH SYNOPSIS\n.B berthctl\n[\\fIFLAGS\\fR] \\fINOUN VERB\\fR [\\fIARGUMENTS\\fR] "
      "[\\fIFLAGS\\fR]\n";
  out +=
      ".SH DESCRIPTION\n" +
      troff(
          "berthctl asks the daemon of a region, berthd, over its unix socket or over mutual TLS. "
          "It prints tables for people, and with --output=json what the admin API answered.") +
      "\n";
  out += ".SH COMMANDS\n";
  for (Verb const& verb : verbs()) {
    out += ".SS " + troff(usage_line(verb)) + "\n" + troff(verb.summary) + ".\n";
    if (!verb.more.empty()) out += troff(verb.more) + "\n";
    out += troff_rows(input_rows(verb.arguments, false)) + troff_rows(input_rows(verb.flags, true));
    out += ".PP\n.EX\n" + troff(verb.example) + "\n.EE\n";
  }
  out += ".SH FLAGS\n" + troff_rows(global_rows());
  out += ".SH EXIT STATUS\n" + troff_rows(exit_rows());
  out += ".SH FILES\n.TP\n\\fB/run/berth/admin.sock\\fR\n" +
         troff("The daemon's socket, unless --socket says otherwise.") + "\n";
  out += ".SH SEE ALSO\n.BR berthd (8),\n.BR berth-agent (8)\n";
  return out;
}

std::string bash_completion() {
  std::string by_noun, flags_of, all;
  for (std::string_view const noun : nouns()) {
    all += (all.empty() ? "" : " ") + std::string(noun);
    std::string names;
    for (Verb const& verb : verbs()) {
      if (verb.noun != noun) continue;
      names += (names.empty() ? "" : " ") + std::string(verb.verb);
      std::string flags;
      for (Input const& flag : verb.flags) {
        flags += (flags.empty() ? "--" : " --") + std::string(flag.name) +
                 (flag.kind == Kind::boolean ? "" : "=");
      }
      if (!flags.empty()) flags_of += "    '" + command_of(verb) + "') flags='" + flags + "' ;;\n";
    }
    if (!names.empty()) by_noun += "    " + std::string(noun) + ") verbs='" + names + "' ;;\n";
  }
  std::string global;
  for (GlobalFlag const& flag : global_flags())
    global += std::string(global.empty() ? "--" : " --") + flag.name + "=";
  return R"(# berthctl completion bash: load it with  source <(berthctl completion bash)
_berthctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} words=() word verbs= flags= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
    -*) ;;
    =) i=$((i + 1)) ;;
    *) words+=("$word") ;;
    esac
  done
  case ${words[0]-} in
)" + by_noun +
         R"(  esac
  case "${words[0]-} ${words[1]-}" in
)" + flags_of +
         R"(  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags )" +
         global + R"( --help" -- "$cur"))
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
  elif ((${#words[@]} == 0)); then
    COMPREPLY=($(compgen -W ")" +
         all + R"( help completion" -- "$cur"))
  elif ((${#words[@]} == 1)); then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -F _berthctl berthctl
)";
}

}  // namespace berth::ctl
