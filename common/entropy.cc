#include "berth/base/entropy.h"

#include <sys/random.h>

#include <bit>

namespace berth {

SeededEntropy::SeededEntropy(std::uint64_t seed) {
  // splitmix64, as the authors of xoshiro recommend for seeding.
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededEntropy::next() {
  std::uint64_t const result = std::rotl(state_[1] * 5, 7) * 9;
  std::uint64_t const t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t KernelEntropy::next() {
  if (used_ == buffer_.size()) {
    std::size_t got = 0;
    auto* bytes = reinterpret_cast<std::uint8_t*>(buffer_.data());
    while (got < sizeof buffer_) {
      ssize_t const n = getrandom(bytes + got, sizeof buffer_ - got, 0);
      if (n > 0) got += static_cast<std::size_t>(n);
    }
    used_ = 0;
  }
  return buffer_[used_++];
}

}  // namespace berth
