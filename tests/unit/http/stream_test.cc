// Bodies that go to a sink.

#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/http/client.h"

namespace berth::http {
namespace {

using namespace std::chrono_literals;
using test::Client;
using test::Front;
using test::serve;

// What happened to the sinks of one test.
struct Ledger {
  std::mutex mutex;
  std::string received;
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> longest_write{0};
  std::atomic<int> finished{0};
  std::atomic<int> refused{0};
  std::atomic<int> destroyed{0};
  std::size_t fails_after = std::string::npos;
  std::chrono::milliseconds each_write_takes{0};
};

class Sink final : public BodySink {
 public:
  explicit Sink(Ledger& ledger) : ledger_(ledger) {}
  ~Sink() override { ++ledger_.destroyed; }

  Result<void> write(std::string_view bytes) override {
    std::this_thread::sleep_for(ledger_.each_write_takes);
    std::lock_guard const lock(ledger_.mutex);
    ledger_.received += bytes;
    ledger_.bytes = ledger_.received.size();
    ledger_.longest_write = std::max(ledger_.longest_write.load(), bytes.size());
    if (ledger_.received.size() > ledger_.fails_after) {
      return Error{.code = Code::no_capacity, .subject = "image", .message = "the disk is full"};
    }
    return {};
  }
  void finish(Responder respond) override {
    ++ledger_.finished;
    respond({.status = 201, .body = std::to_string(ledger_.received.size())});
  }
  void refuse(Error const& error, Responder respond) override {
    ++ledger_.refused;
    respond(plain_response(507, error.message));
  }

 private:
  Ledger& ledger_;
};

class Streams : public ::testing::Test {
 protected:
  Streams() {
    front_.plan_with = [this](Request const&) -> BodyPlan {
      return Streamed{.sink = std::make_unique<Sink>(ledger_), .bytes_max = 20'000'000};
    };
  }
  static std::string put(std::size_t size) {
    return "PUT /image HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  }

  Ledger ledger_;
  Front front_;
};

TEST_F(Streams, a_body_larger_than_any_buffer_reaches_its_sink_in_order) {
  auto const server = serve({}, front_);
  std::string body;
  for (int i = 0; body.size() < 10'000'000; ++i) body += std::to_string(i) + ",";
  Client client = Client::tcp(server->bound_port());
  client.send(put(body.size()));
  auto const reply = client.ask(body);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 201U);
  EXPECT_TRUE(ledger_.received == body);
  EXPECT_LE(ledger_.longest_write, 64U * 1024U);
  EXPECT_EQ(ledger_.finished, 1);
  EXPECT_EQ(front_.requests, 0);
  // The connection goes on, and the next upload has its own sink.
  EXPECT_TRUE(client.ask(put(1) + "x"));
  EXPECT_EQ(ledger_.destroyed, 2);
}

TEST_F(Streams, a_chunked_body_is_streamed_without_its_framing) {
  auto const server = serve({}, front_);
  auto const reply = Client::tcp(server->bound_port())
                         .ask(
                             "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "7");
  EXPECT_EQ(ledger_.received, "abcdefg");
}

TEST_F(Streams, a_sink_that_errs_answers_for_itself_and_ends_the_connection) {
  ledger_.fails_after = 100'000;
  auto const server = serve({}, front_);
  Client client = Client::tcp(server->bound_port());
  client.send(put(5'000'000));
  client.send(std::string(5'000'000, 'b'));
  auto const reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 507U);
  EXPECT_EQ(reply->body, "the disk is full\n");
  EXPECT_EQ(reply->header("Connection"), "close");
  EXPECT_EQ(ledger_.finished, 0);
  EXPECT_EQ(ledger_.refused, 1);
  EXPECT_EQ(ledger_.destroyed, 1);
}

TEST_F(Streams, a_client_that_leaves_takes_its_sink_with_it) {
  auto const server = serve({}, front_);
  Client client = Client::tcp(server->bound_port());
  client.send(put(5'000'000));
  client.send(std::string(500'000, 'b'));
  ASSERT_TRUE(test::eventually([&] { return ledger_.bytes > 0; }));
  client.reset();
  EXPECT_TRUE(test::eventually([&] { return ledger_.destroyed == 1; }));
  EXPECT_EQ(ledger_.finished + ledger_.refused, 0);
}

TEST_F(Streams, a_client_that_stalls_is_cut_and_its_sink_destroyed) {
  auto const server = serve({.header_deadline = milliseconds(200)}, front_);
  Client client = Client::tcp(server->bound_port());
  client.send(put(5'000'000) + "some");
  auto const reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 408U);
  EXPECT_EQ(ledger_.destroyed, 1);
  EXPECT_EQ(ledger_.finished + ledger_.refused, 0);
}

TEST_F(Streams, a_slow_disk_is_not_the_clients_fault) {
  ledger_.each_write_takes = 400ms;
  auto const server = serve({.header_deadline = milliseconds(300)}, front_);
  Client client = Client::tcp(server->bound_port());
  client.send(put(200'000));
  auto const reply = client.ask(std::string(200'000, 'b'));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 201U);
}

TEST_F(Streams, a_slow_disk_does_not_hold_up_other_requests) {
  ledger_.each_write_takes = 2s;
  auto const server = serve({}, front_);
  Client uploader = Client::tcp(server->bound_port());
  uploader.send(put(5) + "hello");
  Client other = Client::tcp(server->bound_port());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(other.ask(test::kGet));
  EXPECT_EQ(ledger_.finished, 0);
  ASSERT_TRUE(uploader.reply());
}

TEST_F(Streams, a_streamed_body_has_a_limit) {
  auto const server = serve({}, front_);
  auto const reply = Client::tcp(server->bound_port()).ask(put(20'000'001));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413U);
  EXPECT_TRUE(test::eventually([&] { return ledger_.destroyed == 1; }));
}

}  // namespace
}  // namespace berth::http
