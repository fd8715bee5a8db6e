// The client against the daemon's own listener, with certificates of the region's own CA.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/pki/authority.h"
#include "ctl/client.h"
#include "daemon/http/server.h"

namespace berth::ctl {
namespace {

using testing::HasSubstr;

// Says how much came. Who came is the listener's to tell (tests/unit/http).
class Echo final : public http::Handler {
 public:
  void on_request(http::Request request, http::Responder respond) override {
    respond({.status = 200, .headers = {}, .body = std::to_string(request.body.size())});
  }
};

class Region {
 public:
  Region() {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    WallTime const now = SystemClock().now().wall;
    Result<pki::Authority> authority = pki::Authority::open(path("ca"), now);
    EXPECT_TRUE(authority) << authority.error().message;
    pki::KeyAndCertificate const daemon = *authority->daemon_certificate({}, now);
    write("daemon.crt", daemon.certificate);
    write("daemon.key", daemon.key);
    pki::KeyAndCertificate const admin =
        *authority->admin_certificate("ada", pki::AdminRole::operate, now);
    write("admin.crt", admin.certificate);
    write("admin.key", admin.key);
    write("ca.crt", authority->certificate());
  }
  Region(Region const&) = delete;
  Region& operator=(Region const&) = delete;
  ~Region() { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path(std::string const& name) const { return directory_ + "/" + name; }
  [[nodiscard]] std::unique_ptr<http::Server> listen(http::Handler& handler) const {
    http::ListenOptions options;
    options.tls = http::TlsOptions{.certificate_chain_file = path("daemon.crt"),
                                   .key_file = path("daemon.key"),
                                   .client_ca_file = path("ca.crt")};
    Result<std::unique_ptr<http::Server>> server = http::Server::start(options, handler);
    EXPECT_TRUE(server) << server.error().message;
    return std::move(*server);
  }
  [[nodiscard]] Endpoint endpoint(std::uint16_t port) const {
    return {.socket = {},
            .host = "127.0.0.1",
            .port = port,
            .certificate_file = path("admin.crt"),
            .key_file = path("admin.key"),
            .ca_file = path("ca.crt")};
  }

 private:
  void write(std::string const& name, std::string const& text) const {
    std::ofstream(path(name)) << text;
  }
  std::string directory_ = (std::filesystem::temp_directory_path() / "berth-tls-XXXXXX").string();
};

Request get() {
  return Request{.target = "/", .body = {}, .on_progress = {}};
}

TEST(ClientTls, both_sides_know_each_other) {
  Region const region;
  Echo echo;
  auto const server = region.listen(echo);
  Result<Response> const response = exchange(region.endpoint(server->bound_port()), get());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "0");
}

TEST(ClientTls, a_file_goes_up_whole) {
  Region const region;
  Echo echo;
  auto const server = region.listen(echo);
  std::string name = region.path("fileXXXXXX");
  int const fd = ::mkstemp(name.data());
  std::string const bytes(900'000, 'x');
  ASSERT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ::lseek(fd, 0, SEEK_SET);
  Request const request{.method = "POST",
                        .target = "/",
                        .body = {},
                        .file = fd,
                        .file_bytes = 900'000,
                        .on_progress = {}};
  Result<Response> const response = exchange(region.endpoint(server->bound_port()), request);
  ::close(fd);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "900000");
}

TEST(ClientTls, a_daemon_of_another_region_is_refused) {
  Region const region, other;
  Echo echo;
  auto const server = other.listen(echo);
  Result<Response> const response = exchange(region.endpoint(server->bound_port()), get());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().subject, "daemon");
  EXPECT_THAT(response.error().message, HasSubstr("no TLS connection with 127.0.0.1: "));
}

TEST(ClientTls, an_operator_of_another_region_is_refused) {
  Region const region, other;
  Echo echo;
  auto const server = region.listen(echo);
  Endpoint stranger = other.endpoint(server->bound_port());
  stranger.ca_file = region.path("ca.crt");
  Result<Response> const response = exchange(stranger, get());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().subject, "daemon");
}

// An agent's or an operator's certificate is no daemon's, though the same CA signed it.
TEST(ClientTls, a_certificate_that_is_no_daemons_is_refused) {
  Region const region;
  std::filesystem::copy_file(region.path("admin.crt"), region.path("daemon.crt"),
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy_file(region.path("admin.key"), region.path("daemon.key"),
                             std::filesystem::copy_options::overwrite_existing);
  Echo echo;
  auto const server = region.listen(echo);
  EXPECT_FALSE(exchange(region.endpoint(server->bound_port()), get()));
}

TEST(ClientTls, a_file_that_is_no_certificate_is_named) {
  Region const region;
  Echo echo;
  auto const server = region.listen(echo);
  Endpoint endpoint = region.endpoint(server->bound_port());
  endpoint.certificate_file = region.path("admin.key");
  Result<Response> const response = exchange(endpoint, get());
  EXPECT_EQ(response.error().subject, "usage");
  EXPECT_THAT(response.error().message, HasSubstr("--cert="));
}

}  // namespace
}  // namespace berth::ctl
