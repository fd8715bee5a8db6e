#include "tests/unit/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "berth/base/ensure.h"

namespace berth::test {
namespace {

// OpenSSL writes without MSG_NOSIGNAL, and many tests write to somebody who has left.
[[maybe_unused]] auto const kPipesDoNotKill = std::signal(SIGPIPE, SIG_IGN);

int connected(sockaddr const* address, socklen_t size, int family) {
  int const fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ENSURE(fd >= 0);
  if (::connect(fd, address, size) != 0) {
    ::close(fd);
    return -1;
  }
  int const on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  timeval const limit{.tv_sec = 10, .tv_usec = 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

}  // namespace

std::string Reply::header(std::string_view name) const {
  std::size_t const at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return "";
  std::size_t const from = at + 2 + name.size() + 2;
  return head.substr(from, head.find("\r\n", from) - from);
}

Client Client::tcp(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Client out(connected(reinterpret_cast<sockaddr const*>(&to), sizeof to, AF_INET));
  out.is_connected_ = out.fd_ >= 0;
  return out;
}

Client Client::unix_socket(std::string const& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.c_str(), std::min(path.size(), sizeof to.sun_path - 1));
  Client out(connected(reinterpret_cast<sockaddr const*>(&to), sizeof to, AF_UNIX));
  out.is_connected_ = out.fd_ >= 0;
  return out;
}

Client Client::tls(std::uint16_t port, Tls const& tls) {
  Client out = tcp(port);
  if (out.fd_ < 0) return out;
  out.context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(out.context_, SSL_VERIFY_PEER, nullptr);
  ENSURE(SSL_CTX_load_verify_file(out.context_, tls.authority.c_str()) == 1);
  if (tls.version_max != 0) SSL_CTX_set_max_proto_version(out.context_, tls.version_max);
  // Versions below 1.2 are refused by our own side's policy unless told otherwise.
  SSL_CTX_set_security_level(out.context_, 0);
  if (tls.files) {
    ENSURE(SSL_CTX_use_certificate_chain_file(out.context_, tls.files->certificate.c_str()) == 1);
    ENSURE(SSL_CTX_use_PrivateKey_file(out.context_, tls.files->key.c_str(), SSL_FILETYPE_PEM) ==
           1);
  }
  out.session_ = SSL_new(out.context_);
  if (!tls.protocols.empty()) {
    SSL_set_alpn_protos(out.session_, reinterpret_cast<unsigned char const*>(tls.protocols.data()),
                        static_cast<unsigned>(tls.protocols.size()));
  }
  SSL_set_fd(out.session_, out.fd_);
  out.is_connected_ = SSL_connect(out.session_) == 1;
  return out;
}

Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      context_(std::exchange(other.context_, nullptr)),
      session_(std::exchange(other.session_, nullptr)),
      is_connected_(other.is_connected_),
      received_(std::move(other.received_)) {}

Client::~Client() {
  SSL_free(session_);
  SSL_CTX_free(context_);
  if (fd_ >= 0) ::close(fd_);
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    long const sent = session_ != nullptr
                          ? SSL_write(session_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

long Client::receive(std::chrono::steady_clock::time_point until) {
  if (session_ == nullptr || SSL_pending(session_) == 0) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, std::max(0, static_cast<int>(left.count()))) <= 0) return -1;
  }
  std::array<char, 65536> piece{};
  long const got = session_ != nullptr
                       ? SSL_read(session_, piece.data(), static_cast<int>(piece.size()))
                       : ::recv(fd_, piece.data(), piece.size(), 0);
  if (got <= 0) return 0;
  received_.append(piece.data(), static_cast<std::size_t>(got));
  return got;
}

std::optional<Reply> Client::reply(std::chrono::milliseconds within, bool has_body) {
  auto const until = std::chrono::steady_clock::now() + within;
  for (;;) {
    std::size_t const end = received_.find("\r\n\r\n");
    if (end != std::string::npos) {
      Reply out;
      out.head = received_.substr(0, end + 2);
      out.status = static_cast<unsigned>(std::stoul(out.head.substr(9, 3)));
      std::string const length = out.header("Content-Length");
      std::size_t const size = has_body && !length.empty() ? std::stoul(length) : 0;
      if (received_.size() >= end + 4 + size) {
        out.body = received_.substr(end + 4, size);
        received_.erase(0, end + 4 + size);
        return out;
      }
    }
    if (receive(until) <= 0) return std::nullopt;
  }
}

bool Client::is_closed(std::chrono::milliseconds within) {
  return received_.empty() && receive(std::chrono::steady_clock::now() + within) == 0;
}

bool Client::sees(std::string_view wanted, std::chrono::milliseconds within) {
  auto const until = std::chrono::steady_clock::now() + within;
  while (!received_.starts_with(wanted)) {
    if (receive(until) <= 0) return false;
  }
  received_.erase(0, wanted.size());
  return true;
}

std::string Client::server_serial() const {
  X509* const shown = SSL_get0_peer_certificate(session_);
  return shown == nullptr ? "" : std::to_string(ASN1_INTEGER_get(X509_get0_serialNumber(shown)));
}

std::string Client::protocol() const {
  unsigned char const* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session_, &chosen, &size);
  return {reinterpret_cast<char const*>(chosen), size};
}

void Client::reset() {
  linger const now{.l_onoff = 1, .l_linger = 0};
  (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(fd_, -1));
}

http::BodyPlan Front::on_head(http::Request const& head) {
  return plan_with ? plan_with(head) : http::Handler::on_head(head);
}

void Front::on_request(http::Request request, http::Responder respond) {
  ++requests;
  std::lock_guard const lock(mutex_);
  last_ = std::move(request);
  if (reply_with) {
    respond(reply_with(last_));
    return;
  }
  held_.push_back(std::move(respond));
  arrived_.notify_all();
}

std::optional<http::Responder> Front::take() {
  std::unique_lock lock(mutex_);
  if (!arrived_.wait_for(lock, 10s, [&] { return !held_.empty(); })) return std::nullopt;
  http::Responder out = std::move(held_.front());
  held_.pop_front();
  return out;
}

http::Request Front::last() {
  std::lock_guard const lock(mutex_);
  return last_;
}

bool eventually(std::function<bool()> const& is_true) {
  auto const until = std::chrono::steady_clock::now() + 10s;
  while (!is_true()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::unique_ptr<http::Server> serve(http::ListenOptions const& options, http::Handler& handler) {
  auto server = http::Server::start(options, handler);
  if (!server) std::fprintf(stderr, "%s\n", server.error().message.c_str());
  ENSURE(server.has_value());
  return std::move(*server);
}

}  // namespace berth::test
