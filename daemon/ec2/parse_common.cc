#include "daemon/ec2/parse_common.h"

#include <algorithm>
#include <utility>

#include "berth/base/digest.h"

namespace berth::ec2 {

namespace {

// Parameters that say how a request came, not what it asks for.
bool is_about_the_request(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "Action",          "AWSAccessKeyId",   "ClientToken",   "DryRun",    "Expires", "Signature",
      "SignatureMethod", "SignatureVersion", "SecurityToken", "Timestamp", "Version"};
  return std::ranges::find(kNames, name) != std::end(kNames) || name.starts_with("X-Amz-") ||
         name.starts_with("x-amz-");
}

}  // namespace

Ec2Error unsupported(std::string_view parameter, std::string_view why) {
  std::string message = "The parameter " + std::string(parameter) + " is not supported";
  if (!why.empty()) message += ": " + std::string(why);
  return {"UnsupportedOperation", 400, std::move(message)};
}

Ec2Error missing_parameter(std::string_view parameter) {
  return {"MissingParameter", 400,
          "The request must contain the parameter " + std::string(parameter)};
}

bool is_given(std::optional<std::string> const& text) {
  return text && !text->empty();
}

std::vector<core::Filter> filters_of(std::vector<wire::Filter> const& filters) {
  std::vector<core::Filter> out;
  out.reserve(filters.size());
  for (wire::Filter const& filter : filters) {
    // EC2 calls a filter without a name 'null'; the core refuses it as it refuses any unknown name.
    out.push_back({.name = filter.name.value_or("null"), .values = filter.values});
  }
  return out;
}

core::Page page_of(std::optional<std::int64_t> max_results,
                   std::optional<std::string> const& next_token) {
  return {.max_results = max_results, .next_token = next_token.value_or("")};
}

Ec2Result<Tags> tags_of(std::vector<wire::Tag> const& tags) {
  Tags out;
  for (wire::Tag const& tag : tags) {
    std::string const key = tag.key.value_or("");
    if (!out.emplace(key, tag.value.value_or("")).second) {
      return Ec2Error{"InvalidParameterValue", 400, "Duplicate tag key '" + key + "' specified."};
    }
  }
  return out;
}

Ec2Result<Tags> tags_for(std::vector<wire::TagSpecification> const& specifications,
                         std::string_view resource_type) {
  std::vector<wire::Tag> all;
  for (wire::TagSpecification const& specification : specifications) {
    std::string const type = specification.resource_type.value_or("");
    if (type.empty()) {
      return Ec2Error{"InvalidParameterValue", 400,
                      "Tag specification resource type must have a value"};
    }
    if (type != resource_type) {
      return Ec2Error{"InvalidParameterValue", 400,
                      "'" + type + "' is not a valid taggable resource type for this operation."};
    }
    if (specification.tags.empty()) {
      return Ec2Error{"InvalidParameterValue", 400, "Tag specification must have at least one tag"};
    }
    all.insert(all.end(), specification.tags.begin(), specification.tags.end());
  }
  return tags_of(all);
}

std::string parameters_digest(std::span<wire::Parameter const> parameters) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (wire::Parameter const& p : parameters) {
    if (!is_about_the_request(p.name)) pairs.emplace_back(p.name, p.value);
  }
  std::ranges::sort(pairs);
  std::string text;
  for (auto const& [name, value] : pairs) {
    // Lengths in front, so that no two different lists have one text.
    text += std::to_string(name.size()) + ":" + std::string(name) + "=" +
            std::to_string(value.size()) + ":" + std::string(value) + "\n";
  }
  return hex(sha256(text));
}

Ec2Result<std::string> user_data_of(std::string_view base64_text) {
  Result<std::string> decoded = base64_decoded(base64_text);
  if (!decoded) {
    return Ec2Error{"InvalidUserData.Malformed", 400, "Invalid BASE64 encoding of user data."};
  }
  return *std::move(decoded);
}

}  // namespace berth::ec2
