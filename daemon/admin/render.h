#pragma once
// From the core's replies to JSON text, in the shapes of shape.h.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"
#include "daemon/admin/shape.h"
#include "daemon/core/change.h"
#include "daemon/core/reply.h"

namespace berth::admin {

struct PageAsk {
  std::size_t limit = 1'000;
  std::string after;  // items whose key is past this; empty: from the start
};

struct RenderAsk {
  Noun noun = Noun::done;
  Form form = Form::one;
  PageAsk page;              // of a list
  std::string pick;          // not empty: the one item with this key out of a list
  std::string_view version;  // of the daemon
};

// A reply of another kind than `ask.noun` is our own mistake: unavailable, subject "reply". With
// Form::one the reply holds exactly one item; of Noun::done it is core::Done.
[[nodiscard]] Result<std::string> render(RenderAsk const& ask, core::Reply const& reply);

struct BackupFile {
  std::string path;  // on the daemon's machine
  std::int64_t bytes = 0;
  WallTime created;
};
[[nodiscard]] std::string render(BackupFile const& made);
[[nodiscard]] Result<std::string> render_backups(PageAsk const& page,
                                                 std::vector<BackupFile> const& all);

struct NewAccessKey {
  std::string id;
  std::string secret;
  std::string tenant;
};
[[nodiscard]] std::string render(NewAccessKey const& key);
[[nodiscard]] std::string render_enrolled(Host const& host, std::string_view token,
                                          std::string_view daemon_address);
[[nodiscard]] std::string render_audit(std::vector<core::AuditRecord> const& records,
                                       std::size_t asked);
[[nodiscard]] std::string render_error(Error const& error, std::string_view request_id);

}  // namespace berth::admin
