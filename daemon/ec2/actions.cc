#include "daemon/ec2/actions.h"

#include "berth/base/ensure.h"
#include "daemon/ec2/parse.h"
#include "daemon/ec2/render.h"

namespace berth::ec2 {

namespace {

using wire::Action;

constexpr ActionRow kRows[] = {
    {Action::run_instances, parse_run_instances, render_run_instances},
    {Action::describe_instances, parse_describe_instances, render_describe_instances},
    {Action::describe_instance_status, parse_describe_instance_status,
     render_describe_instance_status},
    {Action::describe_instance_attribute, parse_describe_instance_attribute,
     render_describe_instance_attribute},
    {Action::modify_instance_attribute, parse_modify_instance_attribute, render_done},
    {Action::start_instances, parse_start_instances, render_start_instances},
    {Action::stop_instances, parse_stop_instances, render_stop_instances},
    {Action::reboot_instances, parse_reboot_instances, render_done},
    {Action::terminate_instances, parse_terminate_instances, render_terminate_instances},
    {Action::get_console_output, parse_get_console_output, render_get_console_output},
    {Action::describe_instance_types, parse_describe_instance_types,
     render_describe_instance_types},
    {Action::describe_instance_type_offerings, parse_describe_instance_type_offerings,
     render_describe_instance_type_offerings},
    {Action::describe_images, parse_describe_images, render_describe_images},
    {Action::describe_regions, parse_describe_regions, render_describe_regions},
    {Action::describe_availability_zones, parse_describe_availability_zones,
     render_describe_availability_zones},
    {Action::create_key_pair, parse_create_key_pair, render_create_key_pair,
     /*is_slow_to_parse=*/true},
    {Action::import_key_pair, parse_import_key_pair, render_import_key_pair},
    {Action::describe_key_pairs, parse_describe_key_pairs, render_describe_key_pairs},
    {Action::delete_key_pair, parse_delete_key_pair, render_done},
    {Action::create_tags, parse_create_tags, render_done},
    {Action::delete_tags, parse_delete_tags, render_done},
    {Action::describe_tags, parse_describe_tags, render_describe_tags},
    {Action::create_launch_template, parse_create_launch_template, render_create_launch_template},
    {Action::create_launch_template_version, parse_create_launch_template_version,
     render_create_launch_template_version},
    {Action::describe_launch_templates, parse_describe_launch_templates,
     render_describe_launch_templates},
    {Action::describe_launch_template_versions, parse_describe_launch_template_versions,
     render_describe_launch_template_versions},
    {Action::modify_launch_template, parse_modify_launch_template, render_modify_launch_template},
    {Action::delete_launch_template, parse_delete_launch_template, render_delete_launch_template},
    {Action::delete_launch_template_versions, parse_delete_launch_template_versions,
     render_delete_launch_template_versions},
    {Action::create_placement_group, parse_create_placement_group, render_create_placement_group},
    {Action::describe_placement_groups, parse_describe_placement_groups,
     render_describe_placement_groups},
    {Action::delete_placement_group, parse_delete_placement_group, render_done},
    {Action::describe_account_attributes, parse_describe_account_attributes,
     render_describe_account_attributes},
    {Action::get_caller_identity, parse_get_caller_identity, render_get_caller_identity},
};

}  // namespace

std::span<ActionRow const> action_rows() {
  return kRows;
}

ActionRow const& row_of(wire::Action action) {
  auto const index = static_cast<std::size_t>(action);
  ENSURE(index < std::size(kRows) && kRows[index].action == action);
  return kRows[index];
}

}  // namespace berth::ec2
