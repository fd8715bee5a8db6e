// load_agents: agents without a hypervisor, on the real link: each joins, says hello, reports and
// sends heartbeats, and takes down how long its lease was in coming. Until standard input ends;
// then one line of JSON.
//
//   load_agents --daemon=127.0.0.1:8774 --directory=DIR --tokens=FILE
//
// FILE has one join token on each line: an agent each.

#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/link/link.h"

DEFINE_string(daemon, "", "HOST:PORT");
DEFINE_string(directory, "", "Where each agent keeps its identity");
DEFINE_string(tokens, "", "File of join tokens, one on a line");
DEFINE_int32(heartbeat_ms, 1'000, "Of each agent");

namespace berth::load {
namespace {

class Agent final : public agent::LinkEvents {
 public:
  Agent(int number, std::string token) : uuid_("load-agent-" + std::to_string(number)) {
    std::string const directory = FLAGS_directory + "/" + std::to_string(number);
    std::filesystem::create_directories(directory);
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
    link_ = std::make_unique<agent::LinkClient>(agent::LinkOptions{.daemon = FLAGS_daemon,
                                                                   .directory = directory,
                                                                   .join_token = std::move(token),
                                                                   .host_uuid = uuid_,
                                                                   .boot_id = "boot-1",
                                                                   .version = "load",
                                                                   .clock = &clock_,
                                                                   .entropy = &entropy_},
                                                *this);
  }
  ~Agent() override { link_->stop(); }

  [[nodiscard]] Result<void> start() { return link_->start(); }

  void beat() {
    std::lock_guard const lock(mutex_);
    if (!is_connected_) {
      ++unconnected;
      return;
    }
    ++sent;
    sent_at_.push_back(clock_.now().monotonic);
    link_->heartbeat(sent_at_.size());
  }

  void on_identity(HostId const& host, ZoneName const&) override {
    std::lock_guard const lock(mutex_);
    host_ = host;
  }
  void on_connected() override {
    HostStatus status;
    {
      std::lock_guard const lock(mutex_);
      is_connected_ = true;
      ++sessions;
      status.host = host_;
    }
    status.host_uuid = uuid_;
    status.boot_id = "boot-1";
    HostCell cell{.id = 0, .memory = Mebibytes(64 * 1024), .cpus = {}, .huge_pages = {}};
    for (std::int32_t n = 0; n < 16; ++n)
      cell.cpus.push_back({.id = n, .core = n, .siblings = {n}});
    status.inventory.cells.push_back(std::move(cell));
    status.inventory.disk_total = Bytes(std::int64_t{1} << 40);
    status.inventory.disk_free = status.inventory.disk_total;
    link_->send(status);
  }
  void on_spec(HostSpec) override {}
  void on_lease(std::uint64_t number) override {
    std::lock_guard const lock(mutex_);
    if (number == 0 || number > sent_at_.size()) return;
    ++granted;
    Duration const took = clock_.now().monotonic - sent_at_[number - 1];
    delays_ms.push_back(static_cast<double>(took.ns) / 1e6);
    last_granted_ = number;
  }
  void on_console_request(InstanceId const&, ConsoleDone done) override { done(std::string()); }
  void on_gone() override {
    std::lock_guard const lock(mutex_);
    is_connected_ = false;
  }

  // A heartbeat whose lease has not come for so long, at the end.
  [[nodiscard]] double waiting_ms() {
    std::lock_guard const lock(mutex_);
    if (last_granted_ >= sent_at_.size()) return 0;
    return static_cast<double>((clock_.now().monotonic - sent_at_[last_granted_]).ns) / 1e6;
  }

  std::uint64_t sent = 0, granted = 0, sessions = 0, unconnected = 0;
  std::vector<double> delays_ms;

 private:
  std::string const uuid_;
  SystemClock clock_;
  KernelEntropy entropy_;
  std::mutex mutex_;
  HostId host_;
  bool is_connected_ = false;
  std::uint64_t last_granted_ = 0;
  std::vector<Instant> sent_at_;  // by number, from 1
  std::unique_ptr<agent::LinkClient> link_;
};

int run() {
  std::ifstream tokens(FLAGS_tokens);
  std::vector<std::unique_ptr<Agent>> agents;
  for (std::string token; std::getline(tokens, token);) {
    agents.push_back(std::make_unique<Agent>(static_cast<int>(agents.size()), token));
  }
  if (agents.empty()) {
    std::fprintf(stderr, "load_agents: no token in '%s'\n", FLAGS_tokens.c_str());
    return 2;
  }
  for (auto const& a : agents) {
    if (Result<void> const started = a->start(); !started) {
      std::fprintf(stderr, "load_agents: %s\n", started.error().message.c_str());
      return 1;
    }
  }
  std::atomic<bool> is_over{false};
  std::jthread const watches([&] {
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {}
    is_over = true;
  });
  while (!is_over) {
    for (auto const& a : agents) a->beat();
    std::this_thread::sleep_for(std::chrono::milliseconds(FLAGS_heartbeat_ms));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  std::uint64_t sent = 0, granted = 0, sessions = 0, unconnected = 0;
  double waiting = 0;
  std::vector<double> delays;
  for (auto const& a : agents) {
    waiting = std::max(waiting, a->waiting_ms());
    sent += a->sent;
    granted += a->granted;
    sessions += a->sessions;
    unconnected += a->unconnected;
    delays.insert(delays.end(), a->delays_ms.begin(), a->delays_ms.end());
  }
  std::sort(delays.begin(), delays.end());
  auto const at = [&](double q) {
    return delays.empty()
               ? 0
               : delays[static_cast<std::size_t>(q * static_cast<double>(delays.size() - 1))];
  };
  auto const n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
  std::printf(
      "{\"agents\": %zu, \"heartbeats\": %llu, \"leases\": %llu, \"sessions\": %llu, "
      "\"unconnected\": %llu, \"lease_p50_ms\": %.2f, \"lease_p99_ms\": %.2f, "
      "\"lease_max_ms\": %.2f, \"still_waiting_ms\": %.2f}\n",
      agents.size(), n(sent), n(granted), n(sessions), n(unconnected), at(0.5), at(0.99), at(1),
      waiting);
  return 0;
}

}  // namespace
}  // namespace berth::load

int main(int argc, char** argv) {
  gflags::SetUsageMessage("agents without a hypervisor, for load on the link");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  return berth::load::run();
}
