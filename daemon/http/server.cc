// Accepting, starting and stopping. What happens to a client is in connection.cc.

#include "daemon/http/server.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "berth/base/ensure.h"
#include "berth/base/log.h"
#include "berth/base/thread_name.h"
#include "daemon/http/worker.h"

namespace berth::http {
namespace {

using AcceptWait = asio::posix::basic_stream_descriptor<Executor>;
constexpr auto kResume = asio::as_tuple(asio::use_awaitable_t<Executor>{});
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr int kAcceptsPerWake = 64;

// Worker 0's duty.
class Acceptor {
 public:
  Acceptor(std::shared_ptr<Shared> shared, Listener listener)
      : shared_(std::move(shared)),
        listener_(std::move(listener)),
        wait_(shared_->workers.front()->io) {}

  // The descriptor stays the listener's; Asio only waits for it.
  [[nodiscard]] ErrorCode prepare() {
    ErrorCode error;
    wait_.assign(listener_->fd(), error);
    return error;
  }

  Task<> run() {
    Timer pause(shared_->workers.front()->io);
    while (!is_closed_) {
      auto const [error] = co_await wait_.async_wait(AcceptWait::wait_read, kResume);
      if (error) break;
      if (accept_some()) continue;
      pause.expires_after(kAcceptPause);
      (void)co_await pause.async_wait(kResume);
    }
  }

  void close() {
    is_closed_ = true;
    (void)wait_.release();
    listener_.reset();
  }

 private:
  // False: out of descriptors, wait before the next try.
  bool accept_some() {
    for (int i = 0; i < kAcceptsPerWake; ++i) {
      Result<std::optional<Accepted>> accepted = listener_->accept();
      if (!accepted) {
        log_error("connections wait unaccepted", {{"reason", accepted.error().message}});
        return false;
      }
      if (!accepted->has_value()) return true;
      take(std::move(**accepted));
    }
    return true;
  }

  void take(Accepted accepted) {
    shared_->counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    Verdict const verdict = shared_->admission.enter(accepted.address);
    if (verdict != Verdict::serve) {
      shared_->counters.connections_refused.fetch_add(1, std::memory_order_relaxed);
    }
    if (verdict == Verdict::drop) return;
    auto& worker = **std::ranges::min_element(shared_->workers, {}, [](auto const& w) {
      return w->load.load(std::memory_order_relaxed);
    });
    start_connection(shared_, worker, std::move(accepted), verdict);
  }

  std::shared_ptr<Shared> shared_;
  std::optional<Listener> listener_;  // until closed
  AcceptWait wait_;
  bool is_closed_ = false;
};

Result<void> check(ListenOptions const& options) {
  auto const refuse = [](std::string message) {
    return Error{.code = Code::invalid, .subject = "listener", .message = std::move(message)};
  };
  if (options.thread_count < 1 || options.thread_count > 256) {
    return refuse("wanted 1 to 256 io threads, found " + std::to_string(options.thread_count));
  }
  if (!options.unix_path.empty() && options.tls) return refuse("a unix socket does not speak TLS");
  if (options.connections_max < 1 || options.connections_per_address_max < 1) {
    return refuse("wanted room for at least one connection");
  }
  if (options.header_bytes_max < 64 || options.header_bytes_max > kHeaderBytesCeiling ||
      options.headers_max < 1) {
    return refuse("wanted room for at least one header, and 64 bytes to 64 KiB for all of them");
  }
  if (options.body_bytes_per_second_min < 1) return refuse("wanted a body rate of at least 1 B/s");
  return {};
}

}  // namespace

void rethrow(std::exception_ptr const& thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

BodyPlan Handler::on_head(Request const& /*head*/) {
  return Buffered{};
}

struct Server::Impl {
  std::shared_ptr<Shared> shared;
  std::unique_ptr<Acceptor> acceptor;
  std::uint16_t port = 0;
  bool is_stopped = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(ListenOptions const& options, Handler& handler) {
  if (auto const fit = check(options); !fit) return fit.error();
  auto shared = std::make_shared<Shared>(options, handler);
  if (options.tls) shared->certificates = TRY(make_tls_context(*options.tls));
  Listener listener = TRY(Listener::open(
      {.address = options.address, .port = options.port, .unix_path = options.unix_path}));
  for (unsigned i = 0; i < options.thread_count; ++i) {
    shared->workers.push_back(std::make_unique<Worker>());
  }
  auto impl = std::make_unique<Impl>();
  impl->shared = shared;
  impl->port = listener.port();
  impl->acceptor = std::make_unique<Acceptor>(shared, std::move(listener));
  if (ErrorCode const error = impl->acceptor->prepare()) {
    return Error{.code = Code::unavailable, .subject = "listener", .message = error.message()};
  }
  asio::co_spawn(shared->workers.front()->io, impl->acceptor->run(), rethrow);
  auto const run = [](Worker& worker) {
    worker.thread = std::thread([&worker] {
      // OpenSSL writes to a socket as to any descriptor; a client that has left must not end us.
      sigset_t pipe;
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      ENSURE(pthread_sigmask(SIG_BLOCK, &pipe, nullptr) == 0);
      name_thread("http");
      worker.io.run();
      worker.done.release();
    });
  };
  run(shared->bodies);
  for (auto const& worker : shared->workers) run(*worker);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::stop() {
  if (std::exchange(impl_->is_stopped, true)) return;
  Shared& shared = *impl_->shared;
  // First no new connections, so that no worker is given one after it was told to end.
  std::binary_semaphore is_closed{0};
  asio::post(shared.workers.front()->io, [&] {
    impl_->acceptor->close();
    is_closed.release();
  });
  is_closed.acquire();
  for (auto const& worker : shared.workers) {
    asio::post(worker->io, [w = worker.get()] { w->stop_idle(); });
  }
  TimePoint const end = Monotonic::now() + length(shared.options.stop_deadline);
  bool is_quiet = true;
  for (auto const& worker : shared.workers) {
    worker->guard.reset();
    is_quiet = worker->done.try_acquire_until(end) && is_quiet;
  }
  if (!is_quiet) {
    for (auto const& worker : shared.workers) {
      asio::post(worker->io, [w = worker.get()] { w->abort_all(); });
    }
  }
  for (auto const& worker : shared.workers) worker->thread.join();
  shared.bodies.guard.reset();
  shared.bodies.thread.join();
}

std::uint16_t Server::bound_port() const {
  return impl_->port;
}

Result<void> Server::reload_certificates() {
  Shared& shared = *impl_->shared;
  if (!shared.options.tls) {
    return Error{.code = Code::invalid,
                 .subject = "tls",
                 .message = "this listener has no certificates to reload: it does not speak TLS"};
  }
  TlsContext fresh = TRY(make_tls_context(*shared.options.tls));
  std::lock_guard const lock(shared.certificates_mutex);
  std::swap(shared.certificates, fresh);
  return {};
}

Counters const& Server::counters() const {
  return impl_->shared->counters;
}

}  // namespace berth::http
