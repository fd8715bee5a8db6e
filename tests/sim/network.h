#pragma once
// Network: the links between one daemon and its agents, as gRPC over TCP behaves: ordered within a
// session, delayed at will, lost only with the whole session, which either end notices in its own
// time. An agent dials again with a pause that grows.
//
//   agent                              daemon
//   dial ───────────────────────────►  a new session replaces the host's older one: on_hello
//   on_connected ◄───────────────────
//   status, heartbeat ──────────────►  on_status, on_heartbeat
//   on_spec, on_lease ◄──────────────  spec, lease
//   (either end may find the session closed: on_gone)

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"
#include "tests/sim/options.h"
#include "tests/sim/world.h"

namespace berth::sim {

struct Beat {
  std::uint64_t number = 0;
  Instant granted{};  // by the world's clock; for the checkers
};
using Upward = std::variant<HostStatus, Beat>;
using Downward = std::variant<HostSpec, Beat>;

class DaemonEnd {
 public:
  virtual ~DaemonEnd() = default;
  virtual void on_hello(std::size_t host) = 0;
  virtual void on_message(std::size_t host, Upward message) = 0;
  virtual void on_gone(std::size_t host) = 0;
};

class AgentEnd {
 public:
  virtual ~AgentEnd() = default;
  virtual void on_connected() = 0;
  virtual void on_message(Downward message) = 0;
  virtual void on_gone() = 0;
};

enum class Way { up, down };

class Network {
 public:
  Network(World& world, Options const& options, std::size_t hosts);

  // The daemon listens from now on, or is gone (its ends of all sessions with it).
  void listen(DaemonEnd& end);
  void stop_listening();
  // An agent's process is there from now on and dials; or is gone. `is_silent`: its machine went
  // with it, so nobody tells the daemon.
  void attach(std::size_t host, AgentEnd& end);
  void detach(std::size_t host, bool is_silent);

  void send_up(std::size_t host, Upward message);
  void send_down(std::size_t host, Downward message);
  // The daemon cuts its end.
  void drop(std::size_t host);

  // Faults.
  void cut(std::size_t host);
  void block(std::size_t host, Way way);
  void unblock(std::size_t host, Way way);
  // Everything waits until unclog, also what would find out that the link is dead.
  void clog(std::size_t host, Way way);
  void unclog(std::size_t host, Way way);
  // What may still come from older sessions does not: an agent that has forgotten all its specs
  // could not tell, and rests on the order that a session of TCP keeps.
  void lose_late(std::size_t host) { ++ports_[host].late; }
  [[nodiscard]] bool is_blocked(std::size_t host, Way way) const;
  [[nodiscard]] bool is_connected(std::size_t host) const;

 private:
  struct Session {
    std::size_t host = 0;
    bool is_agent_open = true;
    bool is_daemon_open = false;  // after the hello
    bool is_connected = false;    // the agent was told
    Instant up_last{};
    Instant down_last{};
    std::deque<Upward> up_held;  // arrived, but the way is blocked
    std::deque<Downward> down_held;
  };
  using SessionRef = std::shared_ptr<Session>;
  struct Port {
    AgentEnd* agent = nullptr;
    std::uint64_t life = 0;  // of the agent's process
    SessionRef agent_session;
    SessionRef daemon_session;
    bool is_up_blocked = false;
    bool is_down_blocked = false;
    std::uint64_t late = 0;  // what was sent before it last grew comes no more
    int up_clogs = 0;
    int down_clogs = 0;
    std::uint64_t blocks = 0;
    int dials = 0;
  };

  void dial(std::size_t host);
  void arrive(std::size_t host, SessionRef const& session);
  void redial(std::size_t host);
  void close_agent_end(SessionRef const& session);
  void close_daemon_end(SessionRef const& session);
  void tell_other_end(SessionRef const& session, Way way);
  void watch_silence(std::size_t host);
  void release_held(std::size_t host, Way way);
  void deliver_up(SessionRef const& session, Upward message);
  void deliver_down(SessionRef const& session, Downward message);
  [[nodiscard]] Duration delay() {
    return world_.between(options_.network.low, options_.network.high);
  }

  World& world_;
  Options const& options_;
  DaemonEnd* daemon_ = nullptr;
  std::vector<Port> ports_;
};

}  // namespace berth::sim
