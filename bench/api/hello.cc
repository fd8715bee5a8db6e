// berth-bench-hello: the least that answers HTTPS, the ceiling beside which the daemon's figures
// are read: Boost.Beast with TLS, keep-alive, a fixed answer to any request, one thread per core.
// Prints its port, ends when its standard input does.

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

namespace {

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, asio::ssl::context& context) : stream_(std::move(socket), context) {}

  void start() {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this()](beast::error_code error) {
                              if (!error) self->read();
                            });
  }

 private:
  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }
  void write() {
    response_ = {http::status::ok, 11};
    response_.set(http::field::content_type, "text/plain");
    response_.body() = "hello\n";
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  beast::ssl_stream<Tcp::socket> stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(Tcp::acceptor& acceptor, asio::ssl::context& context) {
  acceptor.async_accept(asio::make_strand(acceptor.get_executor()),
                        [&](beast::error_code error, Tcp::socket socket) {
                          if (error) return;
                          socket.set_option(Tcp::no_delay(true));
                          std::make_shared<Session>(std::move(socket), context)->start();
                          accept(acceptor, context);
                        });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: berth-bench-hello CERTIFICATE KEY\n");
    return 2;
  }
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_server);
  context.use_certificate_chain_file(argv[1]);
  context.use_private_key_file(argv[2], asio::ssl::context::pem);
  Tcp::acceptor acceptor(io, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  std::printf("%d\n", static_cast<int>(acceptor.local_endpoint().port()));
  std::fflush(stdout);
  accept(acceptor, context);
  std::jthread first([&] { io.run(); });
  std::jthread second([&] { io.run(); });
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {}
  io.stop();
  return 0;
}
