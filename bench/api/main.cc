// berth-bench-api: what the whole path costs, over HTTPS and signed, on this machine.
//
//   berth-bench-api                     a table, and where the time goes thread by thread
//   berth-bench-api --output=json       one flat object
//
// One process is the daemon (cloud.h), another offers the load; both share the machine. In the same
// run: what the disk's own sync costs, and what a bare Beast server with TLS answers to the very
// same requests. docs/operating/speed.md reads the figures.

#include <fcntl.h>
#include <gflags/gflags.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <optional>
#include <sstream>

#include "bench/api/child.h"
#include "bench/api/cloud.h"
#include "bench/api/load.h"
#include "berth/base/ensure.h"

DEFINE_string(output, "table", "table for people, json for machines (one flat object)");
DEFINE_string(folder, "/var/tmp", "where the store lies; on a real disk, or a sync costs nothing");
DEFINE_int32(hosts, 1'000, "simulated hosts");
DEFINE_uint32(connections, 64, "connections that ask at the same time");
DEFINE_double(seconds, 10, "how long RunInstances is counted; reads for half of it");
DEFINE_int32(instances, 20'000, "instances of the tenant whose instances are described");
DEFINE_uint32(http_threads, 2, "threads of the daemon's listener");
DEFINE_bool(reads, true, "measure DescribeInstances too");
DEFINE_bool(daemon, false, "be the measured process; used by the program itself");
DEFINE_bool(keep, false, "leave the folder, with store and log, where it is");

namespace berth::bench {
namespace {

constexpr int kDescribed = 50;
constexpr std::int64_t kInstancesPerCall = 100;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The measured process: says where it serves, answers questions, ends with its input.
int serve() {
  auto cloud = Cloud::start(
      {.folder = FLAGS_folder, .hosts = FLAGS_hosts, .http_threads = FLAGS_http_threads});
  if (!cloud) {
    std::fprintf(stderr, "berth-bench-api: %s\n", cloud.error().message.c_str());
    return 1;
  }
  std::cout << (*cloud)->port() << ' ' << (*cloud)->image();
  for (CloudKey const& key : (*cloud)->keys()) std::cout << ' ' << key.id << ' ' << key.secret;
  std::cout << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "stop";) {
    CloudCounters const c = (*cloud)->counters();
    std::cout << c.transactions << ' ' << c.commits << ' ' << c.changes << std::endl;
  }
  Result<std::size_t> const stored = (*cloud)->stop();
  if (!stored) std::fprintf(stderr, "berth-bench-api: %s\n", stored.error().message.c_str());
  std::cout << (stored ? *stored : 0) << std::endl;
  return stored ? 0 : 1;
}

// A page written and synced, as a log does, for half a second.
double syncs_per_second(std::filesystem::path const& file) {
  int const fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ENSURE(fd >= 0);
  std::string const page(4096, 'x');
  int syncs = 0;
  auto const start = std::chrono::steady_clock::now();
  for (; seconds_since(start) < 0.5; ++syncs) {
    ENSURE(::pwrite(fd, page.data(), page.size(), 0) == static_cast<ssize_t>(page.size()));
    ENSURE(::fdatasync(fd) == 0);
  }
  ::close(fd);
  std::filesystem::remove(file);
  return syncs / seconds_since(start);
}

struct Phase {
  LoadResult load;
  CloudCounters counters;             // between its begin and its end
  std::map<std::string, double> cpu;  // of the daemon's threads, likewise
  [[nodiscard]] double daemon_cpu() const {
    return std::accumulate(cpu.begin(), cpu.end(), 0.0,
                           [](double sum, auto const& one) { return sum + one.second; });
  }
};

struct Figures {
  double fdatasync_per_second = 0;
  Phase hello, run, by_id, by_page;
  std::uint64_t acknowledged = 0;
  std::uint64_t stored = 0;
  std::int64_t memory_bytes_max = 0;
};

CloudCounters counters_of(Child& daemon) {
  daemon.say("counters");
  Result<std::string> const line = daemon.line();
  CloudCounters out;
  if (line) std::istringstream(*line) >> out.transactions >> out.commits >> out.changes;
  return out;
}

Result<Phase> measured(Load const& load, Child& child, bool has_counters) {
  Phase phase;
  std::map<std::string, double> before;
  CloudCounters counted;
  auto const begun = [&] {
    before = child.cpu_seconds();
    if (has_counters) counted = counters_of(child);
  };
  auto const ended = [&] {
    for (auto const& [name, seconds] : child.cpu_seconds())
      phase.cpu[name] = seconds - before[name];
    if (!has_counters) return;
    CloudCounters const now = counters_of(child);
    phase.counters = {now.transactions - counted.transactions, now.commits - counted.commits,
                      now.changes - counted.changes};
  };
  phase.load = TRY(run(load, begun, ended));
  return phase;
}

std::string run_form(std::string const& image, std::int64_t count) {
  std::string const n = std::to_string(count);
  return "Action=RunInstances&Version=2016-11-15&ImageId=" + image +
         "&InstanceType=t3.nano&MinCount=" + n + "&MaxCount=" + n;
}

// Ids of instances, out of one answer to DescribeInstances; the bodies are not kept by run().
struct Daemon {
  Child child;
  std::uint16_t port = 0;
  std::string image;
  std::vector<CloudKey> keys;

  [[nodiscard]] Signer signer(std::size_t tenant) const {
    return Signer({.host = "127.0.0.1:" + std::to_string(port),
                   .region = "us-east-1",
                   .key_id = keys.at(tenant).id,
                   .secret = keys.at(tenant).secret});
  }
};

Result<Daemon> start_daemon(std::string const& program, std::string const& folder) {
  Child child = TRY(Child::start({program, "--daemon", "--folder=" + folder,
                                  "--hosts=" + std::to_string(FLAGS_hosts),
                                  "--http_threads=" + std::to_string(FLAGS_http_threads)}));
  std::istringstream line(TRY(child.line()));
  Daemon daemon{.child = std::move(child), .image = {}, .keys = {}};
  line >> daemon.port >> daemon.image;
  for (CloudKey key; line >> key.id >> key.secret;) daemon.keys.push_back(key);
  return daemon;
}

Result<Phase> hello_phase(std::string const& program, std::string const& folder, Daemon& daemon) {
  std::string const beside = std::filesystem::path(program).parent_path() / "berth-bench-hello";
  Child hello = TRY(Child::start({beside, folder + "/pki/daemon.crt", folder + "/pki/daemon.key"}));
  auto const port = static_cast<std::uint16_t>(std::stoi(TRY(hello.line())));
  Signer signer = daemon.signer(0);
  return measured({.port = port,
                   .connections = FLAGS_connections,
                   .seconds = FLAGS_seconds / 3,
                   .next = [&] { return signer.request(run_form(daemon.image, 1)); }},
                  hello, false);
}

Result<void> fill(Daemon& daemon, Figures& figures) {
  Signer signer = daemon.signer(1);
  std::int64_t left = (FLAGS_instances + kInstancesPerCall - 1) / kInstancesPerCall;
  // One connection, so that the number asked for is the number made.
  LoadResult const made = TRY(run(
      {.port = daemon.port,
       .connections = 1,
       .seconds = 1e6,
       .next = [&] { return signer.request(run_form(daemon.image, kInstancesPerCall)); },
       .requests_max = static_cast<std::uint64_t>(left)},
      [] {}, [] {}));
  if (!made.first_refusal.empty()) return Error{Code::unavailable, "fill", made.first_refusal};
  figures.acknowledged += made.answered_in_all * static_cast<std::uint64_t>(kInstancesPerCall);
  return {};
}

Result<std::vector<std::string>> ids_of_tenant(Daemon& daemon) {
  Signer signer = daemon.signer(1);
  LoadResult const page = TRY(run(
      {.port = daemon.port,
       .connections = 1,
       .seconds = 1e6,
       .next =
           [&] {
             return signer.request("Action=DescribeInstances&Version=2016-11-15&MaxResults=1000");
           },
       .requests_max = 1,
       .keeps_body = true},
      [] {}, [] {}));
  std::vector<std::string> ids;
  constexpr std::string_view kTag = "<instanceId>";
  for (std::size_t at = page.last_body.find(kTag); at != std::string::npos;
       at = page.last_body.find(kTag, at + 1)) {
    ids.push_back(page.last_body.substr(at + kTag.size(),
                                        page.last_body.find('<', at + 1) - at - kTag.size()));
  }
  if (ids.size() < kDescribed)
    return Error{Code::corrupt, "ids", "too few instances are described"};
  return ids;
}

Result<void> describe_phases(Daemon& daemon, Figures& figures) {
  std::vector<std::string> const ids = TRY(ids_of_tenant(daemon));
  Signer signer = daemon.signer(1);
  std::size_t at = 0;
  auto const by_id = [&] {
    std::string form = "Action=DescribeInstances&Version=2016-11-15";
    for (int i = 1; i <= kDescribed; ++i) {
      at = (at + 7919) % ids.size();
      form += "&InstanceId." + std::to_string(i) + "=" + ids[at];
    }
    return signer.request(form);
  };
  auto const by_page = [&] {
    return signer.request("Action=DescribeInstances&Version=2016-11-15&MaxResults=" +
                          std::to_string(kDescribed));
  };
  Load load{.port = daemon.port,
            .connections = FLAGS_connections,
            .seconds = FLAGS_seconds / 2,
            .next = by_id};
  figures.by_id = TRY(measured(load, daemon.child, true));
  load.next = by_page;
  figures.by_page = TRY(measured(load, daemon.child, true));
  return {};
}

Result<Figures> measure(std::string const& program, std::string const& folder) {
  Figures figures;
  figures.fdatasync_per_second = syncs_per_second(std::filesystem::path(folder) / "sync");
  Daemon daemon = TRY(start_daemon(program, folder));
  figures.hello = TRY(hello_phase(program, folder, daemon));
  if (FLAGS_reads) {
    TRY(fill(daemon, figures));
    TRY(describe_phases(daemon, figures));
  }
  Signer signer = daemon.signer(0);
  figures.run = TRY(measured({.port = daemon.port,
                              .connections = FLAGS_connections,
                              .seconds = FLAGS_seconds,
                              .next = [&] { return signer.request(run_form(daemon.image, 1)); }},
                             daemon.child, true));
  figures.acknowledged += figures.run.load.answered_in_all;
  figures.memory_bytes_max = daemon.child.memory_bytes_max();
  daemon.child.say("stop");
  figures.stored = std::stoull(TRY(daemon.child.line()));
  return figures;
}

double us_each(double seconds, std::uint64_t count) {
  return count == 0 ? 0 : seconds * 1e6 / static_cast<double>(count);
}

void print_json(Figures const& f) {
  auto const number = [first = true](char const* key, double value) mutable {
    std::printf("%s\"%s\": %.3f", first ? "{" : ", ", key, value);
    first = false;
  };
  auto put = number;
  LoadResult const& run = f.run.load;
  put("instances_per_second", run.per_second());
  put("requests_per_second", static_cast<double>(run.answered + run.refused) / run.seconds);
  put("p50_ms", run.percentile_ms(0.5));
  put("p99_ms", run.percentile_ms(0.99));
  put("commit_batch_mean",
      static_cast<double>(run.answered) /
          static_cast<double>(std::max<std::uint64_t>(f.run.counters.transactions, 1)));
  put("cpu_us_per_instance", us_each(f.run.daemon_cpu() + run.client_cpu_seconds, run.answered));
  put("daemon_cpu_us_per_instance", us_each(f.run.daemon_cpu(), run.answered));
  put("refused", static_cast<double>(run.refused));
  for (auto const& [name, seconds] : f.run.cpu) {
    put(("daemon_cpu_us_per_instance_" + name).c_str(), us_each(seconds, run.answered));
  }
  put("fdatasync_per_second", f.fdatasync_per_second);
  put("hello_requests_per_second", f.hello.load.per_second());
  put("hello_cpu_us_per_request",
      us_each(f.hello.daemon_cpu() + f.hello.load.client_cpu_seconds, f.hello.load.answered));
  put("describe_requests_per_second", f.by_page.load.per_second());
  put("describe_p99_ms", f.by_page.load.percentile_ms(0.99));
  put("describe_cpu_us_per_request",
      us_each(f.by_page.daemon_cpu() + f.by_page.load.client_cpu_seconds, f.by_page.load.answered));
  put("describe_by_id_requests_per_second", f.by_id.load.per_second());
  put("describe_by_id_p99_ms", f.by_id.load.percentile_ms(0.99));
  put("acknowledged", static_cast<double>(f.acknowledged));
  put("stored", static_cast<double>(f.stored));
  put("memory_mib_max", static_cast<double>(f.memory_bytes_max) / (1 << 20));
  std::printf("}\n");
}

void print_phase(char const* title, Phase const& phase) {
  LoadResult const& l = phase.load;
  std::printf("\n%s\n", title);
  std::printf("  %.0f/s, p50 %.2f ms, p99 %.2f ms, %.1f KiB an answer, %" PRIu64 " refused\n",
              l.per_second(), l.percentile_ms(0.5), l.percentile_ms(0.99),
              static_cast<double>(l.bytes) / 1024 /
                  static_cast<double>(std::max<std::uint64_t>(l.answered, 1)),
              l.refused);
  if (!l.first_refusal.empty()) std::printf("  refused: %.300s\n", l.first_refusal.c_str());
  std::printf("  CPU a request, us: ");
  for (auto const& [name, seconds] : phase.cpu)
    std::printf("%s %.1f, ", name.c_str(), us_each(seconds, l.answered));
  std::printf("the load itself %.1f\n", us_each(l.client_cpu_seconds, l.answered));
  if (phase.counters.transactions > 0) {
    auto const t = static_cast<double>(phase.counters.transactions);
    std::printf("  %.0f commits/s, %.1f requests and %.1f changes in each\n", t / l.seconds,
                static_cast<double>(l.answered) / t,
                static_cast<double>(phase.counters.changes) / t);
  }
}

void print_table(Figures const& f) {
  std::printf("disk: %.0f fdatasync/s\n", f.fdatasync_per_second);
  print_phase("a bare Beast server, the same requests", f.hello);
  print_phase("DescribeInstances, 50 by id", f.by_id);
  print_phase("DescribeInstances, a page of 50", f.by_page);
  print_phase("RunInstances, one instance each, durable", f.run);
  std::printf("\nacknowledged %" PRIu64 " instances, the store has %" PRIu64
              "; %.0f MiB of memory at most\n",
              f.acknowledged, f.stored, static_cast<double>(f.memory_bytes_max) / (1 << 20));
}

int main(int argc, char** argv) {
  gflags::SetUsageMessage("measures the whole path of a request; see bench/README.md");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  if (FLAGS_daemon) return serve();
  if (FLAGS_output != "table" && FLAGS_output != "json") {
    std::fprintf(stderr, "berth-bench-api: --output is table or json, found '%s'\n",
                 FLAGS_output.c_str());
    return 2;
  }
  std::string const program = std::filesystem::read_symlink("/proc/self/exe");
  std::string const folder = FLAGS_folder + "/berth-bench-api." + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  Result<Figures> const figures = measure(program, folder);
  if (!FLAGS_keep) std::filesystem::remove_all(folder);
  if (!figures) {
    std::fprintf(stderr, "berth-bench-api: %s\n", figures.error().message.c_str());
    return 1;
  }
  FLAGS_output == "json" ? print_json(*figures) : print_table(*figures);
  // What was acknowledged must be there; what came after the last answer may be.
  if (figures->stored < figures->acknowledged) {
    std::fprintf(stderr, "berth-bench-api: instances were lost\n");
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace berth::bench

int main(int argc, char** argv) {
  return berth::bench::main(argc, argv);
}
