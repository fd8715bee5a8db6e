#pragma once
// What agents and the daemon say to each other, as values <-> protobuf (proto/agent/v1). The
// generated types are only named here.
//
// Reading is strict about everything that counts: ids have their form, lists are in order without
// doubles and within limits, enumerators are known, text is within its size. The error is corrupt
// and names the field. What a newer version adds is let through: an unknown field is not seen, an
// unknown kind of message reads as Unknown.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"
#include "berth/model/ids.h"

namespace berth::proto::agent::v1 {
class FromAgent;
class FromDaemon;
}  // namespace berth::proto::agent::v1

namespace berth::wire {

struct Unknown {};

struct Hello {
  std::string version;    // of the agent
  std::string host_uuid;  // libvirt's
  std::string boot_id;    // the kernel's
};
struct Heartbeat {
  std::uint64_t number = 0;
};
struct ConsoleReply {
  std::uint64_t id = 0;  // of the request
  Result<std::string> output;
};
using FromAgent = std::variant<Unknown, Hello, HostStatus, Heartbeat, ConsoleReply>;

struct Welcome {};
struct LeaseGrant {
  std::uint64_t heartbeat = 0;
  Duration reconnect_spread;  // whole milliseconds
};
struct ConsoleRequest {
  std::uint64_t id = 0;
  InstanceId instance;
};
using FromDaemon = std::variant<Unknown, Welcome, HostSpec, LeaseGrant, ConsoleRequest>;

// Text for people (a reason, a console's output) is cut to its limit here rather than refused
// there.
void fill(FromAgent const& message, proto::agent::v1::FromAgent& out);
void fill(FromDaemon const& message, proto::agent::v1::FromDaemon& out);
[[nodiscard]] Result<FromAgent> read(proto::agent::v1::FromAgent const& in);
[[nodiscard]] Result<FromDaemon> read(proto::agent::v1::FromDaemon const& in);

// The same from and to serialised bytes.
[[nodiscard]] std::string bytes(FromAgent const& message);
[[nodiscard]] std::string bytes(FromDaemon const& message);
[[nodiscard]] Result<FromAgent> parse_from_agent(std::string_view bytes);
[[nodiscard]] Result<FromDaemon> parse_from_daemon(std::string_view bytes);

}  // namespace berth::wire
