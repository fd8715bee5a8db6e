#pragma once
// Rates: how much of the API one tenant may ask for, as EC2 throttles it: a token bucket for each
// tenant and action, which a request takes one token from; and for the actions that make or change
// instances a second one, counted in instances. The figures are EC2's, times a factor of the
// operator's (docs/operating/limits.md).
//
// Asked on the front's threads, after the signature and before anything else is read. Memory: one
// entry for each tenant that has called since its last key went, at most 1 KiB.

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "berth/base/time.h"
#include "berth/model/ids.h"
#include "daemon/core/input_class.h"
#include "daemon/ec2/sigv4.h"
#include "daemon/ec2/wire/codec.h"

namespace berth::ec2 {

// At most `tokens`, and `per_second` new ones.
struct BucketRule {
  std::int64_t tokens = 0;
  std::int64_t per_second = 0;
  bool operator==(BucketRule const&) const = default;
};

struct RateRule {
  wire::Action action{};
  BucketRule requests;
  // A request that asks for everything (no id, no filter, no page) takes from a bucket of its own.
  std::optional<BucketRule> unfiltered;
  std::optional<BucketRule> instances;
};

// EC2's figures, in the order of wire::Action.
[[nodiscard]] std::span<RateRule const> rate_rules();

// As one number: the moment at which the bucket is full again. Exact for rates that divide 10^9.
class TokenBucket {
 public:
  // Zero: taken. Otherwise nothing is taken, and there are enough tokens after that long. More
  // tokens than the bucket holds count as all it holds: else they could never be had.
  [[nodiscard]] Duration take(std::int64_t tokens, BucketRule const& rule, Instant now);

 private:
  std::int64_t full_at_ns_ = 0;
};

class Rates {
 public:
  static constexpr std::int64_t kPercentMax = 1'000'000;

  // Percent of EC2's figures; 0: nobody is throttled.
  explicit Rates(std::int64_t percent);

  // Zero: go on. Otherwise too much was asked for; come again after that long.
  [[nodiscard]] Duration admit(TenantId const& tenant, wire::Action action,
                               std::span<wire::Parameter const> parameters, Instant now);
  // Forgets the tenants that have no key any more.
  void keep_only(KeyTable const& keys);

  [[nodiscard]] std::size_t tenants() const;

 private:
  static constexpr std::size_t kShards = 64;

  struct Buckets {
    TokenBucket requests;
    TokenBucket unfiltered;
    TokenBucket instances;
  };
  // A lock for each of many tenants' few: two tenants seldom meet at one.
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<TenantId, std::vector<Buckets>> tenants;
  };

  [[nodiscard]] Shard& shard_of(TenantId const& tenant);

  std::vector<RateRule> rules_;  // the operator's percentage applied; empty: no limits
  std::array<Shard, kShards> shards_;
};

// The class that this request will be of when it is parsed: by its action and whether it names
// ids. For refusing early; what the core decides by is core::input_class.
[[nodiscard]] core::InputClass likely_class(wire::Action action,
                                            std::span<wire::Parameter const> parameters);

// The value of a Retry-After header: whole seconds, at least `wait` and 1, and spread by `random`
// so that those who were refused together do not come again together.
[[nodiscard]] std::int64_t retry_after_s(Duration wait, std::uint64_t random);

}  // namespace berth::ec2
