#include <string>
#include <utility>
#include <vector>

#include "berth/base/digest.h"
#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

namespace {

// Keys are the account's own, so whoever made it is the account.
std::string creator(TenantId const& tenant) {
  return "arn:aws:iam::" + tenant.value + ":root";
}

wire::LaunchTemplate wire_template(core::LaunchTemplateView const& view) {
  LaunchTemplate const& made = view.launch_template;
  wire::LaunchTemplate out;
  out.launch_template_id = made.id.value;
  out.launch_template_name = made.name;
  out.create_time = made.created;
  out.created_by = creator(made.tenant);
  out.default_version_number = static_cast<std::int64_t>(made.default_version);
  out.latest_version_number = static_cast<std::int64_t>(view.latest_version);
  out.tags = wire_tags(made.tags);
  return out;
}

// As it was asked for. Words that this Berth does not know any more are left out; what a launch
// rests on is beside them and always said.
wire::ResponseLaunchTemplateData wire_data(LaunchTemplateData const& data) {
  std::vector<wire::Parameter> parameters = {{"LaunchTemplateName", "any"}};
  for (auto const& [name, value] : data.shown) {
    parameters.push_back({"LaunchTemplateData." + name, value});
  }
  wire::ResponseLaunchTemplateData out;
  auto const asked = wire::read<wire::CreateLaunchTemplateRequest>(parameters);
  if (asked && asked->launch_template_data) {
    out = wire::copied<wire::ResponseLaunchTemplateData>(*asked->launch_template_data);
  }
  out.image_id = data.image_id;
  out.instance_type = data.type;
  out.key_name = data.key_name;
  if (data.user_data) out.user_data = base64(*data.user_data);
  return out;
}

wire::LaunchTemplateVersion wire_version(core::LaunchTemplateVersionView const& view) {
  LaunchTemplateVersion const& version = view.version;
  wire::LaunchTemplateVersion out;
  out.launch_template_id = version.launch_template.value;
  out.launch_template_name = view.template_name;
  out.version_number = static_cast<std::int64_t>(version.number);
  if (!version.description.empty()) out.version_description = version.description;
  out.create_time = version.created;
  out.created_by = creator(version.tenant);
  out.default_version = view.is_default;
  out.launch_template_data = wire_data(version.data);
  return out;
}

}  // namespace

std::string render_create_launch_template(core::Reply const& reply, Rendering const& about) {
  wire::CreateLaunchTemplateResult out;
  out.launch_template = wire_template(expect<core::OneLaunchTemplate>(reply).view);
  return document(about, out);
}

std::string render_create_launch_template_version(core::Reply const& reply,
                                                  Rendering const& about) {
  wire::CreateLaunchTemplateVersionResult out;
  out.launch_template_version = wire_version(expect<core::OneLaunchTemplateVersion>(reply).view);
  return document(about, out);
}

std::string render_describe_launch_templates(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::LaunchTemplates>(reply);
  wire::DescribeLaunchTemplatesResult out;
  for (core::LaunchTemplateView const& view : found.items) {
    out.launch_templates.push_back(wire_template(view));
  }
  out.next_token = wire_token(found.next_token);
  return document(about, out);
}

std::string render_describe_launch_template_versions(core::Reply const& reply,
                                                     Rendering const& about) {
  auto const& found = expect<core::LaunchTemplateVersions>(reply);
  wire::DescribeLaunchTemplateVersionsResult out;
  for (core::LaunchTemplateVersionView const& view : found.items) {
    out.launch_template_versions.push_back(wire_version(view));
  }
  out.next_token = wire_token(found.next_token);
  return document(about, out);
}

std::string render_modify_launch_template(core::Reply const& reply, Rendering const& about) {
  wire::ModifyLaunchTemplateResult out;
  out.launch_template = wire_template(expect<core::OneLaunchTemplate>(reply).view);
  return document(about, out);
}

std::string render_delete_launch_template(core::Reply const& reply, Rendering const& about) {
  wire::DeleteLaunchTemplateResult out;
  out.launch_template = wire_template(expect<core::OneLaunchTemplate>(reply).view);
  return document(about, out);
}

std::string render_delete_launch_template_versions(core::Reply const& reply,
                                                   Rendering const& about) {
  auto const& result = expect<core::DeletedLaunchTemplateVersions>(reply);
  using Why = core::DeletedLaunchTemplateVersions::Why;
  wire::DeleteLaunchTemplateVersionsResult out;
  for (std::uint64_t const number : result.deleted) {
    out.successfully_deleted_launch_template_versions.push_back(
        {.launch_template_id = result.id.value,
         .launch_template_name = result.name,
         .version_number = static_cast<std::int64_t>(number)});
  }
  for (auto const& [number, why] : result.kept) {
    std::string const text = std::to_string(number);
    wire::ResponseError error;
    if (why == Why::absent) {
      error = {.code = "launchTemplateVersionDoesNotExist",
               .message = "Could not find the specified version " + text +
                          " for the launch template with ID " + result.id.value + "."};
    } else {
      error = {
          .code = "unexpectedError",
          .message = "Version " + text +
                     " is the default version. Make another the default before you delete it."};
    }
    out.unsuccessfully_deleted_launch_template_versions.push_back(
        {.launch_template_id = result.id.value,
         .launch_template_name = result.name,
         .version_number = static_cast<std::int64_t>(number),
         .response_error = std::move(error)});
  }
  return document(about, out);
}

}  // namespace berth::ec2
