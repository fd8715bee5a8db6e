// berthctl pack: the command to a replay, the report to text.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "ctl/actions.h"
#include "ctl/pack.h"
#include "ctl/pack_chart.h"
#include "ctl/progress.h"
#include "ctl/table.h"

namespace berth::ctl {
namespace {

Error usage(std::string message) {
  return Error{Code::invalid, "usage", std::move(message)};
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// On a terminal a bar that moves, otherwise a line now and then; nothing beside JSON in a file.
class Bar {
 public:
  explicit Bar(Session& session) : session_(session) {}
  Bar(Bar const&) = delete;
  Bar& operator=(Bar const&) = delete;
  ~Bar() { end(); }  // an error is not to stand behind it

  void begin(std::string what) {
    what_ = std::move(what);
    start_ = Clock::now();
    shown_ = {};
  }
  void show(std::int64_t done, std::int64_t total) {
    bool const is_terminal = session_.terminal_columns > 0;
    if (!is_terminal && session_.is_json) return;
    auto const now = Clock::now();
    std::chrono::milliseconds const interval(is_terminal ? 100 : 5'000);
    bool const is_last = done >= total;
    if (!(is_last && is_terminal) && now - std::max(shown_, start_) < interval) return;
    shown_ = now;
    auto const elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_);
    Work const work{.what = what_, .done = done, .total = total, .elapsed_ms = elapsed.count()};
    if (is_terminal)
      session_.err << "\r\x1b[K" << work_bar(work, session_.terminal_columns - 1) << std::flush;
    else
      session_.err << work_line(work) << std::endl;
  }
  // Takes the bar away: what follows is the result.
  void end() {
    if (session_.terminal_columns > 0) session_.err << "\r\x1b[K" << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Session& session_;
  std::string what_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_;
};

// A file that was asked for, or not. Opened before the work begins: an hour's replay is not to end
// with a folder that is not there.
class OutputFile {
 public:
  static Result<OutputFile> open(std::string const& path) {
    OutputFile out;
    out.path_ = path;
    if (!path.empty()) out.file_.open(path, std::ios::trunc);
    if (!out.file_) return Error{Code::invalid, "file", path + ": cannot be written"};
    return out;
  }
  [[nodiscard]] bool is_wanted() const { return !path_.empty(); }
  [[nodiscard]] std::ostream& text() { return file_; }
  Result<void> end() {
    if (!is_wanted()) return {};
    file_.close();
    if (!file_) return Error{Code::invalid, "file", path_ + ": cannot be written to its end"};
    return {};
  }

 private:
  std::string path_;
  std::ofstream file_;
};

// Every decision, one a row, for a check that does not trust this program.
class PlacementsFile {
 public:
  explicit PlacementsFile(OutputFile& file) : text_(file.text()) {
    text_ << "time_s,event,vm_id,host,cells,vcpu_per_cell,mem_mib_per_cell\n";
  }
  void add_rejected(std::int64_t time_s, TraceInstance const& instance) {
    text_ << time_s << ",reject," << instance.id << ",,,,\n";
  }
  void add(std::int64_t time_s, std::string_view event, TraceInstance const& instance,
           placement::Seat const& seat) {
    text_ << time_s << ',' << event << ',' << instance.id << ',' << seat.host << ',';
    char const* separator = "";
    for (std::size_t i = 0; i < placement::kCellsPerHostMax; ++i) {
      if (((seat.cells >> i) & 1) == 0) continue;
      text_ << separator << i;
      separator = "+";
    }
    text_ << ',' << seat.part().vcpus << ',' << seat.part().memory_mib << '\n';
  }

 private:
  std::ostream& text_;
};

PackChart::Use use_of(placement::CellFleet const& fleet) {
  return {.hosts = fleet.hosts_in_use(),
          .vcpus = fleet.used().vcpus,
          .memory_mib = fleet.used().memory_mib};
}

PackChart::Use capacity_of(PackAsk const& ask) {
  std::int64_t const cells = ask.hosts * ask.host.cells;
  return {.hosts = ask.hosts,
          .vcpus = cells * ask.host.cell.vcpus,
          .memory_mib = cells * ask.host.cell.memory_mib};
}

std::string decimals(double value, int digits) {
  char buffer[64];
  int const size = std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return std::string(buffer, static_cast<std::size_t>(std::max(size, 0)));
}

// One fact of the report, as JSON and for people.
struct Fact {
  std::string name;
  std::string json;
  std::string text;
};

Fact whole(std::string name, std::int64_t value) {
  return {.name = std::move(name), .json = std::to_string(value), .text = std::to_string(value)};
}
Fact share(std::string name, double value) {
  return {
      .name = std::move(name), .json = decimals(value, 6), .text = decimals(value * 100, 2) + " %"};
}
Fact word(std::string name, std::string_view value) {
  return {.name = std::move(name),
          .json = "\"" + std::string(value) + "\"",
          .text = std::string(value)};
}

std::vector<Fact> facts(PackReport const& report, std::optional<std::int64_t> hosts_min,
                        std::string_view policy, std::string_view host) {
  std::vector<Fact> out;
  out.push_back(word("policy", policy));
  out.push_back(word("host", host));
  out.push_back(whole("hosts", report.hosts));
  if (hosts_min)
    out.push_back(whole("hosts_min", *hosts_min));
  else
    out.push_back({.name = "hosts_min", .json = "null", .text = "-"});
  out.push_back(whole("vms", report.instances));
  out.push_back(whole("rejected_vms", report.rejected));
  out.push_back(whole("too_large_vms", report.too_large));
  out.push_back(share("rejected_vms_share", report.rejected_share));
  out.push_back(share("rejected_core_hours_share", report.rejected_core_hours_share));
  out.push_back({.name = "used_hosts_mean",
                 .json = decimals(report.used_hosts_mean, 3),
                 .text = decimals(report.used_hosts_mean, 1)});
  out.push_back(whole("used_hosts_max", report.used_hosts_max));
  out.push_back(share("density_cpu", report.density_cpu));
  out.push_back(share("density_mem", report.density_mem));
  out.push_back({.name = "decisions_per_second",
                 .json = decimals(report.decisions_per_second, 0),
                 .text = decimals(report.decisions_per_second, 0)});
  out.push_back(whole("moves", report.moves));
  return out;
}

void print(std::vector<Fact> const& facts, Session& session) {
  if (session.is_json) {
    char const* separator = "{";
    for (Fact const& fact : facts) {
      session.out << separator << '"' << fact.name << "\": " << fact.json;
      separator = ", ";
    }
    session.out << "}\n";
    return;
  }
  std::size_t widest = 0;
  for (Fact const& fact : facts) widest = std::max(widest, fact.name.size());
  for (Fact const& fact : facts)
    session.out << fact.name << std::string(widest - fact.name.size() + 2, ' ') << fact.text
                << "\n";
}

struct PackCommand {
  PackAsk ask;
  bool is_min = false;
};

Result<PackCommand> pack_command(Command const& command) {
  PackCommand out;
  out.ask.host = TRY(parse_host_shape(input(command, "host")));
  std::string const hosts = input(command, "hosts");
  out.is_min = hosts == "min";
  if (!out.is_min) {
    constexpr auto kMost = static_cast<std::int64_t>(placement::kFleetHostsMax);
    std::optional<std::int64_t> const count = whole_number(hosts, kMost);
    if (!count || *count == 0)
      return usage("--hosts wants min or a number from 1 to " + std::to_string(kMost) + ", found " +
                   quoted(hosts));
    out.ask.hosts = *count;
  }
  std::string const given = input(command, "policy");
  std::string const name = given.empty() ? "default" : given;
  out.ask.policy = placement::find_policy(name);
  if (out.ask.policy == nullptr) {
    std::string all;
    for (placement::Policy const& policy : placement::policies())
      all += (all.empty() ? "" : ", ") + std::string(policy.name);
    return usage("--policy: there is no " + quoted(name) + ": there are " + all);
  }
  constexpr std::int64_t kSecondsMax = 1'000'000'000'000;
  std::string const from = input(command, "average_from");
  std::optional<std::int64_t> const second = whole_number(from.empty() ? "0" : from, kSecondsMax);
  if (!second)
    return usage("--average_from wants seconds of the trace, 0 or more, found " + quoted(from));
  out.ask.average_from_s = *second;
  std::string const moves = input(command, "moves_per_hour");
  std::optional<std::int64_t> const most =
      whole_number(moves.empty() ? "0" : moves, kMovesPerHourMax);
  if (!most)
    return usage("--moves_per_hour wants a number from 0 to " + std::to_string(kMovesPerHourMax) +
                 ", found " + quoted(moves));
  out.ask.moves_per_hour = *most;
  return out;
}

}  // namespace

Result<void> pack(Command const& command, Session& session) {
  PackCommand wanted = TRY(pack_command(command));
  OutputFile placements_file = TRY(OutputFile::open(input(command, "placements")));
  OutputFile chart_file = TRY(OutputFile::open(input(command, "plot")));
  Bar bar(session);
  bar.begin("reading");
  Trace const trace = TRY(read_trace(
      input(command, "TRACE"), [&](std::int64_t done, std::int64_t all) { bar.show(done, all); }));
  if (wanted.ask.average_from_s >= trace.end_s && trace.end_s > 0)
    return usage("--average_from: the trace ends at second " + std::to_string(trace.end_s) +
                 ", before " + std::to_string(wanted.ask.average_from_s));
  auto const total = static_cast<std::int64_t>(trace.events.size());
  PackEvents events{.on_progress = [&](std::int64_t done) { bar.show(done, total); },
                    .on_placement = {}};
  std::string const policy(wanted.ask.policy->name);
  auto const begin = [&](std::int64_t hosts) {
    bar.begin(policy + " on " + std::to_string(hosts) + " hosts");
  };
  std::optional<std::int64_t> hosts_min;
  PackReport report;
  if (wanted.is_min) {
    report = TRY(replay_smallest(trace, wanted.ask, events, begin));
    hosts_min = wanted.ask.hosts = report.hosts;
  }
  PackChart chart(trace.end_s, capacity_of(wanted.ask));
  std::optional<PlacementsFile> placements;
  if (placements_file.is_wanted()) placements.emplace(placements_file);
  if (placements || chart_file.is_wanted()) {
    events.on_placement = [&](TraceEvent const& event, std::optional<placement::Seat> const& seat) {
      TraceInstance const& instance = trace.instances[event.instance];
      if (!seat) chart.rejected(event.time_s);
      if (placements && seat) placements->add(event.time_s, "place", instance, *seat);
      if (placements && !seat) placements->add_rejected(event.time_s, instance);
    };
  }
  if (placements) {
    events.on_move = [&](std::int64_t time_s, std::uint32_t instance, placement::Seat const& to) {
      placements->add(time_s, "move", trace.instances[instance], to);
    };
  }
  if (chart_file.is_wanted()) {
    events.on_use = [&](std::int64_t from_s, std::int64_t to_s, placement::CellFleet const& fleet) {
      chart.used(from_s, to_s, use_of(fleet));
    };
  }
  // After a search once more if a file is wanted: not every replay of the search is to be in it.
  if (!wanted.is_min || events.on_placement) {
    begin(wanted.ask.hosts);
    report = replay(trace, wanted.ask, events);
  }
  bar.end();
  TRY(placements_file.end());
  if (chart_file.is_wanted()) {
    chart_file.text() << chart.svg(policy + " on " + std::to_string(wanted.ask.hosts) +
                                   " hosts of " + input(command, "host") + ": " +
                                   std::to_string(report.rejected) + " of " +
                                   std::to_string(report.instances) + " rejected");
  }
  TRY(chart_file.end());
  print(facts(report, hosts_min, policy, input(command, "host")), session);
  return {};
}

}  // namespace berth::ctl
