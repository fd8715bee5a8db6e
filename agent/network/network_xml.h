#pragma once
// The embedded network of a host, as libvirt XML: one NAT network with DHCP, defined by the agent
// and nobody else. Pure text building; the calls are in agent/hypervisor/libvirt.cc.

#include <cstdint>
#include <string>

#include "berth/base/result.h"

namespace berth::agent {

struct NetworkOptions {
  std::string name = "berth0";              // libvirt's network; its bridge has the same name
  std::string subnet = "192.168.123.0/24";  // the gateway is its first address, guests get the rest
  std::string port_filter = "clean-traffic";  // per port: no forged MAC, IP or ARP; empty: none
};

// The subnet's figures, from text.
struct Subnet {
  std::uint32_t address = 0;  // host byte order
  int prefix = 24;

  bool operator==(Subnet const&) const = default;
};

// Errors: invalid. Wanted is an IPv4 network of /16 to /28 with no host bits set.
[[nodiscard]] Result<Subnet> parse_subnet(std::string_view text);
[[nodiscard]] std::string dotted(std::uint32_t address);

// Errors: invalid (name, subnet).
[[nodiscard]] Result<std::string> network_xml(NetworkOptions const& options);

// Does the subnet of this network (libvirt's XML of one that exists) differ from what we would
// define? Then an operator changed the flag or the network is somebody else's. Errors: corrupt.
[[nodiscard]] Result<bool> is_same_network(std::string const& found_xml,
                                           NetworkOptions const& options);

}  // namespace berth::agent
