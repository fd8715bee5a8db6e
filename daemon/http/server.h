#pragma once
// The listener: HTTP/1.1 over TLS, TCP or a unix socket, with a limit and a deadline on everything
// a client can make us hold or wait for. It knows nothing of what is asked.
//
//   class Front final : public http::Handler {
//     void on_request(http::Request request, http::Responder respond) override {
//       respond({.status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = "hello\n"});
//     }
//   };
//   auto server = TRY(http::Server::start({.address = "::", .port = 8773, .tls = tls}, front));
//
// A connection stays on one io thread and its requests are answered one at a time, in order:
//
//   handshake ─► head ─► [100 Continue] ─► body ─► on_request ─► response ─► idle ─► head …
//       │          │                         │          │            │         │
//    deadline   deadline, 431, 400      rate, 413   reply_deadline  rate    idle_deadline ─► closed
//
// A request that breaks a limit gets a short text/plain answer (400, 408, 413, 417, 431, 501, 503,
// 505), its remaining bytes are read and dropped for a moment so that the answer arrives, and the
// connection is closed.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "daemon/http/message.h"

namespace berth::http {

// Receives a request body too large to keep in memory. Calls come one after another, never two at
// once, on a thread kept for bodies: they may write to a disk and wait for it. A sink that is
// destroyed without `finish` or `refuse` saw its client leave, be too slow or pass the limit, and
// removes what it had written.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // The next bytes, at most 64 KiB. An error ends the request: `refuse` is called next and last.
  [[nodiscard]] virtual Result<void> write(std::string_view bytes) = 0;
  // The body is complete.
  virtual void finish(Responder respond) = 0;
  // `write` returned this error. The connection closes after the response.
  virtual void refuse(Error const& error, Responder respond) = 0;
};

// The body arrives in Request::body.
struct Buffered {
  // Absent: the listener's body_bytes_max.
  std::optional<std::uint64_t> bytes_max;
};

// The body goes to the sink and on_request is not called.
struct Streamed {
  std::unique_ptr<BodySink> sink;
  std::uint64_t bytes_max = 0;
};

// A Response here refuses the request before its body is read.
using BodyPlan = std::variant<Buffered, Streamed, Response>;

// The application. Both calls come on io threads, several at a time for several connections, and
// must not block: hand work on and keep the Responder. Must outlive the Server.
class Handler {
 public:
  virtual ~Handler() = default;
  // Asked once per request that carries a body, before any "100 Continue".
  [[nodiscard]] virtual BodyPlan on_head(Request const& head);
  virtual void on_request(Request request, Responder respond) = 0;
};

struct TlsOptions {
  std::string certificate_chain_file;  // PEM, our own certificate first
  std::string key_file;                // PEM, not encrypted
  // PEM. Empty: no client certificate is asked for. Otherwise one is asked for, and one that does
  // not verify against these ends the handshake; who came is Request::client_certificate_*.
  std::string client_ca_file;
  bool client_certificate_is_required = true;  // false: a client may come without one
};

struct ListenOptions {
  std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6; "::" listens on both
  std::uint16_t port = 0;             // 0: any free one, told by bound_port()
  // Not empty: listen here instead, mode 0660, replacing a socket nobody listens on any more.
  std::string unix_path;
  std::optional<TlsOptions> tls;  // absent: plain

  unsigned thread_count = 1;                        // io threads; one more runs the sinks
  std::uint32_t connections_max = 20'000;           // past it: 503, then closed on sight
  std::uint32_t connections_per_address_max = 200;  // an IPv4 address or an IPv6 /64
  std::uint32_t headers_max = 100;
  std::uint32_t header_bytes_max = 16 * 1024;          // request line and headers together
  std::uint64_t body_bytes_max = 1024 * 1024;          // one buffered body
  std::uint64_t bodies_bytes_max = 256 * 1024 * 1024;  // all buffered bodies of this listener
  // All answers above 64 KiB that clients have not taken yet; past it 503 in place of the answer.
  std::uint64_t answers_bytes_max = 256 * 1024 * 1024;
  std::uint32_t handshakes_max = 4'000;           // TLS at once; past it closed on sight
  std::uint32_t body_bytes_per_second_min = 500;  // both ways, after `header_deadline` grace
  Duration header_deadline = seconds(10);         // for a handshake; for a head from its first byte
  Duration idle_deadline = seconds(60);           // between requests
  Duration reply_deadline = seconds(60);  // the application's time; past it the client gets 503
  Duration linger_deadline = seconds(2);  // for a refused client to take its answer
  Duration stop_deadline = seconds(10);   // for requests in flight when stop() is called
};

// Only ever grow, except the gauge `connections_open`. Readable from any thread at any time.
struct Counters {
  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> connections_refused{0};  // over a limit: told 503, or closed on sight
  std::atomic<std::uint64_t> connections_open{0};     // gauge, refused ones included
  std::atomic<std::uint64_t> handshakes_failed{0};
  std::atomic<std::uint64_t> requests{0};          // heads received whole and well-formed
  std::atomic<std::uint64_t> requests_refused{0};  // answered by the listener, not the application
  std::atomic<std::uint64_t> deadlines_passed{0};  // connections cut for being slow or idle
  std::atomic<std::uint64_t> bytes_received{0};    // inside TLS
  std::atomic<std::uint64_t> bytes_sent{0};
};

class Server {
 public:
  // Listening when it returns. Errors: invalid (options, unreadable or mismatched certificate and
  // key), conflict (the address or the path is in use), unavailable (no socket, no permission).
  static Result<std::unique_ptr<Server>> start(ListenOptions const& options, Handler& handler);

  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;
  ~Server();  // stop()

  // Takes no more connections, closes idle ones, waits up to stop_deadline for requests in flight,
  // then closes what is left. Joins its threads; afterwards the Handler is not called. Idempotent,
  // from one thread at a time, never from the Handler.
  void stop();

  [[nodiscard]] std::uint16_t bound_port() const;  // 0 for a unix socket

  // Reads the files named at start again; connections made from now on use them. On error, or
  // without TLS (invalid), nothing changes.
  [[nodiscard]] Result<void> reload_certificates();

  [[nodiscard]] Counters const& counters() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::http
