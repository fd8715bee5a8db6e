#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

Ec2Result<Parsed> parse_create_tags(Parameters parameters) {
  auto r = TRY(wire::read<wire::CreateTagsRequest>(parameters));
  Tags tags = TRY(tags_of(r.tags));
  return Parsed{
      .action = core::CreateTags{.resources = std::move(r.resources), .tags = std::move(tags)},
      .dry_run = r.dry_run.value_or(false),
      .echo = {}};
}

// API Reference, DeleteTags: a tag without a value goes whatever its value is; one with an empty
// value goes only if its value is empty; no tags at all means every one of ours.
Ec2Result<Parsed> parse_delete_tags(Parameters parameters) {
  auto r = TRY(wire::read<wire::DeleteTagsRequest>(parameters));
  core::DeleteTags call{.resources = std::move(r.resources), .tags = {}};
  for (wire::Tag const& tag : r.tags) {
    call.tags.push_back({.key = tag.key.value_or(""), .value = tag.value});
  }
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_describe_tags(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeTagsRequest>(parameters));
  return Parsed{.action = core::DescribeTags{.filters = filters_of(r.filters),
                                             .page = page_of(r.max_results, r.next_token)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

}  // namespace berth::ec2
