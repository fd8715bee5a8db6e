#include "tests/load/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace berth::load {

namespace {

[[noreturn]] void die(char const* what) {
  std::perror(what);
  std::exit(3);
}

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

int connect_from(unsigned net, unsigned host, std::uint16_t port, int receive_buffer) {
  int const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  int const on = 1;
  if (receive_buffer > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The port is chosen at connect, so that each source address has all of them.
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl((127U << 24U) | (net << 8U) | host);
  auto const* from_any = reinterpret_cast<sockaddr const*>(&from);
  if (bind(fd, from_any, sizeof from) != 0) die("bind");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto const* to_any = reinterpret_cast<sockaddr const*>(&to);
  if (connect(fd, to_any, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
  return fd;
}

Clients::Clients(Options options, OnReply on_reply)
    : options_(options), on_reply_(std::move(on_reply)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) die("epoll_create1");
  all_.resize(options_.connections);
  for (std::size_t i = 0; i < all_.size(); ++i) open(i);
}

Clients::~Clients() {
  for (Connection const& c : all_) close(c.fd);
  close(epoll_);
}

void Clients::open(std::size_t index) {
  Connection& c = all_[index];
  auto const host = 1 + static_cast<unsigned>(index) / options_.per_address;
  c.fd = connect_from(options_.net, host, options_.port, 0);
  c.is_idle = true;
  c.out = {};
  c.in.clear();
  c.length = 0;
  epoll_event event{};
  // Edge-triggered, so that it is told once for its life.
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = index;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event) != 0) die("epoll_ctl");
}

void Clients::give_up(std::size_t index) {
  close(all_[index].fd);
  ++reconnects_;
  open(index);
}

void Clients::ended(std::size_t index) {
  bool const was_waiting = !all_[index].is_idle;
  give_up(index);
  if (was_waiting) on_reply_(index, Reply{});
}

void Clients::send(std::size_t index, std::string_view bytes) {
  Connection& c = all_[index];
  c.is_idle = false;
  c.out = bytes;
  write(index);
}

void Clients::write(std::size_t index) {
  Connection& c = all_[index];
  while (!c.out.empty()) {
    ssize_t const n = ::send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // not now; or broken, which the reading side is told
    c.out.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool Clients::take_head(Connection& c) {
  std::size_t const end = c.in.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  std::string_view const head(c.in.data(), end);
  if (head.size() < 12) return false;
  std::from_chars(head.data() + 9, head.data() + 12, c.status);
  std::size_t const at = head.find("Content-Length: ");
  if (at == std::string_view::npos) return false;
  std::size_t body = 0;
  std::from_chars(head.data() + at + 16, head.data() + head.size(), body);
  c.length = end + 4 + body;
  return true;
}

void Clients::read(std::size_t index) {
  std::array<char, kReadBytes> bytes;
  for (;;) {
    Connection& c = all_[index];
    ssize_t const n = recv(c.fd, bytes.data(), bytes.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return ended(index);
    c.in.append(bytes.data(), static_cast<std::size_t>(n));
    if (c.length == 0 && !take_head(c)) return ended(index);
    if (c.length == 0 || c.in.size() < c.length) continue;
    bool const closes = c.in.find("\r\nConnection: close") < c.in.find("\r\n\r\n");
    std::string const answer = std::exchange(c.in, {});
    std::size_t const body = answer.find("\r\n\r\n") + 4;
    Reply const reply{.status = c.status, .body = std::string_view(answer).substr(body)};
    c.length = 0;
    c.is_idle = true;
    if (closes) give_up(index);
    on_reply_(index, reply);
    if (closes) return;
  }
}

void Clients::poll(std::chrono::milliseconds patience) {
  std::array<epoll_event, 512> events;
  int const n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                           static_cast<int>(patience.count()));
  for (int i = 0; i < n; ++i) {
    epoll_event const& event = events[static_cast<std::size_t>(i)];
    auto const index = static_cast<std::size_t>(event.data.u64);
    if ((event.events & EPOLLOUT) != 0) write(index);
    if ((event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read(index);
  }
}

}  // namespace berth::load
