#pragma once
// Tenants, their access keys, quotas and key pairs; zones.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "berth/base/time.h"
#include "berth/base/units.h"
#include "berth/model/ids.h"

namespace berth {

// Tag key -> value, as EC2. Ordered, because cores iterate it.
using Tags = std::map<std::string, std::string>;

// A failure domain of the region, EC2's availability zone. Written by an operator.
struct Zone {
  ZoneName name;
  std::string id;             // "use1-az1"
  std::string jurisdiction;   // ISO 3166-1 alpha-2; empty: not stated
  std::string operator_name;  // legal entity that runs it; empty: not stated
  WallTime created;

  bool operator==(Zone const&) const = default;
};

// Upper bounds of what one tenant may hold. Written by an operator.
struct Quota {
  std::int64_t instances = 100;
  std::int64_t vcpus = 400;
  Mebibytes memory{1'600 * 1024};
  std::int64_t disk_gib = 10'000;
  std::int64_t key_pairs = 500;
  std::int64_t images = 100;

  bool operator==(Quota const&) const = default;
};

struct Tenant {
  TenantId id;
  std::string name;
  bool enabled = true;  // false: every request of its keys is refused, guests run on
  Quota quota;
  WallTime created;

  bool operator==(Tenant const&) const = default;
};

struct AccessKey {
  AccessKeyId id;
  TenantId tenant;
  // sealed(secret) under the region's key, context = id.value. Signature V4 needs the secret back,
  // so it cannot be a hash; the plain text exists only in the front's key table.
  std::string secret_sealed;
  bool enabled = true;
  WallTime created;

  bool operator==(AccessKey const&) const = default;
};

enum class KeyKind { rsa, ed25519 };

struct KeyPair {
  KeyPairId id;
  TenantId tenant;
  std::string name;  // unique within the tenant
  KeyKind kind = KeyKind::rsa;
  std::string public_key;   // OpenSSH one-line form
  std::string fingerprint;  // as EC2 computes it for this kind and origin
  Tags tags;
  WallTime created;

  bool operator==(KeyPair const&) const = default;
};

}  // namespace berth
