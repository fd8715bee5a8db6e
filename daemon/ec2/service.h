#pragma once
// The EC2 front: one HTTP request in, one answer out. It owns no thread and no socket.
//
//   request ─► query ─► signature ─► action ─► parse ─► gate ┄┄► (driver's thread) ─► render ─►
//   done
//                │          │           │         │                     │
//                └──────────┴───────────┴─────────┴──► EC2 error ◄──────┘
//
// Everything up to the gate runs on the caller's thread (CreateKeyPair's parsing apart, which makes
// a key), everything after it on `execute`'s.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/ids.h"
#include "daemon/core/gate.h"
#include "daemon/ec2/sigv4.h"

namespace berth::ec2 {

// One request as it came. Views need to live until handle() returns, not longer.
struct RequestView {
  std::string_view method;
  std::string_view target;  // path and query exactly as received
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;
  std::string_view peer;  // "192.0.2.7:4711"; for the audit log
};

struct Answer {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside Content-Type
  std::chrono::milliseconds delay{0};                        // the listener holds it back so long
};

// One answered request, for metrics. Both texts are from closed lists, fit for labels.
struct Observation {
  std::string_view action;  // "RunInstances"; "-" when the request was refused before it was known
  std::string code;         // "Success", or EC2's error code
  unsigned http_status = 200;
  Duration latency;  // from handle() to the answer
  // Why it was told RequestLimitExceeded: "tenant" (its own rate), "region" (too much is asked of
  // the daemon), "late" (it waited too long to be started); empty: it was not.
  std::string_view throttled;
};

struct ServiceOptions {
  std::string region = "us-east-1";
  Duration clock_window = minutes(5);  // of a signature, either way
  bool presigned = false;              // whether query-string signatures are accepted
  std::int64_t rate_percent = 0;  // of EC2's token buckets (rates.h); 0: no tenant is throttled
  // Runs a job later on one of the front's own threads; never on the thread that calls it. A job
  // that is dropped (shutdown) leaves its request unanswered. Must be set.
  std::function<void(std::function<void()>)> execute;
  // The same for long answers, which would hold up the short ones behind them: false when too many
  // wait, and the request is told to come again. Empty: they are rendered where all are.
  std::function<bool(std::function<void()>)> execute_long;
  // Called once per request, on whichever thread answers it. Empty: nobody counts.
  std::function<void(Observation const&)> observe;
  // What the host keeps of an instance's serial console, up to the last 64 KiB. May call back on
  // any thread, once. Empty: consoles are empty.
  using ConsoleDone = std::function<void(Result<std::string>)>;
  std::function<void(HostId, InstanceId, ConsoleDone)> read_console;
};

// Thread-safe. Must outlive every request: stop the listener, the driver and the executor first.
class Service {
 public:
  using Done = std::function<void(Answer)>;

  Service(ServiceOptions options, core::Gate& gate, Clock& clock);
  ~Service();
  Service(Service const&) = delete;
  Service& operator=(Service const&) = delete;

  // The keys that requests are checked against from now on. Until the first call every signature is
  // refused.
  void publish(KeyTablePtr keys);

  // Runs a job soon on a thread that may take its time over an answer.
  using Execute = std::function<void(std::function<void()>)>;

  // Never blocks. `done` is called at most once: before this returns for a request that is refused
  // at once, else by a job given to `render`; absent, to the options' `execute`.
  void handle(RequestView const& request, Done done, Execute render = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::ec2
