#pragma once
// Everything that is wrong, not only the first of it: an operator mends a file in one go.
//
//   Problems problems;
//   s.window = seconds(problems.value_of(within("clock_window_s", FLAGS_clock_window_s, 1, 900)));
//   for (Error const& e : problems.all()) ...

#include <utility>
#include <vector>

#include "berth/base/result.h"

namespace berth {

class Problems {
 public:
  void add(Error error) { all_.push_back(std::move(error)); }
  void check(Result<void> const& result) {
    if (!result) add(result.error());
  }
  // The value, or `otherwise` after noting the error.
  template <class T>
  [[nodiscard]] T value_of(Result<T> result, T otherwise = T()) {
    if (result) return *std::move(result);
    add(result.error());
    return otherwise;
  }

  [[nodiscard]] bool none() const { return all_.empty(); }
  [[nodiscard]] std::vector<Error> const& all() const { return all_; }

 private:
  std::vector<Error> all_;
};

}  // namespace berth
