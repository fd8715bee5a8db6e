#pragma once
// Private to this room: the server's state, shared by link.cc (listening, registry, consoles,
// time), session.cc (one agent's stream) and calls.cc (joining, renewing, images). The three are
// the only files of the daemon that see gRPC's server.
//
// Locks, outermost first; none is held while waiting:
//   order_     one session's beginning or end and what LinkEvents hears of it; without it a newer
//              session's on_hello could overtake the older one's on_gone
//   sessions_  the registry
//   Session::mutex_, console_  leaves
// A Session lives until gRPC's OnDone; who else holds it finds it finished.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include <grpcpp/grpcpp.h>

#include "agent/v1/agent.grpc.pb.h"
#include "common/pki/pki.h"
#include "common/wire/agent.h"
#include "common/wire/status_code.h"
#include "daemon/link/link.h"
#include "daemon/link/workers.h"

namespace berth::link {

namespace pb = proto::agent::v1;

[[nodiscard]] inline grpc::Status status_of(Error const& error) {
  return grpc::Status(static_cast<grpc::StatusCode>(wire::status_number(error.code)),
                      error.message);
}

struct Counters {
  std::atomic<std::uint64_t> image_fetches{0}, sessions{0}, sessions_replaced{0}, messages_in{0},
      messages_out{0}, bytes_in{0}, bytes_out{0}, image_bytes_out{0}, messages_refused{0},
      specs_superseded{0}, peers_refused{0}, joins_accepted{0}, joins_refused{0}, renewals{0};
};

class LinkServer::Impl final : public pb::Link::CallbackService {
 public:
  Impl(LinkOptions options, LinkEvents& events);
  ~Impl() override;

  Result<void> start();
  void stop();
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] LinkCounters counters() const;
  void send(HostSpec const& spec);
  void grant_lease(HostId const& host, std::uint64_t heartbeat);
  void drop(HostId const& host);
  void read_console(HostId const& host, InstanceId const& instance, ConsoleDone done);

  grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext* context,
                                 pb::JoinRequest const* request, pb::JoinReply* reply) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  pb::RenewRequest const* request, pb::RenewReply* reply) override;
  grpc::ServerBidiReactor<pb::FromAgent, pb::FromDaemon>* Session(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<pb::Chunk>* FetchImage(grpc::CallbackServerContext* context,
                                                  pb::FetchImageRequest const* request) override;

 private:
  class AgentSession;
  class JoinCall;
  class ImageFetch;
  using SessionPtr = std::shared_ptr<AgentSession>;

  struct WaitingConsole {
    AgentSession const* session = nullptr;  // compared, never followed
    Instant deadline;
    ConsoleDone done;
  };

  // Who is at the other end, if it may talk to us as a host.
  Result<pki::Identity> host_of(grpc::CallbackServerContext const& context);
  [[nodiscard]] SessionPtr session_of(HostId const& host) const;
  [[nodiscard]] Duration reconnect_spread() const;

  // Every reactor says when it begins and, as its last deed, when it has ended: stop() waits for
  // that.
  void call_began();
  void call_ended();
  bool is_stopping() const { return stopping_.load(); }
  void began(SessionPtr const& session, wire::Hello const& hello);
  void ended(AgentSession const& session);
  void on_console(AgentSession const& session, wire::ConsoleReply reply);
  void fail_consoles(AgentSession const* session, Error const& error);
  void sweep();
  void sweep_once();

  LinkOptions const options_;
  LinkEvents& events_;
  Counters counters_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> joins_waiting_{0};

  std::mutex order_;
  mutable std::mutex sessions_mutex_;
  std::unordered_map<HostId, SessionPtr> sessions_;         // that said hello
  std::map<AgentSession const*, SessionPtr> all_sessions_;  // with those that did not yet

  std::mutex calls_mutex_;
  std::condition_variable calls_over_;
  std::size_t calls_ = 0;

  std::mutex console_mutex_;
  std::uint64_t console_id_ = 0;
  std::map<std::uint64_t, WaitingConsole> consoles_;

  std::mutex sweep_mutex_;
  std::condition_variable sweep_wake_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<grpc::Server> server_;
  std::jthread sweeper_;
};

// ---- One agent's session
// --------------------------------------------------------------------------

//   begun ── hello ──► heard ── newer session, drop, bad message, line gone ──► finished ── OnDone
class LinkServer::Impl::AgentSession final
    : public grpc::ServerBidiReactor<pb::FromAgent, pb::FromDaemon> {
 public:
  AgentSession(Impl& impl, grpc::CallbackServerContext& context, pki::Identity const& identity)
      : host(identity.name),
        expires(identity.not_after),
        begun(impl.options_.clock->now().monotonic),
        peer(context.peer()),
        impl_(impl),
        context_(context) {
    impl_.call_began();
  }

  // After the session is known to the registry, which keeps it alive.
  void begin() { StartRead(&incoming_); }

  void put_spec(pb::FromDaemon spec) {
    std::lock_guard const lock(mutex_);
    if (spec_) ++impl_.counters_.specs_superseded;
    spec_ = std::move(spec);
    pump();
  }
  void put_lease(wire::LeaseGrant const& lease) {
    std::lock_guard const lock(mutex_);
    lease_ = lease;
    pump();
  }
  // False: too many wait already.
  [[nodiscard]] bool put(pb::FromDaemon message);

  void finish(grpc::Status const& status) {
    std::lock_guard const lock(mutex_);
    finish_locked(status);
  }

  // Ends it even when the other side reads nothing.
  void cut() {
    std::lock_guard const lock(mutex_);
    if (!is_done_) context_.TryCancel();
  }

  // Absent: not finished. A peer that does not read would keep a finished session for ever.
  [[nodiscard]] std::optional<Instant> finished_at() {
    std::lock_guard const lock(mutex_);
    return finished_at_;
  }

  HostId const host;
  WallTime const expires;  // of its certificate
  Instant const begun;
  std::string const peer;
  std::atomic<bool> is_heard{false};     // hello was taken
  std::atomic<bool> is_replaced{false};  // by a newer session: what it says counts no more

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;
  void OnCancel() override {}  // the pending read fails, and ends it

  // False: the session is over.
  bool take(wire::FromAgent message);
  void refuse(Error const& error);
  void pump();  // with mutex_
  void finish_locked(grpc::Status const& status);

  Impl& impl_;
  grpc::CallbackServerContext& context_;
  pb::FromAgent incoming_;

  std::mutex mutex_;
  bool is_writing_ = false;
  bool is_finished_ = false;
  bool is_done_ = false;
  std::optional<Instant> finished_at_;
  pb::FromDaemon outgoing_;
  std::optional<pb::FromDaemon> spec_;
  std::optional<wire::LeaseGrant> lease_;
  std::deque<pb::FromDaemon> others_;
};

}  // namespace berth::link
