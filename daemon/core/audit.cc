#include "daemon/core/audit.h"

#include "berth/base/digest.h"

namespace berth::core {

namespace {

void append(std::string& out, std::string_view field) {
  out += std::to_string(field.size());
  out += ':';
  out += field;
}

}  // namespace

std::string canonical_text(AuditRecord const& record) {
  std::string out;
  append(out, std::to_string(record.number));
  append(out, std::to_string(record.time.ms));
  append(out, record.actor);
  append(out, record.source);
  append(out, record.request_id);
  append(out, record.action);
  append(out, std::to_string(record.subjects.size()));
  for (std::string const& subject : record.subjects) append(out, subject);
  append(out, record.outcome);
  return out;
}

std::string chained_digest(std::string_view previous, AuditRecord const& record) {
  return hex(sha256(std::string(previous) + canonical_text(record)));
}

}  // namespace berth::core
