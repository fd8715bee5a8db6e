#include "daemon/ec2/refusals.h"

#include <utility>

namespace berth::ec2 {

void Refusals::close_window(Instant now) {
  if (!is_open_ || now - began_ < kWindow) return;
  // Not asked for since the window before: those counts are kept by adding up under "*".
  std::int64_t unasked = 0;
  for (Summary const& s : closed_) unasked += s.count;
  closed_.clear();
  for (auto const& [address, counts] : addresses_) {
    if (counts.more > 0) closed_.push_back({address, counts.more});
  }
  if (others_ + unasked > 0) closed_.push_back({"*", others_ + unasked});
  addresses_.clear();
  others_ = 0;
  singles_ = 0;
  is_open_ = false;
}

bool Refusals::take(std::string_view peer, Instant now) {
  std::string_view const address = peer.substr(0, peer.rfind(':'));
  std::lock_guard const lock(mutex_);
  close_window(now);
  if (!is_open_) {
    is_open_ = true;
    began_ = now;
    ends_ns_.store((now + kWindow).ns, std::memory_order_relaxed);
  }
  auto found = addresses_.find(address);
  if (found == addresses_.end()) {
    if (addresses_.size() >= kAddressesMax) {
      ++others_;
      return false;
    }
    found = addresses_.emplace(address, Counts{}).first;
  }
  Counts& counts = found->second;
  if (counts.singles < kSinglesPerAddressMax && singles_ < kSinglesMax) {
    ++counts.singles;
    ++singles_;
    return true;
  }
  ++counts.more;
  return false;
}

std::vector<Refusals::Summary> Refusals::due(Instant now) {
  if (now.ns < ends_ns_.load(std::memory_order_relaxed)) return {};
  std::lock_guard const lock(mutex_);
  close_window(now);
  if (!is_open_) ends_ns_.store(INT64_MAX, std::memory_order_relaxed);
  return std::exchange(closed_, {});
}

}  // namespace berth::ec2
