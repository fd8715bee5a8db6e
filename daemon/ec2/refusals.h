#pragma once
// Which refused signatures are written to the audit log. Whoever has no key must be able neither to
// fill the log nor to hide in silence: the first few of each address are recorded one by one, the
// rest of a minute as one record for each address that counts them, those of further addresses
// as one record for all of them together.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/time.h"

namespace berth::ec2 {

class Refusals {
 public:
  static constexpr Duration kWindow = minutes(1);
  // In one window: records of one address, of all addresses, and addresses counted apart. In all at
  // most kSinglesMax + kAddressesMax + 1 records a minute.
  static constexpr std::int64_t kSinglesPerAddressMax = 5;
  static constexpr std::int64_t kSinglesMax = 100;
  static constexpr std::size_t kAddressesMax = 64;

  struct Summary {
    std::string address;  // "192.0.2.7"; "*": of all others together
    std::int64_t count = 0;
    bool operator==(Summary const&) const = default;
  };

  // One more from this peer ("192.0.2.7:4711"). True: record it by itself.
  [[nodiscard]] bool take(std::string_view peer, Instant now);
  // What was not recorded by itself in a window that is over; empty otherwise. Cheap when nothing
  // is due: ask at each request.
  [[nodiscard]] std::vector<Summary> due(Instant now);

 private:
  struct Counts {
    std::int64_t singles = 0;
    std::int64_t more = 0;
  };
  void close_window(Instant now);

  // When the open window ends, for the cheap look of due(); far away while none is open.
  std::atomic<std::int64_t> ends_ns_{INT64_MAX};
  std::mutex mutex_;
  Instant began_{};
  bool is_open_ = false;
  std::int64_t singles_ = 0;
  std::map<std::string, Counts, std::less<>> addresses_;
  std::int64_t others_ = 0;
  std::vector<Summary> closed_;
};

}  // namespace berth::ec2
