// Launch templates. Their data is a RunInstances request under another name, so it is read and
// refused as one.

#include <string>
#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

namespace {

constexpr std::string_view kData = "LaunchTemplateData.";

// The parameters of the data as RunInstances would have them, under its names.
std::vector<wire::Parameter> data_parameters(Parameters parameters) {
  std::vector<wire::Parameter> out;
  for (wire::Parameter const& p : parameters) {
    if (p.name.starts_with(kData)) out.push_back({p.name.substr(kData.size()), p.value});
  }
  return out;
}

// An empty value is an absent one everywhere but in a tag.
bool is_shown(wire::Parameter const& p) {
  return p.name != "UserData" && (!p.value.empty() || p.name.starts_with("TagSpecification."));
}

template <class T>
std::optional<T> given(T value) {
  return value.empty() ? std::nullopt : std::optional(std::move(value));
}

Ec2Result<LaunchTemplateData> data_of(wire::RequestLaunchTemplateData const& asked,
                                      Parameters parameters) {
  if (is_given(asked.ram_disk_id)) return unsupported("RamDiskId");
  if (asked.instance_requirements) {
    return unsupported("InstanceRequirements", "a launch names its type");
  }
  for (auto const& mapping : asked.block_device_mappings) {
    if (mapping.ebs && is_given(mapping.ebs->snapshot_id)) {
      return unsupported("BlockDeviceMapping.Ebs.SnapshotId", "a root disk is made of its image");
    }
  }
  std::vector<wire::Parameter> own = data_parameters(parameters);
  LaunchTemplateData data;
  for (wire::Parameter const& p : own) {
    if (is_shown(p)) data.shown.emplace_back(p.name, p.value);
  }
  own.push_back({"MinCount", "1"});
  own.push_back({"MaxCount", "1"});
  auto const request = TRY(wire::read<wire::RunInstancesRequest>(own));
  core::RunInstances launch = TRY(launch_of(request));
  data.image_id = given(std::move(launch.image_id));
  data.type = given(std::move(launch.type));
  data.key_name = given(std::move(launch.key_name));
  data.user_data = given(std::move(launch.user_data));
  if (request.placement) data.zone = std::move(launch.zone);
  data.placement_group_id = given(std::move(launch.placement_group.id));
  data.placement_group_name = given(std::move(launch.placement_group.name));
  data.partition = launch.partition;
  data.instance_tags = std::move(launch.instance_tags);
  data.root_disk_gib = launch.root_disk_gib;
  data.disable_api_termination = launch.disable_api_termination;
  data.disable_api_stop = launch.disable_api_stop;
  data.ebs_optimized = launch.ebs_optimized;
  data.monitoring = launch.monitoring;
  data.shutdown_behavior = launch.shutdown_behavior;
  return data;
}

core::LaunchTemplateName name_of(std::optional<std::string> const& id,
                                 std::optional<std::string> const& name) {
  return {.id = id.value_or(""), .name = name.value_or("")};
}

std::string digest_for(std::string const& token, Parameters parameters) {
  return token.empty() ? std::string() : parameters_digest(parameters);
}

}  // namespace

Ec2Result<Parsed> parse_create_launch_template(Parameters parameters) {
  auto r = TRY(wire::read<wire::CreateLaunchTemplateRequest>(parameters));
  core::CreateLaunchTemplate call;
  call.name = r.launch_template_name.value_or("");
  call.description = r.version_description.value_or("");
  call.data = TRY(data_of(*r.launch_template_data, parameters));
  call.tags = TRY(tags_for(r.tag_specifications, "launch-template"));
  call.client_token = r.client_token.value_or("");
  call.parameters_digest = digest_for(call.client_token, parameters);
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_create_launch_template_version(Parameters parameters) {
  auto r = TRY(wire::read<wire::CreateLaunchTemplateVersionRequest>(parameters));
  core::CreateLaunchTemplateVersion call;
  call.of = name_of(r.launch_template_id, r.launch_template_name);
  call.source_version = r.source_version.value_or("");
  call.description = r.version_description.value_or("");
  call.data = TRY(data_of(*r.launch_template_data, parameters));
  call.client_token = r.client_token.value_or("");
  call.parameters_digest = digest_for(call.client_token, parameters);
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_describe_launch_templates(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeLaunchTemplatesRequest>(parameters));
  core::DescribeLaunchTemplates call;
  call.ids = std::move(r.launch_template_ids);
  call.names = std::move(r.launch_template_names);
  call.filters = filters_of(r.filters);
  call.page = page_of(r.max_results, r.next_token);
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_describe_launch_template_versions(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeLaunchTemplateVersionsRequest>(parameters));
  core::DescribeLaunchTemplateVersions call;
  call.of = name_of(r.launch_template_id, r.launch_template_name);
  call.versions = std::move(r.versions);
  call.min_version = r.min_version.value_or("");
  call.max_version = r.max_version.value_or("");
  call.filters = filters_of(r.filters);
  call.page = page_of(r.max_results, r.next_token);
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_modify_launch_template(Parameters parameters) {
  auto r = TRY(wire::read<wire::ModifyLaunchTemplateRequest>(parameters));
  core::ModifyLaunchTemplate call{.of = name_of(r.launch_template_id, r.launch_template_name),
                                  .default_version = r.default_version.value_or(""),
                                  .client_token = r.client_token.value_or("")};
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_delete_launch_template(Parameters parameters) {
  auto r = TRY(wire::read<wire::DeleteLaunchTemplateRequest>(parameters));
  core::DeleteLaunchTemplate call{.of = name_of(r.launch_template_id, r.launch_template_name)};
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

Ec2Result<Parsed> parse_delete_launch_template_versions(Parameters parameters) {
  auto r = TRY(wire::read<wire::DeleteLaunchTemplateVersionsRequest>(parameters));
  core::DeleteLaunchTemplateVersions call{
      .of = name_of(r.launch_template_id, r.launch_template_name),
      .versions = std::move(r.versions)};
  return Parsed{.action = std::move(call), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

}  // namespace berth::ec2
