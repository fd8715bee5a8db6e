// fake_cloud COMMAND...: runs a command against a whole daemon in one process whose hosts are
// fakes: the real listener (plain HTTP on the loopback), EC2 front, core and driver, a store in
// memory, and agents that say what real ones would say after a moment. No libvirt, no root, no
// guest.
//
// The command finds BERTH_ENDPOINT, BERTH_KEY_A and BERTH_KEY_B ("id:secret" of two tenants) and
// BERTH_FOREIGN_IMAGE (a private image of the second) in its environment. Its exit code is ours.

#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <tuple>

#include "berth/base/log.h"
#include "berth/base/mailbox.h"
#include "daemon/driver/driver_thread.h"
#include "daemon/ec2/service.h"
#include "daemon/http/server.h"
#include "daemon/store/memory.h"

namespace berth {
namespace {

constexpr int kHosts = 3;
constexpr std::string_view kRegion = "us-east-1";

// One thread that runs jobs in order, and its own every so often.
class Worker {
 public:
  Worker(std::chrono::milliseconds pace, std::function<void()> beat)
      : pace_(pace), beat_(std::move(beat)), thread_([this] { run(); }) {}
  ~Worker() {
    jobs_.close();
    thread_.join();
  }
  void operator()(std::function<void()> job) { jobs_.push_urgent(std::move(job)); }

 private:
  void run() {
    while (!jobs_.is_closed()) {
      for (auto& job : jobs_.pop(100, pace_)) job();
      if (beat_) beat_();
    }
  }

  std::chrono::milliseconds pace_;
  std::function<void()> beat_;
  Mailbox<std::function<void()>> jobs_{16};
  std::thread thread_;
};

// Agents whose guests do what they are told, one step a beat: preparing, then running; a stop or an
// end takes a beat too.
class FakeHosts final : public driver::AgentLink {
 public:
  void send(HostSpec const& spec) override {
    std::lock_guard const lock(mutex_);
    specs_[spec.host] = spec;
  }
  void grant_lease(HostId const&, std::uint64_t) override {}
  void drop(HostId const&) override {}
  void read_console(HostId const&, InstanceId const& id, ConsoleDone done) override {
    done("fake guest " + id.value + "\r\nlogin: ");
  }

  void beat(core::Gate& gate) {
    std::lock_guard const lock(mutex_);
    for (auto& [host, spec] : specs_) {
      gate.submit(core::AgentHeartbeat{.host = host, .number = ++beats_}, {});
      gate.submit(core::AgentReport{report(host, spec)}, {});
    }
  }
  static HostInventory inventory() {
    HostCell cell{.id = 0, .memory = Mebibytes(256 * 1024), .cpus = {}, .huge_pages = {}};
    for (std::int32_t n = 0; n < 64; ++n)
      cell.cpus.push_back({.id = n, .core = n, .siblings = {n}});
    HostInventory out;
    out.cells.push_back(std::move(cell));
    out.cpu_vendor = "Intel";
    out.disk_total = Bytes(std::int64_t{8} << 40);
    out.disk_free = out.disk_total;
    return out;
  }

 private:
  HostStatus report(HostId const& host, HostSpec const& spec) {
    HostStatus out;
    out.host = host;
    out.host_uuid = host.value;
    out.boot_id = "boot-1";
    out.term = spec.term;
    out.generation = spec.generation;
    out.inventory = inventory();
    for (InstanceSpec const& wanted : spec.instances) {
      InstanceStatus& seen = seen_[wanted.id];
      seen.id = wanted.id;
      seen.generation = wanted.generation;
      advance(seen, wanted);
      out.instances.push_back(seen);
    }
    return out;
  }
  std::string next_address() {
    ++addresses_;
    return "10.0." + std::to_string(addresses_ / 250) + "." + std::to_string(4 + addresses_ % 250);
  }
  void advance(InstanceStatus& seen, InstanceSpec const& wanted) {
    switch (wanted.power) {
      case Power::running:
        if (seen.seen == Seen::preparing || seen.seen == Seen::running) {
          seen.seen = Seen::running;
          seen.starts = wanted.starts;
          seen.reboots = wanted.reboots;
          if (seen.private_ip.empty()) seen.private_ip = next_address();
        } else {
          seen.seen = Seen::preparing;
        }
        return;
      case Power::stopped: seen.seen = Seen::stopped; return;
      case Power::absent: seen.seen = Seen::absent; return;
    }
  }

  std::mutex mutex_;
  std::map<HostId, HostSpec> specs_;
  std::map<InstanceId, InstanceStatus> seen_;
  std::uint64_t beats_ = 0;
  int addresses_ = 0;
};

// An operator's call, waited for.
core::Reply asked(core::Gate& gate, core::AdminAction action) {
  std::promise<Result<core::Reply>> promise;
  gate.submit(core::AdminCall{.actor = "fake_cloud",
                              .role = core::Role::admin,
                              .source = "here",
                              .request_id = "setup",
                              .action_name = "setup",
                              .action = std::move(action)},
              [&](Result<core::Reply> reply) { promise.set_value(std::move(reply)); });
  Result<core::Reply> reply = promise.get_future().get();
  if (!reply) {
    std::fprintf(stderr, "fake_cloud: %s\n", reply.error().message.c_str());
    std::exit(2);
  }
  return *std::move(reply);
}

void add_hosts(core::Gate& gate, FakeHosts& hosts) {
  for (std::string zone : {"us-east-1a", "us-east-1b"}) {
    asked(gate, core::PutZoneCall{.name = zone, .jurisdiction = "DE", .operator_name = "test"});
  }
  for (int n = 0; n < kHosts; ++n) {
    core::Reply const reply =
        asked(gate, core::EnrollHost{.name = "fake" + std::to_string(n),
                                     .zone = n == 0 ? "us-east-1b" : "us-east-1a",
                                     .rack = "r" + std::to_string(n),
                                     .tags = {},
                                     .token_digest = std::string(64, 'a')});
    HostId const id = std::get<core::Enrolled>(reply).host.id;
    std::promise<void> joined;  // an agent says hello when it has joined, not before
    gate.submit(core::AgentJoin{.host = id,
                                .token_digest = std::string(64, 'a'),
                                .host_uuid = id.value,
                                .source = "here"},
                [&](Result<core::Reply> const&) { joined.set_value(); });
    joined.get_future().wait();
    gate.submit(core::AgentHello{.host = id, .host_uuid = id.value, .boot_id = "boot-1"}, {});
    HostSpec none;
    none.host = id;
    hosts.send(none);
  }
}

// The names of the catalogue, small enough that a test may run many.
void add_types(core::Gate& gate) {
  std::vector<InstanceType> types;
  for (std::string_view family : {"t2", "t3", "m5", "c5"}) {
    std::int64_t memory = 512;
    for (std::string_view size : {"nano", "micro", "small", "medium", "large"}) {
      InstanceType type;
      type.name = TypeName(std::string(family) + "." + std::string(size));
      type.vcpus = family == "t2" ? 1 : 2;
      type.memory = Mebibytes(memory);
      type.is_burstable = family.front() == 't';
      type.network_mbps = 5'000;
      types.push_back(type);
      memory *= 2;
    }
  }
  // Too much for a quota of vCPUs when five are asked for, for a host, for a quota of memory.
  for (auto const& [name, vcpus, gib] :
       {std::tuple{"m5.24xlarge", 96, 384}, std::tuple{"r5.16xlarge", 64, 512},
        std::tuple{"x1e.32xlarge", 128, 3904}}) {
    InstanceType type;
    type.name = TypeName(name);
    type.vcpus = vcpus;
    type.memory = mebibytes(Gibibytes(gib));
    types.push_back(type);
  }
  asked(gate, core::PutTypes{std::move(types)});
}

std::string add_image(core::Gate& gate, std::string name, std::string owner, char digit) {
  core::Reply const reply = asked(gate, core::RegisterImage{.name = std::move(name),
                                                            .description = "nothing to boot",
                                                            .owner = owner,
                                                            .is_public = owner.empty(),
                                                            .format = ImageFormat::qcow2,
                                                            .digest = std::string(64, digit),
                                                            .file_size = Bytes(1 << 20),
                                                            .virtual_size = Bytes(1 << 30)});
  return std::get<core::Images>(reply).items.at(0).id.value;
}

// A tenant with one key, which is put into the table too; "id:secret".
std::string add_tenant(core::Gate& gate, std::string name, std::string key_id, ec2::KeyTable& table,
                       TenantId& id) {
  core::Reply const reply = asked(gate, core::CreateTenant{.name = std::move(name), .id = {}});
  id = std::get<core::TenantList>(reply).items.at(0).tenant.id;
  asked(gate, core::CreateAccessKey{
                  .tenant = id.value, .id = key_id, .secret_sealed = "not opened here"});
  std::string const secret = "secret-of-" + key_id;
  table.keys[key_id] = {.secret = secret, .session_token = "", .tenant = id, .enabled = true};
  return key_id + ":" + secret;
}

class Front final : public http::Handler {
 public:
  explicit Front(ec2::Service& service) : service_(service) {}

  void on_request(http::Request request, http::Responder respond) override {
    ec2::RequestView view{.method = request.method,
                          .target = request.target,
                          .headers = {},
                          .body = request.body,
                          .peer = request.peer};
    for (http::Header const& h : request.headers) view.headers.emplace_back(h.name, h.value);
    auto kept = std::make_shared<http::Responder>(std::move(respond));
    service_.handle(view, [kept](ec2::Answer answer) {
      http::Response response{.status = answer.status, .headers = {}, .body = answer.body};
      response.headers.push_back({"Content-Type", answer.content_type});
      for (auto& [name, value] : answer.headers) response.headers.push_back({name, value});
      (*kept)(std::move(response));
    });
  }

 private:
  ec2::Service& service_;
};

int run_command(char** argv) {
  pid_t child = 0;
  if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv, environ) != 0) {
    std::perror(argv[0]);
    return 127;
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int run(char** argv) {
  SystemClock clock;
  KernelEntropy entropy;
  store::MemoryDisk disk;
  auto store = *store::MemoryStore::open(disk, store::MemoryStore::Completion::automatic);
  FakeHosts hosts;
  driver::Observer observer;
  driver::DriverThread driver(
      *driver::Driver::load(*store, core::Policy{.region = std::string(kRegion)}),
      {.store = *store,
       .link = hosts,
       .clock = clock,
       .entropy = entropy,
       .observer = observer,
       .on_store_failure = [](Error const&) { std::abort(); },
       .post = {}});
  driver.start();
  add_hosts(driver, hosts);
  add_types(driver);
  add_image(driver, "fake-image", "", '1');
  auto table = std::make_shared<ec2::KeyTable>();
  TenantId a;
  TenantId b;
  setenv("BERTH_KEY_A", add_tenant(driver, "a", "AKIAAAAAAAAAAAAAAAA2", *table, a).c_str(), 1);
  setenv("BERTH_KEY_B", add_tenant(driver, "b", "AKIAAAAAAAAAAAAAAAA3", *table, b).c_str(), 1);
  setenv("BERTH_FOREIGN_IMAGE", add_image(driver, "private", b.value, '2').c_str(), 1);

  Worker executor(std::chrono::seconds(1), {});
  ec2::Service service({.region = std::string(kRegion),
                        .clock_window = minutes(5),
                        .presigned = true,
                        .execute = [&](std::function<void()> job) { executor(std::move(job)); },
                        .observe = {},
                        .read_console =
                            [&](HostId host, InstanceId id, driver::AgentLink::ConsoleDone done) {
                              hosts.read_console(host, id, std::move(done));
                            }},
                       driver, clock);
  service.publish(table);
  Worker agents(std::chrono::milliseconds(200), [&] { hosts.beat(driver); });
  Front front(service);
  auto server = http::Server::start({.address = "127.0.0.1", .port = 0}, front);
  if (!server) {
    std::fprintf(stderr, "fake_cloud: %s\n", server.error().message.c_str());
    return 2;
  }
  std::string const endpoint = "http://127.0.0.1:" + std::to_string((*server)->bound_port());
  setenv("BERTH_ENDPOINT", endpoint.c_str(), 1);
  int const status = run_command(argv);
  (*server)->stop();
  driver.stop();
  return status;
}

}  // namespace
}  // namespace berth

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: fake_cloud COMMAND...\n");
    return 2;
  }
  return berth::run(argv + 1);
}
