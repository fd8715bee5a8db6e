// One agent's stream, and its place among the others.
#include <utility>

#include "berth/base/ensure.h"
#include "berth/base/log.h"
#include "berth/base/overloaded.h"
#include "daemon/link/impl.h"

namespace berth::link {

namespace {
constexpr std::size_t kMessagesWaitingMax = 64;  // of one session, beside its spec and its lease
}  // namespace

bool LinkServer::Impl::AgentSession::put(pb::FromDaemon message) {
  std::lock_guard const lock(mutex_);
  if (others_.size() >= kMessagesWaitingMax || is_finished_) return false;
  others_.push_back(std::move(message));
  pump();
  return true;
}

void LinkServer::Impl::AgentSession::pump() {
  if (is_writing_ || is_finished_) return;
  if (!others_.empty()) {
    outgoing_ = std::move(others_.front());
    others_.pop_front();
  } else if (lease_) {
    outgoing_.Clear();
    wire::fill(wire::FromDaemon(*std::exchange(lease_, std::nullopt)), outgoing_);
  } else if (spec_) {
    outgoing_ = *std::exchange(spec_, std::nullopt);
  } else {
    return;
  }
  is_writing_ = true;
  ++impl_.counters_.messages_out;
  impl_.counters_.bytes_out += outgoing_.ByteSizeLong();
  StartWrite(&outgoing_);
}

void LinkServer::Impl::AgentSession::finish_locked(grpc::Status const& status) {
  if (is_finished_) return;
  is_finished_ = true;
  finished_at_ = impl_.options_.clock->now().monotonic;
  Finish(status);
}

void LinkServer::Impl::AgentSession::OnWriteDone(bool ok) {
  std::lock_guard const lock(mutex_);
  is_writing_ = false;
  if (ok) pump();  // else the read fails too, and ends the session
}

void LinkServer::Impl::AgentSession::OnReadDone(bool ok) {
  if (!ok) return finish(grpc::Status::CANCELLED);
  ++impl_.counters_.messages_in;
  impl_.counters_.bytes_in += incoming_.ByteSizeLong();
  auto message = wire::read(incoming_);
  incoming_.Clear();
  if (!message) return refuse(message.error());
  if (take(*std::move(message))) StartRead(&incoming_);
}

void LinkServer::Impl::AgentSession::refuse(Error const& error) {
  ++impl_.counters_.messages_refused;
  log_warning("message from agent refused",
              {{"host", host.value}, {"peer", peer}, {"reason", error.message}});
  finish(status_of(error));
}

bool LinkServer::Impl::AgentSession::take(wire::FromAgent message) {
  if (is_replaced) return true;
  std::optional<Error> wrong;
  bool const is_hello = std::holds_alternative<wire::Hello>(message);
  if (is_hello == is_heard) {
    wrong = Error{Code::invalid, "message", "expected one hello, and that first"};
  } else {
    std::visit(
        overloaded{
            [](wire::Unknown const&) {},
            [&](wire::Hello const& hello) {
              is_heard = true;
              SessionPtr self;
              {
                std::lock_guard const lock(impl_.sessions_mutex_);
                self = impl_.all_sessions_.at(this);
              }
              impl_.began(self, hello);
            },
            [&](HostStatus& status) {
              if (status.host != host) {
                wrong = Error{Code::forbidden, "message",
                              "a report about " + status.host.value + " from " + host.value};
              } else {
                impl_.events_.on_status(std::move(status));
              }
            },
            [&](wire::Heartbeat const& beat) { impl_.events_.on_heartbeat(host, beat.number); },
            [&](wire::ConsoleReply& reply) { impl_.on_console(*this, std::move(reply)); },
        },
        message);
  }
  if (wrong) refuse(*wrong);
  return !wrong;
}

void LinkServer::Impl::AgentSession::OnDone() {
  {
    std::lock_guard const lock(mutex_);
    is_done_ = true;
    is_finished_ = true;
  }
  Impl& impl = impl_;
  impl.ended(*this);  // the registry lets go of us
  impl.call_ended();
}

grpc::ServerBidiReactor<pb::FromAgent, pb::FromDaemon>* LinkServer::Impl::Session(
    grpc::CallbackServerContext* context) {
  class Refused final : public grpc::ServerBidiReactor<pb::FromAgent, pb::FromDaemon> {
   public:
    explicit Refused(grpc::Status const& status) { Finish(status); }
    void OnDone() override { delete this; }
  };
  auto identity = host_of(*context);
  if (!identity) return new Refused(status_of(identity.error()));
  auto session = std::make_shared<AgentSession>(*this, *context, *identity);
  {
    std::lock_guard const lock(sessions_mutex_);
    all_sessions_.emplace(session.get(), session);
  }
  session->begin();
  return session.get();
}

void LinkServer::Impl::began(SessionPtr const& session, wire::Hello const& hello) {
  std::lock_guard const order(order_);
  SessionPtr old;
  pb::FromDaemon welcome;
  wire::fill(wire::FromDaemon(wire::Welcome{}), welcome);
  ENSURE(session->put(std::move(welcome)));  // before the registry offers the session to anyone
  {
    std::lock_guard const lock(sessions_mutex_);
    old = std::exchange(sessions_[session->host], session);
  }
  ++counters_.sessions;
  if (old) {
    old->is_replaced = true;
    ++counters_.sessions_replaced;
    old->finish(grpc::Status(grpc::StatusCode::ABORTED, "replaced by a newer session"));
    log_info("agent session replaced", {{"host", session->host.value}, {"peer", session->peer}});
  }
  events_.on_hello(HelloFrom{.host = session->host,
                             .host_uuid = hello.host_uuid,
                             .boot_id = hello.boot_id,
                             .version = hello.version,
                             .peer = session->peer});
}

void LinkServer::Impl::ended(AgentSession const& session) {
  HostId const host = session.host;
  fail_consoles(&session, Error{Code::unavailable, "console", host.value + " has gone away"});
  SessionPtr last;  // let go of without a lock
  std::lock_guard const order(order_);
  bool was_current = false;
  {
    std::lock_guard const lock(sessions_mutex_);
    auto const current = sessions_.find(host);
    was_current = current != sessions_.end() && current->second.get() == &session;
    if (was_current) sessions_.erase(current);
    auto const at = all_sessions_.find(&session);
    last = std::move(at->second);
    all_sessions_.erase(at);
  }
  if (was_current) events_.on_gone(host);
}

}  // namespace berth::link
