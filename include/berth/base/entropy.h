#pragma once
// Randomness by parameter. The standard engines are specified, the standard distributions are not:
// the few distributions we need are here, on integers, so that a seed means the same everywhere.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "berth/base/ensure.h"

namespace berth {

// The seam. next() gives 64 uniform bits.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual std::uint64_t next() = 0;

  // Uniform in [0, n). n > 0. Rejection keeps it exact.
  std::uint64_t below(std::uint64_t n) {
    ENSURE(n > 0);
    std::uint64_t const limit = UINT64_MAX - UINT64_MAX % n;
    std::uint64_t x = next();
    while (x >= limit) x = next();
    return x % n;
  }
  // Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  // True `parts` times out of a million.
  bool chance_ppm(std::uint64_t parts) { return below(1'000'000) < parts; }
  void fill(std::span<std::byte> out) {
    std::uint64_t word = 0;
    std::size_t left = 0;
    for (std::byte& b : out) {
      if (left == 0) {
        word = next();
        left = 8;
      }
      b = static_cast<std::byte>(word & 0xff);
      word >>= 8;
      --left;
    }
  }
  // `digits` lower-case hex digits.
  std::string hex(std::size_t digits) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(digits);
    while (out.size() < digits) {
      std::uint64_t word = next();
      for (int i = 0; i < 16 && out.size() < digits; ++i, word >>= 4) out += kDigits[word & 15];
    }
    return out;
  }
};

// xoshiro256** seeded by splitmix64: fast, specified, the same on every compiler. Not for secrets.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed);
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 4> state_{};
};

// The kernel's generator (getrandom), buffered. Not shared between threads. (common/entropy.cc)
class KernelEntropy final : public Entropy {
 public:
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 64> buffer_{};
  std::size_t used_ = 64;
};

}  // namespace berth
