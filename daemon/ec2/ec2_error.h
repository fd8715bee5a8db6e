#pragma once
// What a tenant sees when a call is refused: EC2's code, its HTTP status, its sentence. Only this
// room speaks these codes; everything further in speaks berth::Error (include/berth/base/result.h).

#include <string>
#include <utility>
#include <variant>

#include "berth/base/ensure.h"
#include "berth/base/result.h"  // TRY

namespace berth::ec2 {

struct Ec2Error {
  std::string code;  // "InvalidInstanceID.NotFound"; spelled as EC2 spells it, clients match it
  int http_status = 400;  // the SDKs decide by it whether to retry
  std::string message;    // for people; never holds a secret

  bool operator==(Ec2Error const&) const = default;
};

// A value, or the error to answer with. Same members as berth::Result, so TRY works in a function
// that returns an Ec2Result.
template <class T>
class [[nodiscard]] Ec2Result {
 public:
  using value_type = T;

  Ec2Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT
  Ec2Result(Ec2Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] T& value() & {
    ENSURE(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T const& value() const& {
    ENSURE(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    ENSURE(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] Ec2Error const& error() const& {
    ENSURE(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Ec2Error&& error() && {
    ENSURE(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

  T& operator*() & { return value(); }
  T const& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  T const* operator->() const { return &value(); }

 private:
  std::variant<T, Ec2Error> state_;
};

}  // namespace berth::ec2
