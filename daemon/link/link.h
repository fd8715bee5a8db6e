#pragma once
// The daemon's side of the agents' wire: gRPC with mutual TLS, in one .cc. A host's id is taken
// from its certificate and from nothing else.
//
//   LinkServer link(options, events);   // events outlive the server
//   TRY(link.start());
//   driver.run(link);                   // as driver::AgentLink
//   link.stop();
//
// One port: a peer may come without a certificate, but then only Join answers it. A certificate of
// another CA, an expired one, or one without clientAuth ends the TLS handshake.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/host_status.h"
#include "berth/model/ids.h"
#include "common/pki/authority.h"
#include "daemon/driver/agent_link.h"

namespace berth::link {

struct JoinAttempt {
  HostId host;               // as the token names it; not proven until the digest matched
  std::string token_digest;  // to compare with Host::join_token_digest
  std::string host_uuid;
  std::string peer;  // address, for the log: "ipv4:192.0.2.1:40312"
};
struct JoinAccepted {
  ZoneName zone;
};
using JoinDone = std::function<void(Result<JoinAccepted>)>;

struct HelloFrom {
  HostId host;
  std::string host_uuid;
  std::string boot_id;
  std::string version;
  std::string peer;
};

// What the link tells. Called from the link's own few threads, several at once: hand the value to a
// mailbox and return; never wait here. Calling back into the link is allowed.
//
// Of one host, in order: on_hello, then statuses and heartbeats, then on_gone. A newer session of
// the same host cuts the older one: then a second on_hello comes without an on_gone between.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;

  // `done` once, from any thread, also after the link has stopped. The request for the certificate
  // was found sound before this, so a token is never spent on one that cannot be signed.
  virtual void on_join(JoinAttempt attempt, JoinDone done) = 0;
  virtual void on_hello(HelloFrom hello) = 0;
  // `status.host` is the certificate's.
  virtual void on_status(HostStatus status) = 0;
  virtual void on_heartbeat(HostId const& host, std::uint64_t number) = 0;
  virtual void on_gone(HostId const& host) = 0;
  // May this host talk to us at all? False for one that was removed. Asked at each call, so it
  // must be quick and safe from any thread.
  [[nodiscard]] virtual bool may_connect(HostId const& host) = 0;
};

struct LinkOptions {
  std::string listen = "0.0.0.0:7443";  // "address:port"; port 0: any free one
  pki::KeyAndCertificate certificate;   // Authority::daemon_certificate
  // Signs for hosts. Outlives the server.
  pki::Authority const* authority = nullptr;
  // Outlives the server.
  Clock* clock = nullptr;
  // The file of an image, if the host's spec names it; absent refuses. Any thread, quick.
  std::function<std::optional<std::string>(HostId const&, std::string const& digest)> image_path;

  Duration host_certificate_life = pki::kHostCertificateLife;
  Duration console_timeout = seconds(10);
  Duration hello_timeout = seconds(10);
  std::size_t image_fetches_max = 32;  // at once; more are told to come again
  std::size_t joins_max = 64;          // waiting for the core at once
};

// Since the start, but for the first two.
struct LinkCounters {
  std::uint64_t connected = 0;      // hosts with a session now
  std::uint64_t image_fetches = 0;  // running now
  std::uint64_t sessions = 0;       // that said hello
  std::uint64_t sessions_replaced = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t bytes_in = 0;  // of messages, before TLS
  std::uint64_t bytes_out = 0;
  std::uint64_t image_bytes_out = 0;
  std::uint64_t messages_refused = 0;  // malformed, or about another host
  std::uint64_t specs_superseded = 0;  // replaced by a newer one before they were sent
  std::uint64_t peers_refused = 0;     // no certificate, another role, a removed host
  std::uint64_t joins_accepted = 0;
  std::uint64_t joins_refused = 0;
  std::uint64_t renewals = 0;
};

class LinkServer final : public driver::AgentLink {
 public:
  LinkServer(LinkOptions options, LinkEvents& events);
  ~LinkServer() override;  // stops
  LinkServer(LinkServer const&) = delete;
  LinkServer& operator=(LinkServer const&) = delete;

  // Listens. Once. Errors: unavailable (address in use), invalid (certificate).
  [[nodiscard]] Result<void> start();
  // Cuts all sessions (on_gone for each), waits for the last callback. Idempotent.
  void stop();
  [[nodiscard]] int port() const;  // 0 before start
  [[nodiscard]] LinkCounters counters() const;

  // driver::AgentLink; any thread, none of them blocks.
  void send(HostSpec const& spec) override;
  void grant_lease(HostId const& host, std::uint64_t heartbeat) override;
  void drop(HostId const& host) override;
  void read_console(HostId const& host, InstanceId const& instance, ConsoleDone done) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::link
