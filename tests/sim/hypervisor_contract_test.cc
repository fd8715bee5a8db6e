// The pretend host keeps the contract that libvirt's side of the seam keeps.

#include "tests/contract/hypervisor/suite.h"
#include "tests/sim/hypervisor.h"

namespace berth::agent::testing {
namespace {

class Unwatched final : public sim::GuestWatch {
 public:
  void on_process_began(HostId const&, InstanceId const&) override {}
  void on_process_ended(HostId const&, InstanceId const&, End) override {}
  void on_action(HostId const&, Action const&) override {}
};

class SimBench final : public HypervisorBench {
 public:
  SimBench() { restart_agent(); }

  [[nodiscard]] Hypervisor& hypervisor() override { return *hypervisor_; }
  [[nodiscard]] bool run_until(std::function<bool()> const& is_done) override {
    Instant const patience = world_.now() + minutes(5);
    while (!is_done()) {
      // Nothing left to happen: time passes all the same, and the question may be asked anew.
      if (world_.now() >= patience) return false;
      world_.run_next(world_.now() + seconds(1));
    }
    return true;
  }
  [[nodiscard]] TestImage image() override {
    return {.digest = std::string(64, 'e'), .format = ImageFormat::qcow2, .size = Bytes(4096)};
  }
  void restart_agent() override {
    hypervisor_.reset();
    hypervisor_ = std::make_unique<sim::SimHypervisor>(world_, options_, machine_, inventory());
  }
  void end_guest(InstanceId const& id) override { machine_.end_guest(id); }
  void reboot_host() override {
    machine_.power_cut();
    machine_.boot();
    restart_agent();
  }
  void make_foreign(std::string const& name) override { machine_.add_foreign(name); }
  [[nodiscard]] bool is_foreign_running(std::string const& name) override {
    return machine_.foreign.contains(name);
  }

 private:
  static sim::Options good_day() {
    sim::Options o;
    o.action = {milliseconds(5), milliseconds(50)};
    o.boot = {milliseconds(200), seconds(2)};
    o.fetch = {milliseconds(5), milliseconds(50)};
    return o;
  }
  static HostInventory inventory() {
    HostInventory out;
    HostCell cell{.memory = Mebibytes(4'096)};
    cell.cpus.push_back({.id = 0, .core = 0, .siblings = {0}});
    out.cells.push_back(std::move(cell));
    out.disk_total = bytes(Gibibytes(100));
    out.disk_free = out.disk_total;
    return out;
  }

  sim::World world_{1, nullptr};
  sim::Options options_ = good_day();
  Unwatched watch_;
  sim::Machine machine_{world_, watch_, HostId("host-a"), "00000000-0000-4000-8000-000000000001"};
  std::unique_ptr<sim::SimHypervisor> hypervisor_;
};

INSTANTIATE_TEST_SUITE_P(Simulated, HypervisorContract,
                         ::testing::Values(HypervisorFactory{
                             "Simulated", [] { return std::make_unique<SimBench>(); }}),
                         factory_name);

}  // namespace
}  // namespace berth::agent::testing
