#pragma once
// Usage: the one type for what is held, offered and asked for. Capacity is computed from records,
// never stored beside them: there is nothing to leak or heal.

#include <cstdint>

#include "berth/base/units.h"

namespace berth::placement {

struct Usage {
  std::int64_t vcpus = 0;
  Mebibytes memory;
  std::int64_t disk_gib = 0;
  std::int64_t instances = 0;

  bool operator==(Usage const&) const = default;

  Usage& operator+=(Usage const& other) {
    vcpus += other.vcpus;
    memory += other.memory;
    disk_gib += other.disk_gib;
    instances += other.instances;
    return *this;
  }
  Usage& operator-=(Usage const& other) {
    vcpus -= other.vcpus;
    memory -= other.memory;
    disk_gib -= other.disk_gib;
    instances -= other.instances;
    return *this;
  }
  friend Usage operator+(Usage a, Usage const& b) { return a += b; }
  friend Usage operator-(Usage a, Usage const& b) { return a -= b; }
};

}  // namespace berth::placement
