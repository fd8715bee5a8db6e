// What becomes of instances when libvirtd dies: nothing. The test starts a libvirtd of its own, in
// namespaces of its own (mounts, network, host name, processes), and kills it as it likes; the
// machine's is not touched. Needs root, libvirt and QEMU; skipped where namespaces are refused.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "agent/disks/files.h"
#include "agent/disks/run.h"
#include "tests/contract/hypervisor/libvirt_bench.h"

namespace berth::agent::testing {
namespace {

// The programs started here inherit these limits, QEMU among them.
RunLimits const kWide{
    .deadline = seconds(60), .cpu_seconds = 3600, .memory_bytes = std::int64_t{1} << 46};

bool soon(std::function<bool()> const& is_so) {
  for (int i = 0; i < 3000; ++i) {
    if (is_so()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class OwnLibvirtd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    char name[] = "/var/tmp/berth-libvirtd-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir = name;
    std::filesystem::permissions(dir, std::filesystem::perms(0755));
    // Everything in the namespaces ends with their first process, which ends with `unshare`. It is
    // a shell that waits: somebody must reap QEMU, or libvirtd takes it for alive.
    Result<std::string> const begun = run_ok({"sh", "-c", R"(
      cd "$0" && mkdir run lib log && cp -a /etc/libvirt etc && rm -rf etc/qemu &&
      printf 'host_uuid = "c0de0000-0000-4000-8000-00000000c0de"\n' >>etc/libvirtd.conf
      setsid unshare -m -u -n -p -f --mount-proc --kill-child sh -c '
        mount --make-rprivate / && mount --bind run /run/libvirt && mount --bind lib /var/lib/libvirt &&
        mount --bind log /var/log/libvirt && mount --bind etc /etc/libvirt && hostname berth-test &&
        ip link set lo up && touch ready && for i in $(seq 900); do sleep 1; done' >unshare.log 2>&1 </dev/null &
      echo $! >unshare.pid
      for i in $(seq 100); do [ -e ready ] && break; sleep 0.1; done
      cat /proc/$(cat unshare.pid)/task/$(cat unshare.pid)/children)",
                                              dir},
                                             kWide);
    if (!begun || !is_file(dir + "/ready")) GTEST_SKIP() << "no namespaces of our own here";
    std::istringstream(*begun) >> inside;
    ASSERT_GT(inside, 0);
    ASSERT_TRUE(run_ok({"qemu-img", "create", "-q", "-f", "qcow2", dir + "/image", "16M"}, {}));
    enter({"virtlogd", "-d", "-p", "/run/libvirt/virtlogd.pid"});
    start_libvirtd();
  }
  void TearDown() override {
    bench.reset();
    pid_t unshare = 0;
    if (std::ifstream(dir + "/unshare.pid") >> unshare && unshare > 1) kill(unshare, SIGKILL);
    std::error_code ignored;
    std::filesystem::remove_all(dir, ignored);
  }

  void enter(std::vector<std::string> const& command) {
    std::vector<std::string> argv = {"nsenter", "-t", std::to_string(inside), "-m", "-u",
                                     "-n",      "-p"};
    argv.insert(argv.end(), command.begin(), command.end());
    Result<std::string> const result = run_ok(argv, kWide);
    ASSERT_TRUE(result) << result.error().message;
  }
  void start_libvirtd() {
    enter({"libvirtd", "-d", "-p", "/run/libvirt/libvirtd.pid"});
    ASSERT_TRUE(soon([&] { return std::filesystem::is_socket(dir + "/run/libvirt-sock"); }));
  }
  void kill_libvirtd() {
    enter(
        {"sh", "-c", "kill -9 $(cat /run/libvirt/libvirtd.pid); rm -f /run/libvirt/libvirt-sock"});
  }
  void open_bench() {
    bench = std::make_unique<LibvirtBench>(
        LibvirtBenchOptions{.uri = "qemu+unix:///system?socket=" + dir + "/run/libvirt-sock",
                            .image_path = dir + "/image"});
  }

  Result<void> perform(Action const& action) {
    auto const answer = std::make_shared<std::promise<Result<void>>>();
    bench->hypervisor().perform(action,
                                [answer](Result<void> r) { answer->set_value(std::move(r)); });
    return answer->get_future().get();
  }
  Result<Observed> observe() {
    auto const answer = std::make_shared<std::promise<Result<Observed>>>();
    bench->hypervisor().observe([answer](Result<Observed> r) { answer->set_value(std::move(r)); });
    return answer->get_future().get();
  }
  InstanceSpec spec() {
    auto const image = bench->image();
    return {.id = InstanceId("i-0000000000000c0de"),
            .generation = PlacementGeneration(1),
            .uuid = "ec2c0de0-0000-4000-8000-00000000c0de",
            .vcpus = 1,
            .memory = Mebibytes(64),
            .disk_gib = 1,
            .image_digest = image.digest,
            .image_format = image.format,
            .image_size = image.size,
            .mac = "52:54:00:0c:0b:0a",
            .hostname = "h",
            .type = "t3.nano"};
  }
  bool is_qemu_alive() const {
    Result<RunOutcome> const seen =
        run({"nsenter", "-t", std::to_string(inside), "-m", "-p", "sh", "-c",
             "kill -0 $(cat /run/libvirt/qemu/i-0000000000000c0de.pid)"},
            kWide);
    return seen && seen->exit_status == 0;
  }

  std::string dir;
  pid_t inside = 0;
  std::unique_ptr<LibvirtBench> bench;
};

TEST_F(OwnLibvirtd, MayDieAndComeBackWithoutHarmToAnyInstance) {
  open_bench();
  auto const image = bench->image();
  ASSERT_TRUE(perform(FetchImage{image.digest, image.format, image.size}));
  Result<void> const started = perform(StartInstance{spec()});
  ASSERT_TRUE(started) << started.error().message;
  ASSERT_TRUE(is_qemu_alive());
  auto const hints = std::make_shared<std::atomic<int>>(0);
  bench->hypervisor().on_change([hints] { ++*hints; });

  kill_libvirtd();
  EXPECT_TRUE(soon([&] { return hints->load() > 0; })) << "a lost connection is worth a look";
  Result<Observed> const blind = observe();
  ASSERT_FALSE(blind) << "what cannot be seen must not look like an empty host";
  EXPECT_EQ(blind.error().code, Code::unavailable);
  EXPECT_FALSE(perform(PowerOffInstance{spec().id, PlacementGeneration(1)}));
  EXPECT_TRUE(is_qemu_alive());

  start_libvirtd();
  Result<Observed> seen = observe();
  EXPECT_TRUE(soon([&] { return (seen = observe()).has_value(); })) << seen.error().message;
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->domains.size(), 1U);
  EXPECT_EQ(seen->domains[0].state, DomainState::running);
  EXPECT_FALSE(seen->domains[0].stopped_by_us);
  EXPECT_TRUE(is_qemu_alive());

  // The network is ensured again on the new connection, and all else goes on.
  EXPECT_TRUE(perform(PowerOffInstance{spec().id, PlacementGeneration(1)}));
  Result<void> const again = perform(StartInstance{spec()});
  EXPECT_TRUE(again) << again.error().message;
  EXPECT_TRUE(perform(RemoveInstance{spec().id, PlacementGeneration(1), spec().uuid, "1/1"}));
  EXPECT_TRUE(observe()->domains.empty());
}

// The host's power is cut and its kernel comes up again: here all processes of the namespaces die.
TEST_F(OwnLibvirtd, FindsInstancesOffAfterItsWholeHostDied) {
  open_bench();
  auto const image = bench->image();
  ASSERT_TRUE(perform(FetchImage{image.digest, image.format, image.size}));
  ASSERT_TRUE(perform(StartInstance{spec()}));
  enter({"sh", "-c",
         "cd /run/libvirt; kill -9 $(cat libvirtd.pid); "
         "kill -9 $(cat qemu/i-0000000000000c0de.pid); rm -f libvirt-sock"});
  ASSERT_TRUE(soon([&] { return !is_qemu_alive(); }));
  start_libvirtd();
  // To the same boot it is a crash: its guest did not ask for it.
  EXPECT_TRUE(soon([&] {
    Result<Observed> const now = observe();
    return now && now->domains.size() == 1 && now->domains[0].state == DomainState::crashed;
  }));
  // The bench's own hands reconnect as well before the agent starts with another boot id.
  ASSERT_TRUE(soon([&] { return bench->api().domains().has_value(); }));
  bench->reboot_host();
  Result<Observed> seen = observe();
  EXPECT_TRUE(soon([&] { return (seen = observe()).has_value(); })) << seen.error().message;
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->domains.size(), 1U);
  EXPECT_EQ(seen->domains[0].state, DomainState::off);
  EXPECT_TRUE(seen->domains[0].stopped_by_us);
  EXPECT_TRUE(perform(StartInstance{spec()}));
}

}  // namespace
}  // namespace berth::agent::testing
