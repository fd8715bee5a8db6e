#pragma once
// What the bodies of records are made of, and the bodies of nouns that have a file of their own.
// For record_body*.cc only: it names protobuf's classes.

#include <string_view>

#include "berth/base/result.h"
#include "daemon/core/change.h"
#include "record/v1/record.pb.h"

namespace berth::wire::parts {

namespace pb = proto::record::v1;

// (corrupt, "record"): an enumerator that this version does not know.
[[nodiscard]] Error unknown(std::string_view field, std::string_view wanted, int found);

// Tags are a list of pairs, not a protobuf map: a map's bytes come in no particular order.
using TagList = google::protobuf::RepeatedPtrField<pb::Tag>;
void fill(Tags const& tags, TagList& out);
// (corrupt, "record") for a key that is there twice.
[[nodiscard]] Result<Tags> read(TagList const& in);

// record_body_groups.cc
void fill(PlacementGroup const& group, pb::PlacementGroup& out);
[[nodiscard]] Result<core::Change> read(pb::PlacementGroup const& in);

// record_body_note.cc
void fill(PlacementNote const& note, pb::PlacementNote& out);
[[nodiscard]] SharedNote read(pb::PlacementNote const& in);

}  // namespace berth::wire::parts
