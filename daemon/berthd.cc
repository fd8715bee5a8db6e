#include "daemon/berthd.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>

#include "agent/disks/image_inspector.h"
#include "berth/base/digest.h"
#include "berth/base/log.h"
#include "berth/base/process_metrics.h"
#include "common/pki/authority.h"
#include "common/pki/join_token.h"
#include "common/pki/secret_file.h"
#include "daemon/admin/catalogue.h"
#include "daemon/agents.h"
#include "daemon/backups.h"
#include "daemon/driver/driver_thread.h"
#include "daemon/executor.h"
#include "daemon/fronts.h"
#include "daemon/heart.h"
#include "daemon/http/admission.h"
#include "daemon/http/metrics_front.h"
#include "daemon/metrics/metrics.h"
#include "daemon/sources.h"
#include "daemon/store/sqlite.h"
#include "daemon/watcher.h"

namespace berth {

namespace {

// Beside the EC2 API's connections, each of which has one job at most: so none of its jobs is ever
// dropped after its commit.
constexpr std::size_t kJobsForOthers = 4'096;
// Long answers wait to be written; one thread, which yields to the rest.
constexpr std::size_t kLongAnswersQueuedMax = 256;
constexpr int kLongAnswersNiceness = 10;
// Store, logs, threads' loops, operators, image fetches.
constexpr std::uint64_t kFilesForOthers = 1'024;
constexpr std::uint32_t kAdminConnectionsMax = 128;  // each of the admin API's two listeners
constexpr std::uint32_t kMetricsConnectionsMax = 32;

Result<void> make_directory(std::string const& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || chmod(path.c_str(), 0700) != 0) {
    return Error{Code::unavailable, "data_dir", path + " cannot be made: " + error.message()};
  }
  return {};
}

// The key that seals tenants' secrets: read, or made at the first start. A store without its key is
// useless, so a new one is never made beside an existing store.
Result<std::string> region_key(std::string const& file, bool has_store) {
  Result<std::string> found = pki::read_small_file(file);
  if (!found && found.error().code != Code::not_found) return found.error();
  if (found) {
    if (found->size() == kRegionKeyBytes) return found;
    return Error{Code::corrupt, "region_key",
                 file + ": wanted 32 bytes, found " + std::to_string(found->size())};
  }
  if (has_store) {
    return Error{Code::not_found, "region_key",
                 file + " is missing, but there is a store whose secrets it seals; restore it"};
  }
  std::string key = secret_bytes(kRegionKeyBytes);
  TRY(pki::write_file_atomically(file, key, 0400));
  return key;
}

}  // namespace

struct Berthd::Parts {
  explicit Parts(Settings s) : settings(std::move(s)) {}

  Settings settings;
  SystemClock clock;
  KernelEntropy entropy;  // the driver's thread only
  std::string key;        // the region's
  std::optional<pki::Authority> authority;
  std::unique_ptr<store::SqliteStore> store;
  DaemonMetrics metrics;
  ThrottledCount throttled;
  std::size_t hosts_at_start = 0;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Executor> long_executor;
  std::unique_ptr<Published> published;
  std::unique_ptr<Agents> agents;
  std::unique_ptr<link::LinkServer> link;
  std::unique_ptr<NotingLink> noting_link;
  std::unique_ptr<Heart> heart;
  std::unique_ptr<Watcher> watcher;
  std::unique_ptr<driver::DriverThread> driver;
  std::unique_ptr<ec2::Service> ec2;
  std::unique_ptr<admin::Service> admin;
  std::unique_ptr<Ec2Front> ec2_front;
  std::unique_ptr<AdminFront> admin_front;
  std::unique_ptr<http::MetricsFront> metrics_front;
  std::unique_ptr<Backups> backups;
  std::unique_ptr<http::Server> ec2_listener;
  std::unique_ptr<http::Server> socket_listener;
  std::unique_ptr<http::Server> admin_listener;
  std::unique_ptr<http::Server> metrics_listener;

  [[nodiscard]] std::string images_dir() const { return settings.data_dir + "/images"; }
  [[nodiscard]] std::string pki_dir() const { return settings.data_dir + "/pki"; }

  Result<void> open_files();
  Result<void> start_core();
  Result<void> first_records();
  Result<void> start_link();
  Result<void> start_fronts();
  // Of the EC2 API: as the flag says, or as many as open files allow.
  [[nodiscard]] std::uint32_t connections_max() const;
  Result<core::Reply> ask(std::string action_name, core::AdminAction action);

  // Filled by start_core, used by what the link was given before the driver existed.
  struct LateGate final : core::Gate {
    void submit(core::Input input, Done done) override {
      driver->submit(std::move(input), std::move(done));
    }
    [[nodiscard]] bool has_room(core::InputClass of) const override { return driver->has_room(of); }
    driver::DriverThread* driver = nullptr;
  };
  LateGate gate;
};

Result<void> Berthd::Parts::open_files() {
  TRY(make_directory(settings.data_dir));
  TRY(make_directory(images_dir()));
  TRY(make_directory(pki_dir()));
  std::string const file = settings.data_dir + "/berth.db";
  key = TRY(region_key(settings.region_key_file, std::filesystem::exists(file)));
  authority.emplace(TRY(pki::Authority::open(pki_dir(), clock.now().wall)));
  store = TRY(store::SqliteStore::open({.file = file}));
  return {};
}

Result<void> Berthd::Parts::start_core() {
  core::State state = TRY(driver::Driver::load(*store, settings.policy));
  executor = std::make_unique<Executor>(2, settings.api_connections_max + kJobsForOthers);
  long_executor = std::make_unique<Executor>(1, kLongAnswersQueuedMax, kLongAnswersNiceness);
  published = std::make_unique<Published>(key, [this](ec2::KeyTablePtr keys) {
    if (ec2) ec2->publish(std::move(keys));
  });
  agents = std::make_unique<Agents>(gate, *published);
  pki::KeyAndCertificate certificate =
      TRY(authority->daemon_certificate(settings.names, clock.now().wall));
  link = std::make_unique<link::LinkServer>(
      link::LinkOptions{.listen = text(settings.link),
                        .certificate = std::move(certificate),
                        .authority = &*authority,
                        .clock = &clock,
                        .image_path = [this](HostId const& id, std::string const& digest)
                            -> std::optional<std::string> {
                          if (!published->may_fetch(id, digest)) return std::nullopt;
                          return images_dir() + "/" + digest;
                        }},
      *agents);
  // A host whose session the core could not be told of: it comes again.
  agents->on_unheard([this](HostId const& host) { link->drop(host); });
  noting_link = std::make_unique<NotingLink>(*link, *published);
  // A full disk is waited for, however long: no restart makes room.
  heart = std::make_unique<Heart>(clock, [this]() -> std::optional<Instant> {
    if (store->is_full()) return std::nullopt;
    return driver->committing_since();
  });
  watcher = std::make_unique<Watcher>(metrics, *published, clock, *heart);
  ec2 = std::make_unique<ec2::Service>(
      ec2::ServiceOptions{
          .region = settings.policy.region,
          .clock_window = settings.clock_window,
          .presigned = settings.presigned,
          .rate_percent = settings.api_rate_percent,
          .execute = [this](std::function<void()> job) { executor->run(std::move(job)); },
          .execute_long =
              [this](std::function<void()> job) { return long_executor->run(std::move(job)); },
          .observe =
              [this](ec2::Observation const& o) {
                metrics.api_request(o.action, o.code, o.latency);
                throttled.add(o.throttled);
              },
          .read_console =
              [this](HostId id, InstanceId instance, ec2::ServiceOptions::ConsoleDone done) {
                link->read_console(id, instance, std::move(done));
              }},
      gate, clock);
  published->begin(state);
  hosts_at_start = state.hosts.size();
  driver = std::make_unique<driver::DriverThread>(
      std::move(state),
      driver::Driver::Parts{.store = *store,
                            .link = *noting_link,
                            .clock = clock,
                            .entropy = entropy,
                            .observer = *watcher,
                            .on_store_failure = [](Error const& error) {
                              // Nothing may be promised any more. Recovery is start-up.
                              log_error(
                                  "the store failed; the daemon ends so that it can start again",
                                  {{"error", error.message}});
                              std::_Exit(70);
                            }});
  gate.driver = driver.get();
  driver->start();
  return {};
}

Result<core::Reply> Berthd::Parts::ask(std::string action_name, core::AdminAction action) {
  std::promise<Result<core::Reply>> answer;
  driver->submit(core::AdminCall{.actor = "berthd",
                                 .role = core::Role::admin,
                                 .source = "start",
                                 .action_name = std::move(action_name),
                                 .action = std::move(action)},
                 [&](Result<core::Reply> reply) { answer.set_value(std::move(reply)); });
  return answer.get_future().get();
}

// What a new region needs before anybody can use it: zones and instance types.
Result<void> Berthd::Parts::first_records() {
  core::Reply const zones = TRY(ask("zone.list", core::ListZones{}));
  if (std::get<core::ZoneList>(zones).items.empty()) {
    for (std::string const& name : settings.zones) {
      TRY(ask("zone.create", core::PutZoneCall{.name = name}));
    }
  }
  core::Reply const types = TRY(ask("type.list", core::ListTypes{}));
  if (std::get<core::Types>(types).items.empty()) {
    TRY(ask("type.put", core::PutTypes{admin::built_in_instance_types()}));
  }
  return {};
}

Result<void> Berthd::Parts::start_link() {
  return link->start();
}

std::uint32_t Berthd::Parts::connections_max() const {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return settings.api_connections_max;
  // Each agent has one, and for a moment a second one when it comes again.
  std::uint64_t const others = kFilesForOthers + 2 * hosts_at_start;
  std::uint32_t const fit =
      http::connections_that_fit(settings.api_connections_max, files.rlim_cur, others);
  if (fit < settings.api_connections_max) {
    log_warning(
        "fewer connections to the EC2 API than --api_connections_max: open files are short; "
        "raise LimitNOFILE= of the service or lower the flag",
        {{"wanted", std::uint64_t{settings.api_connections_max}},
         {"taken", std::uint64_t{fit}},
         {"open_files_allowed", std::uint64_t{files.rlim_cur}},
         {"kept_for_others", others}});
  }
  return fit;
}

Result<void> Berthd::Parts::start_fronts() {
  backups = std::make_unique<Backups>(settings.data_dir + "/backups", settings.policy.region,
                                      *store, clock);
  admin = std::make_unique<admin::Service>(
      gate,
      admin::Options{.region_key = key,
                     .image_directory = images_dir(),
                     .agent_address = settings.link_advertised,
                     .version = BERTH_VERSION,
                     .join_token =
                         [this](HostId const& host) {
                           std::string text =
                               pki::text(pki::make_join_token(host, authority->fingerprint()));
                           std::string digest = pki::token_digest(text);
                           return admin::JoinToken{std::move(text), std::move(digest)};
                         },
                     .inspect = [](std::filesystem::path const& path,
                                   ImageFormat format) -> Result<admin::ImageFacts> {
                       agent::ImageFacts const facts =
                           TRY(agent::inspect_file(path.string(), {.declared = format}));
                       return admin::ImageFacts{facts.virtual_size};
                     },
                     .audit = [this](std::uint64_t first,
                                     std::size_t count) { return store->audit(first, count); },
                     .make_backup =
                         [this](std::function<void(Result<admin::BackupFile>)> done) {
                           backups->make(std::move(done));
                         },
                     .backups = [this] { return backups->all(); },
                     .run = [this](std::function<void()> job) { executor->run(std::move(job)); }});
  ec2_front = std::make_unique<Ec2Front>(*ec2);
  admin_front = std::make_unique<AdminFront>(*admin);
  metrics_front =
      std::make_unique<http::MetricsFront>([this] { return metrics.page(clock.now().monotonic); });

  http::TlsOptions const tls{.certificate_chain_file = pki_dir() + "/daemon.crt",
                             .key_file = pki_dir() + "/daemon.key"};
  http::ListenOptions ec2_options{
      .address = settings.ec2.host,
      .port = settings.ec2.port,
      .thread_count = settings.http_threads,
      .connections_max = connections_max(),
      .connections_per_address_max = settings.api_connections_per_address_max,
      .bodies_bytes_max = settings.api_bodies_bytes_max};
  if (!settings.ec2_is_plain) ec2_options.tls = tls;
  ec2_listener = TRY(http::Server::start(ec2_options, *ec2_front));

  std::filesystem::path const socket(settings.admin_socket);
  std::error_code ignored;  // an unusable folder shows when the socket is made
  std::filesystem::create_directories(socket.parent_path(), ignored);
  socket_listener = TRY(http::Server::start(
      {.unix_path = settings.admin_socket, .connections_max = kAdminConnectionsMax}, *admin_front));
  if (settings.admin) {
    http::TlsOptions mutual = tls;
    mutual.client_ca_file = pki_dir() + "/ca.crt";
    admin_listener = TRY(http::Server::start({.address = settings.admin->host,
                                              .port = settings.admin->port,
                                              .tls = mutual,
                                              .connections_max = kAdminConnectionsMax},
                                             *admin_front));
  }
  if (settings.metrics) {
    metrics_listener = TRY(http::Server::start({.address = settings.metrics->host,
                                                .port = settings.metrics->port,
                                                .connections_max = kMetricsConnectionsMax},
                                               *metrics_front));
  }
  metrics.add_source([this](MetricsPage& page) {
    count_http(page, "ec2", ec2_listener->counters());
    count_http(page, "admin_socket", socket_listener->counters());
    if (admin_listener) count_http(page, "admin", admin_listener->counters());
    count_link(page, link->counters());
    set_store(page, *store, settings.data_dir);
    set_backups(page, *backups);
    set_queue(page, *driver);
    throttled.show(page);
    set_certificates(page, pki_dir());
    set_process(page);
    page.set("berth_build_info", {{"version", BERTH_VERSION}}, std::int64_t{1});
  });
  return {};
}

Berthd::Berthd(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Berthd::~Berthd() {
  stop();
}

Result<std::unique_ptr<Berthd>> Berthd::start(Settings settings) {
  auto parts = std::make_unique<Parts>(std::move(settings));
  // From here on stopping in order is Berthd's affair, also when a later step fails.
  std::unique_ptr<Berthd> daemon(new Berthd(std::move(parts)));
  Parts& p = *daemon->parts_;
  TRY(p.open_files());
  TRY(p.start_core());
  TRY(p.first_records());
  TRY(p.start_link());
  TRY(p.start_fronts());
  log_info("serving",
           {{"region", p.settings.policy.region},
            {"ec2", p.settings.ec2.host + ":" + std::to_string(p.ec2_listener->bound_port())},
            {"link", std::to_string(p.link->port())},
            {"admin", p.settings.admin_socket}});
  return daemon;
}

void Berthd::stop() {
  if (!parts_) return;
  Parts& p = *parts_;
  if (p.backups) p.backups->stop();
  for (auto* listener :
       {&p.metrics_listener, &p.ec2_listener, &p.admin_listener, &p.socket_listener}) {
    if (*listener) (*listener)->stop();
  }
  if (p.link) p.link->stop();
  if (p.driver) p.driver->stop();
  if (p.long_executor) p.long_executor->stop();
  if (p.executor) p.executor->stop();
  parts_.reset();
}

void Berthd::reload() {
  for (auto* listener : {&parts_->ec2_listener, &parts_->admin_listener}) {
    if (!*listener) continue;
    if (Result<void> const done = (*listener)->reload_certificates(); !done) {
      log_warning("certificates stay as they were", {{"error", done.error().message}});
    }
  }
}

Result<std::string> issue_admin(Settings const& settings) {
  std::size_t const slash = settings.issue_admin.find('/');
  if (slash == std::string::npos) return bad_flag("issue_admin", "ROLE/NAME", settings.issue_admin);
  pki::AdminRole const role = TRY(pki::parse_admin_role(settings.issue_admin.substr(0, slash)));
  WallTime const now = SystemClock().now().wall;
  pki::Authority const authority = TRY(pki::Authority::open(settings.data_dir + "/pki", now));
  pki::KeyAndCertificate const made =
      TRY(authority.admin_certificate(settings.issue_admin.substr(slash + 1), role, now));
  return made.key + made.certificate;
}

}  // namespace berth
