#include "daemon/http/server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "tests/unit/http/client.h"

namespace berth::http {
namespace {

using test::Client;
using test::Front;
using test::kGet;
using test::serve;

TEST(HttpServer, answers_with_what_the_application_says) {
  Front front;
  front.reply_with = [](Request const&) {
    return Response{.status = 418, .headers = {{"X-Answer", "42"}}, .body = "tea"};
  };
  auto const server = serve({}, front);
  auto const reply = Client::tcp(server->bound_port()).ask(kGet);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 418U);
  EXPECT_EQ(reply->header("X-Answer"), "42");
  EXPECT_EQ(reply->body, "tea");
  EXPECT_TRUE(reply->header("Date").ends_with(" GMT"));
  EXPECT_EQ(reply->header("Connection"), "");
}

TEST(HttpServer, the_application_sees_the_request_as_it_was_sent) {
  Front front;
  auto const server = serve({}, front);
  ASSERT_TRUE(Client::tcp(server->bound_port())
                  .ask("PoST /a%20b?c=%2B&d HTTP/1.1\r\nhOst: h:1\r\nX: a\r\nX:  b \r\n"
                       "Content-Length: 5\r\n\r\nhello"));
  Request const got = front.last();
  EXPECT_EQ(got.method, "PoST");
  EXPECT_EQ(got.target, "/a%20b?c=%2B&d");
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.headers, (std::vector<Header>{
                             {"hOst", "h:1"}, {"X", "a"}, {"X", "b"}, {"Content-Length", "5"}}));
  EXPECT_TRUE(got.peer.starts_with("127.0.0.1:"));
  EXPECT_FALSE(got.is_local_socket);
  EXPECT_FALSE(got.peer_credentials);
}

TEST(HttpServer, a_connection_serves_many_requests) {
  Front front;
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.ask(kGet)) << i;
  EXPECT_EQ(server->counters().connections_accepted, 1U);
  EXPECT_EQ(server->counters().requests, 100U);
  EXPECT_EQ(server->counters().bytes_received, 100 * kGet.size());
}

TEST(HttpServer, pipelined_requests_are_answered_in_order_one_at_a_time) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({.thread_count = 2}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab" + std::string(kGet) +
      "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n" +
      std::string(kGet));
  for (int i = 1; i <= 4; ++i) {
    auto respond = front.take();
    ASSERT_TRUE(respond);
    EXPECT_EQ(front.requests, i);
    (*respond)({.body = std::to_string(i)});
    auto const reply = client.reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, std::to_string(i));
  }
}

TEST(HttpServer, connection_close_and_http_1_0_end_the_connection) {
  Front front;
  auto const server = serve({}, front);
  Client closing = Client::tcp(server->bound_port());
  auto const last = closing.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->header("Connection"), "close");
  EXPECT_TRUE(closing.is_closed());

  Client old = Client::tcp(server->bound_port());
  ASSERT_TRUE(old.ask("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(old.is_closed());

  Client kept = Client::tcp(server->bound_port());
  auto const first = kept.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->header("Connection"), "keep-alive");
  EXPECT_TRUE(kept.ask(kGet));
}

TEST(HttpServer, head_gets_the_length_without_the_body) {
  Front front;
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  client.send("HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\n");
  auto const reply = client.reply(std::chrono::seconds(10), false);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->header("Content-Length"), "4");
  auto const next = client.ask(kGet);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->body, "/a");
}

TEST(HttpServer, a_client_that_expects_100_continue_gets_it_before_it_sends) {
  Front front;
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(client.sees("HTTP/1.1 100 Continue\r\n\r\n"));
  auto const reply = client.ask("abc");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "/abc");
}

TEST(HttpServer, a_client_that_expects_100_continue_is_refused_before_it_sends) {
  Front front;
  auto const server = serve({.body_bytes_max = 10}, front);
  Client client = Client::tcp(server->bound_port());
  auto const reply = client.ask(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413U);
  EXPECT_TRUE(client.is_closed());
}

TEST(HttpServer, the_application_may_refuse_by_the_head_alone) {
  Front front;
  front.plan_with = [](Request const& head) -> BodyPlan {
    return plain_response(head.target == "/no" ? 403 : 404, head.body);
  };
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  auto const reply = client.ask("POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 403U);
  EXPECT_EQ(reply->header("Connection"), "close");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(front.requests, 0);
}

TEST(HttpServer, a_responder_may_be_called_from_any_thread) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({.thread_count = 2}, front);
  Client client = Client::tcp(server->bound_port());
  for (int i = 0; i < 20; ++i) {
    client.send(kGet);
    auto respond = front.take();
    ASSERT_TRUE(respond);
    std::thread([&] { (*respond)({.body = "there"}); }).join();
    auto const reply = client.reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "there");
  }
}

TEST(HttpServer, a_dropped_responder_gives_503_and_the_connection_goes_on) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(kGet);
  { auto const dropped = front.take(); }
  auto const reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503U);
  EXPECT_EQ(reply->body, "the request was dropped unanswered; retry\n");
  client.send(kGet);
  auto respond = front.take();
  ASSERT_TRUE(respond);
  (*respond)({});
  EXPECT_TRUE(client.reply());
}

TEST(HttpServer, an_answer_to_a_client_that_left_goes_nowhere) {
  Front front;
  front.reply_with = nullptr;
  auto const server = serve({}, front);
  Client client = Client::tcp(server->bound_port());
  client.send(kGet);
  auto respond = front.take();
  ASSERT_TRUE(respond);
  client.reset();
  (*respond)({.body = std::string(1'000'000, 'x')});
  EXPECT_TRUE(test::eventually([&] { return server->counters().connections_open == 0; }));
}

TEST(HttpServer, a_response_unfit_to_send_becomes_500) {
  Front front;
  front.reply_with = [](Request const&) {
    return Response{.headers = {{"X", "a\r\nSet-Cookie: b"}}};
  };
  auto const server = serve({}, front);
  auto const reply = Client::tcp(server->bound_port()).ask(kGet);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 500U);
  EXPECT_EQ(reply->head.find("Set-Cookie"), std::string::npos);
}

TEST(HttpServer, an_exception_in_the_application_ends_that_connection_only) {
  Front front;
  front.reply_with = [](Request const& r) -> Response {
    if (r.target == "/throw") throw std::runtime_error("a defect");
    return {};
  };
  auto const server = serve({}, front);
  Client other = Client::tcp(server->bound_port());
  ASSERT_TRUE(other.ask(kGet));
  Client client = Client::tcp(server->bound_port());
  EXPECT_FALSE(client.ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_TRUE(other.ask(kGet));
}

TEST(HttpServer, a_large_answer_arrives_whole) {
  Front front;
  std::string const large(3'000'000, 'y');
  front.reply_with = [&](Request const&) { return Response{.body = large}; };
  auto const server = serve({}, front);
  auto const reply = Client::tcp(server->bound_port()).ask(kGet);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, large);
}

TEST(HttpServer, a_unix_socket_tells_who_is_there) {
  test::Folder const folder;
  Front front;
  auto const server = serve({.unix_path = folder.path("s")}, front);
  EXPECT_EQ(server->bound_port(), 0);
  ASSERT_TRUE(Client::unix_socket(folder.path("s")).ask(kGet));
  Request const got = front.last();
  EXPECT_EQ(got.peer, "unix");
  EXPECT_TRUE(got.is_local_socket);
  ASSERT_TRUE(got.peer_credentials);
  EXPECT_EQ(got.peer_credentials->uid, ::getuid());
  EXPECT_EQ(got.peer_credentials->pid, ::getpid());
}

TEST(HttpServer, forty_clients_at_once_each_get_their_own_answers) {
  test::Folder const folder;
  test::Authority authority(folder, "ca");
  test::Files const files =
      authority.issue({.name = "server", .alt_names = {"IP:127.0.0.1"}, .use = test::Use::server});
  Front front;
  auto const server =
      serve({.tls = TlsOptions{.certificate_chain_file = files.certificate, .key_file = files.key},
             .thread_count = 2},
            front);
  std::atomic<int> right{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 40; ++c) {
    clients.emplace_back([&, c] {
      Client client =
          Client::tls(server->bound_port(), {.authority = authority.files().certificate});
      for (int i = 0; i < 25; ++i) {
        std::string const body(static_cast<std::size_t>(c * 100 + i), 'b');
        std::string const target = "/" + std::to_string(c) + "/" + std::to_string(i);
        auto const reply =
            client.ask("POST " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
        if (reply && reply->body == target + body) ++right;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 1000);
  EXPECT_EQ(server->counters().requests, 1000U);
  EXPECT_TRUE(test::eventually([&] { return server->counters().connections_open == 0; }));
}

TEST(HttpServer, options_that_make_no_sense_are_refused) {
  Front front;
  EXPECT_EQ(Server::start({.thread_count = 0}, front).error().message,
            "wanted 1 to 256 io threads, found 0");
  EXPECT_FALSE(Server::start({.unix_path = "/tmp/x", .tls = TlsOptions{}}, front));
  EXPECT_FALSE(Server::start({.connections_max = 0}, front));
  EXPECT_FALSE(Server::start({.header_bytes_max = 70'000}, front));
  EXPECT_FALSE(Server::start({.body_bytes_per_second_min = 0}, front));
  EXPECT_FALSE(Server::start({.address = "nowhere"}, front));
  EXPECT_FALSE(Server::start({.tls = TlsOptions{.certificate_chain_file = "/none"}}, front));
}

}  // namespace
}  // namespace berth::http
