#pragma once
// A lock that ends with its process, however that ends: flock on a file that names the holder's
// pid.

#include <string>

#include "berth/base/result.h"

namespace berth::store {

class LockFile {
 public:
  // Code::conflict names the pid that holds it. The file stays when the lock is given back:
  // removing it would let a third process lock a new file of the same name.
  [[nodiscard]] static Result<LockFile> take(std::string const& path);
  ~LockFile();

  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_;  // -1: moved from
};

}  // namespace berth::store
