#pragma once
// What happens to a store's file before it is used: made, found to be on a disk that can keep it,
// brought to our schema, checked. For sqlite.cc.

#include <string>

#include "berth/base/result.h"
#include "daemon/store/sqlite_connection.h"

namespace berth::store {

// Made with mode 0600 if absent; its name is on the disk then, too.
[[nodiscard]] Result<void> make_file(std::string const& file);

// What was made, renamed or removed beside this file is on the disk when it returns.
[[nodiscard]] Result<void> sync_folder_of(std::string const& file);

// All that was written to the file is on the disk when it returns.
[[nodiscard]] Result<void> sync_file(std::string const& file);

// Code::invalid on a network file system: they break the locks and the syncs that durability rests
// on.
[[nodiscard]] Result<void> check_is_local(std::string const& file);

// Brings an empty file or an older schema to ours. Code::invalid: newer, or no Berth store.
[[nodiscard]] Result<void> migrate(Connection& connection);

// Reads every page. Code::corrupt with SQLite's first finding.
[[nodiscard]] Result<void> check_whole(Connection& connection);

}  // namespace berth::store
