#pragma once
// Stored records: core::Change <-> the bytes of proto/record/v1. Every store
// keeps the same bytes under the same keys.
//
//   store:  put(key(change), encode(change))
//   start:  core::Change const change = TRY(decode(key, bytes));
//
// What `decode` refuses is what no Berth of this version writes under that key:
// bytes that do not parse, fields or a version it does not know, another kind
// or id than the key's, an enumerator out of range, or values that are not
// `well_formed`. The error is Code::corrupt, its message
// "<kind> <id>: <field>: wanted …, found …"; secrets are never shown.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "berth/base/result.h"
#include "daemon/core/change.h"

namespace berth::wire {

// Version of the envelope this build writes, and the newest it reads.
inline constexpr std::uint32_t kRecordVersion = 1;

// One per stored noun, in the order of core::Change. Stored: never renumber.
// The number is also the body's field in proto/record/v1/record.proto.
enum class RecordKind : std::uint8_t {
  region = 11,
  zone = 12,
  tenant = 13,
  access_key = 14,
  instance_type = 15,
  image = 16,
  key_pair = 17,
  host = 18,
  instance = 19,
  token = 20,
  audit = 21,
  launch_template = 22,
  launch_template_version = 23,
  placement_group = 24,
};

inline constexpr RecordKind kRecordKinds[] = {RecordKind::region,
                                              RecordKind::zone,
                                              RecordKind::tenant,
                                              RecordKind::access_key,
                                              RecordKind::instance_type,
                                              RecordKind::image,
                                              RecordKind::key_pair,
                                              RecordKind::host,
                                              RecordKind::instance,
                                              RecordKind::token,
                                              RecordKind::audit,
                                              RecordKind::launch_template,
                                              RecordKind::launch_template_version,
                                              RecordKind::placement_group};

[[nodiscard]] std::string_view name(RecordKind kind);

// A record's place in the store. id: the noun's own id; "region" for the one
// region record,
// "<tenant>/<token>" for a token (a tenant's id has no slash), the decimal
// number for audit, "<template>/<number>" for a version of a launch template.
struct RecordKey {
  RecordKind kind = RecordKind::region;
  std::string id;

  auto operator<=>(RecordKey const&) const = default;
};

// Of a durable change; ENSUREs is_durable.
[[nodiscard]] RecordKey key(core::Change const& change);
// True: the change writes its record. False: it removes it. ENSUREs is_durable.
[[nodiscard]] bool is_put(core::Change const& change);

// Whether `decode` would accept what `encode` makes of it: ids and digests in
// the forms that the model's headers give them, required names not empty. A
// store asks before it writes, because a record that cannot be read back would
// keep the daemon from starting. Code::invalid with kind, id and field.
[[nodiscard]] Result<void> well_formed(core::Change const& change);

// The bytes of a change that is_put; ENSUREs it. The same change always gives
// the same bytes.
[[nodiscard]] std::string encode(core::Change const& change);

[[nodiscard]] Result<core::Change> decode(RecordKey const& place, std::string_view bytes);

}  // namespace berth::wire
