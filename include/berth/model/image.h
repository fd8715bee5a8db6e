#pragma once
// Images and instance types: what instances are made from.

#include <cstdint>
#include <string>

#include "berth/base/time.h"
#include "berth/base/units.h"
#include "berth/model/ids.h"
#include "berth/model/tenant.h"

namespace berth {

enum class ImageFormat { qcow2, raw };

struct Image {
  ImageId id;
  TenantId owner;          // empty: the operator's
  bool is_public = false;  // every tenant may see and launch it
  std::string name;
  std::string description;
  ImageFormat format = ImageFormat::qcow2;
  std::string digest;  // lower-case hex SHA-256 of the file as stored; its name in every store
  Bytes file_size;
  Bytes virtual_size;  // what a guest sees; a root disk is at least this large
  Tags tags;
  WallTime created;

  bool operator==(Image const&) const = default;
};

// A shape that tenants can ask for. Written by an operator; the daemon brings EC2's common ones.
struct InstanceType {
  TypeName name;
  std::int64_t vcpus = 1;
  Mebibytes memory;
  std::int64_t threads_per_core = 1;
  bool is_burstable = false;  // t-families
  bool is_current_generation = true;
  bool is_free_tier_eligible = false;
  std::int64_t network_mbps = 0;  // 0: not stated
  std::int64_t ebs_mbps = 0;      // 0: not stated
  std::string cpu_vendor;         // "Intel", "AMD"; empty: any
  // Its guests get whole cores of their own, pinned; else they share their cells' other CPUs.
  bool is_cpu_dedicated = false;

  bool operator==(InstanceType const&) const = default;
};

}  // namespace berth
