#include "daemon/http/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace berth::http {
namespace {

constexpr int kSendBufferBytes = 256 * 1024;  // the kernel doubles it, for its own
constexpr int kBacklog = 4096;                // the kernel lowers it to net.core.somaxconn
constexpr mode_t kUnixMode = 0660;

Error failed(Code code, std::string const& what) {
  return Error{.code = code,
               .subject = "listener",
               .message = what + ": " + std::generic_category().message(errno)};
}

Error bind_failed(std::string const& what) {
  bool const is_taken = errno == EADDRINUSE;
  return failed(is_taken ? Code::conflict : Code::unavailable, "listen on " + what);
}

sockaddr const* generic(auto const& address) {
  return reinterpret_cast<sockaddr const*>(&address);  // how the sockets API spells inheritance
}

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::optional<TcpAddress> parse_address(std::string const& text, std::uint16_t port) {
  TcpAddress out;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.size = sizeof v4;
    std::memcpy(&out.storage, &v4, sizeof v4);
    return out;
  }
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    out.size = sizeof v6;
    std::memcpy(&out.storage, &v6, sizeof v6);
    return out;
  }
  return std::nullopt;
}

void set_option(int fd, int level, int option, int value) {
  // An option that does not take costs speed or convenience, never correctness.
  (void)::setsockopt(fd, level, option, &value, sizeof value);
}

std::uint16_t port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET)
    return ntohs(reinterpret_cast<sockaddr_in const&>(bound).sin_port);
  return ntohs(reinterpret_cast<sockaddr_in6 const&>(bound).sin6_port);
}

// Whether somebody answers at this path. A socket file outlives the process that made it.
bool is_answered(sockaddr_un const& address) {
  Descriptor const probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.fd() < 0) return true;  // unknown: leave it alone
  return ::connect(probe.fd(), generic(address), sizeof address) == 0 || errno != ECONNREFUSED;
}

std::optional<PeerCredentials> credentials_of(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return PeerCredentials{.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
}

std::string v4_text(in_addr const& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  (void)inet_ntop(AF_INET, &address, text.data(), text.size());
  return text.data();
}

std::string v6_text(in6_addr const& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  (void)inet_ntop(AF_INET6, &address, text.data(), text.size());
  return text.data();
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

int Descriptor::release() {
  return std::exchange(fd_, -1);
}

PeerText peer_text(sockaddr_storage const& from) {
  if (from.ss_family == AF_INET) {
    auto const& v4 = reinterpret_cast<sockaddr_in const&>(from);
    std::string const text = v4_text(v4.sin_addr);
    return {.peer = text + ":" + std::to_string(ntohs(v4.sin_port)), .address = text};
  }
  if (from.ss_family != AF_INET6) return {.peer = "unix", .address = ""};
  auto const& v6 = reinterpret_cast<sockaddr_in6 const&>(from);
  std::string const port = std::to_string(ntohs(v6.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    // One client is one address, whichever family our socket speaks.
    in_addr inner{};
    std::memcpy(&inner, &v6.sin6_addr.s6_addr[12], sizeof inner);
    std::string const text = v4_text(inner);
    return {.peer = text + ":" + port, .address = text};
  }
  // A customer is given a /64; addresses inside it are free to invent.
  in6_addr network = v6.sin6_addr;
  std::memset(&network.s6_addr[8], 0, 8);
  return {.peer = "[" + v6_text(v6.sin6_addr) + "]:" + port, .address = v6_text(network) + "/64"};
}

Listener::Listener(Descriptor socket, std::uint16_t port, std::optional<Made> made)
    : socket_(std::move(socket)), port_(port), made_(std::move(made)) {}

Listener::~Listener() {
  if (socket_.fd() < 0 || !made_) return;
  struct stat now{};
  bool const is_ours = ::stat(made_->path.c_str(), &now) == 0 && now.st_dev == made_->device &&
                       now.st_ino == made_->inode;
  if (is_ours) (void)::unlink(made_->path.c_str());
}

Result<Listener> Listener::open(Place const& place) {
  return place.unix_path.empty() ? open_tcp(place) : open_unix(place.unix_path);
}

Result<Listener> Listener::open_tcp(Place const& place) {
  auto const address = parse_address(place.address, place.port);
  if (!address) {
    return Error{.code = Code::invalid,
                 .subject = "listener",
                 .message = "wanted a numeric IPv4 or IPv6 address to listen on, found '" +
                            place.address + "'"};
  }
  int const family = address->storage.ss_family;
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd() < 0) return failed(Code::unavailable, "open a socket");
  set_option(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1);  // TIME_WAIT must not hold up a restart
  if (family == AF_INET6) set_option(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  std::string const what = place.address + " port " + std::to_string(place.port);
  if (::bind(socket.fd(), generic(address->storage), address->size) != 0) return bind_failed(what);
  if (::listen(socket.fd(), kBacklog) != 0) return bind_failed(what);
  std::uint16_t const port = port_of(socket.fd());
  return Listener(std::move(socket), port, std::nullopt);
}

Result<Listener> Listener::open_unix(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{.code = Code::invalid,
                 .subject = "listener",
                 .message = "a unix socket's path has at most " +
                            std::to_string(sizeof address.sun_path - 1) + " bytes, found " +
                            std::to_string(path.size()) + ": " + path};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd() < 0) return failed(Code::unavailable, "open a unix socket");
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) && !is_answered(address)) {
    (void)::unlink(path.c_str());
  }
  // The mode before bind narrows what bind creates, so that there is no moment of a wider one; the
  // process's umask may narrow it further, hence once more afterwards.
  if (::fchmod(socket.fd(), kUnixMode) != 0) return failed(Code::unavailable, "set mode of socket");
  if (::bind(socket.fd(), generic(address), sizeof address) != 0) return bind_failed(path);
  if (::chmod(path.c_str(), kUnixMode) != 0) return bind_failed(path);
  if (::listen(socket.fd(), kBacklog) != 0) return bind_failed(path);
  struct stat made{};
  if (::stat(path.c_str(), &made) != 0) return bind_failed(path);
  return Listener(std::move(socket), 0,
                  Made{.path = path, .device = made.st_dev, .inode = made.st_ino});
}

Result<std::optional<Accepted>> Listener::accept() const {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  Descriptor socket(::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&from), &size,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.fd() < 0) {
    bool const is_ours = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (is_ours) return failed(Code::unavailable, "accept a connection");
    return std::optional<Accepted>();
  }
  Accepted out;
  PeerText text = peer_text(from);
  out.family = from.ss_family;
  out.peer = std::move(text.peer);
  out.address = std::move(text.address);
  if (from.ss_family == AF_UNIX) {
    out.credentials = credentials_of(socket.fd());
  } else {
    set_option(socket.fd(), IPPROTO_TCP, TCP_NODELAY, 1);
    // What the kernel keeps for a client that does not read; left alone it grows to megabytes.
    set_option(socket.fd(), SOL_SOCKET, SO_SNDBUF, kSendBufferBytes);
  }
  out.socket = std::move(socket);
  return std::optional<Accepted>(std::move(out));
}

}  // namespace berth::http
