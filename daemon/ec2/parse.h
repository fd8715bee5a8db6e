#pragma once
// From parameters to what the core is asked: one function per action, one file per noun. Checked
// here is what the core cannot see: parameters that we do not have, pairs that exclude each other,
// base64. What an id, a name, a filter or a number may be is the core's to judge, so that both APIs
// judge alike.
//
// A parameter that would change what the client gets and that we do not have is refused by name
// (UnsupportedOperation); it is never dropped in silence.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ec2/call.h"

namespace berth::ec2 {

using Parameters = std::span<wire::Parameter const>;

// parse_instances.cc, parse_run_instances.cc, parse_instance_attribute.cc
[[nodiscard]] Ec2Result<Parsed> parse_run_instances(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_instances(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_instance_status(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_instance_attribute(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_modify_instance_attribute(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_start_instances(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_stop_instances(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_reboot_instances(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_terminate_instances(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_get_console_output(Parameters parameters);

// parse_types.cc
[[nodiscard]] Ec2Result<Parsed> parse_describe_instance_types(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_instance_type_offerings(Parameters parameters);

// parse_images.cc
[[nodiscard]] Ec2Result<Parsed> parse_describe_images(Parameters parameters);

// parse_zones.cc
[[nodiscard]] Ec2Result<Parsed> parse_describe_regions(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_availability_zones(Parameters parameters);

// parse_keys.cc. CreateKeyPair makes the key, which takes up to a second.
[[nodiscard]] Ec2Result<Parsed> parse_create_key_pair(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_import_key_pair(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_key_pairs(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_delete_key_pair(Parameters parameters);

// parse_tags.cc
[[nodiscard]] Ec2Result<Parsed> parse_create_tags(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_delete_tags(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_tags(Parameters parameters);

// parse_launch_templates.cc
[[nodiscard]] Ec2Result<Parsed> parse_create_launch_template(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_create_launch_template_version(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_launch_templates(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_launch_template_versions(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_modify_launch_template(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_delete_launch_template(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_delete_launch_template_versions(Parameters parameters);

// parse_placement_groups.cc
[[nodiscard]] Ec2Result<Parsed> parse_create_placement_group(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_describe_placement_groups(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_delete_placement_group(Parameters parameters);

// parse_account.cc
[[nodiscard]] Ec2Result<Parsed> parse_describe_account_attributes(Parameters parameters);
[[nodiscard]] Ec2Result<Parsed> parse_get_caller_identity(Parameters parameters);

}  // namespace berth::ec2
