#include <string>
#include <utility>

#include "berth/base/digest.h"
#include "daemon/ec2/facts.h"
#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

namespace {

using Boolean = wire::AttributeBooleanValue;
using Text = wire::AttributeValue;

std::string shutdown_behavior(ShutdownBehavior behavior) {
  switch (behavior) {
    case ShutdownBehavior::stop: return "stop";
    case ShutdownBehavior::terminate: return "terminate";
  }
  std::abort();
}

// A list without items that was asked for by name is an empty element: Ansible indexes ["Groups"].
// The writer leaves empty lists of this result out, because all three of them are always empty but
// for the one that was asked for.
std::string with_empty_list(std::string document, std::string const& name) {
  std::size_t const end = document.rfind("</DescribeInstanceAttributeResponse>");
  ENSURE(end != std::string::npos);
  document.insert(end, "<" + name + "/>");
  return document;
}

}  // namespace

// One attribute is asked for, one is answered; one without a value as an empty element.
std::string render_describe_instance_attribute(core::Reply const& reply, Rendering const& about) {
  core::InstanceView const& view = expect<core::OneInstance>(reply).view;
  Instance const& instance = view.instance;
  std::string const& asked = about.echo.attribute;
  wire::InstanceAttribute out;
  out.instance_id = instance.id.value;
  if (asked == "instanceType") out.instance_type = Text{.value = instance.type.value};
  if (asked == "kernel") out.kernel_id = Text{};
  if (asked == "ramdisk") out.ramdisk_id = Text{};
  if (asked == "sriovNetSupport") out.sriov_net_support = Text{};
  if (asked == "userData") {
    // Terraform compares a hash of the decoded value: the exact bytes, or none at all.
    out.user_data = Text{};
    if (!instance.user_data.empty()) out.user_data->value = base64(instance.user_data);
  }
  if (asked == "disableApiTermination") {
    out.disable_api_termination = Boolean{.value = instance.disable_api_termination};
  }
  if (asked == "disableApiStop") out.disable_api_stop = Boolean{.value = instance.disable_api_stop};
  if (asked == "ebsOptimized") out.ebs_optimized = Boolean{.value = instance.ebs_optimized};
  if (asked == "instanceInitiatedShutdownBehavior") {
    out.instance_initiated_shutdown_behavior =
        Text{.value = shutdown_behavior(instance.shutdown_behavior)};
  }
  if (asked == "rootDeviceName") out.root_device_name = Text{.value = std::string(kRootDeviceName)};
  if (asked == "sourceDestCheck") out.source_dest_check = Boolean{.value = true};
  if (asked == "enaSupport") out.ena_support = Boolean{.value = true};
  if (asked == "enclaveOptions") out.enclave_options = wire::EnclaveOptions{.enabled = false};
  bool const has_disk = view.state != core::InstanceState::terminated;
  if (asked == "blockDeviceMapping" && has_disk) {
    out.block_device_mappings.push_back(root_device(instance));
  }
  bool const is_empty_list = asked == "groupSet" || asked == "productCodes" ||
                             (asked == "blockDeviceMapping" && !has_disk);
  std::string text = document(about, out);
  return is_empty_list ? with_empty_list(std::move(text), asked) : text;
}

}  // namespace berth::ec2
