#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "agent/hypervisor/capabilities_xml.h"
#include "agent/hypervisor/domain_xml.h"
#include "agent/hypervisor/probe.h"
#include "berth/base/entropy.h"

namespace berth::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

InstanceSpec spec() {
  return {.id = InstanceId("i-0123456789abcdef0"),
          .generation = PlacementGeneration(1),
          .uuid = "ec20c0de-0000-4000-8000-000000000001",
          .vcpus = 2,
          .memory = Mebibytes(512),
          .disk_gib = 8,
          .image_digest = std::string(64, 'a'),
          .mac = "52:54:00:01:02:03",
          .hostname = "ip-10-0-0-1",
          .tenant = "000000000001",
          .type = "t3.nano"};
}
DomainPaths const kPaths{.disk = "/d/disk.qcow2",
                         .backing = "/i/aa",
                         .seed = "/d/seed.iso",
                         .console = "/d/console.log"};
DomainHost const kHost{.type = "kvm",
                       .machine = "pc-q35-7.2",
                       .port_filter = "clean-traffic",
                       .gateway = "192.168.123.1"};

TEST(Metadata, ComesBackAsItWasWritten) {
  DomainMetadata const metadata{.id = InstanceId("i-0123456789abcdef0"),
                                .generation = PlacementGeneration(~0ULL),
                                .reboots = 3,
                                .starts = 4,
                                .stopped_by_us = true,
                                .is_starting = true,
                                .boot_id = "b<&\">'",
                                .mac = "52:54:00:01:02:03"};
  Result<DomainMetadata> const again = parse_metadata(metadata_xml(metadata));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, metadata);
}

TEST(Metadata, IsReadOutOfTheDomainsOwnXmlToo) {
  DomainMetadata const metadata{.id = InstanceId("i-0123456789abcdef0"), .starts = 4};
  pugi::xml_document document;
  std::string const xml = *domain_xml(spec(), kPaths, kHost, metadata);
  ASSERT_TRUE(document.load_buffer(xml.data(), xml.size()));
  std::ostringstream element;
  document.child("domain").child("metadata").first_child().print(element);
  EXPECT_EQ(*parse_metadata(element.str()), metadata);
}

TEST(Metadata, ThatIsNotWhatWeWriteIsCorrupt) {
  std::string const good = metadata_xml({.id = InstanceId("i-0123456789abcdef0")});
  ASSERT_TRUE(parse_metadata(good));
  for (auto const& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"generation=\"0\"", ""},
                                                        {"generation=\"0\"", "generation=\"-1\""},
                                                        {"starts=\"0\"", "starts=\"1x\""},
                                                        {"starting=\"no\"", "starting=\"maybe\""},
                                                        {"stopped_by_us=\"no\"", ""},
                                                        {"i-0123456789abcdef0", "../x"}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    Result<DomainMetadata> const result = parse_metadata(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Code::corrupt);
  }
  EXPECT_FALSE(parse_metadata(""));
  EXPECT_FALSE(parse_metadata("<instance"));
}

TEST(DomainXml, RefusesEveryFieldThatIsNotOfOurForm) {
  auto const refused = [](void (*spoil)(InstanceSpec&)) {
    InstanceSpec bad = spec();
    spoil(bad);
    Result<std::string> const xml = domain_xml(bad, kPaths, kHost, {});
    return !xml && xml.error().code == Code::invalid && xml.error().subject == "instance";
  };
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.id = InstanceId("i-<x>"); }));
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.uuid = "ec20c0de-0000-4000-8000-00000000000'"; }));
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.uuid = ""; }));
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.mac = "52:54:00:01:02"; }));
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.mac = "53:54:00:01:02:03"; })) << "multicast";
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.mac = "5b:54:00:01:02:03"; })) << "multicast";
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.type = "t3.nano\"/>"; }));
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.vcpus = 0; }));
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.vcpus = 289; }));
  EXPECT_TRUE(refused([](InstanceSpec& s) { s.memory = Mebibytes(0); }));
}

// Whatever a tenant writes into the fields that are its own, the domain is the same to the byte.
TEST(DomainXml, HasNoPlaceForATenantsText) {
  std::string const honest = *domain_xml(spec(), kPaths, kHost, {.id = spec().id});
  SeededEntropy entropy(7);
  std::vector<std::string> texts = {
      "'/><disk type='file'><source file='/etc/shadow'/></disk>", "]]>", "&xxe;",
      "<!DOCTYPE d [<!ENTITY xxe SYSTEM 'file:///etc/shadow'>]>", "\"",  std::string(4, '\0')};
  for (int i = 0; i < 2000; ++i) {
    std::string text(entropy.below(40), '\0');
    for (char& c : text) c = static_cast<char>(entropy.below(256));
    texts.push_back(std::move(text));
  }
  for (std::string const& text : texts) {
    InstanceSpec hostile = spec();
    hostile.hostname = hostile.public_key = hostile.user_data = hostile.tenant = hostile.zone =
        hostile.region = text;
    ASSERT_EQ(*domain_xml(hostile, kPaths, kHost, {.id = spec().id}), honest);
  }
}

TEST(DomainXml, EscapesThePathsOfTheHost) {
  DomainPaths paths = kPaths;
  paths.disk = "/a'b\"c<d>&e/disk";
  std::string const xml = *domain_xml(spec(), paths, kHost, {});
  pugi::xml_document document;
  ASSERT_TRUE(document.load_buffer(xml.data(), xml.size()));
  EXPECT_EQ(std::string(document.child("domain")
                            .child("devices")
                            .child("disk")
                            .child("source")
                            .attribute("file")
                            .value()),
            paths.disk);
}

// CVE-2010-2237 and its kin: a guest must never choose how its own disk is read.
TEST(DomainXml, StatesTheFormatOfEveryLayerAndClosesEveryChain) {
  std::string const xml = *domain_xml(spec(), kPaths, kHost, {});
  pugi::xml_document document;
  ASSERT_TRUE(document.load_buffer(xml.data(), xml.size()));
  int disks = 0;
  for (pugi::xml_node const disk : document.child("domain").child("devices").children("disk")) {
    ++disks;
    EXPECT_STRNE(disk.child("driver").attribute("type").value(), "");
    pugi::xml_node layer = disk.child("backingStore");
    ASSERT_TRUE(layer);
    while (layer.child("source")) {
      EXPECT_STRNE(layer.child("format").attribute("type").value(), "");
      layer = layer.child("backingStore");
      ASSERT_TRUE(layer);
    }
  }
  EXPECT_EQ(disks, 2);
}

TEST(Capabilities, AreReadWithTheirTopology) {
  Result<HostCapabilities> const found = parse_capabilities(R"(<capabilities><host>
    <uuid>398d80fc-2982-42ed-9148-f1809c086407</uuid>
    <cpu><arch>x86_64</arch><model>Broadwell</model><vendor>Intel</vendor></cpu>
    <topology><cells num='2'>
      <cell id='1'><memory unit='KiB'>2097152</memory><pages unit='KiB' size='4'>1</pages>
        <pages unit='KiB' size='2048'>16</pages><cpus num='1'><cpu id='2' core_id='9' siblings='2'/></cpus></cell>
      <cell id='0'><memory unit='KiB'>1048576</memory>
        <cpus num='2'><cpu id='3' core_id='1' siblings='1,3'/><cpu id='1' core_id='1' siblings='1,3'/></cpus></cell>
    </cells></topology>
    <secmodel><model>apparmor</model></secmodel><secmodel><model>dac</model></secmodel>
  </host></capabilities>)");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (HostCapabilities{
                        .host_uuid = "398d80fc-2982-42ed-9148-f1809c086407",
                        .cpu_model = "Broadwell",
                        .cpu_vendor = "Intel",
                        .is_confined = true,
                        .cells = {HostCell{.id = 0,
                                           .memory = Mebibytes(1024),
                                           .cpus = {{.id = 1, .core = 1, .siblings = {1, 3}},
                                                    {.id = 3, .core = 1, .siblings = {1, 3}}}},
                                  HostCell{.id = 1,
                                           .memory = Mebibytes(2048),
                                           .cpus = {{.id = 2, .core = 9, .siblings = {2}}},
                                           .huge_pages = {{2048, 16}}}}}));
}

TEST(Capabilities, WithoutTopologyAreEmptyAndNonsenseIsCorrupt) {
  EXPECT_TRUE(parse_capabilities("<capabilities><host/></capabilities>")->cells.empty());
  for (char const* bad :
       {"", "<x/>",
        "<capabilities><host><topology><cells><cell/></cells></topology></host></capabilities>",
        "<capabilities><host><topology><cells><cell id='0'><memory "
        "unit='MiB'>1</memory></cell></cells></topology></host></capabilities>"}) {
    EXPECT_EQ(parse_capabilities(bad).error().code, Code::corrupt) << bad;
  }
}

TEST(Capabilities, CpuListsAreReadAndBounded) {
  EXPECT_THAT(*parse_cpu_list("0-2,5"), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(*parse_cpu_list("7,1"), ElementsAre(1, 7));
  EXPECT_TRUE(parse_cpu_list("")->empty());
  EXPECT_EQ(parse_cpu_list("0-4095")->size(), 4096U);
  for (char const* bad : {"x", "1,", ",1", "3-1", "1-", "-1", "0-4096", "0-2147483647", "1 2"}) {
    EXPECT_FALSE(parse_cpu_list(bad)) << bad;
  }
}

TEST(Capabilities, TheMachineBehindAnAliasIsFound) {
  EXPECT_EQ(
      *parse_machine("<domainCapabilities><machine>pc-q35-7.2</machine></domainCapabilities>"),
      "pc-q35-7.2");
  EXPECT_FALSE(parse_machine("<domainCapabilities/>"));
}

TEST(Capabilities, AHostWithoutTopologyIsOneCellOfCores) {
  std::vector<HostCell> const cells = flat_cells(2, Mebibytes(64));
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].cpus, (std::vector<HostCpu>{{0, 0, {0}}, {1, 1, {1}}}));
  EXPECT_EQ(cells[0].memory, Mebibytes(64));
}

TEST(Probe, IsABootSectorAndOnlyItsLastWordCounts) {
  std::string const image = probe_image();
  EXPECT_EQ(image.size(), std::size_t{1} << 20);
  EXPECT_EQ(image.substr(510, 2), "\x55\xaa");
  EXPECT_FALSE(is_probe_passed("12345"));
  EXPECT_FALSE(is_probe_passed("SeaBIOS 1.6"));
  EXPECT_TRUE(is_probe_passed("SeaBIOS\r\n123456"));
}

}  // namespace
}  // namespace berth::agent
