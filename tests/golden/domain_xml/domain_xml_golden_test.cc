// The domains we define, as files to be read by people. After a wanted change:
//   BERTH_REWRITE=1 build/dev/bin/domain_xml_golden_test

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "agent/hypervisor/domain_xml.h"

namespace berth::agent {
namespace {

void expect_golden(std::string const& name, std::string const& found) {
  std::string const path = "tests/golden/domain_xml/" + name + ".xml";
  if (std::getenv("BERTH_REWRITE") != nullptr) std::ofstream(path) << found;
  std::ifstream in(path);
  std::ostringstream wanted;
  wanted << in.rdbuf();
  EXPECT_EQ(found, wanted.str()) << path;
}

InstanceSpec const kSpec{.id = InstanceId("i-0123456789abcdef0"),
                         .generation = PlacementGeneration(3),
                         .reboots = 1,
                         .starts = 2,
                         .uuid = "ec20c0de-0000-4000-8000-000000000001",
                         .vcpus = 4,
                         .memory = Mebibytes(16384),
                         .disk_gib = 20,
                         .mac = "52:54:00:01:02:03",
                         .hostname = "ip-192-168-123-9",
                         .type = "m5.xlarge"};
DomainPaths const kPaths{.disk = "/var/lib/berth/instances/i-0123456789abcdef0/3/disk.qcow2",
                         .backing = "/var/lib/berth/images/0a1b",
                         .backing_format = ImageFormat::qcow2,
                         .seed = "/var/lib/berth/instances/i-0123456789abcdef0/3/seed.iso",
                         .console = "/var/lib/berth/instances/i-0123456789abcdef0/3/console.log"};
DomainMetadata const kMetadata{.id = kSpec.id,
                               .generation = kSpec.generation,
                               .reboots = kSpec.reboots,
                               .starts = kSpec.starts,
                               .stopped_by_us = true,
                               .is_starting = true,
                               .boot_id = "2f0c0f2e-5a6c-4b56-8f0b-8f5a0c9d1e2f",
                               .mac = kSpec.mac};
DomainHost const kHost{.type = "kvm",
                       .machine = "pc-q35-7.2",
                       .network = "berth0",
                       .port_filter = "clean-traffic",
                       .gateway = "192.168.123.1"};

TEST(DomainXmlGolden, AnInstanceUnderKvm) {
  expect_golden("kvm", *domain_xml(kSpec, kPaths, kHost, kMetadata));
}

TEST(DomainXmlGolden, AnInstanceUnderEmulationOnARawImageWithoutFilters) {
  DomainHost host = kHost;
  host.type = "qemu";
  host.port_filter.clear();
  DomainPaths paths = kPaths;
  paths.backing_format = ImageFormat::raw;
  expect_golden("qemu", *domain_xml(kSpec, paths, host, kMetadata));
}

TEST(DomainXmlGolden, ADomainForThePretendDriver) {
  expect_golden("test", *domain_xml(kSpec, kPaths, {.type = "test"}, kMetadata));
}

// On a host of two NUMA cells with two threads per core, of which the guest has two cores each.
TEST(DomainXmlGolden, AnInstanceWithCpusOfItsOwnInTwoCells) {
  Pins const pins{.vcpus = {{2}, {10}, {6}, {14}}, .emulator = {0, 8, 12}, .cells = {0, 1}};
  std::string const xml = *domain_xml(kSpec, kPaths, kHost, kMetadata, pins);
  expect_golden("dedicated_two_cells", xml);
  EXPECT_EQ(*parse_pins(xml), pins);
}

// An odd count does not make sockets of one size: the guest has one, and its cells all the same.
TEST(DomainXmlGolden, AnInstanceThatFloatsInEachOfTwoCellsWithOneVcpuMoreInTheFirst) {
  InstanceSpec spec = kSpec;
  spec.vcpus = 3;
  spec.memory = Mebibytes(4097);
  Pins const pins{.vcpus = {{0, 1, 8, 9}, {0, 1, 8, 9}, {4, 5, 6}},
                  .emulator = {0, 1, 4, 5, 6, 8, 9},
                  .cells = {0, 1}};
  DomainHost host = kHost;
  host.type = "qemu";
  std::string const xml = *domain_xml(spec, kPaths, host, kMetadata, pins);
  expect_golden("shared_two_cells", xml);
  EXPECT_EQ(*parse_pins(xml), pins);
}

TEST(DomainXmlGolden, AnInstanceInOneCellIsShownNone) {
  Pins const pins{.vcpus = {{0, 2}, {0, 2}, {0, 2}, {0, 2}}, .emulator = {0, 2}, .cells = {1}};
  std::string const xml = *domain_xml(kSpec, kPaths, kHost, kMetadata, pins);
  expect_golden("shared_one_cell", xml);
  EXPECT_EQ(*parse_pins(xml), pins);
}

TEST(DomainXmlGolden, TheProbeGuest) {
  expect_golden(
      "probe",
      probe_domain_xml({.name = "berth-probe-1", .image = "/p/probe.img", .log = "/p/probe.log"},
                       kHost));
}

}  // namespace
}  // namespace berth::agent
