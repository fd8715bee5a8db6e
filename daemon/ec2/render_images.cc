#include <string>
#include <utility>

#include "daemon/ec2/facts.h"
#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

namespace {

std::int64_t whole_gib(Bytes size) {
  return (size.value + (std::int64_t{1} << 30) - 1) >> 30;
}

wire::BlockDeviceMapping root_mapping(Image const& image) {
  wire::EbsBlockDevice ebs;
  ebs.delete_on_termination = true;
  ebs.snapshot_id = derived("snap-", image.id.value);
  ebs.volume_size = whole_gib(image.virtual_size);
  ebs.volume_type = "gp2";
  ebs.encrypted = false;
  return {.device_name = std::string(kRootDeviceName),
          .virtual_name = {},
          .ebs = std::move(ebs),
          .no_device = {}};
}

wire::Image wire_image(Image const& image) {
  bool const is_operators = image.owner.value.empty();
  std::string const owner = is_operators ? std::string(kOperatorAccount) : image.owner.value;
  wire::Image out;
  out.architecture = std::string(kArchitecture);
  out.creation_date = iso8601(image.created);  // a string in the model; Terraform sorts by it
  out.image_id = image.id.value;
  out.image_location = (is_operators ? std::string(kOperatorAlias) : owner) + "/" + image.name;
  out.image_type = "machine";
  out.public_ = image.is_public;
  out.owner_id = owner;
  out.platform_details = "Linux/UNIX";
  out.usage_operation = "RunInstances";
  out.state = "available";
  out.block_device_mappings.push_back(root_mapping(image));
  if (!image.description.empty()) out.description = image.description;
  out.ena_support = true;
  out.hypervisor = std::string(kHypervisor);
  if (is_operators) out.image_owner_alias = std::string(kOperatorAlias);
  out.name = image.name;
  out.root_device_name = std::string(kRootDeviceName);
  out.root_device_type = "ebs";
  out.tags = wire_tags(image.tags);
  out.virtualization_type = "hvm";
  return out;
}

}  // namespace

std::string render_describe_images(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::Images>(reply);
  wire::DescribeImagesResult out;
  out.images.reserve(found.items.size());
  for (Image const& image : found.items) out.images.push_back(wire_image(image));
  return document(about, out);
}

}  // namespace berth::ec2
