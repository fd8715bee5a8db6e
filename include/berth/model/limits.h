#pragma once
// Every limit of Berth, in one place, with a test at the limit and one past it. What would grow
// without bound is refused with a clear error instead.

#include <cstddef>
#include <cstdint>

#include "berth/base/time.h"

namespace berth::limits {

// Whole region.
inline constexpr std::size_t kLaunchTemplateVersionsMax = 200'000;
inline constexpr std::size_t kPlacementGroupsMax = 200'000;
inline constexpr std::size_t kHostsMax = 100'000;
inline constexpr std::size_t kTenantsMax = 100'000;
inline constexpr std::size_t kInstanceTypesMax = 2'000;
inline constexpr std::size_t kZonesMax = 64;  // placement keeps a bit for each
inline constexpr std::size_t kInstancesMax = 2'000'000;
inline constexpr std::size_t kPublicImagesMax = 1'000;

// One tenant, beside its quota.
inline constexpr std::size_t kAccessKeysPerTenantMax = 10;
inline constexpr std::size_t kTagsPerResourceMax = 50;  // EC2: TagLimitExceeded
inline constexpr std::size_t kTagKeyCharactersMax = 128;
// EC2 has 5,000 templates of 10,000 versions each. Here all of a tenant's versions are in memory,
// each with up to kUserDataBytesMax and kLaunchTemplateBytesMax.
inline constexpr std::size_t kLaunchTemplatesPerTenantMax = 500;
inline constexpr std::size_t kVersionsPerLaunchTemplateMax = 200;
inline constexpr std::size_t kLaunchTemplateVersionsPerTenantMax = 1'000;
inline constexpr std::size_t kLaunchTemplateBytesMax = 16 * 1024;  // of one version's parameters
inline constexpr std::size_t kLaunchTemplateNameCharactersMin = 3;
inline constexpr std::size_t kLaunchTemplateNameCharactersMax = 128;
inline constexpr std::size_t kTagValueCharactersMax = 256;
inline constexpr std::size_t kPlacementGroupsPerTenantMax = 500;  // as EC2
inline constexpr std::size_t kPlacementGroupNameCharactersMax = 255;
inline constexpr std::int32_t kPartitionsPerGroupMax = 7;  // as EC2
inline constexpr std::int32_t kSpreadPerZoneMax = 7;       // of one rack-level group, as EC2

// One request.
inline constexpr std::int64_t kInstancesPerRequestMax = 1'000;
inline constexpr std::size_t kUserDataBytesMax = 16 * 1024;  // decoded, as EC2
inline constexpr std::size_t kClientTokenCharactersMax = 64;
inline constexpr std::size_t kLaunchTemplateTokenCharactersMax = 128;  // of their calls, as EC2
inline constexpr std::size_t kLaunchTemplateDescriptionMax = 255;      // bytes
inline constexpr std::int64_t kLaunchTemplatesPerPageMax = 200;
inline constexpr std::size_t kFiltersPerRequestMax = 200;
inline constexpr std::size_t kFilterValuesMax = 200;
inline constexpr std::size_t kIdsPerRequestMax = 1'000;
inline constexpr std::size_t kResultsPerPageMax = 1'000;
inline constexpr std::size_t kNameCharactersMax = 255;

// One commit: below etcd's default of 128 operations and 1.5 MiB, for every store alike, unless a
// single request needs more (RunInstances of up to kInstancesPerRequestMax; that is one commit).
inline constexpr std::size_t kChangesPerCommitMax = 4'096;
inline constexpr std::size_t kInputsPerBatchMax = 256;
inline constexpr std::size_t kInputsQueuedMax = 16'384;

// Retention and leases (TRUST, fixed times).
inline constexpr Duration kTerminatedRetention = hours(1);    // terminated instances stay visible
inline constexpr Duration kClientTokenRetention = hours(24);  // after the last instance's end
inline constexpr Duration kHeartbeat = seconds(5);
inline constexpr Duration kLease = seconds(30);           // then the host is suspect
inline constexpr Duration kLostAfter = seconds(51);       // lease + rate tolerance + kill + margin
inline constexpr Duration kReportInterval = seconds(60);  // full report at the latest
inline constexpr Duration kJoinTokenLifetime = hours(1);
inline constexpr Duration kShutdownGrace = seconds(60);  // ACPI power button, then power off

// Images and disks.
inline constexpr std::int64_t kImageVirtualGibMax = 2'048;
inline constexpr std::int64_t kImageFileBytesMax = std::int64_t{512} << 30;
inline constexpr std::int64_t kRootDiskGibMax = 16'384;

// Agent and its daemon.
inline constexpr std::size_t kInstancesPerHostMax = 1'000;
inline constexpr std::size_t kConsoleBytesMax = 64 * 1024;  // what GetConsoleOutput returns, as EC2
inline constexpr std::size_t kAgentMessageBytesMax = 32 * 1024 * 1024;

}  // namespace berth::limits
