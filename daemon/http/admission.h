#pragma once
// Who may be connected: a limit in all, and one for each address, so that one tenant cannot hold
// every connection. Past a limit a few callers are still told so with 503; past those, and so that
// being told is no way to exhaust us either, connections are closed on sight.
// One thread uses an Admission.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace berth::http {

enum class Verdict {
  serve,
  refuse,  // tell the client 503
  drop,    // close at once; not counted as inside
};

// One connection is one open file: of the `wanted` connections, as many as a process may have that
// keeps `others` files for everything else; at least one.
[[nodiscard]] std::uint32_t connections_that_fit(std::uint32_t wanted, std::uint64_t files,
                                                 std::uint64_t others);

class Admission {
 public:
  struct Limits {
    std::uint32_t connections_max = 0;
    std::uint32_t connections_per_address_max = 0;
  };
  // How many beyond each limit are told.
  static constexpr std::uint32_t kRefusedMax = 64;
  static constexpr std::uint32_t kRefusedPerAddressMax = 4;

  explicit Admission(Limits limits) : limits_(limits) {}

  // An empty address is not limited by itself: a unix socket has none.
  [[nodiscard]] Verdict enter(std::string const& address);
  // Once for each `enter` that did not say drop.
  void leave(std::string const& address);

  [[nodiscard]] std::size_t inside() const { return inside_; }

 private:
  Limits limits_;
  std::size_t inside_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_address_;  // no zeros
};

}  // namespace berth::http
