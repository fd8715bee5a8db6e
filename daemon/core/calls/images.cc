// DescribeImages.

#include <algorithm>

#include "daemon/core/calls/calls.h"
#include "daemon/core/filter.h"
#include "daemon/core/page.h"

namespace berth::core {

namespace {

using Values = std::vector<std::string>;

Values none(Image const&) {
  return {};
}

// Images of the operator belong to nobody's account; EC2's word for such an owner is an alias.
std::string owner_of(Image const& image) {
  return image.owner.value.empty() ? "000000000000" : image.owner.value;
}

FilterField<Image> const kImageFields[] = {
    {"image-id", [](Image const& i) { return Values{i.id.value}; }},
    {"name", [](Image const& i) { return Values{i.name}; }},
    {"description", [](Image const& i) { return Values{i.description}; }},
    {"state", [](Image const&) { return Values{"available"}; }},
    {"owner-id", [](Image const& i) { return Values{owner_of(i)}; }},
    {"owner-alias",
     [](Image const& i) { return i.owner.value.empty() ? Values{"amazon"} : Values{}; }},
    {"is-public", [](Image const& i) { return Values{i.is_public ? "true" : "false"}; }},
    {"architecture", [](Image const&) { return Values{"x86_64"}; }},
    {"image-type", [](Image const&) { return Values{"machine"}; }},
    {"virtualization-type", [](Image const&) { return Values{"hvm"}; }},
    {"hypervisor", [](Image const&) { return Values{"xen"}; }},
    {"root-device-type", [](Image const&) { return Values{"ebs"}; }},
    {"root-device-name", [](Image const&) { return Values{"/dev/sda1"}; }},
    {"block-device-mapping.device-name", [](Image const&) { return Values{"/dev/sda1"}; }},
    {"creation-date", [](Image const& i) { return Values{iso8601(i.created)}; }},
    {"ena-support", [](Image const&) { return Values{"true"}; }},
    {"block-device-mapping.snapshot-id", none},
    {"block-device-mapping.volume-size", none},
    {"block-device-mapping.volume-type", none},
    {"block-device-mapping.encrypted", none},
    {"block-device-mapping.delete-on-termination", none},
    {"kernel-id", none},
    {"ramdisk-id", none},
    {"manifest-location", none},
    {"platform", none},
    {"product-code", none},
    {"product-code.type", none},
    {"state-reason-code", none},
    {"state-reason-message", none},
    {"sriov-net-support", none},
    {"tag", none},
};

bool contains(std::vector<std::string> const& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

bool owner_asked(DescribeImages const& ask, Image const& image, TenantId const& tenant) {
  if (ask.owners.empty()) return true;
  return contains(ask.owners, owner_of(image)) ||
         (image.owner == tenant && contains(ask.owners, "self")) ||
         (image.owner.value.empty() && contains(ask.owners, "amazon"));
}

bool executable_asked(DescribeImages const& ask, Image const& image, TenantId const& tenant) {
  if (ask.executable_by.empty()) return true;
  return (image.is_public && contains(ask.executable_by, "all")) ||
         (image.owner == tenant &&
          (contains(ask.executable_by, "self") || contains(ask.executable_by, tenant.value)));
}

}  // namespace

Result<Decision> call(State const& state, Caller const& caller, DescribeImages const& ask,
                      Context&) {
  if (!ask.ids.empty() && ask.page.max_results) {
    return Error{Code::invalid, "combination",
                 "The parameter imageIds cannot be used with the parameter maxResults"};
  }
  std::string const start = TRY(page_start(ask.page, "images", {.low = 1, .high = 1'000}));
  auto const set = TRY(FilterSet<Image>::make(kImageFields, ask.filters));
  std::set<std::string> const wanted(ask.ids.begin(), ask.ids.end());
  std::string missing;
  for (std::string const& id : wanted) {
    auto const found = visible_image(state, caller.tenant, id);
    if (found) continue;
    if (found.error().code == Code::invalid) return found.error();
    missing += (missing.empty() ? "" : ", ") + id;
  }
  if (!missing.empty()) {
    bool const is_one = missing.find(',') == std::string::npos;
    return Error{Code::not_found, "image",
                 is_one ? "The image id '[" + missing + "]' does not exist"
                        : "The image ids '[" + missing + "]' do not exist"};
  }
  Images reply;
  PageFill fill(ask.page, "images");
  for (auto it = state.images.upper_bound(ImageId(start)); it != state.images.end(); ++it) {
    Image const& image = it->second;
    if (!image.is_public && image.owner != caller.tenant) continue;
    if (!wanted.empty() && !wanted.contains(image.id.value)) continue;
    if (!owner_asked(ask, image, caller.tenant) || !executable_asked(ask, image, caller.tenant))
      continue;
    // Tags are the owner's own: nobody else sees or filters by them.
    static Tags const kNoTags;
    if (!set.accepts(image, image.owner == caller.tenant ? &image.tags : &kNoTags)) continue;
    if (!fill.take(image.id.value)) break;
    reply.items.push_back(image);
    if (image.owner != caller.tenant) reply.items.back().tags.clear();
  }
  reply.next_token = fill.next_token();
  return Decision{.reply = std::move(reply)};
}

}  // namespace berth::core
