#include "tests/sim/hypervisor.h"

#include <algorithm>
#include <utility>

#include "berth/base/overloaded.h"

namespace berth::sim {

namespace {

using agent::DomainSeen;
using agent::DomainState;
using Process = SimDomain::Process;

Error conflict(InstanceId const& id, std::string_view why) {
  return Error{Code::conflict, "instance", "instance " + id.value + ": " + std::string(why)};
}

bool is_ending(SimDomain const& d) {
  return d.process == Process::running && d.stopped_by_us && !d.is_starting;
}

DomainSeen seen(InstanceId const& id, SimDomain const& d, std::string const& boot_id) {
  DomainSeen out{.id = id,
                 .generation = d.generation,
                 .uuid = d.uuid,
                 .reboots = d.reboots,
                 .starts = d.starts,
                 .stopped_by_us = d.stopped_by_us,
                 .private_ip = d.process == Process::running ? d.private_ip : std::string(),
                 .pins = d.pins};
  switch (d.process) {
    case Process::running:
      out.state = is_ending(d) ? DomainState::shutting_down : DomainState::running;
      break;
    case Process::paused: out.state = d.is_starting ? DomainState::off : DomainState::paused; break;
    case Process::none: out.state = d.is_crashed ? DomainState::crashed : DomainState::off; break;
  }
  bool const has_not_ended_by_itself = d.is_starting || d.boot_id != boot_id;
  bool const is_down = out.state == DomainState::off || out.state == DomainState::crashed;
  if (is_down && has_not_ended_by_itself) out.stopped_by_us = true;
  if (out.state == DomainState::crashed && out.stopped_by_us) out.state = DomainState::off;
  return out;
}

}  // namespace

Machine::Machine(World& world, GuestWatch& watch, HostId id, std::string uuid)
    : world_(world), watch_(watch), id_(std::move(id)), uuid_(std::move(uuid)) {
  boot();
}

void Machine::boot() {
  boot_id_ = world_.entropy().hex(32);
}

void Machine::power_cut() {
  for (auto& [id, domain] : domains) {
    if (domain.process == Process::none) continue;
    end_process(id, domain, GuestWatch::End::by_fault);
    domain.is_crashed = false;  // libvirt knows nothing of it after a boot: off, reason unknown
  }
  hint = nullptr;
}

bool Machine::kill_guest(InstanceId const& id) {
  auto const it = domains.find(id);
  if (it == domains.end() || it->second.process == Process::none) return false;
  world_.note("guest killed", id_.value, id.value);
  end_process(id, it->second, GuestWatch::End::by_fault);
  it->second.is_crashed = true;
  if (hint) hint();
  return true;
}

bool Machine::end_guest(InstanceId const& id) {
  auto const it = domains.find(id);
  if (it == domains.end() || it->second.process != Process::running) return false;
  world_.note("guest powers off", id_.value, id.value);
  // While the metadata still says that it is being started, its end looks like a start that failed.
  if (it->second.is_starting)
    it->second.is_ended_while_starting = true;
  else
    watch_.on_shut_down_inside(id, it->second.starts);
  end_process(id, it->second, GuestWatch::End::by_itself);
  if (hint) hint();
  return true;
}

void Machine::wipe() {
  world_.note("disks wiped", id_.value);
  disks.clear();
  images.clear();
  for (InstanceId const& id : leftovers) domains.erase(id);
  leftovers.clear();
}

bool Machine::can_lose_domain(InstanceId const& id) const {
  auto const it = domains.find(id);
  return it != domains.end() && it->second.process == Process::none && disks.contains(id) &&
         !leftovers.contains(id);
}

void Machine::lose_domain(InstanceId const& id) {
  world_.note("domain lost", id_.value, id.value);
  domains.erase(id);
}

bool Machine::is_running(InstanceId const& id) const {
  auto const it = domains.find(id);
  return it != domains.end() && it->second.process == Process::running;
}

void Machine::add_leftover(InstanceId const& id) {
  world_.note("leftover", id_.value, id.value);
  leftovers.insert(id);
  domains[id] = {.generation = PlacementGeneration(1),
                 .uuid = "ec2-of-nobody",
                 .starts = 1,
                 .stopped_by_us = true,
                 .boot_id = boot_id_};
  disks[id] = {PlacementGeneration(1), std::string(64, 'f')};
}

std::optional<InstanceId> Machine::any_running(Entropy& entropy) const {
  std::vector<InstanceId> running;
  std::vector<InstanceId> fresh;
  for (auto const& [id, domain] : domains) {
    if (domain.process != Process::running) continue;
    running.push_back(id);
    if (domain.private_ip.empty()) fresh.push_back(id);
  }
  if (running.empty()) return std::nullopt;
  if (!fresh.empty() && entropy.below(2) == 0) return fresh[entropy.below(fresh.size())];
  return running[entropy.below(running.size())];
}

void Machine::begin_process(InstanceId const& id, SimDomain& domain) {
  domain.process = Process::paused;
  domain.is_crashed = false;
  domain.private_ip.clear();
  ++domain.run;
  world_.note("process began", id_.value, id.value, domain.starts);
  watch_.on_process_began(id_, id);
}

void Machine::end_process(InstanceId const& id, SimDomain& domain, GuestWatch::End why) {
  domain.process = Process::none;
  domain.pins = {};
  world_.note("process ended", id_.value, id.value, static_cast<std::uint64_t>(why));
  watch_.on_process_ended(id_, id, why);
}

agent::Observed Machine::observed() const {
  agent::Observed out;
  for (auto const& [id, domain] : domains) out.domains.push_back(seen(id, domain, boot_id_));
  for (auto const& [id, disk] : disks) out.disks.push_back({id, disk.generation});
  out.images.assign(images.begin(), images.end());
  out.foreign.assign(foreign.begin(), foreign.end());
  return out;
}

SimHypervisor::SimHypervisor(World& world, Options const& options, Machine& machine,
                             HostInventory inventory)
    : world_(world), options_(options), machine_(machine), inventory_(std::move(inventory)) {}

SimHypervisor::~SimHypervisor() {
  *is_alive_ = false;
  machine_.hint = nullptr;
}

void SimHypervisor::later(Duration delay, std::function<void()> step) {
  world_.after(delay, [is_alive = is_alive_, step = std::move(step)] {
    if (*is_alive) step();
  });
}

void SimHypervisor::answer(ActionDone done, Result<void> result) {
  later({1'000}, [done = std::move(done), result = std::move(result)] { done(result); });
}

void SimHypervisor::observe(ObserveDone done) {
  Duration took = world_.between({200'000}, milliseconds(20));
  Duration until_told = world_.between({50'000}, milliseconds(20));
  if (world_.chance(options_.ppm.observe_hangs)) {
    bool const is_seen_first = world_.entropy().below(2) == 0;
    (is_seen_first ? until_told : took) = world_.entropy().below(8) == 0
                                              ? world_.between(seconds(5), minutes(10))
                                              : world_.between(milliseconds(100), seconds(5));
    machine_.watch_.on_fault_of_host(Fault::observe_hangs, machine_.id());
  }
  if (world_.chance(options_.ppm.observe_fails)) {
    machine_.watch_.on_fault_of_host(Fault::observe_fails, machine_.id());
    later(took, [done = std::move(done)] {
      done(Error{Code::unavailable, "host", "the hypervisor does not answer"});
    });
    return;
  }
  // Seen at one moment, told later: by then it may be otherwise.
  later(took, [this, until_told, done = std::move(done)] {
    auto const found = std::make_shared<agent::Observed>(machine_.observed());
    later(until_told, [found, done] { done(std::move(*found)); });
  });
}

void SimHypervisor::perform(agent::Action const& action, ActionDone done) {
  Duration took = world_.between(options_.action.low, options_.action.high);
  if (world_.chance(options_.ppm.action_hangs)) {
    took = world_.between(seconds(30), minutes(10));
    machine_.watch_.on_fault(Fault::action_hangs, agent::subject(action));
  }
  bool const fails = world_.chance(options_.ppm.action_fails);
  later(took, [this, action, fails, done = std::move(done)] {
    world_.note("action", machine_.id().value, agent::subject(action), action.index());
    if (fails) {
      machine_.watch_.on_fault(Fault::action_fails, agent::subject(action));
      answer(done, Error{Code::unavailable, "host", "the hypervisor answered with an error"});
      return;
    }
    machine_.watch_.on_action(machine_.id(), action);
    std::visit(overloaded{
                   [&](agent::FetchImage const& a) { fetch(a, done); },
                   [&](agent::StartInstance const& a) { start(a, done); },
                   [&](agent::ShutDownInstance const& a) { answer(done, shut_down(a)); },
                   [&](agent::PowerOffInstance const& a) { answer(done, power_off(a)); },
                   [&](agent::RebootInstance const& a) { answer(done, reboot(a)); },
                   [&](agent::RemoveInstance const& a) { answer(done, remove(a)); },
                   [&](agent::EvictImage const& a) { answer(done, evict(a)); },
                   [&](agent::PinInstance const& a) { answer(done, pin(a)); },
               },
               action);
  });
}

void SimHypervisor::read_console(InstanceId const&, std::size_t, ConsoleDone done) {
  later({1'000}, [done = std::move(done)] { done(std::string()); });
}

Result<SimDomain*> SimHypervisor::own(InstanceId const& id,
                                      std::optional<PlacementGeneration> generation) {
  if (machine_.foreign.contains(id.value)) return conflict(id, "a domain of this name is not ours");
  auto const it = machine_.domains.find(id);
  SimDomain* const none = nullptr;
  if (it == machine_.domains.end()) return none;
  if (generation && it->second.generation != *generation) {
    return conflict(id, "the domain is of another placement generation");
  }
  return &it->second;
}

void SimHypervisor::fetch(agent::FetchImage const& a, ActionDone done) {
  if (machine_.images.contains(a.digest)) {
    answer(done, {});
    return;
  }
  bool const is_missing = a.digest == std::string(64, '0');
  if (is_missing || world_.chance(options_.ppm.fetch_fails)) {
    answer(done, Error{Code::unavailable, "image", "the image cannot be fetched"});
    return;
  }
  later(world_.between(options_.fetch.low, options_.fetch.high), [this, a, done] {
    machine_.images.insert(a.digest);
    answer(done, {});
  });
}

void SimHypervisor::start(agent::StartInstance const& a, ActionDone done) {
  InstanceSpec const& spec = a.spec;
  Result<SimDomain*> const found = own(spec.id, spec.generation);
  if (!found) {
    answer(done, found.error());
    return;
  }
  SimDomain* const domain = *found;
  if (domain != nullptr && domain->uuid != spec.uuid) {
    answer(done, conflict(spec.id, "its domain has another UUID"));
    return;
  }
  if (domain != nullptr && is_ending(*domain)) {
    answer(done, conflict(spec.id, "it is still shutting down"));
    return;
  }
  if (domain != nullptr && domain->process != Process::none) {
    if (domain->is_starting) {
      static_cast<void>(apply(*domain, a.pins));
      let_run(spec.id, done);
    } else {
      // What runs has what this start wanted; a reboot it may owe stays owed.
      domain->starts = std::max(domain->starts, spec.starts);
      answer(done, {});
    }
    return;
  }
  if (!machine_.images.contains(spec.image_digest)) {
    answer(done, Error{Code::not_found, "image", "the image is not in the cache"});
    return;
  }
  bool const is_new_disk =
      machine_.disks.try_emplace(spec.id, SimDisk{spec.generation, spec.image_digest}).second;
  if (is_new_disk) machine_.watch_.on_disk_made(machine_.id(), spec.id);
  later(world_.between(options_.action.low, options_.action.high),
        [this, a, done] { define_and_create(a, done); });
}

void SimHypervisor::define_and_create(agent::StartInstance const& a, ActionDone done) {
  InstanceSpec const& spec = a.spec;
  SimDomain& domain = machine_.domains[spec.id];
  if (domain.process != Process::none) {
    answer(done, {});
    return;
  }
  domain.generation = spec.generation;
  domain.uuid = spec.uuid;
  domain.reboots = spec.reboots;
  domain.starts = spec.starts;
  domain.stopped_by_us = true;
  domain.is_starting = true;
  domain.is_ended_while_starting = false;
  domain.boot_id = machine_.boot_id();
  if (world_.chance(options_.ppm.start_fails)) {
    machine_.watch_.on_fault(Fault::start_fails, spec.id.value);
    answer(done, Error{Code::unavailable, "host", "the guest could not be started"});
    return;
  }
  std::uint64_t const run = domain.run + 1;
  machine_.begin_process(spec.id, domain);
  domain.pins.cells = a.pins.cells;
  if (!apply(domain, a.pins)) domain.pins = {};
  // From here on the machine goes on by itself, whatever becomes of the agent.
  if (world_.chance(options_.ppm.start_succeeds_late)) {
    machine_.watch_.on_fault(Fault::start_succeeds_late, spec.id.value);
    answer(done, Error{Code::timeout, "host", "the guest did not start in time"});
    return;
  }
  later(world_.between(options_.action.low, options_.action.high), [this, spec, run, done] {
    auto const it = machine_.domains.find(spec.id);
    if (it == machine_.domains.end() || it->second.run != run ||
        it->second.process != Process::paused) {
      answer(done, conflict(spec.id, "its domain went away while it was started"));
      return;
    }
    let_run(spec.id, done);
  });
}

void SimHypervisor::let_run(InstanceId const& id, ActionDone done) {
  SimDomain& domain = machine_.domains.at(id);
  domain.stopped_by_us = false;
  domain.process = Process::running;
  world_.note("guest runs", machine_.id().value, id.value, domain.run);
  Duration boot = world_.between(options_.boot.low, options_.boot.high);
  if (world_.chance(options_.ppm.boot_is_slow)) boot = world_.between(seconds(10), minutes(3));
  std::uint64_t const run = domain.run;
  Machine* const machine = &machine_;
  world_.after(boot, [machine, id, run] {
    auto const it = machine->domains.find(id);
    if (it == machine->domains.end() || it->second.run != run) return;
    ++machine->addresses_;
    it->second.private_ip = "10." + std::to_string(machine->addresses_ >> 16 & 255) + "." +
                            std::to_string(machine->addresses_ >> 8 & 255) + "." +
                            std::to_string(machine->addresses_ & 255);
  });
  later({500'000}, [this, id, run, done] {
    auto const it = machine_.domains.find(id);
    if (it != machine_.domains.end() && it->second.run == run) {
      it->second.is_starting = false;
      // Now its end looks like what it was.
      if (std::exchange(it->second.is_ended_while_starting, false))
        machine_.watch_.on_shut_down_inside(id, it->second.starts);
    }
    done({});
  });
}

Result<void> SimHypervisor::shut_down(agent::ShutDownInstance const& a) {
  SimDomain* const domain = TRY(own(a.id, a.generation));
  if (domain == nullptr) return {};
  domain->stopped_by_us = true;
  if (domain->process != Process::running) return {};
  if (world_.chance(options_.ppm.power_button_ignored)) return {};
  std::uint64_t const run = domain->run;
  Machine* const machine = &machine_;
  // The guest takes its time; that the agent dies meanwhile is nothing to it.
  world_.after(world_.about(seconds(10)), [machine, id = a.id, run] {
    auto const it = machine->domains.find(id);
    if (it == machine->domains.end() || it->second.run != run) return;
    if (it->second.process == Process::none) return;
    machine->end_process(id, it->second, GuestWatch::End::by_action);
    if (machine->hint) machine->hint();
  });
  return {};
}

Result<void> SimHypervisor::power_off(agent::PowerOffInstance const& a) {
  SimDomain* const domain = TRY(own(a.id, a.generation));
  if (domain == nullptr) return {};
  domain->stopped_by_us = true;
  domain->is_crashed = false;
  if (domain->process != Process::none)
    machine_.end_process(a.id, *domain, GuestWatch::End::by_action);
  return {};
}

Result<void> SimHypervisor::reboot(agent::RebootInstance const& a) {
  SimDomain* const domain = TRY(own(a.id, a.generation));
  if (domain == nullptr) return conflict(a.id, "there is no domain to reboot");
  if (domain->reboots >= a.reboots) return {};
  if (domain->process == Process::none) return conflict(a.id, "it is off");
  domain->reboots = a.reboots;
  return {};
}

Result<void> SimHypervisor::remove(agent::RemoveInstance const& a) {
  SimDomain* const domain = TRY(own(a.id, std::nullopt));
  if (domain != nullptr && domain->generation == a.generation) {
    if (domain->uuid != a.uuid) return conflict(a.id, "its domain has another UUID");
    if (domain->process != Process::none) {
      machine_.end_process(a.id, *domain, GuestWatch::End::by_action);
    }
    machine_.domains.erase(a.id);
  }
  auto const disk = machine_.disks.find(a.id);
  if (disk != machine_.disks.end() && disk->second.generation == a.generation) {
    machine_.disks.erase(disk);
  }
  return {};
}

Result<void> SimHypervisor::apply(SimDomain& domain, agent::Pins const& pins) {
  std::set<std::int32_t> here;
  for (HostCell const& cell : inventory_.cells) {
    for (HostCpu const& cpu : cell.cpus) here.insert(cpu.id);
  }
  Result<void> first;
  auto const apply_one = [&](std::vector<std::int32_t> const& wanted,
                             std::vector<std::int32_t>& list) {
    bool const is_here =
        std::ranges::all_of(wanted, [&](std::int32_t cpu) { return here.contains(cpu); });
    if (!wanted.empty() && is_here) list = wanted;
    if (!is_here && first) first = Error{Code::unavailable, "host", "a CPU is not there"};
  };
  domain.pins.vcpus.resize(pins.vcpus.size());
  for (std::size_t i = 0; i < pins.vcpus.size(); ++i)
    apply_one(pins.vcpus[i], domain.pins.vcpus[i]);
  apply_one(pins.emulator, domain.pins.emulator);
  return first;
}

Result<void> SimHypervisor::pin(agent::PinInstance const& a) {
  SimDomain* const domain = TRY(own(a.id, a.generation));
  if (domain == nullptr || domain->process == Process::none) return {};
  return apply(*domain, a.pins);
}

Result<void> SimHypervisor::evict(agent::EvictImage const& a) {
  for (auto const& [id, disk] : machine_.disks) {
    if (disk.image == a.digest) return conflict(id, "its disk rests on this image");
  }
  machine_.images.erase(a.digest);
  return {};
}

}  // namespace berth::sim
