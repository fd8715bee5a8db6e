#include "agent/core/plan.h"

#include <algorithm>

#include "berth/base/overloaded.h"
#include "berth/base/plant.h"
#include "berth/model/limits.h"

namespace berth::agent {

namespace {

constexpr Duration kBackOffFirst = seconds(2);
constexpr Duration kBackOffMax = minutes(5);

Duration back_off(int failures) {
  Duration pause = kBackOffFirst;
  for (int i = 1; i < failures && pause < kBackOffMax; ++i) pause = pause * 2;
  return std::min(pause, kBackOffMax);
}

// Everything about one instance of the spec in one place.
struct Case {
  InstanceSpec const& spec;
  DomainSeen const* domain;  // nullptr: none
  bool has_disk;
  bool is_busy;
  Attempt const* attempt;  // nullptr: nothing remembered
};

bool has_process(DomainSeen const* d) {
  return d != nullptr &&
         (d->state == DomainState::running || d->state == DomainState::shutting_down ||
          d->state == DomainState::paused);
}

class Planner {
 public:
  explicit Planner(Situation const& s) : s_(s) {}

  Plan make() {
    if (s_.spec && s_.spec->adopt_only) {
      // The records that this spec is made from may be older than what runs here: all is said,
      // nothing is done.
      for (InstanceSpec const& spec : s_.spec->instances) say_as_found(case_of(spec));
    } else if (s_.spec) {
      for (InstanceSpec const& spec : s_.spec->instances) add(case_of(spec));
      evict_idle_images();
    }
    add_unknown();
    std::sort(plan_.statuses.begin(), plan_.statuses.end(),
              [](InstanceStatus const& a, InstanceStatus const& b) { return a.id < b.id; });
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool is_busy(std::string const& subject) const { return s_.busy.contains(subject); }
  [[nodiscard]] bool has_image(std::string const& digest) const {
    return std::binary_search(s_.observed.images.begin(), s_.observed.images.end(), digest);
  }

  Case case_of(InstanceSpec const& spec) const {
    Case c{.spec = spec,
           .domain = nullptr,
           .has_disk = false,
           .is_busy = is_busy(spec.id.value),
           .attempt = nullptr};
    for (DomainSeen const& d : s_.observed.domains) {
      if (d.id == spec.id) c.domain = &d;
    }
    for (DiskSeen const& d : s_.observed.disks) c.has_disk = c.has_disk || d.id == spec.id;
    auto const it = s_.attempts.find(spec.id);
    if (it != s_.attempts.end()) c.attempt = &it->second;
    return c;
  }

  void act(Action action) {
    std::string const about = subject(action);
    if (is_busy(about)) return;
    bool const is_planned = std::any_of(plan_.actions.begin(), plan_.actions.end(),
                                        [&](Action const& a) { return subject(a) == about; });
    if (!is_planned) plan_.actions.push_back(std::move(action));
  }

  InstanceStatus& report(Case const& c, Seen seen) {
    plan_.statuses.push_back(
        {.id = c.spec.id,
         .generation = c.spec.generation,
         .seen = seen,
         .reboots = c.domain != nullptr ? c.domain->reboots : 0,
         .starts = c.domain != nullptr ? c.domain->starts : 0,
         .private_ip = c.domain != nullptr ? c.domain->private_ip : std::string()});
    InstanceStatus& status = plan_.statuses.back();
    if (has_process(c.domain) && seen == Seen::running) {
      status.cells = c.domain->pins.cells;
      status.cpus = one_cpu_each(c.domain->pins);
    }
    return status;
  }

  [[nodiscard]] WantedPins wanted_pins(InstanceSpec const& spec) const {
    static HostInventory const kUnknown;
    return pins_of(*s_.spec, spec, s_.inventory != nullptr ? *s_.inventory : kUnknown);
  }

  // A guest that runs sits where its spec says, or is moved there, or the report says why not.
  void keep_in_place(Case const& c, InstanceStatus& status) {
    static HostInventory const kUnknown;
    WantedPins const wanted = wanted_pins(c.spec);
    bool const is_there = is_in_place(wanted.pins, c.domain->pins,
                                      s_.inventory != nullptr ? *s_.inventory : kUnknown);
    bool const is_tried =
        c.attempt != nullptr && c.attempt->pin_tries > 0 && c.attempt->pins == wanted.pins;
    bool const is_pausing = is_tried && s_.now < c.attempt->pin_not_before;
    if (!is_there && !is_pausing && !PLANTED(pins_left)) {
      act(PinInstance{c.spec.id, c.spec.generation, wanted.pins});
    }
    status.unpinned = wanted.lacking;
    if (!is_there && is_tried && !c.attempt->pin_error.empty()) {
      add_sentence(status.unpinned, c.attempt->pin_error);
    } else if (!is_there && is_tried && c.attempt->pin_tries > 1) {
      add_sentence(status.unpinned, "the host has not moved it to its CPUs");
    }
    add_sentence(status.unpinned, memory_elsewhere(wanted.pins, c.domain->pins));
  }

  [[nodiscard]] std::string tombstone() const {
    return std::to_string(s_.spec->term.value) + "/" + std::to_string(s_.spec->generation.value);
  }

  void add(Case const& c) {
    if (c.domain != nullptr && c.domain->generation > c.spec.generation) {
      // A newer placement than this spec knows: the spec is old. Touch nothing, claim nothing.
      return;
    }
    if (c.domain != nullptr && c.domain->generation < c.spec.generation) {
      // A leftover of an earlier placement here: superseded by exactly this spec.
      act(RemoveInstance{c.domain->id, c.domain->generation, c.domain->uuid, tombstone()});
      report(c, Seen::preparing);
      return;
    }
    switch (c.spec.power) {
      case Power::running: want_running(c); return;
      case Power::stopped: want_stopped(c); return;
      case Power::absent: want_absent(c); return;
    }
  }

  void say_as_found(Case const& c) {
    if (c.domain == nullptr) {
      report(c, c.is_busy ? Seen::preparing : (c.has_disk ? Seen::stopped : Seen::absent));
      return;
    }
    // Another placement than the records know: said as it is, with its own generation.
    if (c.domain->generation != c.spec.generation) return;
    if (has_process(c.domain)) {
      report(c, Seen::running);
    } else if (c.is_busy || c.domain->state == DomainState::crashed) {
      report(c, Seen::preparing);  // it is to run again, after the quarantine
    } else {
      report(c, Seen::stopped).ended_by_itself =
          c.spec.power == Power::running && !c.domain->stopped_by_us;
    }
  }

  void want_running(Case const& c) {
    DomainSeen const* d = c.domain;
    if (d != nullptr && (d->state == DomainState::running || d->state == DomainState::paused)) {
      if (d->starts < c.spec.starts) {
        // A start that answered with an error came about late, under an older count. The guest
        // runs, which is all that the newer start asks for: only the count is recorded, so that the
        // guest's own end is not taken for one before this start.
        act(StartInstance{c.spec, wanted_pins(c.spec).pins});
      } else if (d->reboots < c.spec.reboots) {
        act(RebootInstance{c.spec.id, c.spec.generation, c.spec.reboots});
      }
      keep_in_place(c, report(c, Seen::running));
      return;
    }
    if (d != nullptr && d->state == DomainState::off && !d->stopped_by_us && !c.is_busy &&
        !PLANTED(inner_shutdown_restarted) && d->starts >= c.spec.starts) {
      report(c, Seen::stopped).ended_by_itself = true;
      return;
    }
    if (d != nullptr && d->state == DomainState::shutting_down) {
      report(c, Seen::preparing);  // on its way down from an earlier spec; started when it is off
      return;
    }
    start(c);
  }

  void start(Case const& c) {
    bool const is_this_start = c.attempt != nullptr && c.attempt->starts == c.spec.starts;
    if (is_this_start && c.attempt->failures >= kStartAttemptsMax && !PLANTED(starts_for_ever)) {
      report(c, Seen::failed).reason = c.attempt->error;
      return;
    }
    // It ran before, so it had a disk with its tenant's data. A fresh one in its place would pass
    // for it: that is said, not done.
    bool const has_run = c.spec.starts > 1 || (c.domain != nullptr && c.domain->starts > 0);
    if (has_run && !c.has_disk && !c.is_busy && !PLANTED(disk_made_anew)) {
      InstanceStatus& status = report(c, Seen::failed);
      status.starts = c.spec.starts;
      status.reason = "the root disk of the instance is gone from its host";
      return;
    }
    report(c, Seen::preparing);
    if (is_this_start && s_.now < c.attempt->not_before) return;
    if (!has_image(c.spec.image_digest)) {
      act(FetchImage{c.spec.image_digest, c.spec.image_format, c.spec.image_size});
    } else {
      act(StartInstance{c.spec, wanted_pins(c.spec).pins});
    }
  }

  void want_stopped(Case const& c) {
    if (!has_process(c.domain)) {
      if (PLANTED(stop_removes) && c.domain != nullptr)
        act(RemoveInstance{c.spec.id, c.spec.generation, c.spec.uuid, tombstone()});
      // While an action is under way the guest may be just about to start.
      report(c, c.is_busy ? Seen::preparing : Seen::stopped);
      return;
    }
    InstanceStatus& status = report(c, Seen::running);
    bool const is_asked = c.attempt != nullptr && c.attempt->shutdown_asked.has_value();
    if (!is_asked) {
      act(ShutDownInstance{c.spec.id, c.spec.generation});
    } else if (s_.now - *c.attempt->shutdown_asked > limits::kShutdownGrace &&
               !PLANTED(power_button_only)) {
      act(PowerOffInstance{c.spec.id, c.spec.generation});
    }
    keep_in_place(c, status);  // while it shuts down, others may have been given its CPUs
  }

  void want_absent(Case const& c) {
    if (c.domain == nullptr && (!c.has_disk || PLANTED(disk_forgotten))) {
      report(c, c.is_busy ? Seen::preparing : Seen::absent);
      return;
    }
    act(RemoveInstance{c.spec.id, c.spec.generation, c.spec.uuid, tombstone()});
    report(c,
           has_process(c.domain) ? Seen::running : (c.is_busy ? Seen::preparing : Seen::stopped));
  }

  // Ours by their metadata, but in no spec: reported, never touched. One that is off is not called
  // stopped: a spec that is on its way, older than the wish to stop it, may start it once more.
  void add_unknown() {
    for (DomainSeen const& d : s_.observed.domains) {
      bool const is_known = std::any_of(plan_.statuses.begin(), plan_.statuses.end(),
                                        [&](InstanceStatus const& st) { return st.id == d.id; });
      if (is_known) continue;
      if (PLANTED(unknown_destroyed) && s_.spec)
        act(RemoveInstance{d.id, d.generation, d.uuid, tombstone()});
      plan_.statuses.push_back({.id = d.id,
                                .generation = d.generation,
                                .seen = has_process(&d) ? Seen::running : Seen::preparing,
                                .reboots = d.reboots,
                                .starts = d.starts,
                                .private_ip = d.private_ip});
    }
  }

  // The cache keeps what instances rest on, and a bounded number beside.
  void evict_idle_images() {
    std::vector<std::string> idle;
    for (std::string const& digest : s_.observed.images) {
      bool const is_needed =
          std::any_of(s_.spec->instances.begin(), s_.spec->instances.end(),
                      [&](InstanceSpec const& i) { return i.image_digest == digest; });
      if (!is_needed) idle.push_back(digest);
    }
    for (std::size_t i = kIdleImagesMax; i < idle.size(); ++i) act(EvictImage{idle[i]});
  }

  Situation const& s_;
  Plan plan_;
};

// The attempt about this start; one about an earlier start begins anew.
Attempt& attempt_of(Attempts& attempts, InstanceId const& id, std::uint64_t starts) {
  Attempt& a = attempts[id];
  if (a.starts != starts) a = Attempt{.starts = starts};
  return a;
}

void failed(Attempt& attempt, Error const& error, Instant now) {
  ++attempt.failures;
  attempt.error = error.message;
  attempt.not_before = now + back_off(attempt.failures);
}

}  // namespace

std::string subject(Action const& action) {
  return std::visit(overloaded{
                        [](FetchImage const& a) { return "image/" + a.digest; },
                        [](StartInstance const& a) { return a.spec.id.value; },
                        [](ShutDownInstance const& a) { return a.id.value; },
                        [](PowerOffInstance const& a) { return a.id.value; },
                        [](RebootInstance const& a) { return a.id.value; },
                        [](RemoveInstance const& a) { return a.id.value; },
                        [](EvictImage const& a) { return "image/" + a.digest; },
                        [](PinInstance const& a) { return a.id.value; },
                    },
                    action);
}

Plan plan(Situation const& situation) {
  return Planner(situation).make();
}

HostSpec accepted(std::optional<HostSpec> const& before, HostSpec spec) {
  spec.earlier.clear();
  if (!spec.adopt_only || !before) return spec;
  spec.earlier = before->adopt_only ? before->earlier : before->instances;
  return spec;
}

std::vector<InstanceSpec> earlier_to_report(HostSpec const& spec) {
  std::vector<InstanceSpec> out;
  std::size_t bytes = 0;
  for (InstanceSpec const& was : spec.earlier) {
    auto const now = std::ranges::lower_bound(spec.instances, was.id, {}, &InstanceSpec::id);
    bool const is_decided = now != spec.instances.end() && now->id == was.id &&
                            now->generation == was.generation && now->power == was.power &&
                            now->starts == was.starts && now->reboots == was.reboots;
    if (is_decided) continue;
    bytes += was.user_data.size() + was.public_key.size() + 1024;
    if (bytes > kEarlierBytesMax) break;
    out.push_back(was);
  }
  return out;
}

void remember_begun(Attempts& attempts, Action const& action, Observed const& observed,
                    Instant now) {
  if (auto const* stop = std::get_if<ShutDownInstance>(&action)) {
    attempts[stop->id].shutdown_asked = now;
  }
  if (auto const* pin = std::get_if<PinInstance>(&action)) {
    Attempt& a = attempts[pin->id];
    if (a.pins != pin->pins) a.pin_tries = 0;
    a.pins = pin->pins;
    a.pin_not_before = now + back_off(++a.pin_tries);
    a.pin_error.clear();
  }
  if (auto const* start = std::get_if<StartInstance>(&action)) {
    Attempt& a = attempt_of(attempts, start->spec.id, start->spec.starts);
    a.shutdown_asked.reset();
    for (DomainSeen const& d : observed.domains) {
      // Started before at this count: it crashed, or its host did. Again, but not in a tight loop.
      bool const is_restart = d.id == start->spec.id && d.state == DomainState::crashed &&
                              d.starts >= start->spec.starts;
      if (is_restart) a.not_before = now + back_off(++a.restarts);
    }
  }
}

void remember_ended(Attempts& attempts, std::optional<HostSpec> const& spec, Action const& action,
                    Result<void> const& result, Instant now) {
  if (auto const* start = std::get_if<StartInstance>(&action)) {
    Attempt& a = attempt_of(attempts, start->spec.id, start->spec.starts);
    if (result)
      a.failures = 0;
    else
      failed(a, result.error(), now);
  }
  if (auto const* pin = std::get_if<PinInstance>(&action); pin != nullptr && !result) {
    attempts[pin->id].pin_error = result.error().message;
  }
  auto const* fetch = std::get_if<FetchImage>(&action);
  if (fetch == nullptr || result || !spec) return;
  // Everyone who waits for this image has failed to start once more.
  for (InstanceSpec const& i : spec->instances) {
    if (i.image_digest != fetch->digest || i.power != Power::running) continue;
    failed(attempt_of(attempts, i.id, i.starts), result.error(), now);
  }
}

void forget_stale(Attempts& attempts, HostSpec const& spec) {
  std::erase_if(attempts, [&](auto const& entry) {
    auto const it = std::find_if(spec.instances.begin(), spec.instances.end(),
                                 [&](InstanceSpec const& i) { return i.id == entry.first; });
    if (it == spec.instances.end()) return true;
    // A shutdown that was asked for belongs to the wish to be stopped.
    return it->power == Power::running && entry.second.shutdown_asked &&
           entry.second.starts != it->starts;
  });
}

}  // namespace berth::agent
