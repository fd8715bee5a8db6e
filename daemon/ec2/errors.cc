#include "daemon/ec2/errors.h"

#include <algorithm>
#include <string>

namespace berth::ec2 {

namespace {

constexpr std::string_view kInternal = "InternalError";

// EC2's spelling is uneven (InvalidInstanceID, InvalidAMIID, InvalidKeyPair): clients match it
// literally. The status decides whether an SDK retries: quotas are 400 so that nobody does,
// capacity and throttling are 500 and 503 so that everybody does.
constexpr ErrorRow kRows[] = {
    {Code::invalid, "instance-id", "InvalidInstanceID.Malformed", 400},
    {Code::invalid, "image-id", "InvalidAMIID.Malformed", 400},
    {Code::invalid, "key-pair-id", "InvalidParameterValue", 400},
    {Code::invalid, "resource-id", "InvalidID", 400},
    {Code::invalid, "instance-type", "InvalidParameterValue", 400},
    {Code::invalid, "instance-attribute", "InvalidInstanceAttributeValue", 400},
    {Code::invalid, "launch-template-id", "InvalidLaunchTemplateId.Malformed", 400},
    {Code::invalid, "launch-template-name", "InvalidLaunchTemplateName.MalformedException", 400},
    {Code::invalid, "placement-group-id", "InvalidPlacementGroupId.Malformed", 400},
    {Code::invalid, "zone", "InvalidParameterValue", 400},
    {Code::invalid, "count", "InvalidParameterValue", 400},
    {Code::invalid, "filter", "InvalidParameterValue", 400},
    {Code::invalid, "page", "InvalidParameterValue", 400},
    {Code::invalid, "next-token", "InvalidNextToken", 400},
    {Code::invalid, "tag", "InvalidParameterValue", 400},
    {Code::invalid, "tag-key", "InvalidParameterValue", 400},
    {Code::invalid, "key-name", "InvalidParameterValue", 400},
    {Code::invalid, "user-data", "InvalidUserData.Malformed", 400},
    {Code::invalid, "client-token", "InvalidParameterValue", 400},
    {Code::invalid, "disk", "InvalidBlockDeviceMapping", 400},
    {Code::invalid, "parameter", "InvalidParameterValue", 400},
    {Code::invalid, "combination", "InvalidParameterCombination", 400},
    {Code::invalid, "missing", "MissingParameter", 400},
    {Code::invalid, "name", "InvalidParameterValue", 400},

    {Code::not_found, "instance", "InvalidInstanceID.NotFound", 400},
    {Code::not_found, "image", "InvalidAMIID.NotFound", 400},
    {Code::not_found, "key-pair", "InvalidKeyPair.NotFound", 400},
    {Code::not_found, "instance-type", "InvalidInstanceType", 400},
    {Code::not_found, "zone", "InvalidParameterValue", 400},

    {Code::not_found, "launch-template-id", "InvalidLaunchTemplateId.NotFound", 400},
    {Code::not_found, "launch-template-name", "InvalidLaunchTemplateName.NotFoundException", 400},
    {Code::not_found, "launch-template-version", "InvalidLaunchTemplateId.VersionNotFound", 400},
    {Code::not_found, "placement-group", "InvalidPlacementGroup.Unknown", 400},

    {Code::exists, "key-pair", "InvalidKeyPair.Duplicate", 400},
    {Code::exists, "launch-template", "InvalidLaunchTemplateName.AlreadyExistsException", 400},
    {Code::exists, "placement-group", "InvalidPlacementGroup.Duplicate", 400},

    {Code::conflict, "placement-group", "InvalidPlacementGroup.InUse", 400},
    {Code::conflict, "instance-state", "IncorrectInstanceState", 400},
    {Code::conflict, "client-token", "IdempotentParameterMismatch", 400},

    {Code::forbidden, "termination-protection", "OperationNotPermitted", 400},
    {Code::forbidden, "stop-protection", "OperationNotPermitted", 400},
    {Code::forbidden, "request", "UnauthorizedOperation", 403},

    // The signature was good, but key or tenant were disabled since: the same answer as a bad one.
    {Code::unauthenticated, "credentials", "AuthFailure", 401},

    {Code::quota, "instance", "InstanceLimitExceeded", 400},
    {Code::quota, "vcpu", "VcpuLimitExceeded", 400},
    {Code::quota, "memory", "ResourceLimitExceeded", 400},
    {Code::quota, "disk", "VolumeLimitExceeded", 400},
    {Code::quota, "key-pair", "ResourceLimitExceeded", 400},
    {Code::quota, "image", "ResourceLimitExceeded", 400},
    {Code::quota, "tag", "TagLimitExceeded", 400},
    {Code::quota, "launch-template", "ResourceLimitExceeded", 400},
    {Code::quota, "placement-group", "ResourceLimitExceeded", 400},

    {Code::no_capacity, "instance", "InsufficientInstanceCapacity", 500},

    {Code::throttled, "queue", "RequestLimitExceeded", 503},

    {Code::unavailable, "queue", "Unavailable", 503},
    {Code::unavailable, "store", "Unavailable", 503},
    {Code::unavailable, "region", "Unavailable", 503},

    // Only operators' calls and agents make these; from a tenant's call they would be a fault of
    // ours, and their words are not for tenants.
    {Code::not_found, "host", kInternal, 500},
    {Code::not_found, "tenant", kInternal, 500},
    {Code::not_found, "access-key", kInternal, 500},
    {Code::exists, "tenant", kInternal, 500},
    {Code::exists, "image", kInternal, 500},
    {Code::exists, "access-key", kInternal, 500},
    {Code::exists, "host", kInternal, 500},
    {Code::exists, "zone", kInternal, 500},
    {Code::conflict, "region", kInternal, 500},
    {Code::conflict, "instance", kInternal, 500},
    {Code::conflict, "image-in-use", kInternal, 500},
    {Code::conflict, "host-in-use", kInternal, 500},
    {Code::conflict, "type-in-use", kInternal, 500},
    {Code::forbidden, "role", kInternal, 500},
    {Code::unauthenticated, "join-token", kInternal, 500},
    {Code::quota, "hosts", kInternal, 500},
    {Code::quota, "tenants", kInternal, 500},
    {Code::quota, "zones", kInternal, 500},

    // The rest of a code, whatever it is about: from the link (an agent that does not answer).
    {Code::throttled, "", "RequestLimitExceeded", 503},
    {Code::unavailable, "", "Unavailable", 503},
    {Code::timeout, "", "Unavailable", 503},
};

}  // namespace

std::span<ErrorRow const> error_rows() {
  return kRows;
}

Ec2Error to_ec2(Error const& error) {
  auto row = std::ranges::find_if(kRows, [&](ErrorRow const& r) {
    return r.code == error.code && r.subject == error.subject && !r.subject.empty();
  });
  if (row == std::end(kRows)) {
    row = std::ranges::find_if(
        kRows, [&](ErrorRow const& r) { return r.code == error.code && r.subject.empty(); });
  }
  if (row == std::end(kRows) || row->ec2_code == kInternal) {
    return {std::string(kInternal), 500, "An internal error has occurred"};
  }
  // From further inside than the core: the words name hosts.
  if (row->subject.empty()) {
    return {std::string(row->ec2_code), row->http_status,
            "The request cannot be served at this moment; retry it"};
  }
  if (row->ec2_code == "AuthFailure") {
    return {"AuthFailure", 401, "AWS was not able to validate the provided access credentials"};
  }
  return {std::string(row->ec2_code), row->http_status, error.message};
}

Ec2Error dry_run_succeeded() {
  return {"DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set."};
}

}  // namespace berth::ec2
