#pragma once
// A client that sends exactly the bytes it is told, over TCP, a unix socket or TLS, and a front
// that answers as the test wishes. Every wait ends by itself.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/server.h"
#include "tests/unit/http/certificates.h"

struct ssl_ctx_st;
struct ssl_st;

namespace berth::test {

using namespace std::chrono_literals;

struct Reply {
  unsigned status = 0;
  std::string head;
  std::string body;

  [[nodiscard]] std::string header(std::string_view name) const;  // "" if there is none
};

class Client {
 public:
  static Client tcp(std::uint16_t port);
  static Client unix_socket(std::string const& path);
  struct Tls {
    std::string authority;       // PEM file that signed the server
    std::optional<Files> files;  // our own certificate
    int version_max = 0;         // 0: the newest
    std::string protocols;       // ALPN wire form; empty: none offered
  };
  // is_connected() tells whether the handshake worked as far as we can see.
  static Client tls(std::uint16_t port, Tls const& tls);

  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;
  ~Client();

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  bool send(std::string_view bytes);  // false: the other side is gone
  // The next response, by its Content-Length; absent if none came whole in that time.
  [[nodiscard]] std::optional<Reply> reply(std::chrono::milliseconds within = 10s,
                                           bool has_body = true);
  [[nodiscard]] std::optional<Reply> ask(std::string_view bytes) {
    send(bytes);
    return reply();
  }
  // Waits for the end of the stream; false: bytes came, or nothing, in that time.
  [[nodiscard]] bool is_closed(std::chrono::milliseconds within = 10s);
  // What arrives until `wanted` has; for 100 Continue.
  [[nodiscard]] bool sees(std::string_view wanted, std::chrono::milliseconds within = 10s);
  [[nodiscard]] std::string server_serial() const;  // of the certificate it showed
  [[nodiscard]] std::string protocol() const;       // chosen by ALPN
  [[nodiscard]] int fd() const { return fd_; }
  void reset();  // closes with RST

 private:
  explicit Client(int fd) : fd_(fd) {}
  // >0 bytes, 0 the end, <0 nothing in that time.
  long receive(std::chrono::steady_clock::time_point until);

  int fd_ = -1;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* session_ = nullptr;
  bool is_connected_ = false;
  std::string received_;
};

// Answers on the io thread with what `reply_with` says; without one, keeps the Responder for the
// test to take. Counts, and remembers the last request.
class Front : public http::Handler {
 public:
  std::function<http::BodyPlan(http::Request const&)> plan_with;
  std::function<http::Response(http::Request const&)> reply_with = [](http::Request const& r) {
    return http::Response{
        .status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = r.target + r.body};
  };
  std::atomic<int> requests{0};

  http::BodyPlan on_head(http::Request const& head) override;
  void on_request(http::Request request, http::Responder respond) override;

  // The next held request's Responder; absent if none came in ten seconds.
  [[nodiscard]] std::optional<http::Responder> take();
  [[nodiscard]] http::Request last();

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<http::Responder> held_;
  http::Request last_;
};

// Until it is true, at most ten seconds.
[[nodiscard]] bool eventually(std::function<bool()> const& is_true);

// Starts or ends the test program with the reason.
[[nodiscard]] std::unique_ptr<http::Server> serve(http::ListenOptions const& options,
                                                  http::Handler& handler);

inline constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace berth::test
