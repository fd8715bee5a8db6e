#pragma once
// Carries a command out and shows what came of it.

#include <functional>
#include <ostream>

#include "berth/base/result.h"
#include "ctl/client.h"
#include "ctl/command_line.h"

namespace berth::ctl {

enum class Exit { ok = 0, refused = 1, usage = 2, unreachable = 3 };

struct Session {
  std::function<Result<Response>(Request const&)> exchange;  // one request to the daemon
  bool is_json = false;                                      // print the API's JSON instead of text
  std::ostream& out;                                         // results
  std::ostream& err;                 // progress; errors are the caller's to print
  std::size_t terminal_columns = 0;  // of `err`; 0: no terminal, plain lines
};

// Errors: subject "usage" or "file" (nothing was asked), "daemon" or "answer" (not reached, not
// understood), anything else: the daemon refused, or the audit chain is broken.
[[nodiscard]] Result<void> run(Command const& command, Session& session);
[[nodiscard]] Exit exit_code(Error const& error);

// "/v1/hosts/{host}" with the path's inputs in place and the query behind it.
[[nodiscard]] std::string target_of(Command const& command);
// JSON of the body's inputs; empty: the verb sends none.
[[nodiscard]] std::string body_of(Command const& command);

}  // namespace berth::ctl
