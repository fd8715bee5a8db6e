#pragma once
// Strong<Tag, T>: a number or a string with a type of its own, so that a HostId is never passed
// where an InstanceId is meant. Comparable and hashable like its value, convertible to nothing.

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace berth {

template <class Tag, class T>
struct Strong {
  T value{};

  Strong() = default;
  explicit Strong(T v) : value(std::move(v)) {}

  auto operator<=>(Strong const&) const = default;
};

template <class Tag>
using StrongString = Strong<Tag, std::string>;

}  // namespace berth

template <class Tag, class T>
struct std::hash<berth::Strong<Tag, T>> {
  std::size_t operator()(berth::Strong<Tag, T> const& s) const noexcept {
    return std::hash<T>{}(s.value);
  }
};
