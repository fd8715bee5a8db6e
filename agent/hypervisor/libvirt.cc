#include "agent/hypervisor/libvirt.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <type_traits>

#include "agent/disks/files.h"
#include "agent/disks/layout.h"
#include "agent/disks/overlay.h"
#include "agent/disks/seed.h"
#include "agent/hypervisor/console.h"
#include "agent/hypervisor/domain_seen.h"
#include "agent/hypervisor/domain_xml.h"
#include "agent/hypervisor/host_facts.h"
#include "agent/hypervisor/workers.h"
#include "berth/base/log.h"
#include "berth/base/overloaded.h"

namespace berth::agent {
namespace {

Error conflict(InstanceId const& id, std::string why) {
  return Error{Code::conflict, "instance", id.value + ": " + std::move(why)};
}

// An image that nobody has asked for again in this time is not coming any more.
constexpr Duration kPartKept = hours(7 * 24);
}  // namespace

class LibvirtHypervisor::Inner {
 public:
  explicit Inner(LibvirtOptions options)
      : options_(std::move(options)),
        layout_(options_.dir),
        images_(layout_, interruptible(options_.fetch), options_.free_min),
        api_(options_.uri, [this] { hint(); }),
        facts_(options_, api_),
        fetchers_(options_.fetchers, options_.queued_max),
        workers_(options_.workers, options_.queued_max) {}

  template <class T>
  static void post(Workers& workers, std::function<void(Result<T>)> done,
                   std::function<Result<T>()> work) {
    // Shared, because a refused task must still answer.
    auto const answer = std::make_shared<std::function<void(Result<T>)>>(std::move(done));
    bool const is_taken = workers.post([answer, work = std::move(work), &workers] {
      if (workers.is_stopping()) {
        (*answer)(Error{Code::unavailable, "host", "the agent is stopping"});
      } else {
        (*answer)(work());
      }
    });
    if (!is_taken)
      (*answer)(Error{Code::throttled, "host", "too many calls wait for the hypervisor"});
  }

  Result<Observed> observe();
  Result<void> fetch(FetchImage const& a) { return images_.bring(a.digest, a.format, a.size); }
  Result<void> evict(EvictImage const& a) { return images_.evict(a.digest); }
  Result<void> start(InstanceSpec const& spec, Pins const& pins);
  Result<void> pin(PinInstance const& a);
  Result<void> shut_down(ShutDownInstance const& a);
  Result<void> power_off(PowerOffInstance const& a);
  Result<void> reboot(RebootInstance const& a);
  Result<void> remove(RemoveInstance const& a);

  void hint() {
    std::lock_guard const lock(hint_mutex_);
    if (hint_) hint_();
  }
  void set_hint(std::function<void()> hint) {
    std::lock_guard const lock(hint_mutex_);
    hint_ = std::move(hint);
  }

  LibvirtApi& api() { return api_; }
  HostFacts& facts() { return facts_; }
  Layout const& layout() const { return layout_; }
  Workers& workers() { return workers_; }
  Workers& fetchers() { return fetchers_; }
  void stop() {
    fetchers_.stop();
    workers_.stop();
  }

 private:
  // A fetch of gigabytes must not hold up the end of the process.
  FetchImageBytes interruptible(FetchImageBytes fetch) {
    return [this, fetch = std::move(fetch)](std::string const& digest, std::uint64_t offset,
                                            ImageSink const& sink) -> Result<void> {
      if (!fetch)
        return Error{Code::unavailable, "image", "this agent has nowhere to fetch images from"};
      return fetch(digest, offset, [&](std::string_view bytes) -> Result<void> {
        if (fetchers_.is_stopping())
          return Error{Code::unavailable, "image", "the agent is stopping"};
        return sink(bytes);
      });
    };
  }

  // The domain of this name. Absent: none. Errors: conflict when it is foreign.
  Result<std::optional<OwnDomain>> own(InstanceId const& id);
  // The same, of exactly this generation. Errors: conflict when it is of another.
  Result<std::optional<OwnDomain>> own(InstanceId const& id, PlacementGeneration generation);
  Result<void> set_metadata(OwnDomain& own);
  Result<void> record_starts(OwnDomain own, std::uint64_t starts);
  Result<void> prepare_files(InstanceSpec const& spec);
  Result<void> define_and_create(InstanceSpec const& spec, Pins const& pins);
  Result<void> create(InstanceSpec const& spec, DomainHost const& host, Pins const& pins);
  Result<void> apply(OwnDomain const& own, Pins const& pins);
  Result<void> let_run(OwnDomain own);

  LibvirtOptions const options_;
  Layout const layout_;
  ImageCache images_;
  std::mutex hint_mutex_;  // called from libvirt's event thread, set from the agent's
  std::function<void()> hint_;
  LibvirtApi api_;
  HostFacts facts_;
  Workers fetchers_;  // apart from the others: images take minutes
  Workers workers_;
};

Result<std::optional<OwnDomain>> LibvirtHypervisor::Inner::own(InstanceId const& id) {
  if (!is_well_formed(id)) {
    return Error{Code::invalid, "instance", "wanted an instance id, found '" + id.value + "'"};
  }
  std::optional<LibvirtDomain> found = TRY(api_.domain_by_name(id.value));
  if (!found) return std::optional<OwnDomain>();
  std::optional<OwnDomain> own = own_domain(*found);
  if (!own) return conflict(id, "a domain of this name exists that is not ours");
  return own;
}

Result<std::optional<OwnDomain>> LibvirtHypervisor::Inner::own(InstanceId const& id,
                                                               PlacementGeneration generation) {
  std::optional<OwnDomain> found = TRY(own(id));
  if (found && found->metadata.generation != generation) {
    return conflict(id, "wanted placement generation " + std::to_string(generation.value) +
                            ", the domain is of " +
                            std::to_string(found->metadata.generation.value));
  }
  return found;
}

Result<void> LibvirtHypervisor::Inner::set_metadata(OwnDomain& own) {
  return api_.set_metadata(own.domain.uuid, metadata_xml(own.metadata));
}

Result<Observed> LibvirtHypervisor::Inner::observe() {
  Observed out;
  std::vector<LibvirtDomain> const domains = TRY(api_.domains());
  std::map<std::string, std::string> addresses;
  // Addresses are for people and for the API; not to know them now is no reason to see nothing.
  Result<std::vector<LibvirtLease>> const leases = api_.leases(options_.network.name);
  if (leases) {
    for (LibvirtLease const& lease : *leases) addresses[lease.mac] = lease.address;
  }
  for (LibvirtDomain const& domain : domains) {
    if (domain.name.starts_with(kProbePrefix)) continue;
    std::optional<OwnDomain> const own = own_domain(domain);
    if (!own) {
      out.foreign.push_back(domain.name);
      continue;
    }
    DomainSeen one = domain_seen(*own, facts_.boot_id());
    if (auto const at = addresses.find(own->metadata.mac); at != addresses.end()) {
      one.private_ip = at->second;
    }
    out.domains.push_back(std::move(one));
  }
  for (InstanceFolder const& folder : TRY(layout_.found())) {
    out.disks.push_back({folder.id, folder.generation});
  }
  out.images = TRY(images_.list());
  std::ranges::sort(out.domains, {}, &DomainSeen::id);
  std::ranges::sort(out.foreign);
  return out;
}

Result<void> LibvirtHypervisor::Inner::start(InstanceSpec const& spec, Pins const& pins) {
  std::optional<OwnDomain> found = TRY(own(spec.id, spec.generation));
  if (found) {
    if (found->domain.uuid != spec.uuid) return conflict(spec.id, "its domain has another UUID");
    if (found->is_ending()) return conflict(spec.id, "it is still shutting down");
    if (found->has_process() && !found->metadata.is_starting)
      return record_starts(*found, spec.starts);
    if (found->has_process()) {
      // Created by an earlier try, maybe for other CPUs; they may be another guest's by now.
      if (Result<void> const moved = apply(*found, pins); !moved)
        log_warning("a guest starts where it was not to",
                    {{"instance", spec.id.value}, {"reason", moved.error().message}});
      return let_run(std::move(*found));
    }
  } else if (TRY(api_.domain_by_uuid(spec.uuid))) {
    return conflict(spec.id, "a domain of another name has its UUID");
  }
  TRY(prepare_files(spec));
  TRY(define_and_create(spec, pins));
  found = TRY(own(spec.id, spec.generation));
  if (!found) return conflict(spec.id, "its domain went away while it was started");
  return let_run(std::move(*found));
}

// A guest that runs already has what this start wanted; a reboot it may still owe stays owed.
Result<void> LibvirtHypervisor::Inner::record_starts(OwnDomain own, std::uint64_t starts) {
  if (own.metadata.starts >= starts) return {};
  own.metadata.starts = starts;
  return set_metadata(own);
}

Result<void> LibvirtHypervisor::Inner::prepare_files(InstanceSpec const& spec) {
  if (!is_digest(spec.image_digest)) {
    return Error{Code::invalid, "image",
                 "wanted an image digest, found '" + spec.image_digest + "'"};
  }
  if (spec.disk_gib < 1 || spec.disk_gib > limits::kRootDiskGibMax) {
    return Error{Code::invalid, "instance",
                 "wanted a root disk of 1 to " + std::to_string(limits::kRootDiskGibMax) +
                     " GiB, found " + std::to_string(spec.disk_gib)};
  }
  InstanceFolder const folder{spec.id, spec.generation};
  TRY(make_folders(layout_.folder(folder), 0711));
  {
    auto const held = images_.hold();
    TRY(make_overlay({.path = layout_.disk(folder),
                      .backing_path = images_.path(spec.image_digest),
                      .backing_format = spec.image_format,
                      .size = bytes(Gibibytes(spec.disk_gib))}));
  }
  return write_seed(layout_.seed(folder), spec);
}

// A host that cannot pin (no cpuset controller, a container that may not, a CPU taken out just now)
// still runs its guests: what was refused is tried again, one by one, while the guest runs, and
// reported (agent/core/plan.h). A start that fails for another reason fails again without pins, and
// that is its error.
Result<void> LibvirtHypervisor::Inner::define_and_create(InstanceSpec const& spec,
                                                         Pins const& pins) {
  DomainHost const host = TRY(facts_.domain_host());
  Result<void> const pinned = create(spec, host, pins);
  bool const is_about_pins = !pinned && pins != Pins{} && pinned.error().code != Code::conflict &&
                             pinned.error().code != Code::timeout;
  if (!is_about_pins) return pinned;
  TRY(create(spec, host, {}));
  log_warning("a guest could not be started on its CPUs and is started on any",
              {{"instance", spec.id.value}, {"reason", pinned.error().message}});
  return {};
}

Result<void> LibvirtHypervisor::Inner::create(InstanceSpec const& spec, DomainHost const& host,
                                              Pins const& pins) {
  InstanceFolder const folder{spec.id, spec.generation};
  DomainMetadata const metadata{.id = spec.id,
                                .generation = spec.generation,
                                .reboots = spec.reboots,
                                .starts = spec.starts,
                                .stopped_by_us = true,
                                .is_starting = true,
                                .boot_id = facts_.boot_id(),
                                .mac = spec.mac};
  DomainPaths const paths{.disk = layout_.disk(folder),
                          .backing = images_.path(spec.image_digest),
                          .backing_format = spec.image_format,
                          .seed = layout_.seed(folder),
                          .console = layout_.console(folder)};
  std::string const xml = TRY(domain_xml(spec, paths, host, metadata, pins));
  TRY(api_.define(xml));
  // libvirt's pretend driver cannot start a domain paused.
  return api_.start(
      spec.uuid, host.type == "test" ? LibvirtApi::StartAs::running : LibvirtApi::StartAs::paused);
}

Result<void> LibvirtHypervisor::Inner::let_run(OwnDomain own) {
  own.metadata.stopped_by_us = false;
  TRY(set_metadata(own));
  if (own.domain.state == LibvirtDomain::State::paused) TRY(api_.resume(own.domain.uuid));
  own.metadata.is_starting = false;
  return set_metadata(own);
}

Result<void> LibvirtHypervisor::Inner::shut_down(ShutDownInstance const& a) {
  std::optional<OwnDomain> found = TRY(own(a.id, a.generation));
  if (!found) return {};
  if (!found->metadata.stopped_by_us) {
    found->metadata.stopped_by_us = true;
    TRY(set_metadata(*found));
  }
  if (found->domain.state != LibvirtDomain::State::running) return {};
  Result<void> const pressed = api_.press_power_button(found->domain.uuid);
  // It ended between our look and our press: what was wanted.
  if (!pressed && pressed.error().code == Code::conflict) return {};
  return pressed;
}

Result<void> LibvirtHypervisor::Inner::power_off(PowerOffInstance const& a) {
  std::optional<OwnDomain> found = TRY(own(a.id, a.generation));
  if (!found) return {};
  if (!found->metadata.stopped_by_us) {
    found->metadata.stopped_by_us = true;
    TRY(set_metadata(*found));
  }
  if (found->domain.state == LibvirtDomain::State::off) return {};
  Result<void> const ended = api_.destroy(found->domain.uuid);
  if (!ended && ended.error().code == Code::conflict) return {};
  return ended;
}

Result<void> LibvirtHypervisor::Inner::pin(PinInstance const& a) {
  std::optional<OwnDomain> const found = TRY(own(a.id, a.generation));
  if (!found || !found->has_process()) return {};  // it ended: its next start is where it is to be
  return apply(*found, a.pins);
}

Result<void> LibvirtHypervisor::Inner::apply(OwnDomain const& own, Pins const& pins) {
  Pins const live = TRY(parse_pins(own.domain.live_xml));
  Result<void> first;
  auto const note = [&](Result<void> const& result) {
    if (first && !result) first = result;
  };
  for (std::size_t i = 0; i < pins.vcpus.size(); ++i) {
    bool const is_so = i < live.vcpus.size() && live.vcpus[i] == pins.vcpus[i];
    if (!is_so && !pins.vcpus[i].empty()) note(api_.pin_vcpu(own.domain.uuid, i, pins.vcpus[i]));
  }
  if (!pins.emulator.empty() && live.emulator != pins.emulator)
    note(api_.pin_emulator(own.domain.uuid, pins.emulator));
  return first;
}

// Reset first, count afterwards: a crash in between resets twice, the other way round it would
// never.
Result<void> LibvirtHypervisor::Inner::reboot(RebootInstance const& a) {
  std::optional<OwnDomain> found = TRY(own(a.id, a.generation));
  if (!found) return conflict(a.id, "there is no domain to reboot");
  if (found->metadata.reboots >= a.reboots) return {};
  if (!found->has_process()) return conflict(a.id, "wanted a running guest to reboot, it is off");
  TRY(api_.reset(found->domain.uuid));
  found->metadata.reboots = a.reboots;
  return set_metadata(*found);
}

Result<void> LibvirtHypervisor::Inner::remove(RemoveInstance const& a) {
  std::optional<OwnDomain> found = TRY(own(a.id));
  if (!found && TRY(api_.domain_by_uuid(a.uuid))) {
    return conflict(a.id, "a domain of another name has its UUID");
  }
  bool const is_domain_meant = found && found->metadata.generation == a.generation;
  if (is_domain_meant && found->domain.uuid != a.uuid)
    return conflict(a.id, "its domain has another UUID");
  log_info("instance removed", {{"instance", a.id.value},
                                {"generation", std::to_string(a.generation.value)},
                                {"uuid", a.uuid},
                                {"reason", a.reason},
                                {"domain", is_domain_meant ? "present" : "absent"}});
  // A newer placement of the same instance has its own files and its own domain: both stay.
  if (is_domain_meant) {
    if (found->domain.state != LibvirtDomain::State::off) {
      Result<void> const ended = api_.destroy(found->domain.uuid);
      if (!ended && ended.error().code != Code::conflict) return ended;
    }
    Result<void> const undefined = api_.undefine(found->domain.uuid);
    if (!undefined && undefined.error().code != Code::not_found) return undefined;
  }
  return layout_.remove({a.id, a.generation});
}

Result<std::unique_ptr<LibvirtHypervisor>> LibvirtHypervisor::open(LibvirtOptions options) {
  if (!options.dir.starts_with('/')) {
    return Error{Code::invalid, "parameter",
                 "wanted an absolute folder, found '" + options.dir + "'"};
  }
  if (options.workers < 1 || options.fetchers < 1 || options.queued_max < 1) {
    return Error{Code::invalid, "parameter",
                 "wanted at least one worker, one fetcher and one queued call"};
  }
  // Wrong options are told at the start, not at the first instance.
  TRY(network_xml(options.network));
  Layout const layout(options.dir);
  TRY(layout.prepare());
  TRY(drop_stale_parts(layout, kPartKept));
  return std::unique_ptr<LibvirtHypervisor>(
      new LibvirtHypervisor(std::make_unique<Inner>(std::move(options))));
}

LibvirtHypervisor::LibvirtHypervisor(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
LibvirtHypervisor::~LibvirtHypervisor() {
  inner_->set_hint(nullptr);
  inner_->stop();
}

void LibvirtHypervisor::observe(ObserveDone done) {
  inner_->post<Observed>(inner_->workers(), std::move(done), [this] { return inner_->observe(); });
}

void LibvirtHypervisor::perform(Action const& action, ActionDone done) {
  bool const is_fetch = std::holds_alternative<FetchImage>(action);
  Workers& workers = is_fetch ? inner_->fetchers() : inner_->workers();
  inner_->post<void>(workers, std::move(done), [this, action]() -> Result<void> {
    return std::visit(overloaded{
                          [&](FetchImage const& a) { return inner_->fetch(a); },
                          [&](StartInstance const& a) { return inner_->start(a.spec, a.pins); },
                          [&](ShutDownInstance const& a) { return inner_->shut_down(a); },
                          [&](PowerOffInstance const& a) { return inner_->power_off(a); },
                          [&](RebootInstance const& a) { return inner_->reboot(a); },
                          [&](RemoveInstance const& a) { return inner_->remove(a); },
                          [&](EvictImage const& a) { return inner_->evict(a); },
                          [&](PinInstance const& a) { return inner_->pin(a); },
                      },
                      action);
  });
}

void LibvirtHypervisor::read_console(InstanceId const& id, std::size_t bytes_max,
                                     ConsoleDone done) {
  inner_->post<std::string>(inner_->workers(), std::move(done), [this, id, bytes_max] {
    return console_tail(inner_->layout(), id, bytes_max);
  });
}

Result<HostInventory> LibvirtHypervisor::inventory() {
  return inner_->facts().inventory();
}
Result<std::string> LibvirtHypervisor::host_uuid() {
  return inner_->facts().host_uuid();
}
void LibvirtHypervisor::on_change(std::function<void()> hint) {
  inner_->set_hint(std::move(hint));
}
std::vector<LibvirtCallStats> LibvirtHypervisor::call_stats() const {
  return inner_->api().call_stats();
}

}  // namespace berth::agent
