#pragma once
// The agent's side of its daemon's wire: gRPC with mutual TLS, in one .cc.
//
//   LinkClient link(options, events);   // events outlive the client
//   link.start();                       // joins if need be, connects, and keeps connected
//   ...
//   link.stop();
//
// On disk, in `directory`: agent.pem (0600), one file with the zone, the key, the certificate and
// the region's CA, replaced as a whole by a join and by each renewal. Without it, or when its
// certificate has run out, `join_token` is wanted.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/driver/daemon_link.h"
#include "berth/base/entropy.h"
#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"
#include "berth/model/ids.h"

namespace berth::agent {

// Called from the link's session thread, one at a time, in order. They may call the link's methods
// but stop().
class LinkEvents {
 public:
  using ConsoleDone = std::function<void(Result<std::string>)>;

  virtual ~LinkEvents() = default;

  // The host this agent speaks for, as its certificate says. Before each on_connected, and only
  // when it is known for the first time or has changed.
  virtual void on_identity(HostId const& host, ZoneName const& zone) = 0;
  // The daemon has taken us: report now.
  virtual void on_connected() = 0;
  // Of this host. Not checked for age: the driver knows the newest it has seen.
  virtual void on_spec(HostSpec spec) = 0;
  // The daemon's answer to heartbeat `number`.
  virtual void on_lease(std::uint64_t number) = 0;
  // `done` once, from any thread, now or later.
  virtual void on_console_request(InstanceId const& instance, ConsoleDone done) = 0;
  virtual void on_gone() = 0;
};

struct LinkOptions {
  std::string daemon;          // "address:port"
  std::string directory;       // the agent's own, 0700; exists
  std::string join_token;      // empty: none
  std::string host_uuid;       // libvirt's
  std::string boot_id;         // the kernel's
  std::string version;         // of this agent
  Clock* clock = nullptr;      // outlives the client
  Entropy* entropy = nullptr;  // for jitter; the client locks its own use. Outlives the client.

  Duration reconnect_base = milliseconds(500);  // of the full jitter: 0..base, doubled, 0..cap
  Duration reconnect_cap = seconds(30);
};

struct LinkState {
  bool is_connected = false;
  std::optional<HostId> host;  // absent: not joined
  std::optional<WallTime> certificate_ends;
  std::uint64_t sessions = 0;  // that the daemon welcomed
  std::uint64_t renewals = 0;
  // Why there is no connection now, in words for people; empty while connected.
  std::string problem;
};

class LinkClient final : public DaemonLink {
 public:
  // Takes the next bytes, in order; an error stops the fetch and is what it returns.
  using ImageSink = std::function<Result<void>(std::string_view bytes)>;

  LinkClient(LinkOptions options, LinkEvents& events);
  ~LinkClient() override;  // stops
  LinkClient(LinkClient const&) = delete;
  LinkClient& operator=(LinkClient const&) = delete;

  // Error: the token cannot be read, agent.pem is damaged. A daemon that does not answer is no
  // error here: the link keeps trying.
  [[nodiscard]] Result<void> start();
  // Ends the session (on_gone if it was connected), the fetches and the threads.
  // Idempotent.
  void stop();
  [[nodiscard]] LinkState state() const;

  // DaemonLink; any thread, neither blocks. A status still waiting to be sent is replaced by a
  // newer one, and so is a heartbeat.
  void send(HostStatus const& status) override;
  void heartbeat(std::uint64_t number) override;

  // Hands the image's bytes from `offset` (what the caller already has) to its end to `sink`.
  // Waits: call it from a worker, never from LinkEvents; stop() ends it. Errors: forbidden (not an
  // image of this host's spec), invalid (offset past the end), unavailable (no daemon, busy, or
  // broken off: fetch again from where the sink is), or the sink's own.
  [[nodiscard]] Result<void> fetch_image(std::string const& digest, std::uint64_t offset,
                                         ImageSink const& sink);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::agent
