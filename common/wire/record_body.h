#pragma once
// The body of a stored record: inside of record.h's encode and decode, for
// record.cc alone.

#include "berth/base/result.h"
#include "daemon/core/change.h"

namespace berth::proto::record::v1 {
class Record;
}

namespace berth::wire {

// ENSUREs that the change writes a record.
void fill_body(core::Change const &change, proto::record::v1::Record &record);
// Code::corrupt with "<field>: wanted …, found …"; forms (well_formed) are the
// caller's to check.
[[nodiscard]] Result<core::Change>
read_body(proto::record::v1::Record const &record);

} // namespace berth::wire
