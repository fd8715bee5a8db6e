#pragma once
// InstanceTexts: what an instance looks like in an answer, kept from one answer to the next.
// Writing it costs some ten times what comparing its record does, and most of what is described has
// not changed since it was described before.

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "daemon/core/reply.h"

namespace berth::ec2 {

// Thread-safe; its locks are held for a look-up. Bounded: a part that is full is emptied.
class InstanceTexts {
 public:
  static constexpr std::size_t kParts = 16;
  static constexpr std::size_t kBytesMax = std::size_t{128} << 20;  // all parts

  using Text = std::shared_ptr<std::string const>;

  // The kept text of exactly this view; nullptr: there is none.
  [[nodiscard]] Text find(core::InstanceView const& view);
  void keep(core::InstanceView const& view, Text text);

 private:
  struct Entry {
    Instance instance;
    core::InstanceState state;
    Text text;
  };
  struct Part {
    std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;  // by instance id
    std::size_t bytes = 0;
  };
  [[nodiscard]] Part& part_of(std::string const& id);

  std::array<Part, kParts> parts_;
};

}  // namespace berth::ec2
