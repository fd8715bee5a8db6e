#pragma once
// A real server and real clients over loopback, with real certificates; the core and the agents'
// drivers are played by small recorders.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "agent/link/link.h"
#include "berth/base/digest.h"
#include "berth/base/entropy.h"
#include "berth/base/log.h"
#include "common/pki/authority.h"
#include "common/pki/join_token.h"
#include "daemon/link/link.h"
#include "tests/unit/link/messages.h"

namespace berth::test {

// Waits on what other threads change; at the end says whether it came.
template <class Predicate>
bool eventually(Predicate predicate, std::chrono::milliseconds most = std::chrono::seconds(20)) {
  auto const end = std::chrono::steady_clock::now() + most;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// Plays the core: tokens are single use and expire, hosts can be removed.
class Core final : public link::LinkEvents {
 public:
  struct Token {
    std::string digest;
    bool is_expired = false;
  };

  void on_join(link::JoinAttempt attempt, link::JoinDone done) override {
    std::lock_guard const lock(mutex);
    if (answers_joins) {
      auto const token = tokens.find(attempt.host);
      if (token == tokens.end() || token->second.digest != attempt.token_digest ||
          token->second.is_expired) {
        return done(Error{Code::unauthenticated, "join-token", "the join token is not valid"});
      }
      tokens.erase(token);
      return done(link::JoinAccepted{.zone = ZoneName("us-east-1a")});
    }
    unanswered.push_back(std::move(done));
  }
  void on_hello(link::HelloFrom hello) override {
    std::lock_guard const lock(mutex);
    log.push_back("hello " + hello.host.value);
    hellos.push_back(std::move(hello));
  }
  void on_status(HostStatus status) override {
    std::lock_guard const lock(mutex);
    statuses.push_back(std::move(status));
  }
  void on_heartbeat(HostId const& host, std::uint64_t number) override {
    {
      std::lock_guard const lock(mutex);
      ++heartbeats;
    }
    if (server != nullptr && grants) server->grant_lease(host, number);
  }
  void on_gone(HostId const& host) override {
    std::lock_guard const lock(mutex);
    log.push_back("gone " + host.value);
  }
  bool may_connect(HostId const& host) override {
    std::lock_guard const lock(mutex);
    return !removed.contains(host);
  }

  [[nodiscard]] std::size_t count(std::string const& line) {
    std::lock_guard const lock(mutex);
    return static_cast<std::size_t>(std::count(log.begin(), log.end(), line));
  }
  [[nodiscard]] std::size_t status_count() {
    std::lock_guard const lock(mutex);
    return statuses.size();
  }

  std::mutex mutex;
  link::LinkServer* server = nullptr;
  std::atomic<bool> grants{true};
  bool answers_joins = true;
  std::map<HostId, Token> tokens;
  std::set<HostId> removed;
  std::vector<link::JoinDone> unanswered;
  std::vector<link::HelloFrom> hellos;
  std::vector<std::string> log;
  std::vector<HostStatus> statuses;
  std::size_t heartbeats = 0;
};

// Plays an agent's driver.
class Driver final : public agent::LinkEvents {
 public:
  void on_identity(HostId const& host, ZoneName const& zone) override {
    std::lock_guard const lock(mutex);
    identities.push_back(host.value + " " + zone.value);
  }
  void on_connected() override { ++connected; }
  void on_spec(HostSpec spec) override {
    {
      std::lock_guard const lock(mutex);
      specs.push_back(std::move(spec));
    }
    while (is_slow) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void on_lease(std::uint64_t number) override { lease = number; }
  void on_console_request(InstanceId const& instance, ConsoleDone done) override {
    if (answers_consoles) return done("console of " + instance.value);
    std::lock_guard const lock(mutex);
    held.push_back(std::move(done));
  }
  void on_gone() override { ++gone; }

  [[nodiscard]] std::size_t spec_count() {
    std::lock_guard const lock(mutex);
    return specs.size();
  }

  std::mutex mutex;
  std::vector<std::string> identities;
  std::vector<HostSpec> specs;
  std::vector<ConsoleDone> held;
  std::atomic<int> connected{0}, gone{0};
  std::atomic<std::uint64_t> lease{0};
  std::atomic<bool> is_slow{false}, answers_consoles{true};
};

class LinkTest : public testing::Test {
 protected:
  struct Agent {
    Driver driver;
    SeededEntropy entropy{1};
    std::unique_ptr<agent::LinkClient> link;
  };

  LinkTest() {
    log_start(LogOptions{.level = LogLevel::error});
    char name[] = "/tmp/berth-link-XXXXXX";
    root_ = mkdtemp(name);
    authority_.emplace(*pki::Authority::open(root_ + "/pki", clock_.now().wall));
  }
  ~LinkTest() override {
    agents_.clear();
    server_.reset();
    std::filesystem::remove_all(root_);
  }

  link::LinkOptions server_options() {
    return link::LinkOptions{
        .listen = "127.0.0.1:" + std::to_string(port_),
        .certificate = *authority_->daemon_certificate({}, clock_.now().wall),
        .authority = &*authority_,
        .clock = &clock_,
        .image_path = [this](HostId const& host,
                             std::string const& digest) -> std::optional<std::string> {
          std::lock_guard const lock(images_mutex_);
          auto const found = images_.find({host, digest});
          if (found == images_.end()) return std::nullopt;
          return found->second;
        }};
  }
  void serve() { serve(server_options()); }
  void serve(link::LinkOptions options) {
    server_ = std::make_unique<link::LinkServer>(std::move(options), core_);
    auto const started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
    port_ = server_->port();
    core_.server = server_.get();
  }

  // A token the core knows.
  std::string token(HostId const& host) {
    std::string text = pki::text(pki::make_join_token(host, authority_->fingerprint()));
    std::lock_guard const lock(core_.mutex);
    core_.tokens[host] = Core::Token{.digest = pki::token_digest(text)};
    return text;
  }
  agent::LinkOptions client_options(int n, Agent& agent) {
    std::string const directory = root_ + "/agent" + std::to_string(n);
    std::filesystem::create_directories(directory);
    return agent::LinkOptions{.daemon = "127.0.0.1:" + std::to_string(port_),
                              .directory = directory,
                              .host_uuid = "uuid-" + std::to_string(n),
                              .boot_id = "boot",
                              .version = "0.1.0",
                              .clock = &clock_,
                              .entropy = &agent.entropy,
                              .reconnect_base = milliseconds(20),
                              .reconnect_cap = milliseconds(200)};
  }
  // An agent in directory n; with a token it joins as that token says.
  Agent& an_agent(int n, std::string const& join_token = "") {
    Agent& agent = agents_.emplace_back();
    agent::LinkOptions options = client_options(n, agent);
    options.join_token = join_token;
    agent.link = std::make_unique<agent::LinkClient>(options, agent.driver);
    auto const started = agent.link->start();
    EXPECT_TRUE(started) << started.error().message;
    return agent;
  }
  Agent& joined(int n) {
    Agent& agent = an_agent(n, token(host_id(n)));
    EXPECT_TRUE(eventually([&] { return agent.driver.connected > 0; }))
        << agent.link->state().problem;
    return agent;
  }
  std::string image(HostId const& host, std::string const& bytes) {
    std::string const digest = hex(sha256(bytes));
    std::string const path = root_ + "/" + digest;
    std::ofstream(path, std::ios::binary) << bytes;
    std::lock_guard const lock(images_mutex_);
    images_[{host, digest}] = path;
    return digest;
  }

  std::string root_;
  SystemClock clock_;
  int port_ = 0;
  std::optional<pki::Authority> authority_;
  Core core_;
  std::mutex images_mutex_;
  std::map<std::pair<HostId, std::string>, std::string> images_;
  std::unique_ptr<link::LinkServer> server_;
  std::deque<Agent> agents_;
};

}  // namespace berth::test
