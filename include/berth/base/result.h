#pragma once
// Result<T>: a value, or an Error that says what was wanted, what was found and what to do next.
// Member names follow std::expected, so that Result can become an alias of it one day.
//
//   Result<int> port = parse_port(text);
//   if (!port) return port.error().within("--listen");
//   int const n = TRY(parse_port(text));        // returns the error to our caller; do not nest
//
// Exceptions belong to libraries; the one .cc that wraps a library turns them into results.

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "berth/base/ensure.h"

namespace berth {

// Closed and short: meant for program logic. What a tenant sees is presentation
// (daemon/ec2/errors.cc); what an operator sees is daemon/admin's HTTP status.
enum class Code {
  invalid,          // the request can never succeed as written
  unauthenticated,  // who is asking is not known
  forbidden,        // known, but may not
  not_found,
  exists,
  conflict,     // not in this state, or not beside that other thing
  quota,        // a limit of this tenant
  no_capacity,  // nothing has room
  throttled,    // slow down, then retry
  unavailable,  // not now; retry
  timeout,
  corrupt,  // stored or received bytes are not what we wrote
};

[[nodiscard]] constexpr std::string_view name(Code code) {
  switch (code) {
    case Code::invalid: return "invalid";
    case Code::unauthenticated: return "unauthenticated";
    case Code::forbidden: return "forbidden";
    case Code::not_found: return "not_found";
    case Code::exists: return "exists";
    case Code::conflict: return "conflict";
    case Code::quota: return "quota";
    case Code::no_capacity: return "no_capacity";
    case Code::throttled: return "throttled";
    case Code::unavailable: return "unavailable";
    case Code::timeout: return "timeout";
    case Code::corrupt: return "corrupt";
  }
  return "unknown";
}

struct Error {
  Code code = Code::invalid;
  // The kind of thing the error is about, in the API's words: "instance", "image", "parameter"…
  // With `code` it selects what a tenant sees. Empty: no particular thing.
  std::string subject;
  // A sentence for people without a final full stop: wanted, found, what to do.
  std::string message;

  // The same error with one layer of context in front: "<where>: <message>".
  [[nodiscard]] Error within(std::string_view where) const {
    return Error{code, subject, std::string(where) + ": " + message};
  }

  bool operator==(Error const&) const = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(*-explicit-*)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

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
  [[nodiscard]] Error& error() & {
    ENSURE(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error const& error() const& {
    ENSURE(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    ENSURE(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

  T& operator*() & { return value(); }
  T const& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  T const* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool has_value() const { return error_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  void value() const { ENSURE(has_value()); }
  void operator*() const { value(); }
  [[nodiscard]] Error const& error() const& {
    ENSURE(!has_value());
    return *std::get_if<1>(&error_);
  }
  [[nodiscard]] Error&& error() && {
    ENSURE(!has_value());
    return std::move(*std::get_if<1>(&error_));
  }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace berth

// The value of a Result, or return its error from the enclosing function. Do not nest.
#define TRY(expression)                                                \
  __extension__({                                                      \
    auto berth_try_result = (expression);                              \
    if (!berth_try_result) return std::move(berth_try_result).error(); \
    *std::move(berth_try_result);                                      \
  })
