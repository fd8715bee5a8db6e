#include "agent/network/network_xml.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <sstream>

namespace berth::agent {
namespace {

Error bad_subnet(std::string_view text) {
  return Error{Code::invalid, "parameter",
               "wanted an IPv4 network such as 192.168.123.0/24 (/16 to /28), found '" +
                   std::string(text) + "'"};
}

// Reads one decimal number of at most `most` from the front of `text`.
bool take_number(std::string_view& text, std::uint32_t most, std::uint32_t& out) {
  auto const parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ec != std::errc() || out > most) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}
bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::uint32_t mask_of(int prefix) {
  return ~std::uint32_t{0} << (32 - prefix);
}

Result<void> check_name(std::string const& name) {
  // A bridge is a network interface: the kernel's 15 characters.
  bool const is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (name.empty() || name.size() > 15 || !is_plain) {
    return Error{Code::invalid, "parameter",
                 "wanted a network name of 1 to 15 of a-z 0-9 - _, found '" + name + "'"};
  }
  return {};
}

}  // namespace

Result<Subnet> parse_subnet(std::string_view text) {
  std::string_view rest = text;
  Subnet subnet;
  for (int i = 0; i < 4; ++i) {
    std::uint32_t part = 0;
    if ((i > 0 && !take(rest, '.')) || !take_number(rest, 255, part)) return bad_subnet(text);
    subnet.address = subnet.address << 8 | part;
  }
  std::uint32_t prefix = 0;
  if (!take(rest, '/') || !take_number(rest, 28, prefix) || prefix < 16 || !rest.empty()) {
    return bad_subnet(text);
  }
  subnet.prefix = static_cast<int>(prefix);
  if ((subnet.address & ~mask_of(subnet.prefix)) != 0) return bad_subnet(text);
  return subnet;
}

std::string dotted(std::uint32_t address) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += std::to_string(address >> shift & 255);
    if (shift != 0) out += '.';
  }
  return out;
}

Result<std::string> network_xml(NetworkOptions const& options) {
  TRY(check_name(options.name));
  Subnet const subnet = TRY(parse_subnet(options.subnet));
  std::uint32_t const broadcast = subnet.address | ~mask_of(subnet.prefix);

  pugi::xml_document document;
  pugi::xml_node network = document.append_child("network");
  network.append_child("name").text().set(options.name.c_str());
  network.append_child("forward").append_attribute("mode") = "nat";
  pugi::xml_node bridge = network.append_child("bridge");
  bridge.append_attribute("name") = options.name.c_str();
  bridge.append_attribute("stp") = "off";
  bridge.append_attribute("delay") = "0";
  pugi::xml_node ip = network.append_child("ip");
  ip.append_attribute("address") = dotted(subnet.address + 1).c_str();
  ip.append_attribute("prefix") = subnet.prefix;
  pugi::xml_node range = ip.append_child("dhcp").append_child("range");
  range.append_attribute("start") = dotted(subnet.address + 2).c_str();
  range.append_attribute("end") = dotted(broadcast - 1).c_str();

  std::ostringstream out;
  document.save(out, "  ", pugi::format_default | pugi::format_no_declaration);
  return out.str();
}

Result<bool> is_same_network(std::string const& found_xml, NetworkOptions const& options) {
  Subnet const subnet = TRY(parse_subnet(options.subnet));
  pugi::xml_document document;
  if (!document.load_buffer(found_xml.data(), found_xml.size())) {
    return Error{Code::corrupt, "host", "libvirt's description of the network is not XML"};
  }
  pugi::xml_node const ip = document.child("network").child("ip");
  std::string const address = ip.attribute("address").value();
  if (address != dotted(subnet.address + 1)) return false;
  // libvirt gives back whichever of the two it was told.
  if (ip.attribute("prefix")) return ip.attribute("prefix").as_int() == subnet.prefix;
  return dotted(mask_of(subnet.prefix)) == ip.attribute("netmask").value();
}

}  // namespace berth::agent
