#include "daemon/ec2/instance_texts.h"

#include <functional>
#include <utility>

namespace berth::ec2 {

namespace {

// Of an entry beside its text and what a tenant may make long.
constexpr std::size_t kEntryBytes = 1'024;

std::size_t bytes_of(Instance const& instance, std::string const& text) {
  std::size_t bytes = kEntryBytes + text.size() + instance.user_data.size();
  for (auto const& [key, value] : instance.tags) bytes += key.size() + value.size() + 128;
  return bytes;
}

}  // namespace

InstanceTexts::Part& InstanceTexts::part_of(std::string const& id) {
  return parts_[std::hash<std::string>{}(id) % kParts];
}

InstanceTexts::Text InstanceTexts::find(core::InstanceView const& view) {
  Part& part = part_of(view.instance.id.value);
  std::lock_guard const lock(part.mutex);
  auto const known = part.entries.find(view.instance.id.value);
  if (known == part.entries.end()) return nullptr;
  Entry const& entry = known->second;
  bool const is_same = entry.state == view.state && entry.instance == view.instance;
  return is_same ? entry.text : nullptr;
}

void InstanceTexts::keep(core::InstanceView const& view, Text text) {
  std::size_t const bytes = bytes_of(view.instance, *text);
  Part& part = part_of(view.instance.id.value);
  std::lock_guard const lock(part.mutex);
  if (part.bytes + bytes > kBytesMax / kParts) {
    part.entries.clear();
    part.bytes = 0;
  }
  auto const [at, is_new] =
      part.entries.try_emplace(view.instance.id.value, Entry{view.instance, view.state, nullptr});
  if (!is_new) {
    part.bytes -= bytes_of(at->second.instance, *at->second.text);
    at->second.instance = view.instance;
    at->second.state = view.state;
  }
  at->second.text = std::move(text);
  part.bytes += bytes;
}

}  // namespace berth::ec2
