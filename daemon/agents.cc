#include "daemon/agents.h"

namespace berth {

void Agents::on_join(link::JoinAttempt attempt, link::JoinDone done) {
  core::AgentJoin input{.host = std::move(attempt.host),
                        .token_digest = std::move(attempt.token_digest),
                        .host_uuid = std::move(attempt.host_uuid),
                        .source = std::move(attempt.peer)};
  gate_.submit(std::move(input), [done = std::move(done)](Result<core::Reply> reply) {
    if (!reply) {
      done(std::move(reply).error());
      return;
    }
    done(link::JoinAccepted{.zone = std::get<core::Joined>(*reply).host.zone});
  });
}

void Agents::on_hello(link::HelloFrom hello) {
  HostId const host = hello.host;
  gate_.submit(core::AgentHello{.host = std::move(hello.host),
                                .host_uuid = std::move(hello.host_uuid),
                                .boot_id = std::move(hello.boot_id)},
               [this, host](Result<core::Reply> const& reply) {
                 if (!reply && reply.error().code == Code::throttled && cut_) cut_(host);
               });
}

void Agents::on_status(HostStatus status) {
  gate_.submit(core::AgentReport{std::move(status)}, nullptr);
}

void Agents::on_heartbeat(HostId const& host, std::uint64_t number) {
  gate_.submit(core::AgentHeartbeat{.host = host, .number = number}, nullptr);
}

void Agents::on_gone(HostId const& host) {
  gate_.submit(core::AgentGone{.host = host}, nullptr);
}

}  // namespace berth
