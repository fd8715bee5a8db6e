#pragma once
// A whole daemon without gRPC: listener with TLS, EC2 front, core, driver, SQLite on a real disk,
// log and metrics, wired as berthd wires them, and so many hosts that are simulated in this
// process: they send heartbeats and report what they were told to run a moment later.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "berth/base/result.h"

namespace berth::bench {

struct CloudOptions {
  std::string folder;  // for the store, keys and the log; must be there
  int hosts = 1'000;
  unsigned http_threads = 2;
};

struct CloudKey {
  std::string id;
  std::string secret;
};

struct CloudCounters {
  std::uint64_t transactions = 0;
  std::uint64_t commits = 0;
  std::uint64_t changes = 0;
};

class Cloud {
 public:
  static constexpr std::size_t kTenants = 2;

  // Serving when it returns.
  [[nodiscard]] static Result<std::unique_ptr<Cloud>> start(CloudOptions options);
  // Ends in order and returns how many instances the store has when it is opened again.
  [[nodiscard]] Result<std::size_t> stop();
  ~Cloud();
  Cloud(Cloud const&) = delete;
  Cloud& operator=(Cloud const&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string image() const;
  [[nodiscard]] std::vector<CloudKey> keys() const;  // one for each tenant
  [[nodiscard]] CloudCounters counters() const;

 private:
  struct Parts;
  explicit Cloud(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace berth::bench
