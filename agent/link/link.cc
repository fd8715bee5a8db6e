// The only file of the agent that knows gRPC. Plain blocking calls on threads of our own:
//
//   session thread   join if need be, connect, read until the line breaks, wait, again
//   writer           one per session: what the outbox holds
//   renewal thread   waits for two thirds of the certificate's life
//   callers          of fetch_image
//
// Each blocking call's context is listed in `calls_`, so stop() can end them all.
#include "agent/link/link.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "agent/link/identity_file.h"
#include "agent/link/outbox.h"
#include "agent/v1/agent.grpc.pb.h"
#include "berth/base/ensure.h"
#include "berth/base/log.h"
#include "berth/base/overloaded.h"
#include "berth/model/limits.h"
#include "common/pki/authority.h"
#include "common/pki/join_token.h"
#include "common/pki/pki.h"
#include "common/wire/agent.h"
#include "common/wire/status_code.h"

namespace berth::agent {

namespace pb = proto::agent::v1;

namespace {

constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr int kConnectTimeoutMs = 10'000;
constexpr auto kCallTimeout = std::chrono::seconds(20);
// The wall clock may be set, so a long wait for a certificate's date is cut into short ones.
constexpr Duration kRenewalWaitMax = seconds(60);

void quiet_grpc_log() {
  gpr_set_log_function([](gpr_log_func_args* args) {
    if (args->severity == GPR_LOG_SEVERITY_ERROR) log_debug("grpc", {{"text", args->message}});
  });
}

Error error_of(grpc::Status const& status, std::string subject) {
  return Error{wire::code_of(static_cast<int>(status.error_code())), std::move(subject),
               status.error_message().empty() ? "the daemon broke off" : status.error_message()};
}

grpc::ChannelArguments channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kAgentMessageBytesMax));
  arguments.SetMaxSendMessageSize(static_cast<int>(limits::kAgentMessageBytesMax));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  // A channel of ours is one connection: an image must not stand in a heartbeat's way, and new
  // credentials must not find an old line.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

// First contact: the daemon is known by the CA whose fingerprint the token carries.
class FingerprintVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  struct Found {
    std::mutex mutex;
    std::string ca;  // empty: not believed
  };

  FingerprintVerifier(std::string fingerprint, WallTime now, std::shared_ptr<Found> found)
      : fingerprint_(std::move(fingerprint)), now_(now), found_(std::move(found)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* verdict) override {
    auto const ca = checked(view(request->peer_cert_full_chain()), view(request->peer_cert()));
    std::lock_guard const lock(found_->mutex);
    if (ca) {
      found_->ca = *ca;
      *verdict = grpc::Status::OK;
    } else {
      *verdict = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, ca.error().message);
    }
    return true;  // decided here and now
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  static std::string_view view(grpc::string_ref s) { return {s.data(), s.size()}; }

  [[nodiscard]] Result<std::string> checked(std::string_view chain, std::string_view leaf) const {
    auto ca = pki::certificate_with_fingerprint(chain, fingerprint_);
    if (!ca) return Error{Code::unauthenticated, "daemon", "not the region of the join token"};
    TRY(pki::verified(leaf, *ca, pki::Role::daemon, now_));
    return ca;
  }

  std::string const fingerprint_;
  WallTime const now_;
  std::shared_ptr<Found> const found_;
};

// When to renew: at two thirds of the life that began when it was issued, plus a little of its own
// for each host, so that hosts that joined together do not renew together.
WallTime renewal_time(StoredIdentity const& identity, std::uint64_t spread_ppm) {
  std::int64_t const issued = identity.not_before.ms + pki::kBackdate.ns / 1'000'000;
  std::int64_t const life = std::max<std::int64_t>(identity.not_after.ms - issued, 0);
  std::int64_t const extra = life / 20 * static_cast<std::int64_t>(spread_ppm) / 1'000'000;
  return WallTime{identity.not_after.ms - life / 3 + extra};
}

}  // namespace

class LinkClient::Impl {
 public:
  Impl(LinkOptions options, LinkEvents& events) : options_(std::move(options)), events_(events) {
    ENSURE(options_.clock != nullptr && options_.entropy != nullptr);
  }
  ~Impl() { stop(); }
  Impl(Impl const&) = delete;
  Impl& operator=(Impl const&) = delete;

  Result<void> start();
  void stop();
  [[nodiscard]] LinkState state() const;
  void send(HostStatus const& status);
  void heartbeat(std::uint64_t number);
  Result<void> fetch_image(std::string const& digest, std::uint64_t offset, ImageSink const& sink);

 private:
  using Stream = grpc::ClientReaderWriter<pb::FromAgent, pb::FromDaemon>;

  // A call that stop() can end, for as long as this lives.
  class Call {
   public:
    explicit Call(Impl& impl) : impl_(impl) {
      std::lock_guard const lock(impl_.mutex_);
      impl_.calls_.insert(&context);
      if (impl_.is_stopping_) context.TryCancel();
    }
    ~Call() {
      std::lock_guard const lock(impl_.mutex_);
      impl_.calls_.erase(&context);
      impl_.wake_.notify_all();
    }
    Call(Call const&) = delete;
    Call& operator=(Call const&) = delete;
    void set_timeout() { context.set_deadline(std::chrono::system_clock::now() + kCallTimeout); }

    grpc::ClientContext context;

   private:
    Impl& impl_;
  };

  void run();
  void renew_when_due();
  [[nodiscard]] bool wants_join(WallTime now) const;
  Result<void> join();
  Result<void> renew();
  // Did the daemon take us? Returns when the line is gone.
  Result<void> converse(StoredIdentity const& identity);
  Result<void> read_all(Stream& stream, StoredIdentity const& identity,
                        std::shared_ptr<Outbox> const& outbox);
  Result<void> take(wire::FromDaemon message, StoredIdentity const& identity,
                    std::shared_ptr<Outbox> const& outbox);
  void welcomed(StoredIdentity const& identity, std::shared_ptr<Outbox> const& outbox);
  void write_all(Stream& stream, Outbox& outbox);

  [[nodiscard]] std::optional<StoredIdentity> identity() const;
  Result<void> keep(StoredIdentity identity);
  [[nodiscard]] std::unique_ptr<pb::Link::Stub> stub_as(StoredIdentity const& identity) const;
  [[nodiscard]] std::shared_ptr<Outbox> outbox() const;
  void note_problem(Error const& error);
  // False: stopping.
  bool wait(Duration duration);
  Duration jitter(Duration most);

  LinkOptions const options_;
  LinkEvents& events_;
  std::optional<pki::JoinToken> token_;  // set by start

  // Session thread only.
  std::optional<HostId> told_host_;
  bool was_welcomed_ = false;
  Duration spread_;

  std::mutex entropy_mutex_;
  mutable std::mutex mutex_;  // the rest
  std::condition_variable wake_;
  bool is_started_ = false;
  bool is_stopping_ = false;
  std::set<grpc::ClientContext*> calls_;
  grpc::ClientContext* session_ = nullptr;  // one of calls_
  std::optional<StoredIdentity> identity_;
  std::shared_ptr<Outbox> outbox_;  // absent: not connected
  LinkState state_;

  std::jthread session_thread_;
  std::jthread renewal_thread_;
};

Result<void> LinkClient::Impl::start() {
  ENSURE(!is_started_);
  quiet_grpc_log();
  if (!options_.join_token.empty()) token_ = TRY(pki::parse_join_token(options_.join_token));
  auto stored = read_identity_file(options_.directory);
  if (stored) {
    identity_ = *std::move(stored);
    state_.host = identity_->host;
    state_.certificate_ends = identity_->not_after;
  } else if (stored.error().code != Code::not_found) {
    return stored.error();
  } else if (!token_) {
    return Error{Code::not_found, "join token",
                 "this host has not joined yet: it needs a join token from 'berthctl host add'"};
  }
  is_started_ = true;
  session_thread_ = std::jthread([this] { run(); });
  renewal_thread_ = std::jthread([this] { renew_when_due(); });
  return {};
}

void LinkClient::Impl::stop() {
  {
    std::lock_guard const lock(mutex_);
    is_stopping_ = true;
    for (grpc::ClientContext* context : calls_) context->TryCancel();
  }
  wake_.notify_all();
  session_thread_ = {};
  renewal_thread_ = {};
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return calls_.empty(); });  // fetches on their callers' threads
}

// ---- The session thread
// ------------------------------------------------------------------------------

void LinkClient::Impl::run() {
  std::int64_t failures = 0;
  for (;;) {
    was_welcomed_ = false;
    Result<void> ended;
    if (wants_join(options_.clock->now().wall)) ended = join();
    if (ended) {
      auto const who = identity();
      ended = converse(*who);
    }
    if (!ended) note_problem(ended.error());
    Duration most = options_.reconnect_base;
    if (was_welcomed_) {
      // All hosts of the region may have lost their daemon in this moment.
      failures = 0;
      most = std::max(most, spread_);
    } else {
      ++failures;
      most = std::min(options_.reconnect_cap,
                      most * (std::int64_t{1} << std::min<std::int64_t>(failures - 1, 16)));
    }
    if (!wait(jitter(most))) return;
  }
}

bool LinkClient::Impl::wants_join(WallTime now) const {
  auto const who = identity();
  if (!who) return true;
  if (!token_) return false;
  auto const ca = pki::fingerprint(who->ca);
  return now >= who->not_after || who->host != token_->host || !ca || *ca != token_->ca_fingerprint;
}

Result<void> LinkClient::Impl::join() {
  auto const found = std::make_shared<FingerprintVerifier::Found>();
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_verify_server_certs(false);  // by the verifier instead: there is no CA to give yet
  tls.set_check_call_host(false);
  tls.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<FingerprintVerifier>(
          token_->ca_fingerprint, options_.clock->now().wall, found));
  auto const stub = pb::Link::NewStub(grpc::CreateCustomChannel(
      options_.daemon, grpc::experimental::TlsCredentials(tls), channel_arguments()));
  std::string key = pki::make_key();
  pb::JoinRequest request;
  request.set_token(options_.join_token);
  request.set_csr_pem(TRY(pki::make_csr(key)));
  request.set_host_uuid(options_.host_uuid);
  pb::JoinReply reply;
  Call call(*this);
  call.set_timeout();
  auto const status = stub->Join(&call.context, request, &reply);
  if (!status.ok()) return error_of(status, "join").within("join");
  std::string ca;
  {
    std::lock_guard const lock(found->mutex);
    ca = found->ca;
  }
  auto const joined =
      make_identity(std::move(key), reply.certificate_pem(), ca, ZoneName(reply.zone()));
  if (!joined) return joined.error().within("join");
  bool const is_plain_zone =
      std::ranges::all_of(reply.zone(), [](char c) { return c > ' ' && c <= '~'; });
  if (joined->host != token_->host || !is_plain_zone) {
    return Error{Code::corrupt, "join", "join: the daemon answered for another host"};
  }
  log_info("joined the region", {{"host", joined->host.value}, {"zone", joined->zone.value}});
  return keep(*joined);
}

Result<void> LinkClient::Impl::converse(StoredIdentity const& identity) {
  if (options_.clock->now().wall >= identity.not_after) {
    return Error{Code::unauthenticated, "certificate",
                 "the certificate of " + identity.host.value +
                     " has expired; give the agent a new join token for this host"};
  }
  auto const stub = stub_as(identity);
  Call call(*this);
  std::unique_ptr<Stream> const stream(stub->Session(&call.context));
  {
    std::lock_guard const lock(mutex_);
    session_ = &call.context;
  }
  auto const outbox = std::make_shared<Outbox>();
  pb::FromAgent hello;
  wire::fill(wire::FromAgent(wire::Hello{.version = options_.version,
                                         .host_uuid = options_.host_uuid,
                                         .boot_id = options_.boot_id}),
             hello);
  Result<void> ended;
  if (stream->Write(hello)) {
    std::jthread const writer([&] { write_all(*stream, *outbox); });
    ended = read_all(*stream, identity, outbox);
    {
      std::lock_guard const lock(mutex_);
      outbox_.reset();
      state_.is_connected = false;
    }
    outbox->close();
    // A writer may wait for a peer that reads nothing. Without an error of ours the stream has
    // ended already, and its status is worth more than our cancelling.
    if (!ended) call.context.TryCancel();
  }
  auto const status = stream->Finish();
  {
    std::lock_guard const lock(mutex_);
    session_ = nullptr;
  }
  if (was_welcomed_) events_.on_gone();
  if (!ended) return ended;
  return error_of(status, "session");
}

Result<void> LinkClient::Impl::read_all(Stream& stream, StoredIdentity const& identity,
                                        std::shared_ptr<Outbox> const& outbox) {
  pb::FromDaemon incoming;
  while (stream.Read(&incoming)) {
    auto message = wire::read(incoming);
    if (!message) return message.error().within("from the daemon");
    TRY(take(*std::move(message), identity, outbox));
  }
  return {};
}

Result<void> LinkClient::Impl::take(wire::FromDaemon message, StoredIdentity const& identity,
                                    std::shared_ptr<Outbox> const& outbox) {
  if (!was_welcomed_) {
    if (!std::holds_alternative<wire::Welcome>(message)) {
      return Error{Code::corrupt, "message", "the daemon did not welcome us first"};
    }
    welcomed(identity, outbox);
    return {};
  }
  std::optional<Error> wrong;
  std::visit(overloaded{
                 [](wire::Unknown const&) {},
                 [](wire::Welcome const&) {},
                 [&](HostSpec& spec) {
                   if (spec.host != identity.host) {
                     wrong = Error{Code::forbidden, "message",
                                   "the daemon sent the spec of " + spec.host.value};
                   } else {
                     events_.on_spec(std::move(spec));
                   }
                 },
                 [&](wire::LeaseGrant const& lease) {
                   spread_ = std::min(lease.reconnect_spread, options_.reconnect_cap);
                   events_.on_lease(lease.heartbeat);
                 },
                 [&](wire::ConsoleRequest const& request) {
                   // The answer may come when this session, or this client, is long gone.
                   events_.on_console_request(
                       request.instance,
                       [id = request.id, to = std::weak_ptr(outbox)](Result<std::string> output) {
                         auto const box = to.lock();
                         if (box) box->put(wire::ConsoleReply{id, std::move(output)});
                       });
                 },
             },
             message);
  if (wrong) return *std::move(wrong);
  return {};
}

void LinkClient::Impl::welcomed(StoredIdentity const& identity,
                                std::shared_ptr<Outbox> const& outbox) {
  was_welcomed_ = true;
  spread_ = {};
  {
    std::lock_guard const lock(mutex_);
    outbox_ = outbox;
    state_.is_connected = true;
    state_.problem.clear();
    ++state_.sessions;
  }
  log_info("connected to the daemon", {{"host", identity.host.value}, {"daemon", options_.daemon}});
  if (told_host_ != identity.host) events_.on_identity(identity.host, identity.zone);
  told_host_ = identity.host;
  events_.on_connected();
}

void LinkClient::Impl::write_all(Stream& stream, Outbox& outbox) {
  while (auto const message = outbox.next()) {
    pb::FromAgent outgoing;
    wire::fill(*message, outgoing);
    if (outgoing.ByteSizeLong() > limits::kAgentMessageBytesMax) {
      log_error("message too large for the wire, not sent", {{"bytes", outgoing.ByteSizeLong()}});
      continue;
    }
    if (!stream.Write(outgoing)) return;  // the reader sees it too
  }
}

// ---- Certificates
// ------------------------------------------------------------------------------------

void LinkClient::Impl::renew_when_due() {
  std::uint64_t spread_ppm = 0;
  {
    std::lock_guard const lock(entropy_mutex_);
    spread_ppm = options_.entropy->below(1'000'000);
  }
  Duration pause;
  while (wait(pause)) {
    auto const who = identity();
    WallTime const now = options_.clock->now().wall;
    if (!who || now >= who->not_after) {
      pause = seconds(1);
      continue;
    }
    Duration const left = renewal_time(*who, spread_ppm) - now;
    if (left.ns > 0) {
      pause = std::min(left, kRenewalWaitMax);
      continue;
    }
    auto const renewed = renew();
    if (!renewed) {
      log_warning("certificate not renewed yet", {{"reason", renewed.error().message}});
      Duration const tenth{(who->not_after - now).ns / 10};
      pause = jitter(std::clamp(tenth, milliseconds(200), kRenewalWaitMax));
    } else {
      pause = milliseconds(100);
    }
  }
}

Result<void> LinkClient::Impl::renew() {
  auto const who = identity();
  ENSURE(who.has_value());
  std::string key = pki::make_key();
  pb::RenewRequest request;
  request.set_csr_pem(TRY(pki::make_csr(key)));
  pb::RenewReply reply;
  {
    Call call(*this);
    call.set_timeout();
    auto const status = stub_as(*who)->Renew(&call.context, request, &reply);
    if (!status.ok()) return error_of(status, "renewal");
  }
  auto fresh = TRY(make_identity(std::move(key), reply.certificate_pem(), who->ca, who->zone));
  if (fresh.host != who->host) {
    return Error{Code::corrupt, "renewal", "the daemon answered for another host"};
  }
  TRY(keep(std::move(fresh)));
  std::lock_guard const lock(mutex_);
  ++state_.renewals;
  // The session goes on under the old certificate until the daemon would cut it: connect anew now.
  if (session_ != nullptr) session_->TryCancel();
  return {};
}

std::optional<StoredIdentity> LinkClient::Impl::identity() const {
  std::lock_guard const lock(mutex_);
  return identity_;
}

// On disk first: what is used is what a restart would find.
Result<void> LinkClient::Impl::keep(StoredIdentity identity) {
  TRY(write_identity_file(options_.directory, identity));
  std::lock_guard const lock(mutex_);
  state_.host = identity.host;
  state_.certificate_ends = identity.not_after;
  identity_ = std::move(identity);
  return {};
}

std::unique_ptr<pb::Link::Stub> LinkClient::Impl::stub_as(StoredIdentity const& identity) const {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = identity.ca;
  tls.pem_private_key = identity.key;
  tls.pem_cert_chain = identity.certificate;
  grpc::ChannelArguments arguments = channel_arguments();
  // Only a daemon's certificate has this name, whatever address it is reached by.
  arguments.SetSslTargetNameOverride(pki::kDaemonName);
  return pb::Link::NewStub(
      grpc::CreateCustomChannel(options_.daemon, grpc::SslCredentials(tls), arguments));
}

// ---- What others call
// --------------------------------------------------------------------------------

Result<void> LinkClient::Impl::fetch_image(std::string const& digest, std::uint64_t offset,
                                           ImageSink const& sink) {
  auto const who = identity();
  if (!who || !outbox()) {
    return Error{Code::unavailable, "image", "there is no connection to the daemon"};
  }
  auto const stub = stub_as(*who);
  pb::FetchImageRequest request;
  request.set_digest(digest);
  request.set_offset(static_cast<std::int64_t>(
      std::min<std::uint64_t>(offset, std::numeric_limits<std::int64_t>::max())));
  Call call(*this);
  auto const stream = stub->FetchImage(&call.context, request);
  pb::Chunk chunk;
  while (stream->Read(&chunk)) {
    if (auto taken = sink(chunk.data()); !taken) {
      call.context.TryCancel();
      while (stream->Read(&chunk)) {}
      (void)stream->Finish();
      return taken;
    }
  }
  auto const status = stream->Finish();
  if (status.ok()) return {};
  Error error = error_of(status, "image").within("fetch the image");
  if (error.code == Code::throttled) error.code = Code::unavailable;
  return error;
}

std::shared_ptr<Outbox> LinkClient::Impl::outbox() const {
  std::lock_guard const lock(mutex_);
  return outbox_;
}

void LinkClient::Impl::send(HostStatus const& status) {
  if (auto const box = outbox()) box->put(status);
}

void LinkClient::Impl::heartbeat(std::uint64_t number) {
  if (auto const box = outbox()) box->put(wire::Heartbeat{number});
}

LinkState LinkClient::Impl::state() const {
  std::lock_guard const lock(mutex_);
  return state_;
}

void LinkClient::Impl::note_problem(Error const& error) {
  bool is_news = false;
  {
    std::lock_guard const lock(mutex_);
    is_news = !is_stopping_ && state_.problem != error.message;
    state_.problem = error.message;
  }
  if (is_news) {
    log_warning("no connection to the daemon",
                {{"daemon", options_.daemon}, {"reason", error.message}});
  }
}

bool LinkClient::Impl::wait(Duration duration) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::nanoseconds(duration.ns),
                         [this] { return is_stopping_; });
}

Duration LinkClient::Impl::jitter(Duration most) {
  std::lock_guard const lock(entropy_mutex_);
  return Duration{options_.entropy->between(0, std::max<std::int64_t>(most.ns, 0))};
}

// ---- The public face
// ---------------------------------------------------------------------------------

LinkClient::LinkClient(LinkOptions options, LinkEvents& events)
    : impl_(std::make_unique<Impl>(std::move(options), events)) {}
LinkClient::~LinkClient() = default;

Result<void> LinkClient::start() {
  return impl_->start();
}
void LinkClient::stop() {
  impl_->stop();
}
LinkState LinkClient::state() const {
  return impl_->state();
}
void LinkClient::send(HostStatus const& status) {
  impl_->send(status);
}
void LinkClient::heartbeat(std::uint64_t number) {
  impl_->heartbeat(number);
}
Result<void> LinkClient::fetch_image(std::string const& digest, std::uint64_t offset,
                                     ImageSink const& sink) {
  return impl_->fetch_image(digest, offset, sink);
}

}  // namespace berth::agent
