// Guests sit where their spec says, on real libvirt and QEMU: an agent's driver is given specs, and
// what libvirt and the kernel say of the guest is held against them. The guest needs no system of
// its own. This machine may have one NUMA cell only: guests of two are held by the golden files
// (tests/golden/domain_xml), which libvirt reads here against its schema.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "agent/disks/run.h"
#include "agent/driver/driver.h"
#include "agent/hypervisor/capabilities_xml.h"
#include "agent/hypervisor/domain_xml.h"
#include "tests/contract/hypervisor/libvirt_bench.h"

namespace berth::agent::testing {
namespace {

using Cpus = std::vector<std::int32_t>;
constexpr char kUri[] = "qemu:///system";

class PinnedGuests : public ::testing::Test, public DaemonLink, public SpecStore, public Clock {
 protected:
  void SetUp() override {
    if (!LibvirtApi(kUri, [] {}).driver()) GTEST_SKIP() << "no libvirtd";
    image_ = "/var/tmp/berth-pinning-" + std::to_string(getpid()) + ".qcow2";
    ASSERT_TRUE(run_ok({"qemu-img", "create", "-q", "-f", "qcow2", image_, "1M"}, {}));
    bench_ = std::make_unique<LibvirtBench>(LibvirtBenchOptions{.uri = kUri, .image_path = image_});
    Result<HostInventory> const inventory = bench_->hypervisor().inventory();
    ASSERT_TRUE(inventory) << inventory.error().message;
    for (HostCpu const& cpu : inventory->cells.front().cpus) all_.push_back(cpu.id);
    cell_ = inventory->cells.front().id;
    driver_ = std::make_unique<Driver>(Driver::Identity{host_, "", "boot"}, *inventory,
                                       Driver::Parts{.hypervisor = bench_->hypervisor(),
                                                     .link = *this,
                                                     .specs = *this,
                                                     .clock = *this,
                                                     .post = [this](std::function<void()> work) {
                                                       std::lock_guard const lock(mutex_);
                                                       posted_.push_back(std::move(work));
                                                     }});
    driver_->begin();
    driver_->on_connected();
  }
  void TearDown() override {
    if (bench_) {
      ASSERT_TRUE(until([&] { return driver_->actions_under_way() == 0; }));
      for (InstanceId const& id : {own_, floating_}) {
        Result<RunOutcome> const gone = run({"virsh", "-q", "-c", kUri, "destroy", id.value}, {});
        static_cast<void>(gone.has_value());
      }
    }
    bench_.reset();  // its answers come to the driver's mailbox until here
    driver_.reset();
    unlink(image_.c_str());
  }

  // DaemonLink.
  void send(HostStatus const& status) override { reported_ = status; }
  void heartbeat(std::uint64_t) override {}
  // SpecStore.
  Result<std::optional<HostSpec>> load() override { return std::optional<HostSpec>(); }
  Result<void> save(HostSpec const&) override { return {}; }
  // Clock.
  Now now() override {
    auto const since = std::chrono::steady_clock::now().time_since_epoch();
    return {.monotonic = Instant{std::chrono::nanoseconds(since).count()}, .wall = {}};
  }

  // The driver's thread is this one.
  bool until(std::function<bool()> const& is_so) {
    Instant ticked = now().monotonic;
    return bench_->run_until([&] {
      std::deque<std::function<void()>> work;
      {
        std::lock_guard const lock(mutex_);
        work.swap(posted_);
      }
      for (auto const& one : work) one();
      if (now().monotonic - ticked > milliseconds(200)) {
        ticked = now().monotonic;
        driver_->on_hint();
      }
      return is_so();
    });
  }

  InstanceSpec instance(InstanceId const& id, std::int64_t vcpus, Cpus cpus) {
    auto const image = bench_->image();
    return {.id = id,
            .generation = PlacementGeneration(1),
            .starts = 1,
            .uuid = "ec2c0de0-0000-4000-8000-0000000000" + id.value.substr(id.value.size() - 2),
            .vcpus = vcpus,
            .memory = Mebibytes(64),
            .disk_gib = 1,
            .image_digest = image.digest,
            .image_format = image.format,
            .image_size = image.size,
            .mac = "52:54:00:0c:0b:" + id.value.substr(id.value.size() - 2),
            .cells = {cell_},
            .cpus = std::move(cpus),
            .hostname = "h",
            .type = "t3.nano"};
  }
  void give(std::vector<InstanceSpec> instances, Cpus shared) {
    driver_->on_spec({.host = host_,
                      .term = Term(1),
                      .generation = Generation(++generation_),
                      .instances = std::move(instances),
                      .shared_cpus = {{.cell = cell_, .cpus = std::move(shared)}}});
  }
  std::optional<InstanceStatus> status(InstanceId const& id) {
    if (!reported_ || reported_->generation != Generation(generation_)) return std::nullopt;
    auto const at = std::ranges::find(reported_->instances, id, &InstanceStatus::id);
    return at == reported_->instances.end() ? std::nullopt : std::optional(*at);
  }
  bool runs(InstanceId const& id) {
    return until([&] {
      auto const now_seen = status(id);
      return now_seen && now_seen->seen == Seen::running;
    });
  }
  static std::string live_xml(InstanceId const& id) {
    Result<std::string> const xml = run_ok({"virsh", "-q", "-c", kUri, "dumpxml", id.value}, {});
    EXPECT_TRUE(xml) << (xml ? "" : xml.error().message);
    return xml ? *xml : "";
  }
  static Pins live(InstanceId const& id) {
    Result<Pins> const pins = parse_pins(live_xml(id));
    return pins ? *pins : Pins{};
  }
  static std::string process(InstanceId const& id) {
    std::string pid;
    std::ifstream("/run/libvirt/qemu/" + id.value + ".pid") >> pid;
    return pid;
  }
  // What the kernel lets the vCPU's thread run on.
  static Cpus kernel_says(InstanceId const& id, int vcpu) {
    std::string const name = "CPU " + std::to_string(vcpu) + "/";
    for (auto const& task : std::filesystem::directory_iterator("/proc/" + process(id) + "/task")) {
      std::string comm, line;
      std::getline(std::ifstream(task.path() / "comm"), comm);
      if (!comm.starts_with(name)) continue;
      std::ifstream file(task.path() / "status");
      while (std::getline(file, line)) {
        if (!line.starts_with("Cpus_allowed_list:")) continue;
        Result<Cpus> const cpus = parse_cpu_list(line.substr(line.find_last_of("\t ") + 1));
        return cpus ? *cpus : Cpus{};
      }
    }
    return {};
  }

  InstanceId const own_{"i-0000000000000c0d1"};
  InstanceId const floating_{"i-0000000000000c0d2"};
  HostId const host_{"host-0000000000000c0de"};
  std::string image_;
  Cpus all_;
  std::int32_t cell_ = 0;
  std::unique_ptr<LibvirtBench> bench_;
  std::unique_ptr<Driver> driver_;
  std::mutex mutex_;  // the hypervisor's workers post, this thread takes
  std::deque<std::function<void()>> posted_;
  std::uint64_t generation_ = 0;
  std::optional<HostStatus> reported_;
};

TEST_F(PinnedGuests, SitWhereTheirSpecSaysAndAreMovedWhileTheyRun) {
  ASSERT_GE(all_.size(), 2U) << "wanted a machine with two CPUs";
  Cpus const own{all_.back()};
  Cpus const rest(all_.begin(), all_.end() - 1);
  InstanceSpec mine = instance(own_, 1, own);
  InstanceSpec const shared = instance(floating_, 2, {});
  give({mine, shared}, rest);
  ASSERT_TRUE(runs(own_) && runs(floating_));

  EXPECT_EQ(live(own_), (Pins{.vcpus = {own}, .emulator = rest, .cells = {cell_}}));
  EXPECT_EQ(live(floating_), (Pins{.vcpus = {rest, rest}, .emulator = rest, .cells = {cell_}}));
  std::string const xml = live_xml(own_);
  EXPECT_THAT(xml, ::testing::HasSubstr("<vcpupin vcpu='0' cpuset='" + cpu_list(own) + "'/>"));
  EXPECT_THAT(
      xml, ::testing::HasSubstr("<memory mode='strict' nodeset='" + std::to_string(cell_) + "'/>"));
  EXPECT_EQ(kernel_says(own_, 0), own);
  EXPECT_EQ(kernel_says(floating_, 1), rest);
  EXPECT_EQ(status(own_)->cells, (Cpus{cell_}));
  EXPECT_EQ(status(own_)->cpus, own);
  EXPECT_EQ(status(own_)->unpinned, "");
  EXPECT_EQ(status(floating_)->unpinned, "");

  // The first is stopped, so that its CPU is shared again; then it is back.
  std::string const before = process(floating_);
  mine.power = Power::absent;
  give({mine, shared}, all_);
  EXPECT_TRUE(until([&] { return live(floating_).vcpus == std::vector<Cpus>{all_, all_}; }));
  EXPECT_EQ(kernel_says(floating_, 0), all_);
  ASSERT_TRUE(until([&] {
    auto const gone = status(own_);
    return gone && gone->seen == Seen::absent;
  }));
  give({shared}, rest);
  EXPECT_TRUE(until([&] { return live(floating_).emulator == rest; }));
  EXPECT_EQ(live(floating_).vcpus, (std::vector<Cpus>{rest, rest}));
  EXPECT_EQ(kernel_says(floating_, 0), rest);
  EXPECT_EQ(process(floating_), before) << "moved, not started again";
}

TEST_F(PinnedGuests, RunWithoutACpuThatIsNotThereAndSaySo) {
  give({instance(own_, 1, {4'000})}, all_);
  ASSERT_TRUE(runs(own_));
  EXPECT_EQ(status(own_)->unpinned, "this host has no CPU 4000");
  EXPECT_EQ(live(own_).vcpus, (std::vector<Cpus>{all_}));
}

TEST_F(PinnedGuests, OfTwoCellsAreDescribedAsLibvirtWantsThem) {
  for (char const* name : {"dedicated_two_cells", "shared_two_cells", "shared_one_cell"}) {
    std::ifstream in("tests/golden/domain_xml/" + std::string(name) + ".xml");
    ASSERT_TRUE(in) << name;
    std::ostringstream text;
    text << in.rdbuf();
    // The files are for a host with KVM; this one may have none.
    std::string xml = text.str();
    for (auto const& [from, to] : {std::pair{"domain type=\"kvm\"", "domain type=\"qemu\""},
                                   {"cpu mode=\"host-model\"", "cpu mode=\"maximum\""}}) {
      if (std::size_t const at = xml.find(from); at != std::string::npos)
        xml.replace(at, std::string(from).size(), to);
    }
    std::string const path = bench_->dir() + "/" + name + ".xml";
    std::ofstream(path) << xml;
    Result<std::string> const defined =
        run_ok({"virsh", "-q", "-c", kUri, "define", "--validate", path}, {});
    EXPECT_TRUE(defined) << name << ": " << defined.error().message;
    EXPECT_TRUE(run_ok({"virsh", "-q", "-c", kUri, "undefine", "i-0123456789abcdef0"}, {}));
  }
}

}  // namespace
}  // namespace berth::agent::testing
