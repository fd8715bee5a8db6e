// The note of a placement, within an instance's record.

#include "common/wire/record_parts.h"

namespace berth::wire::parts {

void fill(PlacementNote const& note, pb::PlacementNote& out) {
  out.set_policy(note.policy);
  out.set_hosts(note.hosts);
  for (PlacementNote::Removed const& one : note.removed) {
    pb::PlacementNote::Removed& removed = *out.add_removed();
    removed.set_reason(one.reason);
    removed.set_hosts(one.hosts);
  }
  out.set_scored_worse(note.scored_worse);
  out.set_tightest(note.tightest);
  for (PlacementNote::Row const& one : note.rows) {
    pb::PlacementNote::Row& row = *out.add_rows();
    row.set_host(one.host.value);
    row.mutable_cells()->Add(one.cells.begin(), one.cells.end());
    row.set_score(one.score);
  }
}

SharedNote read(pb::PlacementNote const& in) {
  PlacementNote note{.policy = in.policy(),
                     .hosts = in.hosts(),
                     .removed = {},
                     .scored_worse = in.scored_worse(),
                     .tightest = in.tightest(),
                     .rows = {}};
  for (pb::PlacementNote::Removed const& one : in.removed())
    note.removed.push_back({.reason = one.reason(), .hosts = one.hosts()});
  for (pb::PlacementNote::Row const& one : in.rows())
    note.rows.push_back({.host = HostId(one.host()),
                         .cells = {one.cells().begin(), one.cells().end()},
                         .score = one.score()});
  return SharedNote(std::move(note));
}

}  // namespace berth::wire::parts
