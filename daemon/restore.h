#pragma once
// berthd --restore=FILE: a backup takes the place of the store, and the region wakes up in
// quarantine.

#include <string>

#include "berth/base/result.h"
#include "daemon/settings.h"

namespace berth {

// Checks the backup whole (pages, sums, records, what must hold of them, region, key) in a copy of
// its own, raises its term past every term of the store that was lost, puts it in quarantine, and
// only then gives it the store's name. The store that was there keeps lying beside under another.
// What was done, for people. Nothing is changed by an error:
//   conflict "store"    a daemon has the store; "region": the store that is there is newer, or the
//                       backup is of another region
//   corrupt, invalid    the backup is damaged, or none
[[nodiscard]] Result<std::string> restore(Settings const& settings);

}  // namespace berth
