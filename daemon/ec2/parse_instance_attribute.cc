// ModifyInstanceAttribute comes in two forms: DisableApiTermination.Value=true, and
// Attribute=disableApiTermination&Value=true. Both are read into the same change here. One
// attribute a call, as EC2 has it.

#include <algorithm>
#include <string>
#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

namespace {

using Request = wire::ModifyInstanceAttributeRequest;

Ec2Error bad_value(std::string_view attribute, std::string_view value) {
  return {"InvalidParameterValue", 400,
          "Invalid value '" + std::string(value) + "' for attribute " + std::string(attribute)};
}

Ec2Result<bool> boolean_of(std::string_view attribute, std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (text == "true") return true;
  if (text == "false") return false;
  return bad_value(attribute, text);
}

Ec2Result<ShutdownBehavior> shutdown_behavior_of(std::string_view text) {
  if (text == "stop") return ShutdownBehavior::stop;
  if (text == "terminate") return ShutdownBehavior::terminate;
  return bad_value("instanceInitiatedShutdownBehavior", text);
}

// Every instance forwards only its own traffic: EC2's default, and all that we have.
Ec2Result<core::ApiAction> source_dest_check(std::string id, bool value) {
  if (!value) return unsupported("SourceDestCheck", "expected \"true\"");
  return core::ApiAction(core::DescribeInstance{.id = std::move(id)});
}

Ec2Result<core::ApiAction> from_attribute_and_value(Request const& r) {
  std::string const attribute = r.attribute.value_or("");
  std::string const value = r.value.value_or("");
  core::ModifyInstance change{.id = r.instance_id.value_or("")};
  if (attribute == "disableApiTermination") {
    change.disable_api_termination = TRY(boolean_of(attribute, value));
  } else if (attribute == "disableApiStop") {
    change.disable_api_stop = TRY(boolean_of(attribute, value));
  } else if (attribute == "ebsOptimized") {
    change.ebs_optimized = TRY(boolean_of(attribute, value));
  } else if (attribute == "instanceInitiatedShutdownBehavior") {
    change.shutdown_behavior = TRY(shutdown_behavior_of(value));
  } else if (attribute == "userData") {
    change.user_data = TRY(user_data_of(value));
  } else if (attribute == "instanceType") {
    if (value.empty()) return missing_parameter("Value");
    change.type = value;
  } else if (attribute == "sourceDestCheck") {
    bool const wanted = TRY(boolean_of(attribute, value));
    return source_dest_check(change.id, wanted);
  } else {
    return unsupported("Attribute", "\"" + attribute + "\" cannot be modified");
  }
  return core::ApiAction(std::move(change));
}

Ec2Result<core::ApiAction> from_named_field(Request const& r) {
  core::ModifyInstance change{.id = r.instance_id.value_or("")};
  if (r.source_dest_check) {
    return source_dest_check(change.id, r.source_dest_check->value.value_or(true));
  }
  if (r.disable_api_termination) {
    change.disable_api_termination = r.disable_api_termination->value.value_or(false);
  }
  if (r.disable_api_stop) change.disable_api_stop = r.disable_api_stop->value.value_or(false);
  if (r.ebs_optimized) change.ebs_optimized = r.ebs_optimized->value.value_or(false);
  if (r.instance_initiated_shutdown_behavior) {
    std::string const value = r.instance_initiated_shutdown_behavior->value.value_or("");
    change.shutdown_behavior = TRY(shutdown_behavior_of(value));
  }
  if (r.instance_type) change.type = r.instance_type->value.value_or("");
  if (r.user_data) change.user_data = r.user_data->value.value_or("");
  return core::ApiAction(std::move(change));
}

std::optional<Ec2Error> refuse(Request const& r) {
  if (!r.groups.empty()) return unsupported("GroupId", "there are no security groups yet");
  if (!r.block_device_mappings.empty()) return unsupported("BlockDeviceMapping");
  if (r.ena_support) return unsupported("EnaSupport");
  if (r.sriov_net_support) return unsupported("SriovNetSupport");
  if (r.kernel) return unsupported("Kernel");
  if (r.ramdisk) return unsupported("Ramdisk");
  return {};
}

int fields_given(Request const& r) {
  return static_cast<int>(r.attribute.has_value()) +
         static_cast<int>(r.source_dest_check.has_value()) +
         static_cast<int>(r.disable_api_termination.has_value()) +
         static_cast<int>(r.disable_api_stop.has_value()) +
         static_cast<int>(r.ebs_optimized.has_value()) +
         static_cast<int>(r.instance_initiated_shutdown_behavior.has_value()) +
         static_cast<int>(r.instance_type.has_value()) + static_cast<int>(r.user_data.has_value());
}

}  // namespace

Ec2Result<Parsed> parse_modify_instance_attribute(Parameters parameters) {
  auto const r = TRY(wire::read<Request>(parameters));
  if (auto refusal = refuse(r)) return *std::move(refusal);
  int const given = fields_given(r);
  if (given == 0) {
    return Ec2Error{"InvalidParameterCombination", 400, "No attributes specified."};
  }
  if (given > 1) {
    return Ec2Error{"InvalidParameterCombination", 400,
                    "Fields for multiple attribute types specified"};
  }
  core::ApiAction action = TRY(r.attribute ? from_attribute_and_value(r) : from_named_field(r));
  return Parsed{.action = std::move(action), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_describe_instance_attribute(Parameters parameters) {
  auto const r = TRY(wire::read<wire::DescribeInstanceAttributeRequest>(parameters));
  return Parsed{.action = core::DescribeInstance{.id = r.instance_id.value_or("")},
                .dry_run = r.dry_run.value_or(false),
                .echo = {.attribute = r.attribute.value_or("")}};
}

}  // namespace berth::ec2
