#pragma once
// The process: every long-lived object of berthd, in the order of construction. What is built later
// may use what was built earlier; stopping goes the other way.

#include <memory>
#include <string>

#include "berth/base/result.h"
#include "daemon/settings.h"

namespace berth {

class Berthd {
 public:
  // Serving when it returns.
  static Result<std::unique_ptr<Berthd>> start(Settings settings);
  ~Berthd();  // stop()

  // Takes nothing new, answers what it has, closes the store. Guests run on.
  void stop();
  // Reads certificates again.
  void reload();

 private:
  struct Parts;
  explicit Berthd(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// PEM of a key and certificate for an operator's mutual TLS, signed by this data directory's CA.
[[nodiscard]] Result<std::string> issue_admin(Settings const& settings);

}  // namespace berth
