// Tenants that keep launch templates, and launch from them.

#include "tests/sim/workload.h"

namespace berth::sim {

LaunchTemplateData Workload::drawn_template_data() {
  Entropy& e = world_.entropy();
  LaunchTemplateData data;
  data.type = cluster_.types[e.below(cluster_.types.size())];
  if (e.below(5) != 0) data.image_id = cluster_.public_images[e.below(2)];
  if (e.below(3) == 0) data.instance_tags = {{"Name", tag_word()}, {"from", "template"}};
  if (e.below(6) == 0) data.disable_api_stop = true;
  data.shown = {{"InstanceType", *data.type}};
  if (data.image_id) data.shown.emplace_back("ImageId", *data.image_id);
  return data;
}

void Workload::change_templates(std::size_t tenant) {
  static char const* const kVersions[] = {"", "$Default", "$Latest", "1", "2", "3", "9", "x"};
  Entropy& e = world_.entropy();
  core::LaunchTemplateName const of{.id = {}, .name = "web-" + std::to_string(e.below(2))};
  bool const dry_run = e.below(12) == 0;
  std::uint64_t const kind = e.below(12);
  std::string const version = kVersions[e.below(e.below(3) == 0 ? 8 : 5)];
  std::string const token = e.below(2) == 0 ? "token-" + std::to_string(++tokens_) : "";
  if (kind < 3) {
    core::CreateLaunchTemplate ask{.name = of.name,
                                   .description = {},
                                   .data = drawn_template_data(),
                                   .tags = {},
                                   .client_token = token,
                                   .parameters_digest = e.hex(16)};
    if (e.below(8) == 0) ask.name = "a b";
    if (e.below(3) == 0) ask.tags = {{"team", "red"}};
    send(tenant, "CreateLaunchTemplate", std::move(ask), dry_run);
  } else if (kind < 5) {
    core::CreateLaunchTemplateVersion ask{.of = of,
                                          .source_version = version,
                                          .description = {},
                                          .data = drawn_template_data(),
                                          .client_token = token,
                                          .parameters_digest = e.hex(16)};
    send(tenant, "CreateLaunchTemplateVersion", std::move(ask), dry_run);
  } else if (kind < 7) {
    send(
        tenant, "ModifyLaunchTemplate",
        core::ModifyLaunchTemplate{
            .of = of, .default_version = version.empty() ? "$Latest" : version, .client_token = {}},
        dry_run);
  } else if (kind == 7 && e.below(3) == 0) {
    send(tenant, "DeleteLaunchTemplate", core::DeleteLaunchTemplate{of}, dry_run);
  } else if (kind == 7) {
    send(tenant, "DeleteLaunchTemplateVersions",
         core::DeleteLaunchTemplateVersions{.of = of, .versions = {"1", "2"}}, dry_run);
  } else {
    core::RunInstances ask{.client_token = token, .parameters_digest = e.hex(16)};
    ask.launch_template = core::LaunchTemplateVersionName{.of = of, .version = version};
    if (e.below(2) == 0) ask.type = cluster_.types[e.below(cluster_.types.size())];
    if (e.below(2) == 0) ask.image_id = cluster_.public_images[e.below(2)];
    if (e.below(3) == 0) ask.instance_tags = {{"Name", tag_word()}};
    send(tenant, "RunInstances", std::move(ask), dry_run);
  }
}

}  // namespace berth::sim
