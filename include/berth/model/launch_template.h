#pragma once
// Launch templates: what RunInstances is to be asked for, kept under a name in numbered versions.
// A version never changes; a template knows which of its versions is meant when none is said.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "berth/base/time.h"
#include "berth/model/ids.h"
#include "berth/model/instance.h"
#include "berth/model/tenant.h"

namespace berth {

// Everything is optional: absent is for the request, or for the default.
struct LaunchTemplateData {
  std::optional<std::string> image_id;
  std::optional<std::string> type;
  std::optional<std::string> key_name;
  std::optional<std::string> user_data;  // decoded bytes
  std::optional<std::string> zone;       // empty: a placement is given, and it names no zone
  std::optional<std::string> placement_group_id;  // at most one of the two
  std::optional<std::string> placement_group_name;
  std::optional<std::int64_t> partition;
  Tags instance_tags;
  std::optional<std::int64_t> root_disk_gib;
  std::optional<bool> disable_api_termination;
  std::optional<bool> disable_api_stop;
  std::optional<bool> ebs_optimized;
  std::optional<bool> monitoring;
  std::optional<ShutdownBehavior> shutdown_behavior;
  // The request's own parameters but for the user data, as ("Placement.AvailabilityZone",
  // "us-east-1a"): what DescribeLaunchTemplateVersions shows, also of what changes nothing here.
  std::vector<std::pair<std::string, std::string>> shown;

  bool operator==(LaunchTemplateData const&) const = default;
};

struct LaunchTemplate {
  LaunchTemplateId id;
  TenantId tenant;
  std::string name;  // unique within the tenant
  std::uint64_t default_version = 1;
  std::uint64_t last_version = 1;  // the highest ever given; numbers are not given twice
  std::string client_token;        // empty: none was given
  std::string parameters_digest;   // of the request that made it, without the token
  Tags tags;
  WallTime created;

  bool operator==(LaunchTemplate const&) const = default;
};

struct LaunchTemplateVersion {
  LaunchTemplateId launch_template;
  std::uint64_t number = 0;  // 1 or more
  TenantId tenant;           // the template's
  std::string description;
  std::string client_token;       // of CreateLaunchTemplateVersion; empty: none was given
  std::string parameters_digest;  // of that request, without the token
  LaunchTemplateData data;
  WallTime created;

  bool operator==(LaunchTemplateVersion const&) const = default;
};

}  // namespace berth
