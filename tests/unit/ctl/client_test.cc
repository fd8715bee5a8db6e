// The client against a tiny server that says exactly what the test wants, right or wrong.
#include "ctl/client.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace berth::ctl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Accepts one connection, reads until `wanted` bytes stand behind the head, answers, closes.
class OneShot {
 public:
  struct Script {
    std::string before;          // sent as soon as the head is there
    std::size_t body_bytes = 0;  // then read so many
    std::string answer;
  };

  explicit OneShot(Script script) : script_(std::move(script)) {
    std::string directory =
        (std::filesystem::temp_directory_path() / "berth-client-XXXXXX").string();
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    path_ = directory + "/s";
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path_, address.sun_path);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr const*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    thread_ = std::jthread([this] { serve(); });
  }
  OneShot(OneShot const&) = delete;
  OneShot& operator=(OneShot const&) = delete;
  ~OneShot() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
  }

  [[nodiscard]] Endpoint endpoint() const {
    return Endpoint{
        .socket = path_, .host = {}, .certificate_file = {}, .key_file = {}, .ca_file = {}};
  }
  // After the exchange.
  [[nodiscard]] std::string received() {
    thread_.join();
    thread_ = std::jthread([] {});
    return received_;
  }

 private:
  void serve() {
    int const fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    std::size_t wanted = std::string::npos;
    char buffer[4096];
    while (received_.size() < wanted) {
      std::size_t const head = received_.find("\r\n\r\n");
      if (head != std::string::npos && wanted == std::string::npos) {
        wanted = head + 4 + script_.body_bytes;
        EXPECT_EQ(::send(fd, script_.before.data(), script_.before.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(script_.before.size()));
        continue;
      }
      ssize_t const n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) break;
      received_.append(buffer, static_cast<std::size_t>(n));
    }
    std::string_view rest = script_.answer;
    while (!rest.empty()) {
      ssize_t const n = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    ::close(fd);
  }

  Script script_;
  std::string path_;
  int listener_ = -1;
  std::string received_;
  std::jthread thread_;
};

Request get() {
  return Request{.target = "/v1/zones", .body = {}, .on_progress = {}};
}

TEST(Client, a_request_is_plain_HTTP_and_its_answer_is_read) {
  OneShot server({.answer = "HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\nX: y\r\n\r\n{}"});
  Result<Response> const response = exchange(server.endpoint(), get());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "{}");
  EXPECT_THAT(server.received(), StartsWith("GET /v1/zones HTTP/1.1\r\nHost: berthd\r\n"));
}

TEST(Client, a_body_goes_as_JSON_with_its_length) {
  OneShot server({.body_bytes = 8, .answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"});
  Request const request{
      .method = "POST", .target = "/v1/tenants", .body = R"({"a":"b"})", .on_progress = {}};
  EXPECT_EQ(exchange(server.endpoint(), request)->status, 201);
  EXPECT_THAT(server.received(),
              HasSubstr("Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\":\"b\""));
}

TEST(Client, chunks_and_answers_without_a_length_are_read) {
  OneShot chunked({.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"});
  EXPECT_EQ(exchange(chunked.endpoint(), get())->body, "abc0123456789");
  OneShot endless({.answer = "HTTP/1.1 500 Oh\r\n\r\nall the rest"});
  Result<Response> const response = exchange(endless.endpoint(), get());
  EXPECT_EQ(response->status, 500);
  EXPECT_EQ(response->body, "all the rest");
}

TEST(Client, what_is_no_answer_is_an_error_that_says_so) {
  for (char const* answer :
       {"", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n"}) {
    OneShot server({.answer = answer});
    Result<Response> const response = exchange(server.endpoint(), get());
    ASSERT_FALSE(response) << answer;
    EXPECT_TRUE(response.error().subject == "daemon" || response.error().subject == "answer")
        << answer;
  }
  OneShot endless({.answer = "HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'x')});
  EXPECT_FALSE(exchange(endless.endpoint(), get()));
}

TEST(Client, a_silent_daemon_is_given_up) {
  OneShot server({.body_bytes = 1'000'000, .answer = ""});
  Request request = get();
  request.answer_deadline = milliseconds(50);
  EXPECT_THAT(exchange(server.endpoint(), request).error().message,
              HasSubstr("did not answer in time"));
}

TEST(Client, a_daemon_that_is_not_there_is_told_with_a_hint) {
  Endpoint nowhere{.socket = "/nowhere/admin.sock",
                   .host = {},
                   .certificate_file = {},
                   .key_file = {},
                   .ca_file = {}};
  Result<Response> const response = exchange(nowhere, get());
  EXPECT_EQ(response.error().subject, "daemon");
  EXPECT_THAT(response.error().message, HasSubstr("is berthd running"));
  nowhere.socket = std::string(200, 'x');
  EXPECT_EQ(exchange(nowhere, get()).error().subject, "usage");
}

struct TemporaryFile {
  int fd;
  explicit TemporaryFile(std::string const& bytes) {
    std::string name = (std::filesystem::temp_directory_path() / "berth-upload-XXXXXX").string();
    fd = ::mkstemp(name.data());
    EXPECT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ::unlink(name.c_str());
    ::lseek(fd, 0, SEEK_SET);
  }
  TemporaryFile(TemporaryFile const&) = delete;
  TemporaryFile& operator=(TemporaryFile const&) = delete;
  ~TemporaryFile() { ::close(fd); }
};

Request upload(TemporaryFile const& file, std::int64_t size) {
  return Request{.method = "POST",
                 .target = "/v1/images?name=x",
                 .body = {},
                 .file = file.fd,
                 .file_bytes = size,
                 .on_progress = {}};
}

TEST(Client, an_upload_waits_for_the_word_and_sends_every_byte) {
  std::string bytes(3'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  TemporaryFile const file(bytes);
  OneShot server({.before = "HTTP/1.1 100 Continue\r\n\r\n",
                  .body_bytes = bytes.size(),
                  .answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"});
  std::vector<std::int64_t> seen;
  Request request = upload(file, static_cast<std::int64_t>(bytes.size()));
  request.on_progress = [&](std::int64_t sent) { seen.push_back(sent); };
  Result<Response> const response = exchange(server.endpoint(), request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201);
  std::string const received = server.received();
  EXPECT_THAT(received, HasSubstr("Expect: 100-continue\r\nContent-Length: 3000000\r\n"));
  EXPECT_EQ(received.substr(received.find("\r\n\r\n") + 4), bytes);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.back(), 3'000'000);
}

TEST(Client, a_refusal_before_the_body_saves_sending_it) {
  TemporaryFile const file("0123456789");
  OneShot server({.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"});
  Request request = upload(file, 10);
  request.on_progress = [](std::int64_t) { ADD_FAILURE() << "was sent"; };
  Result<Response> const response = exchange(server.endpoint(), request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(response->body, "no");
}

TEST(Client, a_file_that_shrinks_is_noticed) {
  TemporaryFile const file("0123");
  OneShot server({.before = "HTTP/1.1 100 Continue\r\n\r\n", .body_bytes = 10, .answer = ""});
  EXPECT_EQ(exchange(server.endpoint(), upload(file, 10)).error().subject, "file");
}

TEST(Client, an_address_is_read_strictly) {
  EXPECT_EQ(parse_url("https://berthd.example:8775")->host, "berthd.example");
  EXPECT_EQ(parse_url("https://[::1]:8775/")->host, "::1");
  EXPECT_EQ(parse_url("https://127.0.0.1:65535")->port, 65'535);
  for (char const* bad : {"", "http://h:1", "https://h", "https://h:", "https://h:0",
                          "https://h:65536", "https://h:1/x", "https://:1", "https://::1:1"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace berth::ctl
