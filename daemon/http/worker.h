#pragma once
// Inside the room only, and the one header that shows Asio: what connection.cc and server.cc share.
//
// Threads. Each worker is one thread with its own io_context; a connection belongs to one worker
// for life and everything of it is touched there only, so nothing on a request's way takes a lock.
// Worker 0 also accepts. One more thread, `bodies`, runs the sinks of streamed bodies.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "daemon/http/admission.h"
#include "daemon/http/listen.h"
#include "daemon/http/server.h"
#include "daemon/http/tls.h"

namespace berth::http {

namespace asio = boost::asio;
using Monotonic = std::chrono::steady_clock;
using TimePoint = Monotonic::time_point;
using ErrorCode = boost::system::error_code;
// The concrete executor everywhere: the erased one costs an allocation at each step.
using Executor = asio::io_context::executor_type;
using Timer = asio::basic_waitable_timer<Monotonic, asio::wait_traits<Monotonic>, Executor>;
template <class T = void>
using Task = asio::awaitable<T, Executor>;

class Connection;

// The most that header_bytes_max may be set to: what a connection's buffer can grow to.
constexpr std::size_t kHeaderBytesCeiling = 64 * 1024;

// A thread, its loop and the connections that live on it.
struct Worker {
  Worker() : guard(asio::make_work_guard(io)), sweep(io) {}

  asio::io_context io{1};
  asio::executor_work_guard<Executor> guard;
  // All below: this worker's thread only, unless said otherwise.
  std::list<Connection*> connections;
  Timer sweep;
  bool is_stopping = false;
  std::int64_t date_second = -1;
  std::string date;
  std::atomic<std::uint32_t> load{0};  // connections given to it: written by both, read by worker 0
  std::binary_semaphore done{0};       // released by its thread at the end, awaited by stop()
  std::thread thread;

  // The Date of an answer given now; rendered once a second.
  std::string const& date_now();
  void start_sweep();
  // For stop(), on this worker's thread.
  void stop_idle();
  void abort_all();
};

// What outlives the Server as long as a Responder does. The loops are declared last, so that they
// and the operations they still hold go first.
struct Shared {
  explicit Shared(ListenOptions const& o, Handler& h)
      : options(o),
        handler(h),
        admission({.connections_max = o.connections_max,
                   .connections_per_address_max = o.connections_per_address_max}) {}

  ListenOptions const options;
  Handler& handler;  // not used once the workers have ended
  Counters counters;
  Admission admission;                         // worker 0 only
  std::atomic<std::uint64_t> body_bytes{0};    // held by buffered bodies
  std::atomic<std::uint64_t> answer_bytes{0};  // held by large answers
  std::atomic<std::uint32_t> handshakes{0};    // under way
  // A lock, because certificates change from a thread of the caller's; taken once per connection,
  // never on a request's way.
  std::mutex certificates_mutex;
  TlsContext certificates;
  Worker bodies;
  std::vector<std::unique_ptr<Worker>> workers;
};

[[nodiscard]] inline std::chrono::nanoseconds length(Duration d) {
  return std::chrono::nanoseconds(d.ns);
}

// Serves an accepted client on that worker until it is gone. From worker 0's thread.
void start_connection(std::shared_ptr<Shared> shared, Worker& worker, Accepted accepted,
                      Verdict verdict);

// For the coroutines we start: what they throw (out of memory) ends the process.
void rethrow(std::exception_ptr const& thrown);

}  // namespace berth::http
