#include "tests/crash/play.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "daemon/core/invariants.h"

namespace berth::crash {

namespace {

// What a host with nothing to do but obey says of its spec.
HostStatus obeyed(HostSpec const& spec) {
  HostCell cell{.id = 0, .memory = Mebibytes(256 * 1024), .cpus = {}, .huge_pages = {}};
  for (std::int32_t n = 0; n < 64; ++n) {
    cell.cpus.push_back({.id = n, .core = n, .siblings = {n}});
  }
  HostStatus out;
  out.host = spec.host;
  out.host_uuid = spec.host.value;
  out.boot_id = "boot-1";
  out.term = spec.term;
  out.generation = spec.generation;
  out.inventory.cells.push_back(std::move(cell));
  out.inventory.cpu_vendor = "Intel";
  out.inventory.disk_total = out.inventory.disk_free = Bytes(std::int64_t{8} << 40);
  for (InstanceSpec const& wanted : spec.instances) {
    InstanceStatus line{.id = wanted.id, .generation = wanted.generation};
    line.starts = wanted.starts;
    line.reboots = wanted.reboots;
    switch (wanted.power) {
      case Power::running: line.seen = Seen::running; break;
      case Power::stopped: line.seen = Seen::stopped; break;
      case Power::absent: line.seen = Seen::absent; break;
    }
    out.instances.push_back(line);
  }
  return out;
}

std::string whole_file_check(std::string const& file) {
  sqlite3* db = nullptr;
  std::string verdict = "cannot be opened";
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
    auto const note = [](void* out, int, char** columns, char**) {
      *static_cast<std::string*>(out) = columns[0];
      return 0;
    };
    sqlite3_exec(db, "PRAGMA integrity_check(1)", note, &verdict, nullptr);
  }
  sqlite3_close(db);
  return verdict;
}

}  // namespace

Play::Play(Options options)
    : options_(std::move(options)), entropy_(static_cast<std::uint64_t>(options_.run)) {
  clock_.at.wall.ms += 1'000'000 * std::int64_t{options_.run};
}

Play::~Play() {
  if (driver_) settle();
}

Result<std::unique_ptr<Play>> Play::open(Options options) {
  std::unique_ptr<Play> play(new Play(std::move(options)));
  play->store_ = TRY(store::SqliteStore::open(play->options_.store));
  core::State state = TRY(driver::Driver::load(*play->store_, core::Policy{.region = "us-east-1"}));
  play->driver_ = std::make_unique<driver::Driver>(
      std::move(state), driver::Driver::Parts{.store = *play->store_,
                                              .link = play->link_,
                                              .clock = play->clock_,
                                              .entropy = play->entropy_,
                                              .observer = play->observer_,
                                              .on_store_failure = play->options_.on_store_failure,
                                              .post = [p = play.get()](std::function<void()> work) {
                                                std::scoped_lock const guard(p->mutex_);
                                                p->work_.push_back(std::move(work));
                                                p->changed_.notify_one();
                                              }});
  play->driver_->begin();
  play->settle();
  for (auto const& [id, host] : play->state().hosts) {
    if (host.host_uuid.empty()) continue;
    play->driver_->on_input(
        core::AgentHello{.host = id, .host_uuid = host.host_uuid, .boot_id = "boot-1"}, nullptr);
  }
  play->settle();
  return play;
}

void Play::work_until(std::function<bool()> const& is_reached) {
  while (!is_reached()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !work_.empty(); });
    std::function<void()> const next = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    next();
  }
}

// A spec that was told lately is told again only after a while, so time has to pass.
void Play::settle() {
  driver_->flush();
  while (!driver_->is_idle()) {
    if (driver_->committing_since()) {
      work_until([this] { return !driver_->committing_since(); });
    } else {
      clock_.at.monotonic.ns += milliseconds(100).ns;
      driver_->flush();
    }
  }
}

void Play::let_hosts_report() {
  for (auto const& [id, host] : state().hosts) {
    if (host.host_uuid.empty()) continue;
    if (!link_.specs.contains(id)) {
      driver_->on_input(
          core::AgentHello{.host = id, .host_uuid = host.host_uuid, .boot_id = "boot-1"}, nullptr);
      settle();
    }
    if (!link_.specs.contains(id)) continue;
    driver_->on_input(core::AgentHeartbeat{.host = id, .number = 1}, nullptr);
    driver_->on_input(core::AgentReport{obeyed(link_.specs.at(id))}, nullptr);
  }
  settle();
}

void Play::play_group(Script const& script, std::size_t first, std::size_t end, bool is_repeated,
                      Answers& answers) {
  for (std::size_t n = first; n < end; ++n) {
    if (answers.contains(n)) continue;
    std::string const request = "call-" + std::to_string(n) + "-" + std::to_string(options_.run);
    std::optional<core::Input> input = script.call(n, request, answers, state());
    if (!input) {
      answers[n] = Answer{.request_id = "none", .kind = Answer::Kind::refused, .words = {}};
      if (options_.on_answer) options_.on_answer(n, answers[n]);
      continue;
    }
    driver_->on_input(*std::move(input),
                      [this, n, request, is_repeated, &answers](Result<core::Reply> const& reply) {
                        std::optional<Answer> answer = Script::answer(request, is_repeated, reply);
                        if (!answer) return;
                        if (options_.on_answer) options_.on_answer(n, *answer);
                        answers[n] = *std::move(answer);
                      });
  }
  settle();
}

void Play::to_the_end(Script const& script, Answers& answers, std::size_t last) {
  // The group in which the last run ended may have been done without anybody knowing.
  bool is_repeated = options_.run > 1;
  last = std::min(last, script.size());
  for (std::size_t first = 0; first < last; first = script.group_end(first)) {
    std::size_t const end = script.group_end(first);
    auto const is_answered = [&] {
      for (std::size_t n = first; n < end; ++n) {
        if (!answers.contains(n)) return false;
      }
      return true;
    };
    if (is_answered()) continue;
    play_group(script, first, end, is_repeated, answers);
    while (!is_answered()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      play_group(script, first, end, is_repeated, answers);
    }
    is_repeated = false;
    let_hosts_report();
  }
}

Result<std::vector<core::AuditRecord>> Play::audit() {
  std::vector<core::AuditRecord> all;
  for (;;) {
    std::vector<core::AuditRecord> page = TRY(store_->audit(all.size() + 1, 1'000));
    if (page.empty()) return all;
    for (core::AuditRecord& record : page) all.push_back(std::move(record));
  }
}

std::vector<std::string> judge(store::SqliteStore::Options const& store, Script const& script,
                               Answers const& answers, std::size_t given) {
  std::vector<std::string> broken;
  {
    auto play = Play::open(
        {.store = store, .run = 1'000'000, .on_answer = {}, .on_store_failure = [](Error const& e) {
           std::fprintf(stderr, "the judge's store failed: %s\n", e.message.c_str());
           std::_Exit(4);
         }});
    if (!play) return {"it does not open: " + play.error().message};
    Result<std::vector<core::AuditRecord>> const audit = (*play)->audit();
    if (!audit) return {"its audit cannot be read: " + audit.error().message};
    core::State const& state = (*play)->state();
    broken = script.broken_promises(answers, given, state, *audit);
    for (auto const& found : {core::broken_invariants(state), core::exceeded_limits(state)}) {
      broken.insert(broken.end(), found.begin(), found.end());
    }
  }
  std::string const verdict = whole_file_check(store.file);
  if (verdict != "ok") broken.push_back("SQLite finds: " + verdict);
  return broken;
}

}  // namespace berth::crash
