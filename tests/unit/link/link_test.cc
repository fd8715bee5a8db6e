// Daemon and agent over a real line: what each side hears of the other.
#include <future>

#include <gmock/gmock.h>

#include "berth/model/limits.h"
#include "tests/unit/link/world.h"

namespace berth::test {
namespace {

TEST_F(LinkTest, a_new_host_joins_connects_and_says_who_it_is) {
  serve();
  Agent& agent = joined(1);
  ASSERT_TRUE(eventually([&] { return core_.count("hello " + host_id(1).value) == 1; }));
  {
    std::lock_guard const lock(core_.mutex);
    EXPECT_EQ(core_.hellos[0].host_uuid, "uuid-1");
    EXPECT_EQ(core_.hellos[0].boot_id, "boot");
    EXPECT_EQ(core_.hellos[0].version, "0.1.0");
    EXPECT_THAT(core_.hellos[0].peer, testing::HasSubstr("127.0.0.1"));
  }
  EXPECT_THAT(agent.driver.identities, testing::ElementsAre(host_id(1).value + " us-east-1a"));
  EXPECT_EQ(agent.link->state().host, host_id(1));
  EXPECT_EQ(server_->counters().joins_accepted, 1u);
  EXPECT_EQ(server_->counters().connected, 1u);
}

TEST_F(LinkTest, the_key_on_disk_is_nobody_elses_and_a_restart_needs_no_token) {
  serve();
  joined(1);
  auto const file = root_ + "/agent1/agent.pem";
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  agents_.clear();
  ASSERT_TRUE(eventually([&] { return core_.count("gone " + host_id(1).value) == 1; }));
  Agent& again = an_agent(1);
  EXPECT_TRUE(eventually([&] { return again.driver.connected > 0; }));
  EXPECT_EQ(server_->counters().joins_accepted, 1u);
}

TEST_F(LinkTest, reports_arrive_whole) {
  serve();
  Agent& agent = joined(1);
  HostStatus const status = a_status(host_id(1));
  agent.link->send(status);
  ASSERT_TRUE(eventually([&] { return core_.status_count() == 1; }));
  std::lock_guard const lock(core_.mutex);
  EXPECT_EQ(core_.statuses[0], status);
}

TEST_F(LinkTest, heartbeats_are_answered_with_leases) {
  serve();
  Agent& agent = joined(1);
  agent.link->heartbeat(41);
  EXPECT_TRUE(eventually([&] { return agent.driver.lease == 41; }));
  agent.link->heartbeat(42);
  EXPECT_TRUE(eventually([&] { return agent.driver.lease == 42; }));
}

TEST_F(LinkTest, a_spec_arrives_whole_and_only_at_its_host) {
  serve();
  Agent& one = joined(1);
  Agent& two = joined(2);
  server_->send(a_spec(host_id(1)));
  server_->send(a_spec(host_id(9)));  // not connected: dropped
  ASSERT_TRUE(eventually([&] { return one.driver.spec_count() == 1; }));
  EXPECT_EQ(one.driver.specs[0], a_spec(host_id(1)));
  EXPECT_EQ(two.driver.spec_count(), 0u);
}

TEST_F(LinkTest, a_waiting_spec_is_replaced_by_a_newer_one) {
  serve();
  Agent& agent = joined(1);
  agent.driver.is_slow = true;
  // Larger than any window, so that one is under way and the others must wait.
  HostSpec spec{.host = host_id(1)};
  for (int i = 1; i <= 400; ++i) {
    spec.instances.push_back(an_instance(i));
    spec.instances.back().user_data.assign(limits::kUserDataBytesMax, 'u');
  }
  constexpr std::uint64_t kSent = 60;
  for (std::uint64_t g = 1; g <= kSent; ++g) {
    spec.generation = Generation(g);
    server_->send(spec);
  }
  agent.driver.is_slow = false;
  ASSERT_TRUE(eventually([&] {
    std::lock_guard const lock(agent.driver.mutex);
    return !agent.driver.specs.empty() && agent.driver.specs.back().generation.value == kSent;
  }));
  std::lock_guard const lock(agent.driver.mutex);
  EXPECT_LT(agent.driver.specs.size(), kSent);
  EXPECT_TRUE(std::ranges::is_sorted(agent.driver.specs, {}, &HostSpec::generation));
  EXPECT_EQ(agent.driver.specs.size() + server_->counters().specs_superseded, kSent);
}

TEST_F(LinkTest, a_console_is_read_through_the_line) {
  serve();
  joined(1);
  std::promise<Result<std::string>> answer;
  server_->read_console(host_id(1), instance_id(5),
                        [&](Result<std::string> r) { answer.set_value(std::move(r)); });
  EXPECT_EQ(*answer.get_future().get(), "console of " + instance_id(5).value);
}

TEST_F(LinkTest, a_console_of_a_host_that_is_not_there_is_unavailable) {
  serve();
  std::promise<Result<std::string>> answer;
  server_->read_console(host_id(1), instance_id(5),
                        [&](Result<std::string> r) { answer.set_value(std::move(r)); });
  EXPECT_EQ(answer.get_future().get().error().code, Code::unavailable);
}

TEST_F(LinkTest, a_console_that_is_not_answered_times_out_and_a_late_answer_is_dropped) {
  auto options = server_options();
  options.console_timeout = milliseconds(300);
  serve(std::move(options));
  Agent& agent = joined(1);
  agent.driver.answers_consoles = false;
  std::promise<Result<std::string>> answer;
  server_->read_console(host_id(1), instance_id(5),
                        [&](Result<std::string> r) { answer.set_value(std::move(r)); });
  EXPECT_EQ(answer.get_future().get().error().code, Code::timeout);
  agent::LinkEvents::ConsoleDone late;
  {
    std::lock_guard const lock(agent.driver.mutex);
    late = agent.driver.held.at(0);
  }
  late(std::string("late"));
  agent.link->heartbeat(1);
  EXPECT_TRUE(eventually([&] { return agent.driver.lease == 1; }));
}

TEST_F(LinkTest, a_console_is_answered_when_its_host_goes_away) {
  serve();
  Agent& agent = joined(1);
  agent.driver.answers_consoles = false;
  std::promise<Result<std::string>> answer;
  server_->read_console(host_id(1), instance_id(5),
                        [&](Result<std::string> r) { answer.set_value(std::move(r)); });
  agent.link->stop();
  EXPECT_EQ(answer.get_future().get().error().code, Code::unavailable);
}

TEST_F(LinkTest, an_image_arrives_whole_and_goes_on_from_an_offset) {
  serve();
  Agent& agent = joined(1);
  std::string bytes(3 * 1024 * 1024 + 17, '\0');
  SeededEntropy(5).fill(std::as_writable_bytes(std::span(bytes)));
  std::string const digest = image(host_id(1), bytes);
  for (std::size_t offset : {std::size_t{0}, std::size_t{1'000'001}, bytes.size()}) {
    std::string got;
    auto const fetched = agent.link->fetch_image(digest, offset, [&](std::string_view piece) {
      got += piece;
      return Result<void>();
    });
    ASSERT_TRUE(fetched) << fetched.error().message;
    EXPECT_EQ(got, bytes.substr(offset)) << offset;
  }
}

TEST_F(LinkTest, a_fetch_broken_off_by_its_sink_resumes_where_it_was) {
  serve();
  Agent& agent = joined(1);
  std::string const bytes(2 * 1024 * 1024, 'z');
  std::string const digest = image(host_id(1), bytes);
  std::string got;
  auto const broken = agent.link->fetch_image(digest, 0, [&](std::string_view piece) {
    got += piece;
    return Result<void>(Error{Code::no_capacity, "disk", "full"});
  });
  EXPECT_EQ(broken.error().code, Code::no_capacity);
  ASSERT_LT(got.size(), bytes.size());
  ASSERT_TRUE(agent.link->fetch_image(digest, got.size(), [&](std::string_view piece) {
    got += piece;
    return Result<void>();
  }));
  EXPECT_EQ(got, bytes);
  EXPECT_TRUE(eventually([&] { return server_->counters().image_fetches == 0; }));
}

TEST_F(LinkTest, an_image_that_the_hosts_spec_does_not_name_is_refused) {
  serve();
  joined(1);
  Agent& other = joined(2);
  std::string const digest = image(host_id(1), "secret");
  auto const sink = [](std::string_view) { return Result<void>(); };
  EXPECT_EQ(other.link->fetch_image(digest, 0, sink).error().code, Code::forbidden);
  EXPECT_EQ(other.link->fetch_image("../../etc/passwd", 0, sink).error().code, Code::forbidden);
}

TEST_F(LinkTest, an_offset_past_the_end_is_invalid_and_a_missing_file_unavailable) {
  serve();
  Agent& agent = joined(1);
  auto const sink = [](std::string_view) { return Result<void>(); };
  std::string const digest = image(host_id(1), "short");
  EXPECT_EQ(agent.link->fetch_image(digest, 6, sink).error().code, Code::invalid);
  EXPECT_EQ(agent.link->fetch_image(digest, UINT64_MAX, sink).error().code, Code::invalid);
  std::filesystem::remove(root_ + "/" + digest);
  EXPECT_EQ(agent.link->fetch_image(digest, 0, sink).error().code, Code::unavailable);
}

TEST_F(LinkTest, too_many_fetches_are_told_to_come_again) {
  auto options = server_options();
  options.image_fetches_max = 0;
  serve(std::move(options));
  Agent& agent = joined(1);
  std::string const digest = image(host_id(1), "bytes");
  EXPECT_EQ(agent.link->fetch_image(digest, 0, [](std::string_view) { return Result<void>(); })
                .error()
                .code,
            Code::unavailable);
}

TEST_F(LinkTest, a_newer_session_of_a_host_replaces_the_older_one) {
  serve();
  Agent& old = joined(1);
  std::filesystem::copy(root_ + "/agent1", root_ + "/agent3");
  Agent& young = an_agent(3);
  ASSERT_TRUE(eventually([&] { return young.driver.connected > 0; }));
  ASSERT_TRUE(eventually([&] { return old.driver.gone > 0; }));
  ASSERT_TRUE(eventually([&] { return core_.count("hello " + host_id(1).value) >= 2; }));
  EXPECT_GE(server_->counters().sessions_replaced, 1u);
  // The host was never gone in between, as the core heard it.
  std::lock_guard const lock(core_.mutex);
  EXPECT_EQ(core_.log[0], "hello " + host_id(1).value);
  EXPECT_EQ(core_.log[1], "hello " + host_id(1).value);
}

TEST_F(LinkTest, a_dropped_host_is_gone_and_a_removed_one_does_not_come_back) {
  serve();
  Agent& agent = joined(1);
  {
    std::lock_guard const lock(core_.mutex);
    core_.removed.insert(host_id(1));
  }
  server_->drop(host_id(1));
  ASSERT_TRUE(eventually([&] { return core_.count("gone " + host_id(1).value) == 1; }));
  ASSERT_TRUE(eventually([&] {
    return agent.link->state().problem.find("not a host of this region") != std::string::npos;
  }));
  EXPECT_EQ(core_.count("hello " + host_id(1).value), 1u);
  EXPECT_EQ(agent.driver.connected, 1);
}

TEST_F(LinkTest, an_agent_finds_its_daemon_again_after_a_restart) {
  serve();
  Agent& agent = joined(1);
  server_->stop();
  EXPECT_EQ(core_.count("gone " + host_id(1).value), 1u);
  ASSERT_TRUE(eventually([&] { return agent.driver.gone == 1; }));
  agent.link->send(a_status(host_id(1)));  // dropped
  server_.reset();
  serve();
  ASSERT_TRUE(eventually([&] { return agent.driver.connected == 2; }));
  EXPECT_EQ(core_.status_count(), 0u);
  EXPECT_EQ(agent.driver.identities.size(), 1u);
}

TEST_F(LinkTest, certificates_are_renewed_at_two_thirds_of_their_life_while_work_goes_on) {
  auto options = server_options();
  options.host_certificate_life = seconds(6);
  serve(std::move(options));
  Agent& agent = joined(1);
  WallTime const first = *agent.link->state().certificate_ends;
  auto const begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually([&] { return agent.link->state().renewals >= 1; }));
  EXPECT_GT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(2500));
  EXPECT_GT(*agent.link->state().certificate_ends, first);
  ASSERT_TRUE(eventually([&] { return agent.driver.connected >= 2; }));
  agent.link->heartbeat(7);
  EXPECT_TRUE(eventually([&] { return agent.driver.lease == 7; }));
}

TEST_F(LinkTest, two_daemons_cannot_share_a_port) {
  serve();
  link::LinkServer second(server_options(), core_);
  auto const started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, testing::HasSubstr("is the address ours"));
}

TEST_F(LinkTest, stopping_does_not_wait_for_a_core_that_never_answers) {
  serve();
  core_.answers_joins = false;
  an_agent(1, token(host_id(1)));
  ASSERT_TRUE(eventually([&] {
    std::lock_guard const lock(core_.mutex);
    return !core_.unanswered.empty();
  }));
  auto const begun = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  // The core's answer may come when nobody is there any more.
  core_.unanswered[0](link::JoinAccepted{.zone = ZoneName("z")});
}

TEST_F(LinkTest, many_hosts_come_and_go_and_nothing_is_left) {
  serve();
  constexpr int kHosts = 40;
  for (int n = 1; n <= kHosts; ++n) an_agent(n, token(host_id(n)));
  ASSERT_TRUE(eventually([&] { return server_->counters().connected == kHosts; }));
  // The daemon may know before the agent does, and a status of an agent without a session is
  // dropped.
  for (Agent& agent : agents_) ASSERT_TRUE(eventually([&] { return agent.driver.connected > 0; }));
  for (Agent& agent : agents_) agent.link->send(a_status(*agent.link->state().host));
  ASSERT_TRUE(eventually([&] { return core_.status_count() == kHosts; }));
  for (int n = 1; n <= kHosts; ++n) server_->drop(host_id(n));
  ASSERT_TRUE(eventually([&] { return server_->counters().sessions >= 2 * kHosts; }));
  ASSERT_TRUE(eventually([&] { return server_->counters().connected == kHosts; }));
  agents_.clear();
  EXPECT_TRUE(eventually([&] { return server_->counters().connected == 0; }));
  for (int n = 1; n <= kHosts; ++n) {
    EXPECT_EQ(core_.count("hello " + host_id(n).value),
              core_.count("gone " + host_id(n).value) + 0u)
        << n;
  }
}

}  // namespace
}  // namespace berth::test
