#pragma once
// An instance as libvirt XML, and the way back from the metadata that we leave in it. Pure: values
// to text, built as a tree and never by pasting. Nothing a tenant wrote (host name, tags, keys,
// user data) is ever part of it; what is (id, uuid, MAC, type) is checked character by character
// first.
//
//   The metadata of one domain of ours:
//     <berth:instance xmlns:berth="https://berth.dev/xmlns/instance/1" id="i-…" generation="1" …/>
//   A domain without it is somebody else's and is never touched.

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/core/action.h"
#include "berth/base/result.h"
#include "berth/model/host.h"
#include "berth/model/host_spec.h"
#include "berth/model/ids.h"

namespace berth::agent {

inline constexpr std::string_view kMetadataKey = "berth";
inline constexpr std::string_view kMetadataUri = "https://berth.dev/xmlns/instance/1";

// What this host offers, as far as a domain depends on it.
struct DomainHost {
  std::string type = "qemu";  // libvirt's: "kvm", "qemu", or "test" for its pretend driver
  std::string machine;        // versioned, "pc-q35-7.2"; empty: the driver has no machine types
  std::string network = "berth0";
  std::string port_filter;  // "clean-traffic"; empty: the driver has no filters
  std::string gateway;      // the only DHCP server a port may learn its address from
};

struct DomainPaths {
  std::string disk;
  std::string backing;  // the cached image under the disk
  ImageFormat backing_format = ImageFormat::qcow2;
  std::string seed;
  std::string console;
};

struct DomainMetadata {
  InstanceId id;
  PlacementGeneration generation;
  std::uint64_t reboots = 0;
  std::uint64_t starts = 0;
  bool stopped_by_us = false;
  // From the definition of a start until its guest was let run: a domain that is off or paused with
  // this set has not run yet, whatever crashed in between.
  bool is_starting = false;
  std::string boot_id;  // of the host at the last start; another one now: it ended with the host
  std::string mac;

  bool operator==(DomainMetadata const&) const = default;
};

// A guest whose memory comes from several NUMA cells is shown them, with an even share of its vCPUs
// and memory in each. Errors: invalid, subject "instance": an id, uuid, MAC, type or size that is
// not of our form.
[[nodiscard]] Result<std::string> domain_xml(InstanceSpec const& spec, DomainPaths const& paths,
                                             DomainHost const& host, DomainMetadata const& metadata,
                                             Pins const& pins = {});

// What libvirt says of the pins of a domain. Errors: corrupt.
[[nodiscard]] Result<Pins> parse_pins(std::string_view domain_xml);

// The element alone, as virDomainSetMetadata wants it: without its namespace.
[[nodiscard]] std::string metadata_xml(DomainMetadata const& metadata);
// Errors: corrupt.
[[nodiscard]] Result<DomainMetadata> parse_metadata(std::string_view xml);

struct ProbeAsk {
  std::string name;
  std::string image;  // raw, one boot sector
  std::string log;    // the serial port's output
};
// A throw-away guest that shows whether hardware virtualisation really computes (probe.h).
[[nodiscard]] std::string probe_domain_xml(ProbeAsk const& ask, DomainHost const& host);

}  // namespace berth::agent
