#include "bench/api/cloud.h"

#include <cstdio>
#include <filesystem>
#include <future>

#include "bench/api/hosts.h"
#include "berth/base/digest.h"
#include "berth/base/log.h"
#include "common/pki/authority.h"
#include "daemon/driver/driver_thread.h"
#include "daemon/ec2/service.h"
#include "daemon/executor.h"
#include "daemon/fronts.h"
#include "daemon/http/server.h"
#include "daemon/store/sqlite.h"
#include "daemon/watcher.h"

namespace berth::bench {

namespace {

constexpr std::int64_t kPlenty = 1'000'000'000;
constexpr std::size_t kJobsQueuedMax = 8'192;

core::Policy policy() {
  core::Policy p;
  p.default_quota = {.instances = kPlenty,
                     .vcpus = kPlenty,
                     .memory = Mebibytes(kPlenty * 1024),
                     .disk_gib = kPlenty,
                     .key_pairs = 100,
                     .images = 100};
  return p;
}

}  // namespace

struct Cloud::Parts {
  CloudOptions options;
  SystemClock clock;
  KernelEntropy entropy;
  std::string const region_key = secret_bytes(32);
  std::unique_ptr<store::SqliteStore> store;
  Hosts hosts;
  DaemonMetrics metrics;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Published> published;
  std::unique_ptr<NotingLink> link;
  std::unique_ptr<Heart> heart;
  std::unique_ptr<Watcher> watcher;
  std::unique_ptr<driver::DriverThread> driver;
  std::unique_ptr<ec2::Service> ec2;
  std::unique_ptr<Ec2Front> front;
  std::unique_ptr<http::Server> listener;
  std::vector<CloudKey> keys;
  std::string image;

  Result<void> start_core();
  Result<void> start_front();
  Result<core::Reply> ask(core::AdminAction action);
  Result<void> add_records();
};

Result<void> Cloud::Parts::start_core() {
  store = TRY(store::SqliteStore::open({.file = options.folder + "/berth.db"}));
  core::State state = TRY(driver::Driver::load(*store, policy()));
  executor = std::make_unique<Executor>(2, kJobsQueuedMax);
  published = std::make_unique<Published>(region_key, [this](ec2::KeyTablePtr table) {
    if (ec2) ec2->publish(std::move(table));
  });
  link = std::make_unique<NotingLink>(hosts, *published);
  heart = std::make_unique<Heart>(clock, [this] { return driver->committing_since(); });
  watcher = std::make_unique<Watcher>(metrics, *published, clock, *heart);
  published->begin(state);
  driver = std::make_unique<driver::DriverThread>(
      std::move(state), driver::Driver::Parts{.store = *store,
                                              .link = *link,
                                              .clock = clock,
                                              .entropy = entropy,
                                              .observer = *watcher,
                                              .on_store_failure =
                                                  [](Error const& error) {
                                                    std::fprintf(stderr, "store: %s\n",
                                                                 error.message.c_str());
                                                    std::_Exit(70);
                                                  },
                                              .post = {}});
  ec2 = std::make_unique<ec2::Service>(
      ec2::ServiceOptions{
          .region = policy().region,
          .clock_window = minutes(5),
          .presigned = false,
          .execute = [this](std::function<void()> job) { executor->run(std::move(job)); },
          .observe =
              [this](ec2::Observation const& o) {
                metrics.api_request(o.action, o.code, o.latency);
              },
          .read_console = {}},
      *driver, clock);
  driver->start();
  return {};
}

Result<core::Reply> Cloud::Parts::ask(core::AdminAction action) {
  std::promise<Result<core::Reply>> answer;
  driver->submit(core::AdminCall{.actor = "bench",
                                 .role = core::Role::admin,
                                 .source = "here",
                                 .request_id = "set-up",
                                 .action_name = "set-up",
                                 .action = std::move(action)},
                 [&](Result<core::Reply> reply) { answer.set_value(std::move(reply)); });
  return answer.get_future().get();
}

Result<void> Cloud::Parts::add_records() {
  TRY(ask(core::PutZoneCall{.name = "us-east-1a", .jurisdiction = "DE", .operator_name = "bench"}));
  InstanceType type;
  type.name = TypeName("t3.nano");
  type.vcpus = 2;
  type.memory = Mebibytes(512);
  type.is_burstable = true;
  TRY(ask(core::PutTypes{{type}}));
  std::vector<HostId> ids;
  for (int n = 0; n < options.hosts; ++n) {
    core::Reply const reply = TRY(ask(core::EnrollHost{.name = "host" + std::to_string(n),
                                                       .zone = "us-east-1a",
                                                       .rack = "",
                                                       .tags = {},
                                                       .token_digest = std::string(64, 'a')}));
    ids.push_back(std::get<core::Enrolled>(reply).host.id);
  }
  hosts.start(*driver, std::move(ids));
  core::Reply const images = TRY(ask(core::RegisterImage{.name = "bench",
                                                         .description = "nothing to boot",
                                                         .owner = "",
                                                         .is_public = true,
                                                         .format = ImageFormat::qcow2,
                                                         .digest = std::string(64, '1'),
                                                         .file_size = Bytes(1 << 20),
                                                         .virtual_size = Bytes(1 << 30)}));
  image = std::get<core::Images>(images).items.at(0).id.value;
  for (std::size_t n = 0; n < kTenants; ++n) {
    core::Reply const tenant =
        TRY(ask(core::CreateTenant{.name = "t" + std::to_string(n), .id = {}}));
    std::string const id = std::get<core::TenantList>(tenant).items.at(0).tenant.id.value;
    CloudKey const key{.id = "AKIAAAAAAAAAAAAAAAA" + std::to_string(n + 2),
                       .secret = "secret-of-tenant-" + std::to_string(n)};
    TRY(ask(core::CreateAccessKey{
        .tenant = id, .id = key.id, .secret_sealed = sealed(region_key, key.secret, key.id)}));
    keys.push_back(key);
  }
  return {};
}

Result<void> Cloud::Parts::start_front() {
  std::string const pki_folder = options.folder + "/pki";
  std::filesystem::create_directory(pki_folder);
  pki::Authority const authority = TRY(pki::Authority::open(pki_folder, clock.now().wall));
  TRY(authority.daemon_certificate({}, clock.now().wall));
  front = std::make_unique<Ec2Front>(*ec2);
  listener = TRY(http::Server::start(
      {.address = "127.0.0.1",
       .port = 0,
       .tls = http::TlsOptions{.certificate_chain_file = pki_folder + "/daemon.crt",
                               .key_file = pki_folder + "/daemon.key"},
       .thread_count = options.http_threads},
      *front));
  return {};
}

Cloud::Cloud(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Cloud::~Cloud() = default;

Result<std::unique_ptr<Cloud>> Cloud::start(CloudOptions options) {
  log_start({.level = LogLevel::info, .file = options.folder + "/berthd.log"});
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  TRY(parts->start_core());
  TRY(parts->add_records());
  TRY(parts->start_front());
  return std::unique_ptr<Cloud>(new Cloud(std::move(parts)));
}

Result<std::size_t> Cloud::stop() {
  parts_->listener->stop();
  parts_->hosts.stop();
  parts_->driver->stop();
  parts_->executor->stop();
  parts_->store.reset();
  parts_->store = TRY(store::SqliteStore::open({.file = parts_->options.folder + "/berth.db"}));
  core::State const state = TRY(driver::Driver::load(*parts_->store, policy()));
  return state.instances.size();
}

std::uint16_t Cloud::port() const {
  return parts_->listener->bound_port();
}

std::string Cloud::image() const {
  return parts_->image;
}

std::vector<CloudKey> Cloud::keys() const {
  return parts_->keys;
}

CloudCounters Cloud::counters() const {
  store::CommitStats const& s = parts_->store->stats();
  return {.transactions = s.transactions, .commits = s.commits, .changes = s.changes};
}

}  // namespace berth::bench
