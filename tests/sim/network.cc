#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

#include "berth/base/ensure.h"

namespace berth::sim {

namespace {

constexpr Between kKeepalive{seconds(15), seconds(45)};
constexpr Duration kDialMax = seconds(30);

}  // namespace

Network::Network(World& world, Options const& options, std::size_t hosts)
    : world_(world), options_(options), ports_(hosts) {}

void Network::listen(DaemonEnd& end) {
  daemon_ = &end;
}

void Network::stop_listening() {
  daemon_ = nullptr;
  for (Port& port : ports_) {
    SessionRef const session = std::exchange(port.daemon_session, nullptr);
    if (!session) continue;
    session->is_daemon_open = false;
    world_.after(delay(), [this, session] { close_agent_end(session); });
  }
}

void Network::attach(std::size_t host, AgentEnd& end) {
  Port& port = ports_[host];
  port.agent = &end;
  ++port.life;
  port.dials = 0;
  dial(host);
}

void Network::detach(std::size_t host, bool is_silent) {
  Port& port = ports_[host];
  port.agent = nullptr;
  ++port.life;
  SessionRef const session = std::exchange(port.agent_session, nullptr);
  if (!session) return;
  session->is_agent_open = false;
  Duration const until_noticed =
      is_silent ? world_.between(kKeepalive.low, kKeepalive.high * 3) : delay();
  world_.after(until_noticed, [this, session] { close_daemon_end(session); });
}

void Network::dial(std::size_t host) {
  std::uint64_t const life = ports_[host].life;
  auto const session = std::make_shared<Session>(Session{.host = host});
  ports_[host].agent_session = session;
  world_.after(delay(), [this, host, life, session] {
    if (ports_[host].life == life && ports_[host].agent_session == session) arrive(host, session);
  });
}

void Network::arrive(std::size_t host, SessionRef const& session) {
  Port& port = ports_[host];
  if (daemon_ == nullptr || is_blocked(host, Way::up) || is_blocked(host, Way::down)) {
    redial(host);
    return;
  }
  if (port.daemon_session) port.daemon_session->is_daemon_open = false;
  port.daemon_session = session;
  session->is_daemon_open = true;
  session->up_last = world_.now();
  session->down_last = world_.now() + delay();
  world_.note("connected", {}, {}, host);
  daemon_->on_hello(host);
  world_.after(session->down_last - world_.now(), [this, host, session] {
    Port& p = ports_[host];
    if (!session->is_agent_open || p.agent_session != session || p.agent == nullptr) return;
    session->is_connected = true;
    p.dials = 0;
    p.agent->on_connected();
  });
}

void Network::redial(std::size_t host) {
  Port& port = ports_[host];
  port.agent_session = nullptr;
  port.dials = std::min(port.dials + 1, 6);
  Duration const pause = std::min(seconds(std::int64_t{1} << port.dials), kDialMax);
  std::uint64_t const life = port.life;
  world_.after(world_.about(pause), [this, host, life] {
    Port const& p = ports_[host];
    if (p.life == life && p.agent != nullptr && !p.agent_session) dial(host);
  });
}

void Network::close_agent_end(SessionRef const& session) {
  if (!std::exchange(session->is_agent_open, false)) return;
  Port& port = ports_[session->host];
  if (port.agent_session != session || port.agent == nullptr) return;
  if (session->is_connected) port.agent->on_gone();
  redial(session->host);
  tell_other_end(session, Way::up);
}

// A closed end answers what still comes with a reset; while the way is blocked nobody hears of it.
void Network::tell_other_end(SessionRef const& session, Way way) {
  Duration const pause = is_blocked(session->host, way) ? seconds(3) : delay();
  world_.after(pause, [this, session, way] {
    bool& is_open = way == Way::up ? session->is_daemon_open : session->is_agent_open;
    if (!is_open) return;
    if (is_blocked(session->host, way)) {
      tell_other_end(session, way);
    } else if (way == Way::up) {
      close_daemon_end(session);
    } else {
      close_agent_end(session);
    }
  });
}

void Network::close_daemon_end(SessionRef const& session) {
  if (!std::exchange(session->is_daemon_open, false)) return;
  Port& port = ports_[session->host];
  if (port.daemon_session != session) return;
  port.daemon_session = nullptr;
  if (daemon_ != nullptr) daemon_->on_gone(session->host);
  tell_other_end(session, Way::down);
}

void Network::send_up(std::size_t host, Upward message) {
  SessionRef const session = ports_[host].agent_session;
  if (!session || !session->is_agent_open || !session->is_connected) return;
  session->up_last = std::max(session->up_last, world_.now() + delay());
  if (world_.chance(options_.ppm.report_doubled)) {
    world_.after(session->up_last - world_.now(),
                 [this, session, message] { deliver_up(session, message); });
  }
  world_.after(session->up_last - world_.now(),
               [this, session, message = std::move(message)] { deliver_up(session, message); });
}

void Network::deliver_up(SessionRef const& session, Upward message) {
  if (!session->is_daemon_open || daemon_ == nullptr) return;
  if (is_blocked(session->host, Way::up) || !session->up_held.empty()) {
    session->up_held.push_back(std::move(message));
    return;
  }
  daemon_->on_message(session->host, std::move(message));
}

void Network::send_down(std::size_t host, Downward message) {
  SessionRef const session = ports_[host].daemon_session;
  if (!session || !session->is_daemon_open) return;
  if (std::holds_alternative<HostSpec>(message) && world_.chance(options_.ppm.spec_repeated_late)) {
    // Once more, much later, whatever has become of the session: an agent must not care.
    world_.after(world_.between(seconds(1), minutes(10)),
                 [this, host, message, late = ports_[host].late] {
                   AgentEnd* agent = ports_[host].agent;
                   if (agent == nullptr || ports_[host].late != late || !is_connected(host)) return;
                   world_.note("message repeated", {}, {}, host);
                   agent->on_message(message);
                 });
  }
  session->down_last = std::max(session->down_last, world_.now() + delay());
  world_.after(session->down_last - world_.now(),
               [this, session, message = std::move(message)] { deliver_down(session, message); });
}

void Network::deliver_down(SessionRef const& session, Downward message) {
  Port& port = ports_[session->host];
  if (!session->is_agent_open || port.agent_session != session || port.agent == nullptr) return;
  if (is_blocked(session->host, Way::down) || !session->down_held.empty()) {
    session->down_held.push_back(std::move(message));
    return;
  }
  port.agent->on_message(std::move(message));
}

void Network::drop(std::size_t host) {
  SessionRef const session = ports_[host].daemon_session;
  if (!session) return;
  close_daemon_end(session);
  world_.after(delay(), [this, session] { close_agent_end(session); });
}

void Network::cut(std::size_t host) {
  Port& port = ports_[host];
  if (SessionRef const session = port.daemon_session) {
    world_.after(delay(), [this, session] { close_daemon_end(session); });
  }
  if (SessionRef const session = port.agent_session) {
    world_.after(delay(), [this, session] { close_agent_end(session); });
  }
}

void Network::block(std::size_t host, Way way) {
  Port& port = ports_[host];
  (way == Way::up ? port.is_up_blocked : port.is_down_blocked) = true;
  ++port.blocks;
  watch_silence(host);
}

// Keepalives that are not answered close either end, each in its own time.
void Network::watch_silence(std::size_t host) {
  std::uint64_t const blocks = ports_[host].blocks;
  auto is_still = [this, host, blocks] {
    Port const& p = ports_[host];
    return p.blocks == blocks && (p.is_up_blocked || p.is_down_blocked);
  };
  world_.after(world_.between(kKeepalive.low, kKeepalive.high), [this, host, is_still] {
    if (SessionRef const session = ports_[host].agent_session; session && is_still()) {
      close_agent_end(session);
    }
  });
  world_.after(world_.between(kKeepalive.low, kKeepalive.high * 2), [this, host, is_still] {
    if (SessionRef const session = ports_[host].daemon_session; session && is_still()) {
      close_daemon_end(session);
    }
  });
}

void Network::unblock(std::size_t host, Way way) {
  Port& port = ports_[host];
  (way == Way::up ? port.is_up_blocked : port.is_down_blocked) = false;
  release_held(host, way);
}

void Network::clog(std::size_t host, Way way) {
  ++(way == Way::up ? ports_[host].up_clogs : ports_[host].down_clogs);
}

void Network::unclog(std::size_t host, Way way) {
  int& clogs = way == Way::up ? ports_[host].up_clogs : ports_[host].down_clogs;
  ENSURE(clogs > 0);
  --clogs;
  release_held(host, way);
}

void Network::release_held(std::size_t host, Way way) {
  Port& port = ports_[host];
  if (is_blocked(host, way)) return;
  // What was held arrives now, in order.
  if (SessionRef const session = port.daemon_session; session && way == Way::up) {
    for (Upward& message : std::exchange(session->up_held, {}))
      deliver_up(session, std::move(message));
  }
  if (SessionRef const session = port.agent_session; session && way == Way::down) {
    for (Downward& message : std::exchange(session->down_held, {})) {
      deliver_down(session, std::move(message));
    }
  }
}

bool Network::is_blocked(std::size_t host, Way way) const {
  Port const& p = ports_[host];
  return way == Way::up ? p.is_up_blocked || p.up_clogs > 0 : p.is_down_blocked || p.down_clogs > 0;
}

bool Network::is_connected(std::size_t host) const {
  SessionRef const& session = ports_[host].agent_session;
  return session && session->is_agent_open && session->is_connected && session->is_daemon_open;
}

}  // namespace berth::sim
