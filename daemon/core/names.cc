#include "daemon/core/names.h"

#include <algorithm>

#include "berth/model/limits.h"

namespace berth::core {

namespace {

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Characters, not bytes: EC2 counts Unicode code points.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string drawn_account_id(Entropy& entropy) {
  std::string id(1, static_cast<char>('1' + entropy.below(9)));
  while (id.size() < 12) id += static_cast<char>('0' + entropy.below(10));
  return id;
}

std::string drawn_instance_uuid(Entropy& entropy) {
  std::string h = "ec2" + entropy.hex(29);
  h[12] = '4';
  h[16] = "89ab"[entropy.below(4)];
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) +
         "-" + h.substr(20);
}

std::string drawn_mac(Entropy& entropy) {
  std::string const h = entropy.hex(10);
  std::string mac = "02";
  for (std::size_t i = 0; i < h.size(); i += 2) mac += ":" + h.substr(i, 2);
  return mac;
}

bool is_id(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  std::string_view const rest = text.substr(prefix.size());
  return (rest.size() == 17 || rest.size() == 8) &&
         std::all_of(rest.begin(), rest.end(), is_lower_hex);
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::kNameCharactersMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alphanumeric(c) ||
                  std::string_view(" ._-:/@+=()").find(c) != std::string_view::npos;
         });
}

bool is_label(std::string_view text) {
  auto ok = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  return !text.empty() && text.size() <= 63 && ok(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return ok(c) || c == '-' || c == '.'; });
}

Result<void> check_tags(Tags const& tags) {
  if (tags.size() > limits::kTagsPerResourceMax) {
    return Error{Code::quota, "tag",
                 "The maximum number of Tags has been reached: a resource may have " +
                     std::to_string(limits::kTagsPerResourceMax)};
  }
  for (auto const& [key, value] : tags) {
    if (key.empty() || characters(key) > limits::kTagKeyCharactersMax) {
      return Error{Code::invalid, "tag-key",
                   "Tag key must be between 1 and 128 characters long; found " +
                       std::to_string(characters(key))};
    }
    if (key.starts_with("aws:")) {
      return Error{
          Code::invalid, "tag-key",
          "Tag keys starting with 'aws:' are reserved for internal use; found '" + key + "'"};
    }
    if (characters(value) > limits::kTagValueCharactersMax) {
      return Error{Code::invalid, "tag",
                   "Tag value must be at most 256 characters long; found " +
                       std::to_string(characters(value)) + " for key '" + key + "'"};
    }
  }
  return {};
}

std::string transition_reason(std::string_view why, WallTime at) {
  std::string time = iso8601(at);  // 2026-01-02T03:04:05.678Z
  return std::string(why) + " (" + time.substr(0, 10) + " " + time.substr(11, 8) + " GMT)";
}

}  // namespace berth::core
