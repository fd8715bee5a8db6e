#include "agent/network/network_xml.h"

#include <gtest/gtest.h>

namespace berth::agent {
namespace {

TEST(Subnet, IsReadFromText) {
  EXPECT_EQ(*parse_subnet("192.168.123.0/24"), (Subnet{0xc0a87b00, 24}));
  EXPECT_EQ(*parse_subnet("10.1.0.0/16"), (Subnet{0x0a010000, 16}));
  EXPECT_EQ(*parse_subnet("10.0.0.240/28"), (Subnet{0x0a0000f0, 28}));
  for (char const* bad :
       {"", "10.0.0.0", "10.0.0/24", "10.0.0.0/15", "10.0.0.0/29", "10.0.0.1/24", "256.0.0.0/24",
        "10.0.0.0/24 ", "-1.0.0.0/24", "10.0.0.0/2 4", "::/64", "10.0.0.0.0/24"}) {
    Result<Subnet> const result = parse_subnet(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Code::invalid) << bad;
  }
}

TEST(NetworkXml, GivesTheFirstAddressToTheGatewayAndTheRestToGuests) {
  EXPECT_EQ(*network_xml({.name = "berth0", .subnet = "192.168.123.0/24"}),
            "<network>\n"
            "  <name>berth0</name>\n"
            "  <forward mode=\"nat\" />\n"
            "  <bridge name=\"berth0\" stp=\"off\" delay=\"0\" />\n"
            "  <ip address=\"192.168.123.1\" prefix=\"24\">\n"
            "    <dhcp>\n"
            "      <range start=\"192.168.123.2\" end=\"192.168.123.254\" />\n"
            "    </dhcp>\n"
            "  </ip>\n"
            "</network>\n");
}

TEST(NetworkXml, RefusesANameThatIsNoInterface) {
  for (char const* bad : {"", "sixteen-letters-", "Berth", "a b", "a/b", "<x>"}) {
    EXPECT_FALSE(network_xml({.name = bad})) << bad;
  }
  EXPECT_TRUE(network_xml({.name = "fifteen-letters"}));
}

TEST(NetworkXml, KnowsItsOwnNetworkAgainInEitherOfLibvirtsForms) {
  NetworkOptions const options{.subnet = "10.9.0.0/20"};
  EXPECT_TRUE(*is_same_network("<network><ip address='10.9.0.1' prefix='20'/></network>", options));
  EXPECT_TRUE(*is_same_network(
      "<network><ip address='10.9.0.1' netmask='255.255.240.0'/></network>", options));
  EXPECT_FALSE(
      *is_same_network("<network><ip address='10.9.0.1' prefix='24'/></network>", options));
  EXPECT_FALSE(
      *is_same_network("<network><ip address='10.8.0.1' prefix='20'/></network>", options));
  EXPECT_FALSE(*is_same_network("<network/>", options));
  EXPECT_EQ(is_same_network("<network", options).error().code, Code::corrupt);
}

}  // namespace
}  // namespace berth::agent
