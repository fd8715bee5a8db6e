#include "daemon/http/admission.h"

#include <algorithm>

#include "berth/base/ensure.h"

namespace berth::http {

std::uint32_t connections_that_fit(std::uint32_t wanted, std::uint64_t files,
                                   std::uint64_t others) {
  // Those that are told 503, and those being closed, are open too.
  std::uint64_t const kept = others + 2 * Admission::kRefusedMax;
  if (files <= kept) return 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, files - kept));
}

Verdict Admission::enter(std::string const& address) {
  auto const found = by_address_.find(address);
  std::uint32_t const beside = found == by_address_.end() ? 0 : found->second;
  bool const is_limited = !address.empty();
  if (inside_ >= std::size_t{limits_.connections_max} + kRefusedMax) return Verdict::drop;
  if (is_limited && beside >= limits_.connections_per_address_max + kRefusedPerAddressMax) {
    return Verdict::drop;
  }
  bool const is_full = inside_ >= limits_.connections_max ||
                       (is_limited && beside >= limits_.connections_per_address_max);
  ++inside_;
  if (is_limited) ++by_address_[address];
  return is_full ? Verdict::refuse : Verdict::serve;
}

void Admission::leave(std::string const& address) {
  ENSURE(inside_ > 0);
  --inside_;
  if (address.empty()) return;
  auto const found = by_address_.find(address);
  ENSURE(found != by_address_.end());
  if (--found->second == 0) by_address_.erase(found);
}

}  // namespace berth::http
