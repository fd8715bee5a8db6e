// Every limit of ListenOptions at its edge and one past it, and every deadline.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "daemon/http/admission.h"
#include "tests/unit/http/client.h"

namespace berth::http {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Front;
using test::kGet;
using test::serve;

std::string request(std::string_view headers, std::string_view body = "") {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

std::string post(std::size_t size) {
  return request("Content-Length: " + std::to_string(size) + "\r\n", std::string(size, 'b'));
}

std::string post_chunked(std::size_t size) {
  std::string out = request("Transfer-Encoding: chunked\r\n");
  for (; size > 16; size -= 16) out += "10\r\n0123456789abcdef\r\n";
  return out + "1\r\nx\r\n" + (size > 1 ? "1\r\ny\r\n" : "") + "0\r\n\r\n";
}

unsigned status_of(Server const& server, std::string const& bytes) {
  Client client = Client::tcp(server.bound_port());
  auto const reply = client.ask(bytes);
  if (!reply) return 0;
  // A refusal ends the connection, an answer does not.
  bool const closes = reply->header("Connection") == "close";
  EXPECT_EQ(closes, reply->status != 200) << reply->head;
  if (closes) { EXPECT_TRUE(client.is_closed()); }
  return reply->status;
}

TEST(Limits, the_bytes_of_a_head) {
  Front front;
  auto const server = serve({.header_bytes_max = 16 * 1024}, front);
  std::size_t const frame = request("X: \r\n").size();
  auto const head = [&](std::size_t size) {
    return request("X: " + std::string(size - frame, 'x') + "\r\n");
  };
  EXPECT_EQ(status_of(*server, head(16 * 1024)), 200U);
  EXPECT_EQ(status_of(*server, head(16 * 1024 + 1)), 431U);
  EXPECT_EQ(status_of(*server, head(1024 * 1024)), 431U);
}

TEST(Limits, the_number_of_headers) {
  Front front;
  auto const server = serve({.headers_max = 20}, front);
  std::string headers;
  for (int i = 1; i < 20; ++i) headers += "X: 1\r\n";
  EXPECT_EQ(status_of(*server, request(headers)), 200U);
  EXPECT_EQ(status_of(*server, request(headers + "X: 1\r\n")), 431U);
}

TEST(Limits, the_bytes_of_a_body) {
  Front front;
  auto const server = serve({}, front);
  EXPECT_EQ(status_of(*server, post(1024 * 1024)), 200U);
  EXPECT_EQ(front.last().body.size(), 1024U * 1024U);
  EXPECT_EQ(status_of(*server, post(1024 * 1024 + 1)), 413U);
}

TEST(Limits, the_bytes_of_a_chunked_body) {
  Front front;
  auto const server = serve({.body_bytes_max = 1602}, front);
  EXPECT_EQ(status_of(*server, post_chunked(1602)), 200U);
  EXPECT_EQ(front.last().body.size(), 1602U);
  EXPECT_EQ(status_of(*server, post_chunked(1618)), 413U);
  EXPECT_EQ(status_of(*server, post_chunked(10'000'000)), 413U);
}

TEST(Limits, a_route_may_set_its_own_body_limit) {
  Front front;
  front.plan_with = [](Request const&) -> BodyPlan { return Buffered{.bytes_max = 5}; };
  auto const server = serve({}, front);
  EXPECT_EQ(status_of(*server, post(5)), 200U);
  EXPECT_EQ(status_of(*server, post(6)), 413U);
}

TEST(Limits, all_bodies_together) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({.bodies_bytes_max = 1000}, front);
  Client first = Client::tcp(server->bound_port());
  first.send(post(600));
  auto respond = front.take();
  ASSERT_TRUE(respond);
  EXPECT_EQ(status_of(*server, post(401)), 503U);
  Client fits = Client::tcp(server->bound_port());
  fits.send(post(400));
  auto other = front.take();
  ASSERT_TRUE(other);
  (*other)({});
  (*respond)({});
  ASSERT_TRUE(first.reply());
  Client next = Client::tcp(server->bound_port());
  next.send(post(1000));
  EXPECT_TRUE(front.take());
}

TEST(Limits, all_large_answers_together) {
  constexpr std::size_t kLarge = 8 << 20;  // more than the kernel takes for a client
  Front front;
  front.reply_with = [](Request const& r) {
    return Response{.status = 200, .body = std::string(r.target == "/large" ? kLarge : 1'000, 'x')};
  };
  auto const server =
      serve({.answers_bytes_max = kLarge, .header_deadline = milliseconds(500)}, front);
  std::string const large = "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  Client reads_nothing = Client::tcp(server->bound_port());
  reads_nothing.send(large);
  EXPECT_TRUE(test::eventually([&] { return front.requests == 1; }));
  EXPECT_EQ(status_of(*server, large), 503U);
  EXPECT_EQ(status_of(*server, std::string(kGet)), 200U) << "small answers are not concerned";
  // Who does not read is cut, and makes room.
  EXPECT_TRUE(test::eventually([&] { return status_of(*server, large) == 200; }));
}

TEST(Limits, an_answer_can_be_held_back) {
  Front front;
  front.reply_with = [](Request const&) {
    return Response{.status = 200, .delay = std::chrono::milliseconds(150)};
  };
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  for (int i = 0; i < 2; ++i) {
    auto const began = std::chrono::steady_clock::now();
    ASSERT_TRUE(client.ask(kGet));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 150ms);
  }
}

TEST(Limits, the_number_of_connections) {
  Front front;
  auto const server = serve({.connections_max = 3}, front);
  std::vector<Client> inside;
  for (int i = 0; i < 3; ++i) {
    inside.push_back(Client::tcp(server->bound_port()));
    ASSERT_TRUE(inside.back().ask(kGet));
  }
  Client refused = Client::tcp(server->bound_port());
  auto const reply = refused.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503U);
  int const again = std::stoi("0" + reply->header("Retry-After"));
  EXPECT_GE(again, 3);
  EXPECT_LE(again, 7);
  EXPECT_TRUE(refused.is_closed());
  EXPECT_EQ(server->counters().connections_refused, 1U);
  inside.clear();
  EXPECT_TRUE(test::eventually([&] { return status_of(*server, post(1)) == 200; }));
}

TEST(Limits, the_number_of_connections_of_one_address) {
  Front front;
  auto const server = serve({.connections_per_address_max = 2}, front);
  std::vector<Client> clients;
  for (unsigned i = 0; i < 2 + Admission::kRefusedPerAddressMax + 1; ++i) {
    clients.push_back(Client::tcp(server->bound_port()));
  }
  EXPECT_TRUE(clients[0].ask(kGet));
  EXPECT_TRUE(clients[1].ask(kGet));
  EXPECT_EQ(clients[2].reply()->status, 503U);
  EXPECT_TRUE(clients.back().is_closed());
  EXPECT_EQ(server->counters().connections_refused, Admission::kRefusedPerAddressMax + 1);
}

TEST(Limits, a_head_that_trickles_is_cut_with_408) {
  Front front;
  auto const server = serve({.header_deadline = milliseconds(300)}, front);
  Client client = Client::tcp(server->bound_port());
  auto const start = std::chrono::steady_clock::now();
  for (char const c : std::string_view("GET / HTTP/1.1\r\nHost: h\r\nX-Slow: yes")) {
    if (!client.send(std::string_view(&c, 1))) break;
    std::this_thread::sleep_for(30ms);
    if (std::chrono::steady_clock::now() - start > 3s) break;
  }
  auto const reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 408U);
  EXPECT_EQ(server->counters().deadlines_passed, 1U);
}

TEST(Limits, a_client_that_says_nothing_is_let_go_without_a_word) {
  Front front;
  auto const server = serve({.header_deadline = milliseconds(100)}, front);
  Client client = Client::tcp(server->bound_port());
  EXPECT_TRUE(client.is_closed());
}

TEST(Limits, the_number_of_handshakes) {
  test::Folder folder;
  test::Authority authority(folder, "authority");
  test::Files const files =
      authority.issue({.name = "server", .alt_names = {"IP:127.0.0.1"}, .use = test::Use::server});
  Front front;
  auto const server =
      serve({.tls = TlsOptions{.certificate_chain_file = files.certificate, .key_file = files.key},
             .handshakes_max = 2},
            front);
  std::vector<Client> stuck;
  for (int i = 0; i < 2; ++i) {
    stuck.push_back(Client::tcp(server->bound_port()));
    stuck.back().send("\x16");  // the first byte of a handshake
  }
  // One more is closed on sight, as soon as the two are known to be at it.
  EXPECT_TRUE(test::eventually([&] {
    Client extra = Client::tcp(server->bound_port());
    extra.send("\x16");
    return extra.is_closed(100ms);
  }));
  stuck.clear();
  EXPECT_TRUE(test::eventually([&] {
    Client next = Client::tls(server->bound_port(), {.authority = authority.files().certificate});
    return next.is_connected() && next.ask(kGet).has_value();
  }));
}

TEST(Limits, a_handshake_has_a_deadline) {
  test::Folder const folder;
  test::Authority authority(folder, "ca");
  test::Files const files =
      authority.issue({.name = "server", .alt_names = {"IP:127.0.0.1"}, .use = test::Use::server});
  Front front;
  auto const server =
      serve({.tls = TlsOptions{.certificate_chain_file = files.certificate, .key_file = files.key},
             .header_deadline = milliseconds(100)},
            front);
  EXPECT_TRUE(Client::tcp(server->bound_port()).is_closed());
  EXPECT_EQ(server->counters().handshakes_failed, 1U);
}

TEST(Limits, an_idle_connection_is_let_go_without_a_word) {
  Front front;
  auto const server = serve({.idle_deadline = milliseconds(300)}, front);
  Client client = Client::tcp(server->bound_port());
  ASSERT_TRUE(client.ask(kGet));
  std::this_thread::sleep_for(50ms);
  ASSERT_TRUE(client.ask(kGet));
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(server->counters().deadlines_passed, 1U);
  EXPECT_EQ(server->counters().requests_refused, 0U);
}

TEST(Limits, a_body_below_the_rate_is_cut_with_408) {
  Front front;
  auto const server =
      serve({.body_bytes_per_second_min = 500, .header_deadline = milliseconds(300)}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(request("Content-Length: 100000\r\n"));
  auto const start = std::chrono::steady_clock::now();
  std::optional<test::Reply> reply;
  while (!reply && std::chrono::steady_clock::now() - start < 9s) {
    client.send("b");  // one byte in 50 ms: a twenty-fifth of the rate
    reply = client.reply(50ms);
  }
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 408U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
}

TEST(Limits, a_body_above_the_rate_may_take_far_longer_than_the_grace) {
  Front front;
  auto const server =
      serve({.body_bytes_per_second_min = 100, .header_deadline = milliseconds(500)}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(request("Content-Length: 2000\r\n"));
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(100ms);
    ASSERT_TRUE(client.send(std::string(100, 'b')));
  }
  auto const reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200U);
}

TEST(Limits, a_reader_that_does_not_read_is_cut) {
  Front front;
  front.reply_with = [](Request const&) { return Response{.body = std::string(64'000'000, 'y')}; };
  auto const server = serve({.header_deadline = milliseconds(300)}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(kGet);
  ASSERT_TRUE(test::eventually([&] { return server->counters().requests == 1; }));
  EXPECT_TRUE(test::eventually([&] { return server->counters().connections_open == 0; }));
  EXPECT_EQ(server->counters().deadlines_passed, 1U);
}

TEST(Limits, the_application_has_a_deadline_too) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({.reply_deadline = milliseconds(200)}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(kGet);
  auto respond = front.take();
  auto const reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503U);
  EXPECT_EQ(reply->body, "no answer in time; retry later\n");
  EXPECT_TRUE(client.is_closed());
  (*respond)({.body = "too late"});
}

TEST(Limits, malformed_requests_get_their_own_status) {
  Front front;
  auto const server = serve({}, front);
  EXPECT_EQ(status_of(*server, "nonsense\r\n\r\n"), 400U);
  EXPECT_EQ(status_of(*server, "GET / HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(status_of(*server, "GET / HTTP/3.0\r\nHost: h\r\n\r\n"), 505U);
  EXPECT_EQ(status_of(*server, request("Transfer-Encoding: gzip\r\n")), 501U);
  EXPECT_EQ(status_of(*server, request("Expect: miracles\r\n")), 417U);
  EXPECT_EQ(status_of(*server, request("Transfer-Encoding: chunked\r\n", "zz\r\n")), 400U);
  EXPECT_EQ(front.requests, 0);
  EXPECT_EQ(server->counters().requests_refused, 6U);
}

TEST(Limits, a_refused_client_that_keeps_sending_still_gets_its_answer) {
  Front front;
  auto const server = serve({.body_bytes_max = 10}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(request("Content-Length: 8000000\r\n"));
  for (int i = 0; i < 80 && client.send(std::string(100'000, 'b')); ++i) {}
  auto const reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413U);
}

}  // namespace
}  // namespace berth::http
