#include "daemon/http/tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/unit/http/client.h"

namespace berth::http {
namespace {

using test::Authority;
using test::Client;
using test::Files;
using test::Folder;
using test::Front;
using test::Use;

// A server with mutual TLS, and people to knock at it.
class MutualTls : public ::testing::Test {
 protected:
  std::unique_ptr<Server> serve(bool is_required) {
    return test::serve({.tls = TlsOptions{.certificate_chain_file = server_.certificate,
                                          .key_file = server_.key,
                                          .client_ca_file = people_.files().certificate,
                                          .client_certificate_is_required = is_required}},
                       front_);
  }
  // "role/name" of the request that arrived; "-" if none did.
  std::string who(Server const& server, std::optional<Files> const& files) {
    int const before = front_.requests;
    Client client =
        Client::tls(server.bound_port(), {.authority = hosts_.files().certificate, .files = files});
    (void)client.ask(test::kGet);
    if (front_.requests == before) return "-";
    Request const got = front_.last();
    return got.client_certificate_role + "/" + got.client_certificate_name;
  }
  Files person(std::vector<std::string> alt_names) {
    return people_.issue(
        {.name = "p" + std::to_string(++people_count_), .alt_names = std::move(alt_names)});
  }

  Folder folder_;
  Authority hosts_{folder_, "hosts"};
  Authority people_{folder_, "people"};
  Authority strangers_{folder_, "strangers"};
  Files server_ =
      hosts_.issue({.name = "server", .alt_names = {"IP:127.0.0.1"}, .use = Use::server});
  Front front_;
  int people_count_ = 0;
};

TEST_F(MutualTls, a_verified_certificate_names_its_role_and_person) {
  auto const server = serve(true);
  EXPECT_EQ(who(*server, person({"URI:berth://admin/ada"})), "admin/ada");
  EXPECT_EQ(who(*server, person({"URI:berth://admin/operate/ada"})), "admin/operate/ada");
  EXPECT_EQ(who(*server, person({"DNS:x", "URI:https://h/", "URI:berth://viewer/Bob_2.x"})),
            "viewer/Bob_2.x");
}

TEST_F(MutualTls, a_certificate_without_exactly_one_good_name_is_nobody) {
  auto const server = serve(true);
  EXPECT_EQ(who(*server, person({})), "/");
  EXPECT_EQ(who(*server, person({"DNS:admin"})), "/");
  EXPECT_EQ(who(*server, person({"URI:berth://admin/ada", "URI:berth://admin/bob"})), "/");
  EXPECT_EQ(who(*server, person({"URI:berth://admin/ada", "URI:berth://broken"})), "/");
  EXPECT_EQ(who(*server, person({"URI:berth://admin/operate/ada/x"})), "/");
}

TEST_F(MutualTls, no_certificate_is_no_connection_where_one_is_required) {
  auto const server = serve(true);
  EXPECT_EQ(who(*server, std::nullopt), "-");
  EXPECT_TRUE(test::eventually([&] { return server->counters().handshakes_failed == 1; }));
}

TEST_F(MutualTls, no_certificate_is_nobody_where_one_is_optional) {
  auto const server = serve(false);
  EXPECT_EQ(who(*server, std::nullopt), "/");
  EXPECT_EQ(who(*server, person({"URI:berth://admin/ada"})), "admin/ada");
  EXPECT_EQ(who(*server, person({"URI:berth://admin/operate/ada"})), "admin/operate/ada");
}

TEST_F(MutualTls, a_certificate_that_does_not_verify_is_no_connection_even_where_optional) {
  for (bool const is_required : {true, false}) {
    auto const server = serve(is_required);
    Files const stranger = strangers_.issue({.name = "s", .alt_names = {"URI:berth://admin/ada"}});
    Files const expired =
        people_.issue({.name = "e", .alt_names = {"URI:berth://admin/ada"}, .is_expired = true});
    Files const host =
        people_.issue({.name = "h", .alt_names = {"URI:berth://admin/ada"}, .use = Use::server});
    EXPECT_EQ(who(*server, stranger), "-");
    EXPECT_EQ(who(*server, expired), "-");
    EXPECT_EQ(who(*server, host), "-");
  }
}

TEST_F(MutualTls, versions_before_1_2_are_refused) {
  auto const server = serve(false);
  auto const connects = [&](int version) {
    return Client::tls(server->bound_port(),
                       {.authority = hosts_.files().certificate, .version_max = version})
        .is_connected();
  };
  EXPECT_FALSE(connects(TLS1_1_VERSION));
  EXPECT_TRUE(connects(TLS1_2_VERSION));
  EXPECT_TRUE(connects(TLS1_3_VERSION));
}

TEST_F(MutualTls, http_1_1_is_chosen_when_offered_and_nothing_otherwise) {
  auto const server = serve(false);
  auto const chosen = [&](std::string protocols) {
    return Client::tls(server->bound_port(),
                       {.authority = hosts_.files().certificate, .protocols = std::move(protocols)})
        .protocol();
  };
  EXPECT_EQ(chosen("\x02h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(chosen("\x02h2"), "");
}

TEST_F(MutualTls, reloaded_certificates_serve_new_connections_and_old_ones_go_on) {
  auto const server = serve(false);
  test::Client::Tls const tls{.authority = hosts_.files().certificate};
  Client old = Client::tls(server->bound_port(), tls);
  std::string const serial = old.server_serial();
  (void)hosts_.issue({.name = "server", .alt_names = {"IP:127.0.0.1"}, .use = Use::server});
  ASSERT_TRUE(server->reload_certificates());
  Client fresh = Client::tls(server->bound_port(), tls);
  ASSERT_TRUE(fresh.is_connected());
  EXPECT_NE(fresh.server_serial(), serial);
  EXPECT_TRUE(fresh.ask(test::kGet));
  EXPECT_TRUE(old.ask(test::kGet));
}

TEST_F(MutualTls, certificates_that_cannot_be_read_change_nothing) {
  auto const server = serve(false);
  folder_.write("server.pem", "nonsense");
  auto const reloaded = server->reload_certificates();
  ASSERT_FALSE(reloaded);
  EXPECT_EQ(reloaded.error().code, Code::invalid);
  EXPECT_NE(reloaded.error().message.find(server_.certificate), std::string::npos);
  EXPECT_TRUE(
      Client::tls(server->bound_port(), {.authority = hosts_.files().certificate}).ask(test::kGet));
}

TEST_F(MutualTls, a_key_of_another_certificate_is_refused_at_the_start) {
  auto const refused =
      Server::start({.tls = TlsOptions{.certificate_chain_file = server_.certificate,
                                       .key_file = people_.files().key}},
                    front_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().subject, "tls");
}

TEST_F(MutualTls, a_server_without_tls_has_nothing_to_reload) {
  auto const server = test::serve({}, front_);
  EXPECT_FALSE(server->reload_certificates());
}

TEST(TlsName, only_a_role_and_a_name_are_a_peer) {
  EXPECT_EQ(parse_peer_uri("berth://admin/ada"), (PeerName{"admin", "ada"}));
  EXPECT_EQ(parse_peer_uri("berth://admin/operate/ada"), (PeerName{"admin", "operate/ada"}));
  EXPECT_EQ(parse_peer_uri("berth://a/" + std::string(64, 'x')).role, "a");
  for (std::string_view const bad :
       {"", "berth://", "berth:///ada", "berth://admin", "berth://admin/", "berth://admin/a/b/c",
        "berth://admin/a//b", "berth://admin/a/", "berth://Admin/ada", "berth://admin/a%2fb",
        "berth://admin/a b", "berth://ad.min/a", "BERTH://admin/ada", "xberth://admin/ada",
        "berth://u@admin/ada", "berth://admin:1/ada"}) {
    EXPECT_EQ(parse_peer_uri(bad), PeerName{}) << bad;
  }
  EXPECT_EQ(parse_peer_uri("berth://a/" + std::string(65, 'x')), PeerName{});
  EXPECT_EQ(parse_peer_uri(std::string_view("berth://admin/ada\0x", 19)), PeerName{});
}

}  // namespace
}  // namespace berth::http
