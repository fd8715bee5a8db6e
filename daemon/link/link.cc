// Listening, the registry of sessions, consoles, and what time brings.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>

#include "berth/base/ensure.h"
#include "berth/base/log.h"
#include "berth/model/limits.h"
#include "daemon/link/impl.h"

namespace berth::link {

namespace {

constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr std::size_t kConsoleRequestsMax = 1'000;
constexpr std::size_t kMemoryBytesMax = std::size_t{2} << 30;  // of gRPC's buffers
constexpr std::size_t kReconnectsPerSecond = 300;  // what a small machine's handshakes allow
constexpr Duration kReconnectSpreadMax = seconds(30);
constexpr Duration kFinishGrace = seconds(5);

// gRPC writes to standard error what it thinks of peers; that is noise at best, and a way to fill
// the journal at worst.
void quiet_grpc_log() {
  gpr_set_log_function([](gpr_log_func_args* args) {
    if (args->severity == GPR_LOG_SEVERITY_ERROR) log_debug("grpc", {{"text", args->message}});
  });
}

}  // namespace

// ---- The server
// ------------------------------------------------------------------------------------

LinkServer::Impl::Impl(LinkOptions options, LinkEvents& events)
    : options_(std::move(options)), events_(events) {
  ENSURE(options_.authority != nullptr && options_.clock != nullptr && options_.image_path);
}

LinkServer::Impl::~Impl() {
  stop();
}

Result<void> LinkServer::Impl::start() {
  ENSURE(!server_);
  quiet_grpc_log();
  workers_ = std::make_unique<Workers>(2);
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = options_.authority->certificate();
  tls.pem_key_cert_pairs.push_back({options_.certificate.key, options_.certificate.certificate});
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options_.listen, grpc::SslServerCredentials(tls), &port_);
  builder.RegisterService(this);
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits::kAgentMessageBytesMax));
  builder.SetMaxSendMessageSize(static_cast<int>(limits::kAgentMessageBytesMax));
  builder.SetResourceQuota(grpc::ResourceQuota("agents").Resize(kMemoryBytesMax));
  // Half-open lines are noticed by both sides, whoever is silent.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 16);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  // Two daemons on one port would take turns at the agents.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  server_ = builder.BuildAndStart();
  if (!server_ || port_ <= 0) {
    server_.reset();
    workers_.reset();
    return Error{Code::unavailable, "listener",
                 "cannot listen for agents on " + options_.listen +
                     ": is the address ours and the port free?"};
  }
  sweeper_ = std::jthread([this] { sweep(); });
  return {};
}

void LinkServer::Impl::stop() {
  if (!server_) return;
  stopping_ = true;
  { std::lock_guard const lock(sweep_mutex_); }
  sweep_wake_.notify_all();
  sweeper_ = {};
  // Calls that do not end by themselves are cancelled at once.
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  {
    std::unique_lock lock(calls_mutex_);
    calls_over_.wait(lock, [this] { return calls_ == 0; });
  }
  fail_consoles(nullptr, Error{Code::unavailable, "console", "the daemon is stopping"});
  workers_.reset();
  server_.reset();
}

void LinkServer::Impl::call_began() {
  std::lock_guard const lock(calls_mutex_);
  ++calls_;
}

void LinkServer::Impl::call_ended() {
  std::lock_guard const lock(calls_mutex_);
  --calls_;
  calls_over_.notify_all();  // with the lock: who waits may end us as soon as it has it
}

Result<pki::Identity> LinkServer::Impl::host_of(grpc::CallbackServerContext const& context) {
  auto refused = [&](Error error) {
    ++counters_.peers_refused;
    log_info("peer refused", {{"peer", context.peer()}, {"reason", error.message}});
    return error;
  };
  if (is_stopping()) return Error{Code::unavailable, "daemon", "the daemon is stopping"};
  auto const certificates =
      context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (certificates.size() != 1) {
    return refused(Error{Code::unauthenticated, "certificate", "no certificate was shown"});
  }
  // TLS has verified the chain; this is the second opinion, and says whose it is.
  auto identity =
      pki::verified(std::string_view(certificates[0].data(), certificates[0].size()),
                    options_.authority->certificate(), pki::Role::host, options_.clock->now().wall);
  if (!identity) return refused(identity.error());
  if (!events_.may_connect(HostId(identity->name))) {
    return refused(
        Error{Code::forbidden, "host", identity->name + " is not a host of this region any more"});
  }
  return identity;
}

LinkServer::Impl::SessionPtr LinkServer::Impl::session_of(HostId const& host) const {
  std::lock_guard const lock(sessions_mutex_);
  auto const found = sessions_.find(host);
  return found == sessions_.end() ? nullptr : found->second;
}

Duration LinkServer::Impl::reconnect_spread() const {
  std::lock_guard const lock(sessions_mutex_);
  auto const ms = static_cast<std::int64_t>(sessions_.size() * 1000 / kReconnectsPerSecond);
  return std::min(milliseconds(ms), kReconnectSpreadMax);
}

LinkCounters LinkServer::Impl::counters() const {
  LinkCounters out{.image_fetches = counters_.image_fetches,
                   .sessions = counters_.sessions,
                   .sessions_replaced = counters_.sessions_replaced,
                   .messages_in = counters_.messages_in,
                   .messages_out = counters_.messages_out,
                   .bytes_in = counters_.bytes_in,
                   .bytes_out = counters_.bytes_out,
                   .image_bytes_out = counters_.image_bytes_out,
                   .messages_refused = counters_.messages_refused,
                   .specs_superseded = counters_.specs_superseded,
                   .peers_refused = counters_.peers_refused,
                   .joins_accepted = counters_.joins_accepted,
                   .joins_refused = counters_.joins_refused,
                   .renewals = counters_.renewals};
  std::lock_guard const lock(sessions_mutex_);
  out.connected = sessions_.size();
  return out;
}

void LinkServer::Impl::send(HostSpec const& spec) {
  SessionPtr const session = session_of(spec.host);
  if (!session) return;
  pb::FromDaemon message;
  wire::fill(wire::FromDaemon(spec), message);
  if (message.ByteSizeLong() > limits::kAgentMessageBytesMax) {
    log_error("spec too large for the wire, not sent",
              {{"host", spec.host.value}, {"bytes", message.ByteSizeLong()}});
    return;
  }
  session->put_spec(std::move(message));
}

void LinkServer::Impl::grant_lease(HostId const& host, std::uint64_t heartbeat) {
  SessionPtr const session = session_of(host);
  if (!session) return;
  session->put_lease(
      wire::LeaseGrant{.heartbeat = heartbeat, .reconnect_spread = reconnect_spread()});
}

void LinkServer::Impl::drop(HostId const& host) {
  if (SessionPtr const session = session_of(host)) session->cut();
}

// ---- Consoles
// --------------------------------------------------------------------------------------

void LinkServer::Impl::read_console(HostId const& host, InstanceId const& instance,
                                    ConsoleDone done) {
  auto fail = [&](Code code, std::string why) {
    Error error{code, "console", std::move(why)};
    // Not from within the call: the caller may hold what its callback needs.
    if (!workers_ || is_stopping()) return done(std::move(error));
    workers_->post([done = std::move(done), error = std::move(error)] { done(error); });
  };
  SessionPtr const session = session_of(host);
  if (!session) return fail(Code::unavailable, host.value + " is not connected");
  std::uint64_t id = 0;
  {
    std::lock_guard const lock(console_mutex_);
    if (consoles_.size() < kConsoleRequestsMax) {
      id = ++console_id_;
      consoles_.emplace(
          id, WaitingConsole{.session = session.get(),
                             .deadline = options_.clock->now().monotonic + options_.console_timeout,
                             .done = std::move(done)});
    }
  }
  if (id == 0) return fail(Code::throttled, "too many consoles are being read; try again");
  pb::FromDaemon message;
  wire::fill(wire::FromDaemon(wire::ConsoleRequest{.id = id, .instance = instance}), message);
  if (session->put(std::move(message))) return;
  std::lock_guard const lock(console_mutex_);
  auto node = consoles_.extract(id);
  if (node.empty()) return;  // the session ended between, and has answered
  done = std::move(node.mapped().done);
  fail(Code::unavailable, host.value + " is too slow to be asked");
}

void LinkServer::Impl::on_console(AgentSession const& session, wire::ConsoleReply reply) {
  ConsoleDone done;
  {
    std::lock_guard const lock(console_mutex_);
    auto const found = consoles_.find(reply.id);
    // Late, or another host's.
    if (found == consoles_.end() || found->second.session != &session) return;
    done = std::move(found->second.done);
    consoles_.erase(found);
  }
  done(std::move(reply.output));
}

void LinkServer::Impl::fail_consoles(AgentSession const* session, Error const& error) {
  std::vector<ConsoleDone> failed;
  {
    std::lock_guard const lock(console_mutex_);
    std::erase_if(consoles_, [&](auto& entry) {
      if (session != nullptr && entry.second.session != session) return false;
      failed.push_back(std::move(entry.second.done));
      return true;
    });
  }
  for (ConsoleDone const& done : failed) done(error);
}

// ---- What time brings
// ------------------------------------------------------------------------------

void LinkServer::Impl::sweep() {
  std::unique_lock lock(sweep_mutex_);
  while (!is_stopping()) {
    sweep_wake_.wait_for(lock, std::chrono::milliseconds(250), [this] { return is_stopping(); });
    lock.unlock();
    sweep_once();
    lock.lock();
  }
}

void LinkServer::Impl::sweep_once() {
  Now const now = options_.clock->now();
  std::vector<SessionPtr> over;
  {
    std::lock_guard const lock(sessions_mutex_);
    for (auto const& [key, session] : all_sessions_) {
      auto const finished = session->finished_at();
      bool const is_mute =
          !session->is_heard && now.monotonic - session->begun > options_.hello_timeout;
      bool const is_stuck = finished && now.monotonic - *finished > kFinishGrace;
      if (is_mute || is_stuck || now.wall > session->expires) over.push_back(session);
    }
  }
  for (SessionPtr const& session : over) session->cut();
  std::vector<ConsoleDone> late;
  {
    std::lock_guard const lock(console_mutex_);
    std::erase_if(consoles_, [&](auto& entry) {
      if (entry.second.deadline > now.monotonic) return false;
      late.push_back(std::move(entry.second.done));
      return true;
    });
  }
  for (ConsoleDone const& done : late) {
    done(Error{Code::timeout, "console", "the host did not answer in time"});
  }
}

// ---- The public face
// -------------------------------------------------------------------------------

LinkServer::LinkServer(LinkOptions options, LinkEvents& events)
    : impl_(std::make_unique<Impl>(std::move(options), events)) {}
LinkServer::~LinkServer() = default;

Result<void> LinkServer::start() {
  return impl_->start();
}
void LinkServer::stop() {
  impl_->stop();
}
int LinkServer::port() const {
  return impl_->port();
}
LinkCounters LinkServer::counters() const {
  return impl_->counters();
}
void LinkServer::send(HostSpec const& spec) {
  impl_->send(spec);
}
void LinkServer::grant_lease(HostId const& host, std::uint64_t heartbeat) {
  impl_->grant_lease(host, heartbeat);
}
void LinkServer::drop(HostId const& host) {
  impl_->drop(host);
}
void LinkServer::read_console(HostId const& host, InstanceId const& instance, ConsoleDone done) {
  impl_->read_console(host, instance, std::move(done));
}

}  // namespace berth::link
