// The hypervisor's contract on real libvirt and QEMU under emulation, and what only a real guest
// can show: its console, its power button, its reboot, its address, its seed. Needs root, libvirtd
// on qemu:///system and the tiny guest of scripts/make-guest-image (BERTH_GUEST_IMAGE names it);
// skipped where they are missing. Everything it makes carries names of its own.

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/disks/run.h"
#include "agent/hypervisor/domain_xml.h"
#include "tests/contract/hypervisor/libvirt_bench.h"
#include "tests/contract/hypervisor/suite.h"

namespace berth::agent::testing {
namespace {

constexpr char kUri[] = "qemu:///system";

// Made once if nobody brought one; the script keeps its own cache, so that later runs only copy.
std::string guest_image() {
  static std::string const path = [] {
    char const* const brought = std::getenv("BERTH_GUEST_IMAGE");
    if (brought != nullptr) return std::string(std::filesystem::exists(brought) ? brought : "");
    std::string const made =
        std::filesystem::current_path().string() + "/build/cache/integration-guest.qcow2";
    RunLimits const limits{
        .deadline = minutes(5), .cpu_seconds = 300, .memory_bytes = std::int64_t{8} << 30};
    return run_ok({std::filesystem::current_path().string() + "/scripts/make-guest-image", made},
                  limits)
               ? made
               : std::string();
  }();
  return path;
}

std::string missing() {
  if (guest_image().empty())
    return "no guest image: run scripts/make-guest-image and name it by BERTH_GUEST_IMAGE";
  LibvirtApi api(kUri, [] {});
  Result<std::string> const driver = api.driver();
  return driver ? "" : driver.error().message;
}

bool is_listening(std::string const& address, std::uint16_t port) {
  int const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval const patience{.tv_sec = 2, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  bool const is_connected = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  close(fd);
  return is_connected;
}

std::unique_ptr<LibvirtBench> real_bench() {
  if (!missing().empty()) return nullptr;
  return std::make_unique<LibvirtBench>(
      LibvirtBenchOptions{.uri = kUri, .image_path = guest_image()});
}

std::unique_ptr<HypervisorBench> real() {
  return real_bench();
}

class RealGuest : public HypervisorContract {
 protected:
  void SetUp() override {
    if (std::string const why = missing(); !why.empty()) GTEST_SKIP() << why;
    HypervisorContract::SetUp();
  }

  std::string console() {
    Result<std::string> const text = wait<std::string>(
        [&](auto done) { bench->hypervisor().read_console(id, 65536, std::move(done)); });
    return text ? *text : "";
  }
  bool says(std::string const& words) {
    return bench->run_until([&] { return console().find(words) != std::string::npos; });
  }
  std::size_t times_said(std::string const& words) {
    std::string const text = console();
    std::size_t count = 0;
    for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
      ++count;
    return count;
  }
};

TEST_P(RealGuest, ReadsItsSeedAndSaysSoOnItsConsole) {
  fetch();
  InstanceSpec wanted = spec();
  wanted.public_key =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHx1ZlSx8yT0R3Hdo4rUtVwFjz4Yw6kS6W1qvFZt7dPb tenant";
  wanted.user_data = "#!/bin/sh\necho marker-$((40 + 2))\n";
  start(wanted);
  EXPECT_TRUE(says("booted instance=" + id.value + " hostname=ip-10-0-0-1")) << console();
  EXPECT_TRUE(says("uuid=" + uuid)) << console();
  EXPECT_TRUE(says("disk_bytes=1073741824")) << console();
  EXPECT_TRUE(says("ssh key ssh-ed25519")) << console();
  EXPECT_TRUE(says("user-data: marker-42")) << console();
}

TEST_P(RealGuest, GetsAnAddressThatTheAgentSees) {
  fetch();
  start(spec());
  EXPECT_TRUE(says("address 192.168.213.")) << console();
  EXPECT_TRUE(bench->run_until([&] { return domain(id)->private_ip.starts_with("192.168.213."); }));
  std::string const address = domain(id)->private_ip;
  EXPECT_TRUE(says("address " + address + "/24"));
  // Its web server, through the port's filter, both ways.
  EXPECT_TRUE(bench->run_until([&] { return is_listening(address, 80); }));
}

TEST_P(RealGuest, PowersOffByItsButton) {
  fetch();
  start(spec());
  ASSERT_TRUE(says("tick 2")) << console();
  ASSERT_TRUE(perform(ShutDownInstance{id, first}));
  ASSERT_TRUE(becomes(id, DomainState::off)) << console();
  EXPECT_TRUE(domain(id)->stopped_by_us);
  EXPECT_TRUE(says("power button pressed"));
}

TEST_P(RealGuest, ThatPowersItselfOffIsOffButNotByUs) {
  fetch();
  InstanceSpec wanted = spec();
  wanted.user_data = "#!/bin/sh\npoweroff -f\n";
  start(wanted);
  ASSERT_TRUE(becomes(id, DomainState::off)) << console();
  EXPECT_FALSE(domain(id)->stopped_by_us);
}

TEST_P(RealGuest, BootsAgainAfterARebootAndKeepsItsDiskOverStopAndStart) {
  fetch();
  start(spec());
  ASSERT_TRUE(says("boot=1")) << console();
  ASSERT_TRUE(says("tick 1"));
  ASSERT_TRUE(perform(RebootInstance{id, first, 1}));
  ASSERT_TRUE(says("boot=2")) << console();
  ASSERT_TRUE(says("tick 1"));
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  InstanceSpec again = spec();
  again.starts = 1;
  again.reboots = 1;
  start(again);
  ASSERT_TRUE(says("boot=3")) << console();
  EXPECT_EQ(times_said("booted instance="), 3U);
}

TEST_P(RealGuest, RunsOnWhileItsAgentIsAway) {
  fetch();
  start(spec());
  ASSERT_TRUE(says("tick 1")) << console();
  bench->restart_agent();
  EXPECT_EQ(domain(id)->state, DomainState::running);
  EXPECT_TRUE(says("tick 4"));
  EXPECT_EQ(times_said("booted instance="), 1U);
}

TEST_P(RealGuest, IsConfinedAsLibvirtDoesByDefaultAndHasOnlyTheDevicesWeGave) {
  fetch();
  start(spec());
  Result<std::string> const xml = run_ok({"virsh", "-c", kUri, "dumpxml", id.value}, {});
  ASSERT_TRUE(xml) << xml.error().message;
  for (char const* never :
       {"<graphics", "<hostdev", "<filesystem", "qemu:commandline", "<channel", "<redirdev"}) {
    EXPECT_EQ(xml->find(never), std::string::npos) << never;
  }
  EXPECT_NE(xml->find("filter='clean-traffic'"), std::string::npos);
  EXPECT_NE(xml->find("<backingStore type='file'"), std::string::npos);
}

// What a crash of the agent leaves behind at each step of a start (the table in libvirt.h).
TEST_P(RealGuest, WhoseStartWasInterruptedIsOffByUsAndTheNextStartFinishesIt) {
  auto* const libvirt = dynamic_cast<LibvirtBench*>(bench.get());
  ASSERT_NE(libvirt, nullptr);
  LibvirtApi& api = libvirt->api();
  fetch();
  start(spec());
  ASSERT_TRUE(perform(PowerOffInstance{id, first}));
  DomainMetadata metadata{.id = id,
                          .generation = first,
                          .stopped_by_us = true,
                          .is_starting = true,
                          .boot_id = "boot-1",
                          .mac = spec().mac};
  for (bool const is_created : {false, true}) {
    for (bool const is_cleared : {false, true}) {
      metadata.stopped_by_us = !is_cleared;
      ASSERT_TRUE(api.set_metadata(uuid, metadata_xml(metadata)));
      if (is_created) { ASSERT_TRUE(api.start(uuid, LibvirtApi::StartAs::paused)); }
      EXPECT_EQ(domain(id)->state, DomainState::off);
      EXPECT_TRUE(domain(id)->stopped_by_us);
      start(spec());
      EXPECT_EQ(domain(id)->state, DomainState::running);
      EXPECT_FALSE(domain(id)->stopped_by_us);
      ASSERT_TRUE(perform(PowerOffInstance{id, first}));
    }
  }
}

TEST_P(RealGuest, WhoseProcessIsKilledHasCrashed) {
  fetch();
  start(spec());
  std::ifstream file("/run/libvirt/qemu/" + id.value + ".pid");
  pid_t process = 0;
  ASSERT_TRUE(file >> process);
  ASSERT_EQ(kill(process, SIGKILL), 0);
  ASSERT_TRUE(becomes(id, DomainState::crashed));
  EXPECT_FALSE(domain(id)->stopped_by_us);
  InstanceSpec again = spec();
  start(again);
  EXPECT_EQ(domain(id)->state, DomainState::running);
}

TEST_P(RealGuest, CannotSpeakFromAnAddressItWasNotGiven) {
  fetch();
  InstanceSpec wanted = spec();
  wanted.user_data =
      "#!/bin/sh\n"
      "count() { ping -c 3 -W 2 $2 192.168.213.1 | sed -n 's/.* \\([0-9]*\\) packets "
      "received.*/'$1'=\\1/p'; }\n"
      "count honest\n"
      "ip addr add 192.168.213.77/24 dev eth0\n"
      "count forged_ip '-I 192.168.213.77'\n"
      "ip link set eth0 address 52:54:00:99:99:99\n"
      "count forged_mac\n";
  start(wanted);
  EXPECT_TRUE(says("user-data: honest=3")) << console();
  EXPECT_TRUE(says("user-data: forged_ip=0")) << console();
  EXPECT_TRUE(says("user-data: forged_mac=0")) << console();
}

// On a host whose KVM computes, automatic means kvm; here only that the verdict and a guest agree.
TEST_P(RealGuest, BootsUnderWhateverTheProbeChose) {
  auto* const libvirt = dynamic_cast<LibvirtBench*>(bench.get());
  ASSERT_NE(libvirt, nullptr);
  libvirt->reopen(VirtTypeWish::automatic);
  Result<HostInventory> const inventory = bench->hypervisor().inventory();
  ASSERT_TRUE(inventory) << inventory.error().message;
  RecordProperty("virt_type", inventory->virt_type == VirtType::kvm ? "kvm" : "qemu");
  fetch();
  start(spec());
  EXPECT_TRUE(says("tick 1")) << console();
}

INSTANTIATE_TEST_SUITE_P(Qemu, RealGuest, ::testing::Values(HypervisorFactory{"Emulated", real}),
                         factory_name);
INSTANTIATE_TEST_SUITE_P(Qemu, HypervisorContract,
                         ::testing::ValuesIn(missing().empty()
                                                 ? std::vector{HypervisorFactory{"Emulated", real}}
                                                 : std::vector<HypervisorFactory>{}),
                         factory_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HypervisorContract);

}  // namespace
}  // namespace berth::agent::testing
