#pragma once
// From what the core answered to the document the client gets: one function per action, one file
// per noun. What EC2 shows of every instance and image and we do not store (hypervisor, root
// device, primary interface) is in facts.h.

#include <string>
#include <vector>

#include "daemon/ec2/call.h"

namespace berth::ec2 {

// render_instances.cc
[[nodiscard]] std::string render_run_instances(core::Reply const& reply, Rendering const& about);
[[nodiscard]] std::string render_describe_instances(core::Reply const& reply,
                                                    Rendering const& about);
[[nodiscard]] std::string render_describe_instance_status(core::Reply const& reply,
                                                          Rendering const& about);
[[nodiscard]] std::string render_start_instances(core::Reply const& reply, Rendering const& about);
[[nodiscard]] std::string render_stop_instances(core::Reply const& reply, Rendering const& about);
[[nodiscard]] std::string render_terminate_instances(core::Reply const& reply,
                                                     Rendering const& about);
[[nodiscard]] std::string render_get_console_output(core::Reply const& reply,
                                                    Rendering const& about);

// render_instance_attribute.cc
[[nodiscard]] std::string render_describe_instance_attribute(core::Reply const& reply,
                                                             Rendering const& about);

// render_types.cc
[[nodiscard]] std::string render_describe_instance_types(core::Reply const& reply,
                                                         Rendering const& about);
[[nodiscard]] std::string render_describe_instance_type_offerings(core::Reply const& reply,
                                                                  Rendering const& about);

// render_images.cc
[[nodiscard]] std::string render_describe_images(core::Reply const& reply, Rendering const& about);

// render_zones.cc
[[nodiscard]] std::string render_describe_regions(core::Reply const& reply, Rendering const& about);
[[nodiscard]] std::string render_describe_availability_zones(core::Reply const& reply,
                                                             Rendering const& about);

// render_keys.cc
[[nodiscard]] std::string render_create_key_pair(core::Reply const& reply, Rendering const& about);
[[nodiscard]] std::string render_import_key_pair(core::Reply const& reply, Rendering const& about);
[[nodiscard]] std::string render_describe_key_pairs(core::Reply const& reply,
                                                    Rendering const& about);

// render_tags.cc
[[nodiscard]] std::string render_describe_tags(core::Reply const& reply, Rendering const& about);

// render_launch_templates.cc
[[nodiscard]] std::string render_create_launch_template(core::Reply const& reply,
                                                        Rendering const& about);
[[nodiscard]] std::string render_create_launch_template_version(core::Reply const& reply,
                                                                Rendering const& about);
[[nodiscard]] std::string render_describe_launch_templates(core::Reply const& reply,
                                                           Rendering const& about);
[[nodiscard]] std::string render_describe_launch_template_versions(core::Reply const& reply,
                                                                   Rendering const& about);
[[nodiscard]] std::string render_modify_launch_template(core::Reply const& reply,
                                                        Rendering const& about);
[[nodiscard]] std::string render_delete_launch_template(core::Reply const& reply,
                                                        Rendering const& about);
[[nodiscard]] std::string render_delete_launch_template_versions(core::Reply const& reply,
                                                                 Rendering const& about);

// render_placement_groups.cc
[[nodiscard]] std::string render_create_placement_group(core::Reply const& reply,
                                                        Rendering const& about);
[[nodiscard]] std::string render_describe_placement_groups(core::Reply const& reply,
                                                           Rendering const& about);

// render_account.cc
[[nodiscard]] std::string render_describe_account_attributes(core::Reply const& reply,
                                                             Rendering const& about);
[[nodiscard]] std::string render_get_caller_identity(core::Reply const& reply,
                                                     Rendering const& about);

// render_common.cc: <return>true</return>, for every action whose answer says no more.
[[nodiscard]] std::string render_done(core::Reply const& reply, Rendering const& about);

}  // namespace berth::ec2
