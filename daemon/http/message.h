#pragma once
// What the listener hands to the application and takes back: one request, one response, and the
// Responder that carries the second one home. No Boost here, so ec2, admin and their tests see only
// strings.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::http {

struct Header {
  std::string name;
  std::string value;

  bool operator==(Header const&) const = default;
};

// Who is at the other end of a unix socket, told by the kernel (SO_PEERCRED) when it connected.
struct PeerCredentials {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;

  bool operator==(PeerCredentials const&) const = default;
};

// One received request. The listener has checked framing, limits, and that an HTTP/1.1 request has
// exactly one Host; it has interpreted nothing else.
struct Request {
  std::string method;           // as received: methods are case-sensitive
  std::string target;           // the raw request-target: see split_target in uri.h
  std::string body;             // decoded from chunks; empty for a streamed body and in on_head
  std::vector<Header> headers;  // in order of arrival, duplicates kept, trailers dropped
  std::string peer;             // "127.0.0.1:1234", "[::1]:1234" or "unix"
  // From the verified client certificate's one "berth://ROLE/NAME" subject alternative name (NAME
  // may be "KIND/NAME"). Empty:
  // no certificate, or one without exactly one well-formed such name; then nobody is known.
  std::string client_certificate_role;
  std::string client_certificate_name;
  bool is_local_socket = false;                     // came over the unix socket
  std::optional<PeerCredentials> peer_credentials;  // absent: not a unix socket

  // The first header of that name, case-insensitively; absent if there is none. Points into *this.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  // Every value of that name in order of arrival, so that a caller can refuse duplicates.
  [[nodiscard]] std::vector<std::string_view> header_values(std::string_view name) const;
};

// One answer. Content-Length, Date, Connection, Keep-Alive and Transfer-Encoding belong to the
// listener: given here they are dropped. A header name or value that could break the framing (a
// line break, a control character) is never sent: the client gets 500 and the log says which.
struct Response {
  unsigned status = 200;  // 200..599
  std::vector<Header> headers;
  std::string body;  // not sent for HEAD, 204 and 304
  // How long the answer is held back, at most a second: a client that is told to come again later
  // and does not wait keeps its own connection busy, not us.
  std::chrono::milliseconds delay{0};

  bool operator==(Response const&) const = default;
};

// "Not Found" for 404; "Status" for a number without a registered phrase.
[[nodiscard]] std::string_view status_phrase(unsigned status);

// A short text/plain answer, for refusals that no API's own error form covers.
[[nodiscard]] Response plain_response(unsigned status, std::string_view text);

// Sends the one response to one request. Move-only; call it from any thread, exactly once, or
// destroy it uncalled and the client gets 503. Calling it after the listener stopped, or after the
// client left, is allowed and does nothing.
//
//   void on_request(Request request, Responder respond) override {
//     mailbox.push({std::move(request), std::move(respond)});   // later: respond(Response{...});
//   }
class Responder {
 public:
  // Anything that takes a Response once; the listener has its own, tests pass a lambda.
  template <std::invocable<Response> Deliver>
    requires(!std::same_as<std::remove_cvref_t<Deliver>, Responder>)
  explicit Responder(Deliver deliver)
      : slot_(std::make_unique<Holder<Deliver>>(std::move(deliver))) {}

  Responder(Responder&& other) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void operator()(Response response);
  // Runs a job soon, on the thread that will send the response: what makes the response may as well
  // run there. Before the response is given; after the listener stopped the job is dropped. A
  // Responder that is no listener's runs it here and now.
  void run(std::function<void()> job);

 private:
  struct Slot {
    Slot() = default;
    Slot(Slot const&) = delete;
    Slot& operator=(Slot const&) = delete;
    virtual ~Slot() = default;
    virtual void deliver(Response response) = 0;
    virtual void run(std::function<void()> job) = 0;
  };

  template <class Deliver>
  struct Holder final : Slot {
    explicit Holder(Deliver d) : call(std::move(d)) {}
    void deliver(Response response) override { call(std::move(response)); }
    void run(std::function<void()> job) override {
      if constexpr (requires { call.run(std::move(job)); }) {
        call.run(std::move(job));
      } else {
        job();
      }
    }
    Deliver call;
  };

  void abandon() noexcept;

  std::unique_ptr<Slot> slot_;  // empty: already called, or moved from
};

}  // namespace berth::http
