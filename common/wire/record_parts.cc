#include "common/wire/record_parts.h"

#include <string>

namespace berth::wire::parts {

Error unknown(std::string_view field, std::string_view wanted, int found) {
  return Error{
      Code::corrupt, "record",
      std::string(field) + ": wanted " + std::string(wanted) + ", found " + std::to_string(found)};
}

void fill(Tags const& tags, TagList& out) {
  for (auto const& [tag_key, value] : tags) {
    pb::Tag& tag = *out.Add();
    tag.set_key(tag_key);
    tag.set_value(value);
  }
}

Result<Tags> read(TagList const& in) {
  Tags tags;
  for (pb::Tag const& tag : in) {
    if (!tags.emplace(tag.key(), tag.value()).second) {
      return Error{Code::corrupt, "record", "tags: wanted each key once, found one twice"};
    }
  }
  return tags;
}

}  // namespace berth::wire::parts
