#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

std::string render_describe_tags(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::TagList>(reply);
  wire::DescribeTagsResult out;
  out.tags.reserve(found.items.size());
  for (core::TagView const& tag : found.items) {
    out.tags.push_back({.key = tag.key,
                        .resource_id = tag.resource,
                        .resource_type = tag.resource_type,
                        .value = tag.value});
  }
  out.next_token = wire_token(found.next_token);
  return document(about, out);
}

}  // namespace berth::ec2
