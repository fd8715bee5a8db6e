#include "agent/agent.h"

#include <sys/stat.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "agent/driver/driver.h"
#include "agent/link/link.h"
#include "agent/metrics.h"
#include "agent/spec_file.h"
#include "berth/base/mailbox.h"
#include "berth/base/process_metrics.h"
#include "berth/model/limits.h"
#include "common/service/service.h"
#include "common/service/watchdog.h"
#include "daemon/http/metrics_front.h"

namespace berth::agent {

namespace {

constexpr std::size_t kMessagesMax = 4'096;
constexpr std::chrono::milliseconds kPatience{200};
constexpr Duration kTickInterval = seconds(1);
constexpr Duration kInventoryInterval = seconds(60);
constexpr Duration kRetryInterval = seconds(2);

Result<std::string> boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  if (std::getline(file, text) && !text.empty()) return text;
  return Error{Code::unavailable, "boot_id", "the kernel's boot id cannot be read"};
}

}  // namespace

struct Agent::Parts final : LinkEvents {
  explicit Parts(Settings s)
      : settings(std::move(s)), page(metric_table()), mailbox(kMessagesMax) {}

  Result<void> open();
  void run();           // the driver's thread
  void keep_looking();  // the host's facts: waits for libvirt, then refreshes
  void begin_link(std::string host_uuid, HostInventory found);
  void make_driver(HostId const& host);
  void post(std::function<void()> work) { mailbox.push_urgent(std::move(work)); }
  void say_status();  // to systemd, when it has changed; the driver's thread
  // Sleeps; false: time to stop.
  bool pause(Duration duration);

  // LinkEvents, on the link's thread.
  void on_identity(HostId const& host, ZoneName const& zone) override;
  void on_connected() override {
    post([this] {
      if (driver) driver->on_connected();
    });
  }
  void on_spec(HostSpec spec) override {
    post([this, spec = std::move(spec)] {
      if (driver) driver->on_spec(spec);
    });
  }
  void on_lease(std::uint64_t number) override {
    post([this, number] {
      if (driver) driver->on_lease(number);
    });
  }
  void on_gone() override {
    post([this] {
      if (driver) driver->on_gone();
    });
  }
  void on_console_request(InstanceId const& instance, ConsoleDone done) override {
    hypervisor->read_console(instance, limits::kConsoleBytesMax, std::move(done));
  }

  Settings settings;
  SystemClock clock;
  KernelEntropy entropy;  // the link's
  std::string boot;
  MetricsPage page;
  Mailbox<std::function<void()>> mailbox;
  std::unique_ptr<LibvirtHypervisor> hypervisor;
  std::unique_ptr<SpecFile> specs;
  std::unique_ptr<LinkClient> link;  // made once the host's UUID is known
  std::atomic<LinkClient*> link_for_others = nullptr;
  std::string uuid;
  std::optional<HostInventory> inventory;  // the driver's thread only
  std::unique_ptr<Driver> driver;          // made once the host's id is known
  std::string status;                      // last said; the driver's thread only
  std::unique_ptr<http::MetricsFront> front;
  std::unique_ptr<http::Server> listener;

  std::mutex stop_mutex;  // pairs with `stop_asked` below
  std::condition_variable stop_asked;
  bool is_stopping = false;
  std::thread driver_thread;
  std::thread facts_thread;
};

bool Agent::Parts::pause(Duration duration) {
  std::unique_lock lock(stop_mutex);
  return !stop_asked.wait_for(lock, std::chrono::nanoseconds(duration.ns),
                              [&] { return is_stopping; });
}

Result<void> Agent::Parts::open() {
  std::error_code error;
  std::filesystem::create_directories(settings.data_dir, error);
  if (error)
    return Error{Code::unavailable, "data_dir",
                 settings.data_dir + " cannot be made: " + error.message()};
  boot = TRY(boot_id());
  settings.libvirt.agent_version = BERTH_VERSION;
  settings.libvirt.fetch = [this](std::string const& digest, std::uint64_t offset,
                                  ImageSink const& sink) -> Result<void> {
    LinkClient* const client = link_for_others;
    if (client == nullptr) return Error{Code::unavailable, "image", "not connected to the daemon"};
    return client->fetch_image(digest, offset, sink);
  };
  hypervisor = TRY(LibvirtHypervisor::open(settings.libvirt));
  hypervisor->on_change([this] {
    post([this] {
      if (driver) driver->on_hint();
    });
  });
  // Keys and specs lie beside the disks, but apart from what QEMU may read.
  std::string const own = settings.data_dir + "/agent";
  std::filesystem::create_directories(own, error);
  if (error || chmod(own.c_str(), 0700) != 0) {
    return Error{Code::unavailable, "data_dir", own + " cannot be made"};
  }
  specs = std::make_unique<SpecFile>(own);
  if (settings.metrics) {
    front = std::make_unique<http::MetricsFront>([this] {
      if (LinkClient* const client = link_for_others)
        set_link(page, client->state());
      set_calls(page, hypervisor->call_stats());
      set_process(page);
      return page.text();
    });
    listener = TRY(http::Server::start(
        {.address = settings.metrics->host, .port = settings.metrics->port}, *front));
  }
  return {};
}

void Agent::Parts::keep_looking() {
  bool is_known = false;
  std::string last_problem;
  for (;;) {
    Result<std::string> const id = hypervisor->host_uuid();
    Result<HostInventory> found = id ? hypervisor->inventory() : Result<HostInventory>(id.error());
    if (found) {
      set_inventory(page, *found);
      post([this, id = *id, found = *found] {
        if (!link) begin_link(id, found);
        inventory = found;
        if (driver) driver->on_inventory(found);
      });
      if (!is_known)
        log_info("host discovered",
                 {{"uuid", *id},
                  {"cpus", cpu_count(*found)},
                  {"memory_mib", memory(*found).value},
                  {"virt_type", found->virt_type == VirtType::kvm ? "kvm" : "qemu"}});
      is_known = true;
      last_problem.clear();
    } else if (found.error().message != last_problem) {
      last_problem = found.error().message;
      log_warning("libvirt does not answer; trying again", {{"error", last_problem}});
    }
    if (!pause(is_known ? kInventoryInterval : kRetryInterval)) return;
  }
}

void Agent::Parts::begin_link(std::string host_uuid, HostInventory found) {
  uuid = std::move(host_uuid);
  inventory = std::move(found);
  link = std::make_unique<LinkClient>(LinkOptions{.daemon = settings.daemon,
                                                  .directory = settings.data_dir + "/agent",
                                                  .join_token = settings.join_token,
                                                  .host_uuid = uuid,
                                                  .boot_id = boot,
                                                  .version = BERTH_VERSION,
                                                  .clock = &clock,
                                                  .entropy = &entropy},
                                      *this);
  link_for_others = link.get();
  if (Result<void> const started = link->start(); !started) {
    log_error("no way to the daemon", {{"error", started.error().message}});
  }
  // A host that has joined before works on its stored spec while its daemon is away.
  if (std::optional<HostId> const host = link->state().host) make_driver(*host);
}

void Agent::Parts::on_identity(HostId const& host, ZoneName const& zone) {
  log_info("this host", {{"host", host.value}, {"zone", zone.value}});
  post([this, host] { make_driver(host); });
}

void Agent::Parts::make_driver(HostId const& host) {
  if (driver) return;
  driver = std::make_unique<Driver>(
      Driver::Identity{.host = host, .host_uuid = uuid, .boot_id = boot}, *inventory,
      Driver::Parts{
          .hypervisor = *hypervisor,
          .link = *link,
          .specs = *specs,
          .clock = clock,
          .post = [this](std::function<void()> work) { post(std::move(work)); },
          .on_action =
              [this](Action const& action, Result<void> const& result, Duration took) {
                count_action(page, action, result, took);
                std::string const about = subject(action);
                if (result)
                  log_info("done", {{"subject", about}, {"ms", took.ns / milliseconds(1).ns}});
                else
                  log_warning("failed", {{"subject", about}, {"error", result.error().message}});
              },
          .on_lease =
              [this](Duration round_trip) {
                page.observe("berth_agent_round_trip_seconds", {}, round_trip);
              }});
  driver->begin();
}

void Agent::Parts::say_status() {
  LinkClient* const client = link_for_others;
  LinkState const state = client == nullptr ? LinkState{} : client->state();
  std::string line = "waiting for libvirt";
  if (state.is_connected) {
    std::size_t const instances =
        driver && driver->spec() ? driver->spec()->instances.size() : std::size_t{0};
    line = "connected to " + settings.daemon + ": " + std::to_string(instances) + " instances";
  } else if (client != nullptr) {
    line = "not connected to " + settings.daemon + "; guests run on: " + state.problem;
  }
  if (line == status) return;
  status = std::move(line);
  service::set_status(status);
}

void Agent::Parts::run() {
  Instant next_tick = clock.now().monotonic;
  service::Watchdog watchdog(service::watchdog_interval(), service::keep_alive);
  for (;;) {
    std::vector<std::function<void()>> const work = mailbox.pop(kMessagesMax, kPatience);
    for (auto const& job : work) job();
    if (work.empty() && mailbox.is_closed()) return;
    Instant const now = clock.now().monotonic;
    if (now < next_tick) continue;
    next_tick = now + kTickInterval;
    // Only this thread's own turn counts: no restart brings back a libvirtd or a daemon.
    watchdog.beat(now, std::nullopt);
    say_status();
    if (!driver) continue;
    driver->on_tick();
    set_driver(page, *driver, now);
  }
}

Agent::Agent(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Agent::~Agent() {
  stop();
}

Result<std::unique_ptr<Agent>> Agent::start(Settings settings) {
  std::unique_ptr<Agent> agent(new Agent(std::make_unique<Parts>(std::move(settings))));
  Parts* p = agent->parts_.get();
  TRY(p->open());
  p->driver_thread = std::thread([p] { p->run(); });
  p->facts_thread = std::thread([p] { p->keep_looking(); });
  return agent;
}

void Agent::stop() {
  if (!parts_) return;
  Parts& p = *parts_;
  {
    std::lock_guard const lock(p.stop_mutex);
    p.is_stopping = true;
    p.stop_asked.notify_all();
  }
  if (p.facts_thread.joinable()) p.facts_thread.join();
  if (p.listener) p.listener->stop();
  // The driver's thread first: it may be about to make the link.
  p.mailbox.close();
  if (p.driver_thread.joinable()) p.driver_thread.join();
  if (p.link) p.link->stop();
  p.hypervisor.reset();  // waits for libvirt calls under way; what they post is dropped
  parts_.reset();
}

}  // namespace berth::agent
