// Ending: requests in flight are finished, the rest is closed, late answers are harmless.

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/unit/http/client.h"

namespace berth::http {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Front;
using test::kGet;
using test::serve;

auto elapsed(auto const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::steady_clock::now() - start;
}

TEST(Stop, idle_and_silent_connections_do_not_delay_it) {
  Front front;
  auto const server = serve({.thread_count = 2}, front);
  Client idle = Client::tcp(server->bound_port());
  ASSERT_TRUE(idle.ask(kGet));
  Client silent = Client::tcp(server->bound_port());
  ASSERT_TRUE(test::eventually([&] { return server->counters().connections_open == 2; }));
  std::thread client([&] {
    EXPECT_TRUE(idle.is_closed());
    idle.reset();
    EXPECT_TRUE(silent.is_closed());
    silent.reset();
  });
  EXPECT_LT(elapsed([&] { server->stop(); }), 5s);
  client.join();
  EXPECT_EQ(server->counters().connections_open, 0U);
}

TEST(Stop, a_request_in_flight_is_finished_and_told_to_close) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(kGet);
  auto respond = front.take();
  ASSERT_TRUE(respond);
  std::thread application([&] {
    std::this_thread::sleep_for(300ms);
    (*respond)({.body = "finished"});
  });
  std::thread reader([&] {
    auto const reply = client.reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "finished");
    EXPECT_EQ(reply->header("Connection"), "close");
    client.reset();
  });
  server->stop();
  application.join();
  reader.join();
}

TEST(Stop, new_connections_are_not_taken) {
  Front front;
  auto const server = serve({}, front);
  std::uint16_t const port = server->bound_port();
  server->stop();
  EXPECT_FALSE(Client::tcp(port).is_connected());
  server->stop();  // twice is once
}

TEST(Stop, does_not_wait_longer_than_its_deadline) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({.thread_count = 2, .stop_deadline = milliseconds(300)}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(kGet);
  auto respond = front.take();
  ASSERT_TRUE(respond);
  Client half = Client::tcp(server->bound_port());
  half.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
  ASSERT_TRUE(test::eventually([&] { return server->counters().requests == 2; }));
  EXPECT_LT(elapsed([&] { server->stop(); }), 5s);
  EXPECT_TRUE(client.is_closed());
  (*respond)({.body = "too late"});
}

TEST(Stop, a_responder_may_outlive_the_server) {
  Front front;
  front.reply_with = nullptr;
  auto server = serve({.stop_deadline = milliseconds(100)}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(kGet);
  auto respond = front.take();
  ASSERT_TRUE(respond);
  server.reset();
  (*respond)({});
}

TEST(Stop, while_clients_come_and_go) {
  for (int round = 0; round < 10; ++round) {
    Front front;
    auto server = serve({.thread_count = 2, .stop_deadline = milliseconds(500)}, front);
    std::uint16_t const port = server->bound_port();
    std::atomic<bool> is_over{false};
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c) {
      clients.emplace_back([&] {
        while (!is_over) {
          Client client = Client::tcp(port);
          if (!client.is_connected()) break;
          for (int i = 0; i < 5 && client.ask(kGet); ++i) {}
        }
      });
    }
    std::this_thread::sleep_for(30ms);
    server.reset();
    is_over = true;
    for (std::thread& c : clients) c.join();
  }
}

}  // namespace
}  // namespace berth::http
