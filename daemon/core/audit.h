#pragma once
// The audit chain: each record's digest covers the one before it, so that a changed, removed or
// inserted record is found. `berthctl audit verify` uses the same two functions.

#include <string>
#include <string_view>

#include "daemon/core/change.h"

namespace berth::core {

// Unambiguous text of every field but the digest: each as "<length>:<bytes>".
[[nodiscard]] std::string canonical_text(AuditRecord const& record);
// hex(SHA-256(previous digest + canonical text)).
[[nodiscard]] std::string chained_digest(std::string_view previous, AuditRecord const& record);

}  // namespace berth::core
