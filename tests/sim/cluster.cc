#include "tests/sim/cluster.h"

#include <utility>

#include "berth/base/digest.h"
#include "berth/base/overloaded.h"
#include "berth/model/limits.h"

namespace berth::sim {

namespace {

std::string const kJoinDigest(64, 'a');

}  // namespace

HostInventory inventory_of(Options const& options) {
  HostInventory out;
  // Cores of two threads, numbered as Linux does; larger hosts have two cells.
  auto const cpus = static_cast<std::int32_t>(options.cpus_per_host);
  bool const has_threads = cpus % 2 == 0;
  bool const has_two_cells = cpus >= 8 && cpus % 4 == 0;
  std::int32_t const cores = has_threads ? cpus / 2 : cpus;
  std::int32_t const cells = has_two_cells ? 2 : 1;
  for (std::int32_t c = 0; c < cells; ++c) {
    HostCell cell{.id = c, .memory = Mebibytes(options.memory_gib_per_host * 1'024 / cells)};
    for (std::int32_t i = 0; i < cpus; ++i) {
      std::int32_t const core = i % cores;
      if (core * cells / cores != c) continue;
      HostCpu cpu{.id = i, .core = core, .siblings = {core}};
      if (has_threads) cpu.siblings.push_back(core + cores);
      cell.cpus.push_back(std::move(cpu));
    }
    out.cells.push_back(std::move(cell));
  }
  out.cpu_model = "EPYC";
  out.cpu_vendor = "AMD";
  out.disk_total = bytes(Gibibytes(options.disk_gib_per_host));
  out.disk_free = out.disk_total;
  out.agent_version = "0";
  return out;
}

// ---- A host ------------------------------------------------------------------------------------

SimHost::SimHost(Cluster& cluster, std::size_t index, HostId id, std::string uuid)
    : cluster_(cluster),
      index_(index),
      machine_(cluster.world, cluster.checkers, std::move(id), std::move(uuid)),
      clock_(cluster.world, cluster.world.entropy().between(-10'000, 10'000)) {
  machine_.add_foreign("somebody-elses-" + std::to_string(index));
}

void SimHost::start_agent() {
  if (!is_powered_ || life_ != nullptr) return;
  cluster_.world.note("agent starts", machine_.id().value);
  life_ = std::make_shared<Life>();
  life_->hypervisor = std::make_unique<SimHypervisor>(cluster_.world, cluster_.options, machine_,
                                                      inventory_of(cluster_.options));
  life_->driver = std::make_unique<agent::Driver>(
      agent::Driver::Identity{machine_.id(), machine_.uuid(), machine_.boot_id()},
      inventory_of(cluster_.options),
      agent::Driver::Parts{
          .hypervisor = *life_->hypervisor,
          .link = *this,
          .specs = *this,
          .clock = clock_,
          .post = [this, life = std::weak_ptr<Life>(life_)](std::function<void()> work) {
            if (life.lock() == life_ && life_ != nullptr) run(std::move(work));
          }});
  life_->hypervisor->on_change([this] {
    if (life_ != nullptr) run([this] { life_->driver->on_hint(); });
  });
  life_->driver->begin();
  cluster_.network.attach(index_, *this);
  tick(life_);
}

void SimHost::kill_agent(bool is_silent) {
  if (life_ == nullptr) return;
  cluster_.world.note("agent dies", machine_.id().value);
  life_.reset();
  beats_sent_.clear();
  cluster_.network.detach(index_, is_silent);
}

void SimHost::stall_agent(Duration length) {
  if (life_ == nullptr) return;
  cluster_.world.note("agent stalls", machine_.id().value);
  life_->stalled_until = cluster_.world.now() + length;
  cluster_.world.after(length, [this, life = std::weak_ptr<Life>(life_)] { drain(life.lock()); });
}

void SimHost::slow_agent(Duration length) {
  if (life_ == nullptr) return;
  cluster_.world.note("agent is slow", machine_.id().value);
  life_->slow_until = cluster_.world.now() + length;
}

// One thing after another, each with its pause while the process is slow. Nothing here keeps a dead
// process alive: its hypervisor would go on acting.
void SimHost::drain(std::shared_ptr<Life> const& life) {
  World& world = cluster_.world;
  if (life == nullptr || life != life_ || life->held.empty() || world.now() < life->stalled_until)
    return;
  if (std::exchange(life->is_draining, true)) return;
  Duration const pause =
      world.now() < life->slow_until ? world.between(milliseconds(100), seconds(2)) : Duration{};
  world.after(pause, [this, weak = std::weak_ptr<Life>(life)] {
    std::shared_ptr<Life> const alive = weak.lock();
    if (alive == nullptr) return;
    alive->is_draining = false;
    bool const is_stalled = cluster_.world.now() < alive->stalled_until;
    if (alive != life_ || alive->held.empty() || is_stalled) return;
    auto const work = std::move(alive->held.front());
    alive->held.pop_front();
    work();
    drain(alive);
  });
}

void SimHost::power_cut() {
  if (!is_powered_) return;
  cluster_.world.note("power cut", machine_.id().value);
  kill_agent(true);
  is_powered_ = false;
  machine_.power_cut();
  cluster_.checkers.on_power_cut(machine_.id());
}

void SimHost::power_on() {
  if (is_powered_) return;
  is_powered_ = true;
  machine_.boot();
  clock_.boot(cluster_.world.between(seconds(5), seconds(60)));
  start_agent();
}

void SimHost::run(std::function<void()> work) {
  Instant const now = cluster_.world.now();
  if (now < life_->stalled_until || now < life_->slow_until || !life_->held.empty()) {
    life_->held.push_back(std::move(work));
    drain(life_);
  } else {
    work();
  }
}

void SimHost::tick(std::shared_ptr<Life> const& life) {
  cluster_.world.after(cluster_.options.tick, [this, weak = std::weak_ptr<Life>(life)] {
    std::shared_ptr<Life> const alive = weak.lock();
    if (alive == nullptr || alive != life_) return;
    // A slow one does not come round to its ticks as often as it would like.
    if (alive->held.empty()) run([this] { life_->driver->on_tick(); });
    tick(alive);
  });
}

void SimHost::on_connected() {
  run([this] { life_->driver->on_connected(); });
}

void SimHost::on_gone() {
  run([this] { life_->driver->on_gone(); });
}

void SimHost::on_message(Downward message) {
  run([this, message = std::move(message)] {
    std::visit(overloaded{
                   [&](HostSpec const& spec) { life_->driver->on_spec(spec); },
                   [&](Beat const& beat) {
                     Instant const before = life_->driver->lease_until();
                     life_->driver->on_lease(beat.number);
                     Instant const after = life_->driver->lease_until();
                     if (after == before) return;
                     Duration const age = clock_.now().monotonic - (after - limits::kLease);
                     cluster_.checkers.on_lease(machine_.id(), beat.granted,
                                                cluster_.world.now() - clock_.true_length(age));
                   },
               },
               message);
  });
}

Result<void> SimHost::save(HostSpec const& spec) {
  if (cluster_.world.chance(cluster_.options.ppm.spec_save_fails)) {
    cluster_.hit_host(Fault::spec_not_saved, machine_.id());
    return Error{Code::unavailable, "host", "no space left on device"};
  }
  cluster_.checkers.on_spec_saved(machine_.id(), spec);
  cluster_.world.note("spec saved", machine_.id().value, {}, spec.generation.value);
  file_ = spec;
  return {};
}

void SimHost::send(HostStatus const& status) {
  cluster_.network.send_up(index_, status);
}

void SimHost::heartbeat(std::uint64_t number) {
  cluster_.network.send_up(index_, Beat{number});
}

// ---- The daemon --------------------------------------------------------------------------------

SimDaemon::SimDaemon(Cluster& cluster)
    : cluster_(cluster), clock_(cluster.world, cluster.world.entropy().between(-10'000, 10'000)) {}

void SimDaemon::start() {
  if (is_up()) return;
  ++life_;
  cluster_.world.note("daemon starts", {}, {}, life_);
  store_ = std::make_unique<SimStore>(cluster_.world, cluster_.options, disk_, full_until_,
                                      [this] { want_pump(); });
  Result<core::State> state = driver::Driver::load(*store_, cluster_.options.policy);
  if (!state) {
    cluster_.world.violated("I2: the daemon cannot start again: " + state.error().message);
    store_.reset();
    return;
  }
  cluster_.checkers.on_loaded(*state, *store_);
  driver_ = std::make_unique<driver::Driver>(
      *std::move(state),
      driver::Driver::Parts{.store = *store_,
                            .link = *this,
                            .clock = clock_,
                            .entropy = cluster_.world.entropy(),
                            .observer = *this,
                            .on_store_failure = [this, life = life_](Error const&) {
                              cluster_.world.after({}, [this, life] {
                                if (life == life_) crash();
                              });
                            }});
  driver_->begin();
  cluster_.network.listen(*this);
  tick(life_);
}

void SimDaemon::crash() {
  if (!is_up()) return;
  cluster_.world.note("daemon dies");
  cluster_.world.met("daemon crash", driver_->is_idle() ? "idle" : "commit under way");
  cluster_.hit_all(Fault::daemon_crash);
  ++life_;
  driver_.reset();
  store_.reset();
  queue_.clear();
  is_pump_due_ = false;
  cluster_.network.stop_listening();
  if (on_crash) on_crash();
  cluster_.world.after(
      cluster_.world.between(cluster_.options.restart.low, cluster_.options.restart.high),
      [this, life = life_] {
        if (life == life_) start();
      });
}

void SimDaemon::submit(core::Input input, core::Gate::Done done) {
  if (!is_up()) return;
  queue_.push_back({std::move(input), std::move(done)});
  want_pump();
}

void SimDaemon::want_pump() {
  if (is_pump_due_ || !is_up()) return;
  is_pump_due_ = true;
  cluster_.world.after({50'000}, [this, life = life_] {
    if (life != life_) return;
    is_pump_due_ = false;
    pump();
  });
}

// What DriverThread::run does with its mailbox.
void SimDaemon::pump() {
  while (!queue_.empty() && !driver_->is_full()) {
    Call next = std::move(queue_.front());
    queue_.pop_front();
    driver_->on_input(std::move(next.input), std::move(next.done));
  }
  driver_->flush();
}

void SimDaemon::tick(std::uint64_t life) {
  cluster_.world.after(seconds(1), [this, life] {
    if (life != life_) return;
    driver_->on_tick();
    driver_->flush();
    tick(life);
  });
}

void SimDaemon::fill_store(Duration length) {
  full_until_ = cluster_.world.now() + length;
}

Result<core::Reply> SimDaemon::call(core::Input input) {
  std::optional<Result<core::Reply>> answer;
  submit(std::move(input), [&](Result<core::Reply> reply) { answer.emplace(std::move(reply)); });
  Instant const patience = cluster_.world.now() + minutes(10);
  while (!answer && cluster_.world.run_next(patience)) {}
  ENSURE(answer.has_value());
  return *std::move(answer);
}

void SimDaemon::on_hello(std::size_t host) {
  Machine const& machine = cluster_.host_at(host).machine();
  // A new session with an identity takes the place of the one before, wherever that came from.
  auto const before = cluster_.index_of(machine.id());
  if (before && *before != host) cluster_.network.drop(*before);
  cluster_.route(machine.id(), host);
  submit(core::AgentHello{machine.id(), machine.uuid(), machine.boot_id()}, nullptr);
}

void SimDaemon::on_message(std::size_t host, Upward message) {
  std::visit(overloaded{
                 [&](HostStatus& status) { submit(core::AgentReport{std::move(status)}, nullptr); },
                 [&](Beat const& beat) {
                   submit(core::AgentHeartbeat{cluster_.host_at(host).machine().id(), beat.number},
                          nullptr);
                 },
             },
             message);
}

void SimDaemon::on_gone(std::size_t host) {
  HostId const& id = cluster_.host_at(host).machine().id();
  if (cluster_.index_of(id) == host) submit(core::AgentGone{id}, nullptr);
}

void SimDaemon::send(HostSpec const& spec) {
  cluster_.checkers.on_spec_sent(spec);
  if (auto const host = cluster_.index_of(spec.host)) cluster_.network.send_down(*host, spec);
}

void SimDaemon::grant_lease(HostId const& id, std::uint64_t heartbeat) {
  if (auto const host = cluster_.index_of(id))
    cluster_.network.send_down(*host, Beat{heartbeat, cluster_.world.now()});
}

void SimDaemon::drop(HostId const& id) {
  if (auto const host = cluster_.index_of(id)) cluster_.network.drop(*host);
}

void SimDaemon::read_console(HostId const&, InstanceId const&, ConsoleDone done) {
  done(std::string());
}

void SimDaemon::decided(core::Input const& input, Result<core::Decision> const& decision,
                        Duration) {
  cluster_.world.note("decided", decision ? "ok" : name(decision.error().code), {}, input.index());
  auto check = [&](HostId const& host, std::string const& uuid) {
    cluster_.checkers.on_identity(host, uuid == cluster_.machine_of(host)->uuid(),
                                  decision.has_value());
  };
  if (auto const* hello = std::get_if<core::AgentHello>(&input))
    check(hello->host, hello->host_uuid);
  if (auto const* report = std::get_if<core::AgentReport>(&input))
    check(report->status.host, report->status.host_uuid);
}

void SimDaemon::committed(std::vector<core::Change> const& changes, std::size_t inputs, Duration) {
  cluster_.world.note("committed", {}, {}, changes.size() * 1'000 + inputs);
  cluster_.checkers.on_wall(wall());
  cluster_.checkers.on_committed(changes);
  if (++commits_since_check_ % 8 == 0) cluster_.checkers.on_state(driver_->state());
}

// ---- The cluster -------------------------------------------------------------------------------

Cluster::Cluster(World& w, Options const& o)
    : world(w),
      options(o),
      checkers(w, {.host_memory =
                       mebibytes(Gibibytes(o.memory_gib_per_host)) - o.policy.host_memory_reserve,
                   .terminated_retention = o.policy.terminated_retention}),
      network(w, options, o.hosts + 1),
      daemon(*this) {
  checkers.on_fault_of_instance = [this](Fault f, InstanceId const& id) { hit_instance(f, id); };
  checkers.on_host_fault = [this](Fault f, HostId const& id) { hit_host(f, id); };
}

Machine const* Cluster::machine_of(HostId const& id) const {
  auto const it = machines_.find(id);
  return it != machines_.end() ? &hosts[it->second]->machine() : nullptr;
}

void Cluster::hit_host(Fault fault, HostId const& host) {
  checkers.for_each_phase([&](HostId const& id) { return id == host ? machine_of(id) : nullptr; },
                          [&](InstanceId const&, HostId const&, Phase p) { world.hit(fault, p); });
}

void Cluster::hit_instance(Fault fault, InstanceId const& instance) {
  checkers.for_each_phase([&](HostId const& id) { return machine_of(id); },
                          [&](InstanceId const& id, HostId const&, Phase p) {
                            if (id == instance) world.hit(fault, p);
                          });
}

void Cluster::hit_all(Fault fault) {
  checkers.for_each_phase([&](HostId const& id) { return machine_of(id); },
                          [&](InstanceId const&, HostId const&, Phase p) { world.hit(fault, p); });
}

void Cluster::begin_impostor(std::size_t host) {
  if (impostor == nullptr) {  // for the rest of the run, always of the same host
    impostor = std::make_unique<SimHost>(*this, hosts.size(), hosts[host]->machine().id(),
                                         world.entropy().hex(32));
  }
  world.note("impostor", impostor->machine().id().value);
  if (world.entropy().below(2) == 0)
    impostor->take_files_of(*hosts[machines_.at(impostor->machine().id())]);
  impostor->start_agent();
}

void Cluster::end_impostor() {
  if (impostor != nullptr) impostor->kill_agent(true);
}

std::optional<std::size_t> Cluster::index_of(HostId const& id) const {
  auto const it = by_id_.find(id);
  if (it == by_id_.end()) return std::nullopt;
  return it->second;
}

Result<core::Reply> Cluster::admin(std::string name, core::AdminAction action) {
  return daemon.call(core::AdminCall{.actor = "root",
                                     .role = core::Role::admin,
                                     .source = "local",
                                     .request_id = "set-up-" + std::to_string(++requests_),
                                     .action_name = std::move(name),
                                     .action = std::move(action)});
}

void Cluster::set_up() {
  daemon.start();
  set_up_catalogue();
  set_up_tenants();
  set_up_hosts();
}

void Cluster::set_up_catalogue() {
  for (std::size_t i = 0; i < options.zones; ++i) {
    zones.push_back(options.policy.region + static_cast<char>('a' + i));
    ENSURE(admin("zone.put", core::PutZoneCall{.name = zones.back()}).has_value());
  }
  struct Shape {
    char const* name;
    std::int64_t vcpus;
    std::int64_t memory_mib;
    bool is_cpu_dedicated = false;
  };
  for (Shape const& shape : {Shape{"t3.nano", 2, 512},
                             {"t3.small", 2, 2'048},
                             {"m5.large", 2, 8'192},
                             {"m5.xlarge", 4, 16'384},
                             {"c5.large", 2, 4'096, true},
                             {"c5.2xlarge", 8, 16'384}}) {
    types.emplace_back(shape.name);
    InstanceType type{.name = TypeName(shape.name),
                      .vcpus = shape.vcpus,
                      .memory = Mebibytes(shape.memory_mib),
                      .is_cpu_dedicated = shape.is_cpu_dedicated};
    ENSURE(admin("type.put", core::PutType{std::move(type)}).has_value());
  }
}

void Cluster::set_up_tenants() {
  auto image = [&](std::string name, std::string owner, std::string digest) {
    Result<core::Reply> const reply = admin(
        "image.register",
        core::RegisterImage{.name = std::move(name),
                            .owner = owner,
                            .is_public = owner.empty(),
                            .digest = std::move(digest),
                            .file_size = Bytes(1 << 20),
                            .virtual_size = bytes(Gibibytes(1 + world.entropy().between(0, 7)))});
    ENSURE(reply.has_value());
    return std::get<core::Images>(*reply).items.front().id.value;
  };
  public_images.push_back(image("debian-12", "", world.entropy().hex(64)));
  public_images.push_back(image("alpine", "", world.entropy().hex(64)));
  // In the catalogue, but its file is nowhere: launches of it fail, with a reason.
  public_images.push_back(image("broken", "", std::string(64, '0')));
  for (std::size_t i = 0; i < options.tenants; ++i) {
    Result<core::Reply> const made =
        admin("tenant.create", core::CreateTenant{.name = "tenant-" + std::to_string(i)});
    ENSURE(made.has_value());
    Tenant tenant{.id = std::get<core::TenantList>(*made).items.front().tenant.id,
                  .key = AccessKeyId("AKIA" + std::string(15, 'A') + static_cast<char>('A' + i))};
    ENSURE(admin("key.create",
                 core::CreateAccessKey{
                     .tenant = tenant.id.value, .id = tenant.key.value, .secret_sealed = "sealed"})
               .has_value());
    tenant.private_image = image("own", tenant.id.value, world.entropy().hex(64));
    tenants.push_back(std::move(tenant));
  }
}

void Cluster::set_up_hosts() {
  for (std::size_t i = 0; i < options.hosts; ++i) {
    std::size_t const number = i / zones.size() % options.racks;
    bool const is_nameless = number == 0 && options.has_nameless_rack;
    Result<core::Reply> const enrolled = admin(
        "host.enrol", core::EnrollHost{.name = "host-" + std::to_string(i),
                                       .zone = zones[i % zones.size()],
                                       .rack = is_nameless ? "" : "r" + std::to_string(number),
                                       .token_digest = kJoinDigest});
    ENSURE(enrolled.has_value());
    HostId const id = std::get<core::Enrolled>(*enrolled).host.id;
    std::string const uuid = world.entropy().hex(32);
    ENSURE(daemon.call(core::AgentJoin{id, kJoinDigest, uuid, "10.0.0.1"}).has_value());
    by_id_[id] = i;
    machines_[id] = i;
    hosts.push_back(std::make_unique<SimHost>(*this, i, id, uuid));
  }
  for (auto const& host : hosts) host->start_agent();
}

}  // namespace berth::sim
