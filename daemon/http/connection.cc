// One client, from its handshake to its goodbye.
//
// Deadlines. A connection has one deadline at a time. Its worker walks over its connections four
// times a second and interrupts what is late: an interrupted operation ends with an error, the
// coroutine finds `is_cut_` and says 408 or leaves. This is cheaper than a timer for each read.
//
// Coroutines here are written plainly: GCC 12 miscompiles some expressions around co_await (with it
// inside ?: and && and beside temporaries, this file crashed at the first request). So: one
// co_await to a statement, its arguments in variables, its result in a variable before anybody
// looks at it.
//
// Longer than the rule: the steps of one exchange share the connection's state, and are read in the
// order in which they happen.

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <span>
#include <utility>

#include "berth/base/ensure.h"
#include "berth/base/log.h"
#include "daemon/http/pace.h"
#include "daemon/http/parser.h"
#include "daemon/http/render.h"
#include "daemon/http/worker.h"

namespace berth::http {
namespace {

using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, Executor>;
constexpr auto kResume = asio::as_tuple(asio::use_awaitable_t<Executor>{});

constexpr TimePoint kNever = TimePoint::max();
constexpr auto kSweepInterval = std::chrono::milliseconds(250);
constexpr std::size_t kIdleBufferBytes = 4 * 1024;
constexpr std::size_t kBodyBufferBytes = kHeaderBytesCeiling;
constexpr std::size_t kBufferedReadBytes = 16 * 1024;  // a TLS record
constexpr std::size_t kSendBytesMax = 64 * 1024;
constexpr auto kAnswerDelayMax = std::chrono::milliseconds(1'000);

// Where a Responder leaves its answer. Touched on the connection's worker only.
struct ReplyBox {
  explicit ReplyBox(asio::io_context& io) : arrival(io, kNever) {}

  Timer arrival;  // cancelled to say: look again
  std::optional<Response> response;
};

// The listener's end of a Responder. It holds Shared, so the loop it posts to exists for as long as
// somebody may call it; members go in reverse order, the box before its loop.
struct Delivery {
  std::shared_ptr<Shared> shared;
  Worker* worker = nullptr;
  std::shared_ptr<ReplyBox> box;

  void operator()(Response response) {
    // At once where run() has brought us.
    asio::dispatch(worker->io, [into = std::move(box), r = std::move(response)]() mutable {
      into->response = std::move(r);
      into->arrival.cancel();
    });
  }
  void run(std::function<void()> job) { asio::post(worker->io, std::move(job)); }
};

// One handshake under way.
struct HandshakePlace {
  explicit HandshakePlace(std::atomic<std::uint32_t>& all)
      : count(all), before(all.fetch_add(1, std::memory_order_relaxed)) {}
  HandshakePlace(HandshakePlace const&) = delete;
  HandshakePlace& operator=(HandshakePlace const&) = delete;
  ~HandshakePlace() { count.fetch_sub(1, std::memory_order_relaxed); }

  std::atomic<std::uint32_t>& count;
  std::uint32_t const before;
};

// Why a connection ends. Status 0: silently.
struct Ending {
  unsigned status = 0;
  std::string text;
};
using Trouble = std::optional<Ending>;
}  // namespace

class Connection {
 public:
  Connection(std::shared_ptr<Shared> shared, Worker& worker, Accepted accepted, Verdict verdict);
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;
  ~Connection();

  Task<> run();

  // From the worker, between its events.
  void look_at_clock(TimePoint now);
  void stop_if_idle();
  void abort();

 private:
  Task<> handshake();
  void start_session();
  Task<> serve();
  Task<Trouble> exchange(RequestParser& parser);
  Task<Trouble> receive_head(RequestParser& parser);
  Task<Trouble> receive_body(RequestParser& parser, BodySink* sink, Result<void>& written);
  Task<Trouble> buffer_body(RequestParser& parser, std::uint64_t bytes_max);
  Task<Trouble> stream_body(RequestParser& parser, Streamed plan);
  Task<Trouble> hold(RequestParser& parser);
  Task<Trouble> answer(std::shared_ptr<ReplyBox> box, RenderContext context);
  Task<> send_response(Response response, RenderContext context);
  Task<> send(std::string_view bytes);
  struct Room {
    std::size_t wanted = 0;  // the buffer grows to this at once, then doubles
    std::size_t most = 0;
  };
  Task<bool> fill(Room room);
  Task<std::size_t> move_in(std::span<char> into);
  Task<std::size_t> move_out(std::string_view bytes);
  Task<> ready(TlsSession::Step step);
  [[nodiscard]] static bool waits(TlsSession::Step const& step);
  Task<> close();
  template <class Work>
  Task<> on_bodies_thread(Work work);

  [[nodiscard]] std::string_view pending() const {
    return {buffer_.data() + begin_, buffer_.size() - begin_};
  }
  [[nodiscard]] Responder responder(std::shared_ptr<ReplyBox> box) {
    return Responder(Delivery{.shared = shared_, .worker = &worker_, .box = std::move(box)});
  }
  [[nodiscard]] RenderContext context_for(RequestParser& parser) const {
    return {.is_http11 = parser.is_http11(),
            .keeps_alive = keeps_alive_,
            .is_head = parser.head().method == "HEAD"};
  }
  [[nodiscard]] Trouble refused(Refusal refusal);
  void consume(std::size_t bytes);
  void set_deadline(TimePoint deadline);
  void set_deadline(Duration from_now) { set_deadline(Monotonic::now() + length(from_now)); }
  void interrupt();
  [[nodiscard]] bool hold_answer(std::uint64_t bytes);
  void release_body();  // and the answer

  std::shared_ptr<Shared> shared_;
  Worker& worker_;
  std::list<Connection*>::iterator place_;
  Socket socket_;
  std::optional<TlsSession> tls_;
  bool has_tls_session_ = false;  // the handshake is done and nothing has broken it since
  Verdict verdict_;
  std::string address_;
  Request whose_;       // peer and certificate, copied into each request
  std::string buffer_;  // received, from begin_ on not yet used
  std::size_t begin_ = 0;
  TimePoint deadline_ = kNever;
  bool is_cut_ = false;      // the deadline passed while somebody waited
  bool is_idle_ = true;      // nothing of a request has arrived, so nobody misses an answer
  bool has_served_ = false;  // not its first request
  bool is_aborted_ = false;  // the server has no more time
  bool is_gone_ = false;     // the peer has closed or the socket failed
  bool keeps_alive_ = true;
  std::shared_ptr<ReplyBox> waiting_;  // for whose answer the coroutine sleeps
  std::uint64_t body_bytes_ = 0;       // our share of Shared::body_bytes
  std::uint64_t answer_bytes_ = 0;     // and of Shared::answer_bytes
};

std::string const& Worker::date_now() {
  WallTime const now = SystemClock().now().wall;
  if (now.ms / 1000 != date_second) {
    date_second = now.ms / 1000;
    date = http_date(now);
  }
  return date;
}

void Worker::start_sweep() {
  sweep.expires_after(kSweepInterval);
  sweep.async_wait([this](ErrorCode const& error) {
    if (error || connections.empty()) return;
    TimePoint const now = Monotonic::now();
    for (Connection* const c : connections) c->look_at_clock(now);
    start_sweep();
  });
}

Connection::Connection(std::shared_ptr<Shared> shared, Worker& worker, Accepted accepted,
                       Verdict verdict)
    : shared_(std::move(shared)),
      worker_(worker),
      place_(worker.connections.end()),
      socket_(worker.io),
      verdict_(verdict),
      address_(std::move(accepted.address)) {
  whose_.peer = std::move(accepted.peer);
  whose_.peer_credentials = accepted.credentials;
  whose_.is_local_socket = accepted.family == AF_UNIX;
  int const protocol = accepted.family == AF_UNIX ? 0 : IPPROTO_TCP;
  ErrorCode error;
  socket_.assign(Protocol(accepted.family, protocol), accepted.socket.fd(), error);
  if (!error) (void)accepted.socket.release();
  is_gone_ = static_cast<bool>(error);
  worker_.load.fetch_add(1, std::memory_order_relaxed);
  shared_->counters.connections_open.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() {
  release_body();
  worker_.load.fetch_sub(1, std::memory_order_relaxed);
  shared_->counters.connections_open.fetch_sub(1, std::memory_order_relaxed);
  asio::post(shared_->workers.front()->io, [shared = shared_.get(), address = std::move(address_)] {
    shared->admission.leave(address);
  });
}

Task<> Connection::run() {
  if (worker_.connections.empty()) worker_.start_sweep();
  place_ = worker_.connections.insert(worker_.connections.end(), this);
  if (!is_gone_ && !worker_.is_stopping) {
    // An exception here is the application's or a library's: this connection's end, not the
    // daemon's. Out of memory is everybody's, and goes on up.
    try {
      bool const speaks_tls = shared_->options.tls.has_value();
      if (speaks_tls) co_await handshake();
      if (!speaks_tls || has_tls_session_) co_await serve();
    } catch (std::bad_alloc const&) { throw; } catch (std::exception const& e) {
      log_error("a connection ended by an exception", {{"peer", whose_.peer}, {"what", e.what()}});
      is_gone_ = true;
    }
    co_await close();
  }
  worker_.connections.erase(place_);
  if (worker_.connections.empty()) worker_.sweep.cancel();
}

Task<> Connection::handshake() {
  set_deadline(shared_->options.header_deadline);
  // Forty kilobytes are not spent on somebody who says nothing.
  co_await socket_.async_wait(Socket::wait_read, kResume);
  HandshakePlace const place(shared_->handshakes);
  if (place.before >= shared_->options.handshakes_max) {
    shared_->counters.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
    is_gone_ = true;
    co_return;
  }
  start_session();
  for (;;) {
    TlsSession::Step const step = tls_->handshake();
    if (step.outcome == TlsSession::Outcome::done) break;
    if (!is_cut_ && !is_aborted_ && waits(step)) {
      co_await ready(step);
      continue;
    }
    shared_->counters.handshakes_failed.fetch_add(1, std::memory_order_relaxed);
    // A refused client may still read why in OpenSSL's alert; a silent one has nothing to read.
    is_gone_ = is_cut_ || is_aborted_;
    co_return;
  }
  has_tls_session_ = true;
  PeerName name = tls_->peer();
  whose_.client_certificate_role = std::move(name.role);
  whose_.client_certificate_name = std::move(name.name);
}

void Connection::start_session() {
  std::lock_guard const lock(shared_->certificates_mutex);
  tls_.emplace(shared_->certificates.get(), socket_.native_handle());
}

Task<> Connection::serve() {
  Trouble trouble;
  if (verdict_ == Verdict::refuse) {
    trouble = refused({.status = 503, .text = "too many connections; retry later"});
  }
  while (!trouble && keeps_alive_ && !is_aborted_) {
    is_idle_ = pending().empty();
    if (is_idle_ && worker_.is_stopping) co_return;
    if (is_idle_ && buffer_.capacity() > kIdleBufferBytes) buffer_ = std::string();
    set_deadline(is_idle_ && has_served_ ? shared_->options.idle_deadline
                                         : shared_->options.header_deadline);
    RequestParser parser({.header_bytes_max = shared_->options.header_bytes_max,
                          .headers_max = shared_->options.headers_max});
    trouble = co_await exchange(parser);
    has_served_ = true;
    release_body();
  }
  if (trouble && trouble->status != 0 && !is_gone_ && !is_aborted_) {
    Response response = plain_response(trouble->status, trouble->text);
    if (trouble->status == 503) {
      // Spread, so that those who were refused together do not come again together.
      auto const microseconds = Monotonic::now().time_since_epoch().count() / 1'000;
      response.headers.push_back({"Retry-After", std::to_string(3 + microseconds % 5)});
    }
    RenderContext const context{.keeps_alive = false};
    co_await send_response(std::move(response), context);
  }
}

// One request and its answer; trouble ends the connection.
Task<Trouble> Connection::exchange(RequestParser& parser) {
  Trouble trouble = co_await receive_head(parser);
  if (trouble) co_return trouble;
  shared_->counters.requests.fetch_add(1, std::memory_order_relaxed);
  keeps_alive_ = parser.keeps_alive();
  Request& head = parser.head();
  head.peer = whose_.peer;
  head.client_certificate_role = whose_.client_certificate_role;
  head.client_certificate_name = whose_.client_certificate_name;
  head.is_local_socket = whose_.is_local_socket;
  head.peer_credentials = whose_.peer_credentials;
  if (parser.is_done()) {
    trouble = co_await hold(parser);
    co_return trouble;
  }

  BodyPlan plan = shared_->handler.on_head(head);
  if (auto* const buffered = std::get_if<Buffered>(&plan)) {
    std::uint64_t const bytes_max = buffered->bytes_max.value_or(shared_->options.body_bytes_max);
    trouble = co_await buffer_body(parser, bytes_max);
    co_return trouble;
  }
  if (auto* const streamed = std::get_if<Streamed>(&plan)) {
    ENSURE(streamed->sink != nullptr);
    trouble = co_await stream_body(parser, std::move(*streamed));
    co_return trouble;
  }
  // Refused with the body still to come: the connection cannot be used for a next request.
  keeps_alive_ = false;
  RenderContext const context = context_for(parser);
  co_await send_response(std::move(*std::get_if<Response>(&plan)), context);
  co_return std::nullopt;
}

Task<Trouble> Connection::receive_head(RequestParser& parser) {
  for (;;) {
    RequestParser::Step step = parser.read_head(pending());
    if (step.refusal) co_return refused(std::move(*step.refusal));
    if (step.consumed > 0) {
      consume(step.consumed);
      is_idle_ = false;
      co_return std::nullopt;
    }
    Room const room{.wanted = kIdleBufferBytes, .most = shared_->options.header_bytes_max};
    bool const has_more = co_await fill(room);
    if (has_more) {
      bool const was_idle = std::exchange(is_idle_, false);
      if (was_idle && has_served_) set_deadline(shared_->options.header_deadline);
      continue;
    }
    if (is_gone_ || pending().empty()) co_return Ending{};  // between requests silence is polite
    co_return refused({.status = 408, .text = "the request did not arrive in time"});
  }
}

// To parser.body(), or piece by piece to the sink until it errs; `written` is its last word.
Task<Trouble> Connection::receive_body(RequestParser& parser, BodySink* sink,
                                       Result<void>& written) {
  Pace pace({.bytes_per_second_min = shared_->options.body_bytes_per_second_min,
             .grace = length(shared_->options.header_deadline)},
            Monotonic::now());
  Room const room{.wanted = sink == nullptr ? kBufferedReadBytes : kBodyBufferBytes,
                  .most = kBodyBufferBytes};
  set_deadline(pace.deadline());
  if (parser.expects_continue() && pending().empty()) {
    co_await send("HTTP/1.1 100 Continue\r\n\r\n");
    if (is_gone_) co_return Ending{};
  }
  for (;;) {
    RequestParser::Step step = parser.read_body(pending());
    if (step.refusal) co_return refused(std::move(*step.refusal));
    consume(step.consumed);
    if (sink != nullptr && !parser.body().empty()) {
      TimePoint const before = Monotonic::now();
      auto const write = [&] { written = sink->write(parser.body()); };
      co_await on_bodies_thread(write);
      if (!written) co_return std::nullopt;
      parser.body().clear();
      pace.paused(Monotonic::now() - before);
    } else if (sink == nullptr && step.consumed > 0) {
      std::uint64_t const held = parser.body().size();
      std::uint64_t const more = held - std::exchange(body_bytes_, held);
      std::uint64_t const all = shared_->body_bytes.fetch_add(more) + more;
      if (all > shared_->options.bodies_bytes_max) {
        co_return refused({.status = 503, .text = "too many bodies in memory; retry later"});
      }
    }
    if (parser.is_done()) co_return std::nullopt;
    set_deadline(pace.deadline());
    bool const has_more = co_await fill(room);
    if (!has_more) {
      if (is_gone_) co_return Ending{};
      co_return refused({.status = 408, .text = "the body arrives too slowly"});
    }
    pace.moved(pending().size(), Monotonic::now());
  }
}

Task<Trouble> Connection::buffer_body(RequestParser& parser, std::uint64_t bytes_max) {
  if (auto refusal = parser.limit_body(bytes_max)) co_return refused(std::move(*refusal));
  Result<void> written;
  Trouble trouble = co_await receive_body(parser, nullptr, written);
  if (trouble) co_return trouble;
  parser.head().body = std::move(parser.body());
  trouble = co_await hold(parser);
  co_return trouble;
}

Task<Trouble> Connection::stream_body(RequestParser& parser, Streamed plan) {
  Trouble trouble;
  if (auto refusal = parser.limit_body(plan.bytes_max)) trouble = refused(std::move(*refusal));
  Result<void> written;
  if (!trouble) trouble = co_await receive_body(parser, plan.sink.get(), written);
  auto box = std::make_shared<ReplyBox>(worker_.io);
  if (!written) keeps_alive_ = false;  // the rest of the body is still on its way
  // The sink's own thread ends it too: removing a large file takes its time as well.
  auto const end = [&] {
    if (!trouble && written) plan.sink->finish(responder(box));
    if (!trouble && !written) plan.sink->refuse(written.error(), responder(box));
    plan.sink.reset();
  };
  co_await on_bodies_thread(end);
  if (trouble) co_return trouble;
  RenderContext const context = context_for(parser);
  trouble = co_await answer(box, context);
  co_return trouble;
}

// Gives the request to the application and sends what it says.
Task<Trouble> Connection::hold(RequestParser& parser) {
  auto box = std::make_shared<ReplyBox>(worker_.io);
  RenderContext const context = context_for(parser);
  shared_->handler.on_request(std::move(parser.head()), responder(box));
  Trouble trouble = co_await answer(box, context);
  co_return trouble;
}

Task<Trouble> Connection::answer(std::shared_ptr<ReplyBox> box, RenderContext context) {
  set_deadline(shared_->options.reply_deadline);
  waiting_ = box;
  while (!box->response && !is_cut_ && !is_aborted_) { co_await box->arrival.async_wait(kResume); }
  waiting_.reset();
  if (is_aborted_) co_return Ending{};
  if (!box->response) co_return refused({.status = 503, .text = "no answer in time; retry later"});
  if (box->response->delay.count() > 0) {
    Timer pause(worker_.io);
    pause.expires_after(std::min(box->response->delay, kAnswerDelayMax));
    co_await pause.async_wait(kResume);
  }
  if (!hold_answer(box->response->body.size())) {
    co_return refused({.status = 503, .text = "too many answers in memory; retry later"});
  }
  if (worker_.is_stopping) keeps_alive_ = false;
  context.keeps_alive = keeps_alive_;
  co_await send_response(std::move(*box->response), context);
  if (is_gone_) co_return Ending{};
  co_return std::nullopt;
}

Task<> Connection::send_response(Response response, RenderContext context) {
  context.date = worker_.date_now();
  Result<std::string> head = render_head(response, context);
  if (!head) {
    log_error("a response was not fit to send", {{"reason", head.error().message}});
    response = plain_response(500, "internal error");
    head = render_head(response, context);
  }
  std::string first = std::move(*head);
  std::string_view rest;
  if (has_body(response.status, context.is_head)) rest = response.body;
  if (rest.size() <= kSendBytesMax) {
    // Small answers leave as one TLS record; a large body is not worth copying.
    first += rest;
    rest = {};
  }
  co_await send(first);
  if (!is_gone_ && !rest.empty()) co_await send(rest);
}

Task<> Connection::send(std::string_view bytes) {
  Pace pace({.bytes_per_second_min = shared_->options.body_bytes_per_second_min,
             .grace = length(shared_->options.header_deadline)},
            Monotonic::now());
  ErrorCode ignored;
  while (!bytes.empty()) {
    if (is_aborted_) co_return;
    set_deadline(pace.deadline());
    std::string_view const piece = bytes.substr(0, kSendBytesMax);
    std::size_t const sent = co_await move_out(piece);
    if (sent == 0) {
      is_gone_ = true;
      // Left to itself the kernel would offer the rest for minutes to a client that does not read.
      if (is_cut_) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
      has_tls_session_ = false;  // a record may have gone half
      co_return;
    }
    shared_->counters.bytes_sent.fetch_add(sent, std::memory_order_relaxed);
    bytes.remove_prefix(sent);
    pace.moved(sent, Monotonic::now());
  }
}

// Receives something behind what is pending, within the room given. False: look at is_gone_,
// is_cut_ and is_aborted_. What arrived just in time counts as arrived; the next call is cut.
Task<bool> Connection::fill(Room room) {
  if (is_cut_ || is_aborted_) co_return false;
  if (begin_ > 0) buffer_.erase(0, std::exchange(begin_, 0));
  std::size_t const held = buffer_.size();
  ENSURE(held < room.most);
  buffer_.resize(std::min(room.most, std::max(room.wanted, held * 2)));
  std::span<char> const space(buffer_.data() + held, buffer_.size() - held);
  std::size_t const received = co_await move_in(space);
  buffer_.resize(held + received);
  if (received == 0) {
    is_gone_ = !is_cut_ && !is_aborted_;
    co_return false;
  }
  shared_->counters.bytes_received.fetch_add(received, std::memory_order_relaxed);
  co_return true;
}

// At least one byte in, or 0: the end, an error, or the deadline.
Task<std::size_t> Connection::move_in(std::span<char> into) {
  if (!tls_) {
    asio::mutable_buffer const space(into.data(), into.size());
    auto const [error, received] = co_await socket_.async_read_some(space, kResume);
    co_return error ? 0 : received;
  }
  for (;;) {
    TlsSession::Step const step = tls_->read(into);
    if (step.outcome == TlsSession::Outcome::done) co_return step.bytes;
    if (is_cut_ || is_aborted_) co_return 0;
    if (!waits(step)) {
      has_tls_session_ = step.outcome != TlsSession::Outcome::failed;
      co_return 0;
    }
    co_await ready(step);
  }
}

// At least one byte out, or 0: an error, or the deadline.
Task<std::size_t> Connection::move_out(std::string_view bytes) {
  if (!tls_) {
    asio::const_buffer const piece(bytes.data(), bytes.size());
    auto const [error, sent] = co_await socket_.async_write_some(piece, kResume);
    co_return error ? 0 : sent;
  }
  for (;;) {
    TlsSession::Step const step = tls_->write(bytes);
    if (step.outcome == TlsSession::Outcome::done) co_return step.bytes;
    if (is_cut_ || is_aborted_ || !waits(step)) co_return 0;
    co_await ready(step);
  }
}

bool Connection::waits(TlsSession::Step const& step) {
  return step.outcome == TlsSession::Outcome::wants_read ||
         step.outcome == TlsSession::Outcome::wants_write;
}

Task<> Connection::ready(TlsSession::Step step) {
  bool const reads = step.outcome == TlsSession::Outcome::wants_read;
  co_await socket_.async_wait(reads ? Socket::wait_read : Socket::wait_write, kResume);
}

// Says goodbye and then listens for a moment: closing at once with bytes unread would reset the
// connection and could take our last answer with it.
Task<> Connection::close() {
  set_deadline(shared_->options.linger_deadline);
  ErrorCode ignored;
  if (has_tls_session_ && !is_gone_ && !is_aborted_) tls_->say_goodbye();
  if (!is_gone_ && !is_aborted_) {
    socket_.shutdown(Socket::shutdown_send, ignored);
    buffer_.resize(kIdleBufferBytes);
    while (!is_cut_ && !is_aborted_) {
      auto const [error, received] =
          co_await socket_.async_read_some(asio::buffer(buffer_), kResume);
      if (error) break;
    }
  }
  socket_.close(ignored);
}

// Runs `work` on the bodies' thread and comes back. It always waits for the end: `work` uses what
// this coroutine owns, so no deadline may cut it.
template <class Work>
Task<> Connection::on_bodies_thread(Work work) {
  set_deadline(kNever);
  Timer end(worker_.io, kNever);
  bool has_ended = false;
  asio::post(shared_->bodies.io, [&, this] {
    work();
    asio::post(worker_.io, [&] {
      has_ended = true;
      end.cancel();
    });
  });
  while (!has_ended) co_await end.async_wait(kResume);
}

Trouble Connection::refused(Refusal refusal) {
  shared_->counters.requests_refused.fetch_add(1, std::memory_order_relaxed);
  return Ending{.status = refusal.status, .text = std::move(refusal.text)};
}

void Connection::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ < buffer_.size()) return;
  buffer_.clear();
  begin_ = 0;
}

void Connection::set_deadline(TimePoint deadline) {
  deadline_ = deadline;
  is_cut_ = false;
}

void Connection::interrupt() {
  ErrorCode ignored;
  socket_.cancel(ignored);
  if (waiting_) waiting_->arrival.cancel();
}

void Connection::look_at_clock(TimePoint now) {
  if (is_cut_ || now < deadline_) return;
  is_cut_ = true;
  shared_->counters.deadlines_passed.fetch_add(1, std::memory_order_relaxed);
  interrupt();
}

void Connection::stop_if_idle() {
  if (!is_idle_) return;
  is_cut_ = true;
  interrupt();
}

void Connection::abort() {
  is_aborted_ = true;
  interrupt();
}

// Small answers are the kernel's at once.
bool Connection::hold_answer(std::uint64_t bytes) {
  if (bytes <= kSendBytesMax) return true;
  answer_bytes_ = bytes;
  return shared_->answer_bytes.fetch_add(bytes) + bytes <= shared_->options.answers_bytes_max;
}

void Connection::release_body() {
  shared_->answer_bytes.fetch_sub(std::exchange(answer_bytes_, 0));
  shared_->body_bytes.fetch_sub(std::exchange(body_bytes_, 0));
}

void Worker::stop_idle() {
  is_stopping = true;
  for (Connection* const c : connections) c->stop_if_idle();
}

void Worker::abort_all() {
  for (Connection* const c : connections) c->abort();
}

void start_connection(std::shared_ptr<Shared> shared, Worker& worker, Accepted accepted,
                      Verdict verdict) {
  auto connection =
      std::make_unique<Connection>(std::move(shared), worker, std::move(accepted), verdict);
  // A lambda's captures would not live as long as its coroutine; its parameters do.
  auto const serve = [](std::unique_ptr<Connection> c) -> Task<> { co_await c->run(); };
  asio::co_spawn(worker.io, serve(std::move(connection)), rethrow);
}

}  // namespace berth::http
