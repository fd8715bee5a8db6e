#pragma once
// Quantities with types. Integers only: a decision must come out the same on every machine.

#include <compare>
#include <cstdint>

namespace berth {

namespace detail {

template <class Tag>
struct Quantity {
  std::int64_t value = 0;

  constexpr Quantity() = default;
  explicit constexpr Quantity(std::int64_t v) : value(v) {}

  constexpr auto operator<=>(Quantity const&) const = default;
  constexpr Quantity& operator+=(Quantity other) {
    value += other.value;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    value -= other.value;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
  friend constexpr Quantity operator*(Quantity a, std::int64_t n) { return Quantity(a.value * n); }
};

}  // namespace detail

using Mebibytes = detail::Quantity<struct MebibytesTag>;
using Gibibytes = detail::Quantity<struct GibibytesTag>;
using Bytes = detail::Quantity<struct BytesTag>;
// One thousandth of one hardware thread.
using MilliCpus = detail::Quantity<struct MilliCpusTag>;

[[nodiscard]] constexpr Mebibytes mebibytes(Gibibytes g) {
  return Mebibytes(g.value * 1024);
}
[[nodiscard]] constexpr Bytes bytes(Gibibytes g) {
  return Bytes(g.value << 30);
}

}  // namespace berth
