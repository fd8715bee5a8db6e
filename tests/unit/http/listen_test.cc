#include "daemon/http/listen.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/unit/http/certificates.h"

namespace berth::http {
namespace {

sockaddr_storage v6(char const* text, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  sockaddr_storage out{};
  std::memcpy(&out, &address, sizeof address);
  return out;
}

TEST(Listen, a_peer_is_written_as_people_write_it_and_counted_by_its_network) {
  EXPECT_EQ(peer_text(v6("2001:db8:1:2:3::4", 80)),
            (PeerText{"[2001:db8:1:2:3::4]:80", "2001:db8:1:2::/64"}));
  EXPECT_EQ(peer_text(v6("::ffff:192.0.2.7", 80)), (PeerText{"192.0.2.7:80", "192.0.2.7"}));
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_EQ(peer_text(local), (PeerText{"unix", ""}));
}

TEST(Listen, an_address_must_be_numeric) {
  auto const refused = Listener::open({.address = "localhost"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "wanted a numeric IPv4 or IPv6 address to listen on, found 'localhost'");
}

TEST(Listen, a_port_in_use_is_a_conflict) {
  auto const first = Listener::open({.address = "127.0.0.1"});
  ASSERT_TRUE(first);
  auto const second = Listener::open({.address = "127.0.0.1", .port = first->port()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
}

TEST(Listen, a_unix_socket_has_mode_0660_and_goes_with_its_listener) {
  test::Folder const folder;
  std::string const path = folder.path("s");
  {
    mode_t const before = ::umask(077);
    auto const listener = Listener::open({.unix_path = path});
    ::umask(before);
    ASSERT_TRUE(listener);
    struct stat made{};
    ASSERT_EQ(::stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 07777U, 0660U);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Listen, a_socket_nobody_listens_on_is_replaced) {
  test::Folder const folder;
  std::string const path = folder.path("s");
  int const left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_storage address{};
  address.ss_family = AF_UNIX;
  std::memcpy(reinterpret_cast<char*>(&address) + sizeof(sa_family_t), path.c_str(),
              path.size() + 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr const*>(&address),
                   static_cast<socklen_t>(sizeof(sa_family_t) + path.size() + 1)),
            0);
  ::close(left);
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(Listener::open({.unix_path = path}));
}

TEST(Listen, a_socket_somebody_listens_on_is_left_alone) {
  test::Folder const folder;
  std::string const path = folder.path("s");
  auto const first = Listener::open({.unix_path = path});
  ASSERT_TRUE(first);
  auto const second = Listener::open({.unix_path = path});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(Listen, a_file_that_is_no_socket_is_never_removed) {
  test::Folder const folder;
  folder.write("s", "precious");
  EXPECT_FALSE(Listener::open({.unix_path = folder.path("s")}));
  EXPECT_TRUE(std::filesystem::is_regular_file(folder.path("s")));
}

TEST(Listen, a_unix_path_has_a_limit) {
  EXPECT_TRUE(Listener::open({.unix_path = std::string(108, 'x')})
                  .error()
                  .message.starts_with("a unix socket's path has at most 107 bytes, found 108"));
}

}  // namespace
}  // namespace berth::http
