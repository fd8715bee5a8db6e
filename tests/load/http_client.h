#pragma once
// Many keep-alive connections on one thread: plain HTTP/1.1, epoll, no copies of what is sent. Made
// to be much cheaper than what it loads.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::load {

using Steady = std::chrono::steady_clock;
using Time = Steady::time_point;

struct Reply {
  unsigned status = 0;  // 0: the connection ended instead
  std::string_view body;
};

class Clients {
 public:
  struct Options {
    std::uint16_t port = 0;  // of 127.0.0.1
    unsigned connections = 1;
    unsigned per_address = 150;  // then the next source address: 127.0.<net>.1, .2, ...
    unsigned net = 1;
  };
  using OnReply = std::function<void(std::size_t connection, Reply const&)>;

  Clients(Options options, OnReply on_reply);
  ~Clients();
  Clients(Clients const&) = delete;
  Clients& operator=(Clients const&) = delete;

  // `bytes` outlive the request. The connection must be idle.
  void send(std::size_t connection, std::string_view bytes);
  [[nodiscard]] bool is_idle(std::size_t connection) const { return all_[connection].is_idle; }
  // Closes it and opens a new one: its client has given up.
  void give_up(std::size_t connection);
  // Handles what is ready, at most once, waiting up to that long.
  void poll(std::chrono::milliseconds patience);
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] std::uint64_t reconnects() const { return reconnects_; }

 private:
  struct Connection {
    int fd = -1;
    bool is_idle = true;
    std::string_view out;  // not yet sent
    std::string in;
    std::size_t length = 0;  // of the whole answer once its head is here; else 0
    unsigned status = 0;
  };

  void open(std::size_t index);
  void write(std::size_t index);
  void read(std::size_t index);
  void ended(std::size_t index);
  [[nodiscard]] bool take_head(Connection& c);

  Options options_;
  OnReply on_reply_;
  int epoll_ = -1;
  std::vector<Connection> all_;
  std::uint64_t reconnects_ = 0;
};

// A socket of 127.0.<net>.<host> that is connecting to the port; not blocking. Ends the program
// when there are no more.
[[nodiscard]] int connect_from(unsigned net, unsigned host, std::uint16_t port, int receive_buffer);

}  // namespace berth::load
