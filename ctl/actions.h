#pragma once
// The verbs that are more than one request and a line of text.

#include "ctl/document.h"
#include "ctl/run.h"

namespace berth::ctl {

// The daemon's answer to one request; a refusal becomes the error, with the request's id.
[[nodiscard]] Result<Document> ask(Session& session, Request const& request);
[[nodiscard]] std::string input(Command const& command, std::string_view name);  // empty: not given
[[nodiscard]] std::string percent_encoded(std::string_view text);

[[nodiscard]] Result<void> import_image(Command const& command, Session& session);
[[nodiscard]] Result<void> enroll_host(Command const& command, Session& session);
[[nodiscard]] Result<void> set_quota(Command const& command, Session& session);
[[nodiscard]] Result<void> make_backup(Command const& command, Session& session);
[[nodiscard]] Result<void> verify_audit(Command const& command, Session& session);
[[nodiscard]] Result<void> pack(Command const& command, Session& session);

}  // namespace berth::ctl
