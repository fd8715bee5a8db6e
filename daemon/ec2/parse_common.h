#pragma once
// What several parse_<noun>.cc share.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/input.h"
#include "daemon/ec2/call.h"
#include "daemon/ec2/wire/codec.h"

namespace berth::ec2 {

// (UnsupportedOperation) for a parameter, or a value of one, that would change what the client
// gets.
[[nodiscard]] Ec2Error unsupported(std::string_view parameter, std::string_view why = {});
// (MissingParameter) in EC2's words.
[[nodiscard]] Ec2Error missing_parameter(std::string_view parameter);

[[nodiscard]] bool is_given(std::optional<std::string> const& text);  // there, and not empty

[[nodiscard]] std::vector<core::Filter> filters_of(std::vector<wire::Filter> const& filters);
[[nodiscard]] core::Page page_of(std::optional<std::int64_t> max_results,
                                 std::optional<std::string> const& next_token);
// Key to value. Error: InvalidParameterValue for a key given twice.
[[nodiscard]] Ec2Result<Tags> tags_of(std::vector<wire::Tag> const& tags);
// What TagSpecification.N gives to new resources of this type; several specifications merge. A
// specification for another type is InvalidParameterValue.
[[nodiscard]] Ec2Result<Tags> tags_for(std::vector<wire::TagSpecification> const& specifications,
                                       std::string_view resource_type);

// The digest that tells whether two requests with one ClientToken ask for the same: over every
// parameter in order of names, but for the token, DryRun and what belongs to protocol and
// signature.
[[nodiscard]] std::string parameters_digest(std::span<wire::Parameter const> parameters);

// What is to be launched (parse_run_instances.cc): all but the counts, the token and the template.
// Errors: UnsupportedOperation for what an instance cannot have here.
[[nodiscard]] Ec2Result<core::RunInstances> launch_of(wire::RunInstancesRequest const& request);

// The decoded bytes; how many there may be is the core's. Error: InvalidUserData.Malformed.
[[nodiscard]] Ec2Result<std::string> user_data_of(std::string_view base64_text);

}  // namespace berth::ec2
