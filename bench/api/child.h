#pragma once
// A program started beside this one, spoken to by lines, and what its threads cost.

#include <sys/types.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "berth/base/result.h"

namespace berth::bench {

class Child {
 public:
  [[nodiscard]] static Result<Child> start(std::vector<std::string> arguments);
  ~Child();  // closes its standard input and waits for its end
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  // The next line it says, without its end; an error when it has ended instead.
  [[nodiscard]] Result<std::string> line();
  void say(std::string const& line);
  // CPU seconds of each of its threads so far, summed by the thread's name.
  [[nodiscard]] std::map<std::string, double> cpu_seconds() const;
  // Peak resident memory so far.
  [[nodiscard]] std::int64_t memory_bytes_max() const;

 private:
  Child() = default;
  pid_t pid_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace berth::bench
