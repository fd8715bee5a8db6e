#pragma once
// The listening socket in plain POSIX: an address or a unix path to a descriptor, and a waiting
// client to a descriptor with its name. Asio only waits for it.

#include <cstdint>
#include <optional>
#include <string>

#include "berth/base/result.h"
#include "daemon/http/message.h"

struct sockaddr_storage;

namespace berth::http {

// Owns a descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] int fd() const { return fd_; }
  int release();

 private:
  int fd_ = -1;
};

struct Accepted {
  Descriptor socket;  // non-blocking, close-on-exec
  int family = 0;     // AF_INET, AF_INET6, AF_UNIX
  std::string peer;   // as in Request::peer
  // What is counted together: the IPv4 address, the IPv6 /64; empty for a unix socket.
  std::string address;
  std::optional<PeerCredentials> credentials;
};

class Listener {
 public:
  struct Place {
    std::string address;
    std::uint16_t port = 0;
    std::string unix_path;  // not empty: instead of address and port
  };

  static Result<Listener> open(Place const& place);

  Listener(Listener&& other) noexcept = default;
  Listener& operator=(Listener&& other) = delete;
  ~Listener();  // closes, and removes the unix socket if it is still the one we made

  [[nodiscard]] int fd() const { return socket_.fd(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Empty: nobody waits any more (or the one who did has left). Error (unavailable): out of
  // descriptors or memory; try again later.
  [[nodiscard]] Result<std::optional<Accepted>> accept() const;

 private:
  struct Made {  // the unix socket in the file system
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };

  Listener(Descriptor socket, std::uint16_t port, std::optional<Made> made);
  static Result<Listener> open_tcp(Place const& place);
  static Result<Listener> open_unix(std::string const& path);

  Descriptor socket_;
  std::uint16_t port_ = 0;
  std::optional<Made> made_;
};

// For tests: the `peer` and `address` of a client at this socket address.
struct PeerText {
  std::string peer;
  std::string address;

  bool operator==(PeerText const&) const = default;
};
[[nodiscard]] PeerText peer_text(sockaddr_storage const& from);

}  // namespace berth::http
