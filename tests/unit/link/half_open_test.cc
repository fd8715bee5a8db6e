// A line on which nothing arrives any more, without a word of farewell: both ends must notice it.
#include <array>
#include <chrono>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/link/world.h"

namespace berth::test {
namespace {

// Carries one connection to `port` on loopback, until it is frozen: then both sides stay open and
// nothing passes.
class Line {
 public:
  explicit Line(int port) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    own_port = ntohs(address.sin_port);
    thread_ = std::jthread([this, port](std::stop_token stop) { carry(stop, port); });
  }
  ~Line() {
    thread_ = {};
    ::close(listener_);
  }
  Line(Line const&) = delete;
  Line& operator=(Line const&) = delete;

  int own_port = 0;
  std::atomic<bool> is_frozen{false};

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }

  void carry(std::stop_token const& stop, int port) {
    std::array<pollfd, 2> ends{pollfd{.fd = -1, .events = POLLIN, .revents = 0},
                               pollfd{.fd = -1, .events = POLLIN, .revents = 0}};
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    while (!stop.stop_requested() && ::poll(&waiting, 1, 20) <= 0) {}
    if (!stop.stop_requested()) {
      ends[0].fd = ::accept(listener_, nullptr, nullptr);
      ends[1].fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in const address = loopback(port);
      EXPECT_EQ(::connect(ends[1].fd, reinterpret_cast<sockaddr const*>(&address), sizeof address),
                0);
    }
    std::array<char, 16 * 1024> bytes;
    while (!stop.stop_requested()) {
      if (is_frozen || ::poll(ends.data(), 2, 20) <= 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      for (std::size_t i = 0; i < 2; ++i) {
        if (ends[i].revents == 0) continue;
        ssize_t const n = ::read(ends[i].fd, bytes.data(), bytes.size());
        if (n > 0)
          (void)!::send(ends[1 - i].fd, bytes.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL);
      }
    }
    for (pollfd const& end : ends) ::close(end.fd);
  }

  int listener_;
  std::jthread thread_;
};

TEST_F(LinkTest, a_half_open_line_is_noticed_by_both_ends_within_fifteen_seconds) {
  serve();
  joined(1);
  agents_.clear();
  Line line(server_->port());
  port_ = line.own_port;
  Agent& agent = an_agent(1);
  ASSERT_TRUE(eventually([&] { return agent.driver.connected > 0; }));
  std::string const gone = "gone " + host_id(1).value;
  ASSERT_TRUE(eventually([&] { return core_.count(gone) == 1; }));  // of the joining session
  line.is_frozen = true;
  auto const frozen = std::chrono::steady_clock::now();
  EXPECT_TRUE(eventually([&] { return agent.driver.gone > 0 && core_.count(gone) == 2; }));
  EXPECT_LT(std::chrono::steady_clock::now() - frozen, std::chrono::milliseconds(16'500));
}

}  // namespace
}  // namespace berth::test
