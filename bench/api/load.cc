#include "bench/api/load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>

#include "berth/base/digest.h"
#include "berth/base/time.h"

namespace berth::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

std::string_view bytes_of(Sha256 const& digest) {
  return {reinterpret_cast<char const*>(digest.data()), digest.size()};
}

std::string mac(std::string_view key, std::string_view text) {
  return std::string(bytes_of(hmac_sha256(key, text)));
}

Error broken(std::string what) {
  return Error{Code::unavailable, "connection", std::move(what)};
}

struct SslDeleter {
  void operator()(SSL* s) const { SSL_free(s); }
  void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
};

// One connection and its request under way.
class Client {
 public:
  Client(SSL_CTX* context, int fd, bool keeps_body)
      : ssl_(SSL_new(context)), fd_(fd), keeps_body_(keeps_body) {
    SSL_set_fd(ssl_.get(), fd);
    SSL_set_connect_state(ssl_.get());
  }
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;
  ~Client() { ::close(fd_); }

  // With the socket still blocking.
  bool shake_hands() {
    if (SSL_connect(ssl_.get()) != 1) return false;
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
    return true;
  }
  void ask(std::string request, SteadyClock::time_point now) {
    out_ = std::move(request);
    asked_ = now;
    head_.clear();
    body_ = 0;
    wanted_ = -1;
  }

  enum class Step { waits, answered, broken };
  // Sends and receives as much as can be. `chunk` is room to read into.
  Step move(std::string& chunk) {
    while (!out_.empty()) {
      int const n = SSL_write(ssl_.get(), out_.data(), static_cast<int>(out_.size()));
      if (n <= 0) return waits(n);
      out_.clear();  // SSL_write writes all or asks to be called again
    }
    for (;;) {
      int const n = SSL_read(ssl_.get(), chunk.data(), static_cast<int>(chunk.size()));
      if (n <= 0) return waits(n);
      if (take(std::string_view(chunk).substr(0, static_cast<std::size_t>(n))))
        return Step::answered;
    }
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] SteadyClock::time_point asked() const { return asked_; }
  [[nodiscard]] std::uint64_t bytes() const {
    return head_.size() + static_cast<std::uint64_t>(body_);
  }
  [[nodiscard]] std::string const& head() const { return head_; }

 private:
  Step waits(int n) {
    int const why = SSL_get_error(ssl_.get(), n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? Step::waits : Step::broken;
  }
  // True when the answer is whole.
  bool take(std::string_view piece) {
    if (wanted_ < 0) {
      head_ += piece;
      std::size_t const end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return false;
      constexpr std::string_view kLength = "Content-Length: ";
      std::size_t const at = head_.find(kLength);
      if (at == std::string::npos || at > end) return false;
      std::from_chars(head_.data() + at + kLength.size(), head_.data() + end, wanted_);
      std::from_chars(head_.data() + 9, head_.data() + 12, status_);
      body_ = static_cast<std::int64_t>(head_.size() - end - 4);
      if (status_ == 200 && !keeps_body_) head_.resize(end + 4);  // of the others the body is shown
    } else {
      body_ += static_cast<std::int64_t>(piece.size());
      if (keeps_body_) head_ += piece;
    }
    return body_ >= wanted_;
  }

  std::unique_ptr<SSL, SslDeleter> ssl_;
  int fd_;
  bool keeps_body_;
  std::string out_;
  std::string head_;
  std::int64_t wanted_ = -1;
  std::int64_t body_ = 0;
  int status_ = 0;
  SteadyClock::time_point asked_;
};

Result<std::unique_ptr<Client>> connect(SSL_CTX* context, Load const& load) {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(load.port);
  ::inet_pton(AF_INET, load.address.c_str(), &to.sin_addr);
  int const on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto client = std::make_unique<Client>(context, fd, load.keeps_body);
  if (::connect(fd, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0) {
    return broken(std::string("cannot connect: ") + std::strerror(errno));
  }
  if (!client->shake_hands()) return broken("the handshake failed");
  return client;
}

double thread_cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct Loop {
  Load const& load;
  LoadResult result;
  bool is_counting = false;
  bool is_over = false;
  std::size_t waiting = 0;
  std::uint64_t asked = 0;
  std::string chunk = std::string(64 * 1024, '\0');

  void count(Client const& client, SteadyClock::time_point now) {
    if (client.status() == 200) ++result.answered_in_all;
    if (client.status() != 200 && result.first_refusal.empty())
      result.first_refusal = client.head();
    if (!is_counting) return;
    result.bytes += client.bytes();
    if (client.status() != 200) {
      ++result.refused;
      return;
    }
    ++result.answered;
    auto const took = std::chrono::duration_cast<std::chrono::microseconds>(now - client.asked());
    result.latencies_us.push_back(static_cast<std::uint32_t>(took.count()));
  }
  void ask(Client& client, SteadyClock::time_point now) {
    client.ask(load.next(), now);
    ++waiting;
    ++asked;
  }
  bool serve(Client& client) {
    Client::Step step = client.move(chunk);
    while (step == Client::Step::answered) {
      SteadyClock::time_point const now = SteadyClock::now();
      count(client, now);
      --waiting;
      if (load.keeps_body) result.last_body = client.head();
      if (load.requests_max > 0 && asked >= load.requests_max) is_over = true;
      if (is_over) return true;
      ask(client, now);
      step = client.move(chunk);
    }
    return step != Client::Step::broken;
  }
};

}  // namespace

void Signer::set_time() {
  WallTime const now = SystemClock().now().wall;
  if (now.ms / 1000 == second_) return;
  second_ = now.ms / 1000;
  time_ = iso8601_basic(now);
  std::string const day = time_.substr(0, 8);
  if (day == day_) return;
  day_ = day;
  scope_ = day_ + "/" + who_.region + "/ec2/aws4_request";
  signing_key_ = mac(mac(mac(mac("AWS4" + who_.secret, day_), who_.region), "ec2"), "aws4_request");
}

std::string Signer::request(std::string_view form) {
  constexpr std::string_view kType = "application/x-www-form-urlencoded; charset=utf-8";
  constexpr std::string_view kSigned = "content-type;host;x-amz-date";
  set_time();
  std::string canonical("POST\n/\n\ncontent-type:");
  canonical.append(kType).append("\nhost:").append(who_.host).append("\nx-amz-date:").append(time_);
  canonical.append("\n\n").append(kSigned).append("\n").append(hex(sha256(form)));
  std::string const to_sign =
      "AWS4-HMAC-SHA256\n" + time_ + "\n" + scope_ + "\n" + hex(sha256(canonical));
  std::string out("POST / HTTP/1.1\r\nHost: ");
  out.append(who_.host).append("\r\nContent-Type: ").append(kType).append("\r\nX-Amz-Date: ");
  out.append(time_).append("\r\nAuthorization: AWS4-HMAC-SHA256 Credential=").append(who_.key_id);
  out.append("/").append(scope_).append(", SignedHeaders=").append(kSigned).append(", Signature=");
  out.append(hex(hmac_sha256(signing_key_, to_sign))).append("\r\nContent-Length: ");
  out.append(std::to_string(form.size())).append("\r\n\r\n").append(form);
  return out;
}

double LoadResult::percentile_ms(double p) const {
  if (latencies_us.empty()) return 0;
  auto const at = static_cast<std::size_t>(p * static_cast<double>(latencies_us.size() - 1));
  return latencies_us[at] / 1000.0;
}

Result<LoadResult> run(Load const& load, std::function<void()> const& begun,
                       std::function<void()> const& ended) {
  std::unique_ptr<SSL_CTX, SslDeleter> const context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  int const poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Client>> clients;
  for (unsigned i = 0; i < load.connections; ++i) {
    clients.push_back(TRY(connect(context.get(), load)));
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u32 = i}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, clients.back()->fd(), &event);
  }
  Loop loop{.load = load, .result = {}};
  auto const start = SteadyClock::now();
  auto const count_from = start + std::chrono::duration_cast<SteadyClock::duration>(
                                      std::chrono::duration<double>(load.warm_up_seconds));
  auto const count_to = count_from + std::chrono::duration_cast<SteadyClock::duration>(
                                         std::chrono::duration<double>(load.seconds));
  double cpu = 0;
  for (auto const& client : clients) {
    loop.ask(*client, SteadyClock::now());
    if (!loop.serve(*client)) return broken("the server closed a connection");
  }
  std::vector<epoll_event> events(load.connections);
  SteadyClock::time_point began = count_from;
  while (loop.waiting > 0) {
    int const n = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), 1'000);
    for (int i = 0; i < n; ++i) {
      Client& client = *clients[events[static_cast<std::size_t>(i)].data.u32];
      if (!loop.serve(client)) return broken("the server closed a connection");
    }
    auto const now = SteadyClock::now();
    if (!loop.is_counting && !loop.is_over && now >= count_from) {
      loop.is_counting = true;
      began = now;
      cpu = thread_cpu_seconds();
      begun();
    }
    if (loop.is_counting && now >= count_to) {
      loop.is_counting = false;
      loop.is_over = true;
      loop.result.seconds = std::chrono::duration<double>(now - began).count();
      loop.result.client_cpu_seconds = thread_cpu_seconds() - cpu;
      ended();
    }
    if (now > count_to + std::chrono::seconds(30)) return broken("no answer for 30 s");
  }
  ::close(poll);
  std::ranges::sort(loop.result.latencies_us);
  return std::move(loop.result);
}

}  // namespace berth::bench
