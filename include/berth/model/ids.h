#pragma once
// Ids are types. What a tenant sees is EC2's form: prefix + 17 lower-case hex digits.

#include <cstdint>

#include "berth/base/strong.h"

namespace berth {

using TenantId = StrongString<struct TenantIdTag>;            // 12 decimal digits, EC2's account id
using AccessKeyId = StrongString<struct AccessKeyIdTag>;      // "AKIA" + 16 of A-Z2-7
using ZoneName = StrongString<struct ZoneNameTag>;            // "us-east-1a"
using HostId = StrongString<struct HostIdTag>;                // "host-" + 17 hex
using TypeName = StrongString<struct TypeNameTag>;            // "m5.large"
using ImageId = StrongString<struct ImageIdTag>;              // "ami-" + 17 hex
using KeyPairId = StrongString<struct KeyPairIdTag>;          // "key-" + 17 hex
using InstanceId = StrongString<struct InstanceIdTag>;        // "i-" + 17 hex
using ReservationId = StrongString<struct ReservationIdTag>;  // "r-" + 17 hex
using LaunchTemplateId = StrongString<struct LaunchTemplateIdTag>;            // "lt-" + 17 hex
using PlacementGroupId = StrongString<struct PlacementGroupIdTag>;            // "pg-" + 17 hex
using CapacityReservationId = StrongString<struct CapacityReservationIdTag>;  // "cr-" + 17 hex
using DedicatedHostId = StrongString<struct DedicatedHostIdTag>;              // "h-" + 17 hex
using SpotRequestId = StrongString<struct SpotRequestIdTag>;  // "sir-" + 8 of a-z0-9

// Leader term: raised by each start of the daemon and each new leader; stored. An agent obeys the
// highest it has seen.
using Term = Strong<struct TermTag, std::uint64_t>;
// Of a host's spec: grows with each change of the spec within one term; starts at 1 in each term.
using Generation = Strong<struct GenerationTag, std::uint64_t>;
// Of an instance's placement: grows each time the instance is given to another host; stored.
using PlacementGeneration = Strong<struct PlacementGenerationTag, std::uint64_t>;

}  // namespace berth
