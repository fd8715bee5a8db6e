#include "agent/disks/layout.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "agent/disks/files.h"

namespace berth::agent {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::vector<std::string> folder_names(std::string const& folder, std::error_code& code) {
  std::vector<std::string> names;
  for (auto at = std::filesystem::directory_iterator(folder, code);
       !code && at != std::filesystem::directory_iterator(); at.increment(code)) {
    if (at->is_directory(code) && !at->is_symlink(code))
      names.push_back(at->path().filename().string());
  }
  return names;
}

}  // namespace

bool is_well_formed(InstanceId const& id) {
  std::string_view const text = id.value;
  return text.starts_with("i-") && (text.size() == 10 || text.size() == 19) &&
         is_hex(text.substr(2));
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && is_hex(text);
}

std::string Layout::folder(InstanceFolder const& of) const {
  return instances() + "/" + of.id.value + "/" + std::to_string(of.generation.value);
}

Result<void> Layout::prepare() const {
  TRY(make_folders(dir_, 0755));
  TRY(make_folders(images(), 0711));
  return make_folders(instances(), 0711);
}

Result<std::vector<InstanceFolder>> Layout::found() const {
  std::vector<InstanceFolder> all;
  std::error_code code;
  for (std::string const& name : folder_names(instances(), code)) {
    InstanceId const id(name);
    if (!is_well_formed(id)) continue;
    std::error_code gone;  // removed while we look
    for (std::string const& number : folder_names(instances() + "/" + name, gone)) {
      std::uint64_t generation = 0;
      char const* const end = number.data() + number.size();
      auto const parsed = std::from_chars(number.data(), end, generation);
      if (parsed.ec == std::errc() && parsed.ptr == end) {
        all.push_back({id, PlacementGeneration(generation)});
      }
    }
  }
  if (code) {
    return Error{Code::unavailable, "host", "list " + instances() + ": " + code.message()};
  }
  std::ranges::sort(all);
  return all;
}

Result<void> Layout::remove(InstanceFolder const& of) const {
  if (!is_well_formed(of.id)) {
    return Error{Code::invalid, "instance", "wanted an instance id, found '" + of.id.value + "'"};
  }
  TRY(remove_tree(folder(of)));
  // Fails while another generation is there, and that is meant.
  ::rmdir((instances() + "/" + of.id.value).c_str());
  return {};
}

}  // namespace berth::agent
