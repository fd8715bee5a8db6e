#pragma once
// Texts made from the verb table: help, the man page, the completion script.

#include <string>
#include <string_view>

#include "ctl/verb.h"

namespace berth::ctl {

[[nodiscard]] std::string help_text();                       // berthctl --help
[[nodiscard]] std::string help_text(std::string_view noun);  // berthctl host --help
[[nodiscard]] std::string help_text(Verb const& verb);       // berthctl host enroll --help
[[nodiscard]] std::string man_page();                        // packaging/man/berthctl.1
[[nodiscard]] std::string bash_completion();

}  // namespace berth::ctl
