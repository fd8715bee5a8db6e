#pragma once
// From words to a command. Pure: nothing is printed and nobody is asked.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "berth/base/result.h"
#include "ctl/verb.h"

namespace berth::ctl {

// A verb with its inputs, checked: every argument there, every flag known and well-formed.
struct Command {
  Verb const* verb = nullptr;
  std::map<std::string, std::string, std::less<>>
      inputs;  // by Input::name; booleans are "true" or "false"
};

struct HelpAsk {
  std::string noun;
  std::string verb;
};  // empty: of everything
struct ManAsk {};
struct CompletionAsk {};
struct VersionAsk {};

struct CommandLine {
  std::vector<std::pair<std::string, std::string>> globals;  // given ones, for gflags
  std::variant<Command, HelpAsk, ManAsk, CompletionAsk, VersionAsk> what;
};

// `words` without the program's name. Flags may stand anywhere, as --name=value or --name value,
// with '-' or '_' in names; `--` ends them. Errors are for people: what was found, what is near.
[[nodiscard]] Result<CommandLine> parse(std::vector<std::string> const& words);

// The nearest of `known` to a mistyped word; absent: none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::vector<std::string> const& known);

}  // namespace berth::ctl
