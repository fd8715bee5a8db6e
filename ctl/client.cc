#include "ctl/client.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

namespace berth::ctl {
namespace {

constexpr Duration kConnectDeadline = seconds(10);
constexpr Duration kSendDeadline = seconds(60);
constexpr Duration kContinueDeadline = seconds(3);
constexpr std::size_t kHeadBytesMax = 64 * 1024;
// Every daemon's certificate has this name and no other certificate of the region does, so the
// address may be anything, a forwarder included.
constexpr char kDaemonName[] = "daemon.berth.internal";

Error unreachable(std::string message) {
  return Error{Code::unavailable, "daemon", std::move(message)};
}
Error garbled(std::string message) {
  return Error{Code::corrupt, "answer", std::move(message)};
}
std::string why() {
  return std::strerror(errno);
}

struct CloseFd {
  int fd;
  explicit CloseFd(int f) : fd(f) {}
  CloseFd(CloseFd const&) = delete;
  CloseFd& operator=(CloseFd const&) = delete;
  ~CloseFd() {
    if (fd >= 0) ::close(fd);
  }
};

void set_deadline(int fd, int option, Duration d) {
  timeval const value{.tv_sec = d.ns / 1'000'000'000, .tv_usec = d.ns / 1'000 % 1'000'000};
  ::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

// One connection. read() gives 0 at the end.
class Stream {
 public:
  explicit Stream(int fd) : fd_(fd) {}
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;
  virtual ~Stream() { ::close(fd_); }

  virtual Result<std::size_t> read(char* to, std::size_t size) {
    ssize_t n = 0;
    do { n = ::recv(fd_, to, size, 0); } while (n < 0 && errno == EINTR);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN) return unreachable("the daemon did not answer in time");
    return unreachable("the connection broke: " + why());
  }
  virtual Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t const n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return unreachable("the connection broke: " + why());
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }
  // Something may be read within the time.
  [[nodiscard]] virtual bool is_readable_within(Duration d) {
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, static_cast<int>(d.ns / 1'000'000)) > 0;
  }
  void set_read_deadline(Duration d) const { set_deadline(fd_, SO_RCVTIMEO, d); }

 protected:
  int fd_;
};

std::string tls_why() {
  std::array<char, 256> text{};
  unsigned long const code = ERR_get_error();
  if (code == 0) return errno != 0 ? why() : "it was closed";
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

class TlsStream final : public Stream {
 public:
  TlsStream(int fd, SSL_CTX* context, SSL* ssl) : Stream(fd), context_(context), ssl_(ssl) {}
  ~TlsStream() override {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  Result<std::size_t> read(char* to, std::size_t size) override {
    std::size_t n = 0;
    ERR_clear_error();
    errno = 0;
    int const code = SSL_read_ex(ssl_, to, size, &n);
    if (code == 1) return n;
    int const reason = SSL_get_error(ssl_, code);
    if (reason == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    if (reason == SSL_ERROR_WANT_READ || errno == EAGAIN)
      return unreachable("the daemon did not answer in time");
    return unreachable("the TLS connection broke: " + tls_why());
  }
  Result<void> write(std::string_view bytes) override {
    while (!bytes.empty()) {
      std::size_t n = 0;
      ERR_clear_error();
      errno = 0;
      if (SSL_write_ex(ssl_, bytes.data(), bytes.size(), &n) != 1) {
        return unreachable("the TLS connection broke: " + tls_why());
      }
      bytes.remove_prefix(n);
    }
    return {};
  }
  bool is_readable_within(Duration d) override {
    return SSL_pending(ssl_) > 0 || Stream::is_readable_within(d);
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
};

Result<std::unique_ptr<Stream>> connect_socket(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{Code::invalid, "usage",
                 "--socket is longer than the " + std::to_string(sizeof address.sun_path - 1) +
                     " bytes that a socket's path may have"};
  }
  std::ranges::copy(path, address.sun_path);
  CloseFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.fd < 0) return unreachable("no socket: " + why());
  set_deadline(fd.fd, SO_SNDTIMEO, kSendDeadline);
  // The socket API wants the general type.
  if (::connect(fd.fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    std::string hint;
    if (errno == ENOENT)
      hint = ": there is no such socket; is berthd running, and is this its --admin_socket?";
    else if (errno == ECONNREFUSED)
      hint = ": nobody listens there; is berthd running?";
    else if (errno == EACCES)
      hint = ": you may not open it; run as root or as a member of its group";
    else
      hint = ": " + why();
    return unreachable("cannot reach the daemon at " + path + hint);
  }
  return std::make_unique<Stream>(std::exchange(fd.fd, -1));
}

Result<int> connect_tcp(Endpoint const& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::string const port = std::to_string(endpoint.port);
  int const code = ::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
  if (code != 0) return unreachable("cannot find " + endpoint.host + ": " + ::gai_strerror(code));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const list(found, &::freeaddrinfo);
  std::string last = "no address";
  for (addrinfo const* a = list.get(); a != nullptr; a = a->ai_next) {
    CloseFd fd(::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, a->ai_protocol));
    if (fd.fd < 0) {
      last = why();
      continue;
    }
    set_deadline(fd.fd, SO_SNDTIMEO, kConnectDeadline);
    if (::connect(fd.fd, a->ai_addr, a->ai_addrlen) == 0) return std::exchange(fd.fd, -1);
    last = errno == EINPROGRESS ? "no answer in time" : why();
  }
  return unreachable("cannot reach the daemon at " + endpoint.host + ":" + port + ": " + last);
}

Result<std::unique_ptr<Stream>> connect_tls(Endpoint const& endpoint) {
  CloseFd fd(TRY(connect_tcp(endpoint)));
  set_deadline(fd.fd, SO_SNDTIMEO, kSendDeadline);
  set_deadline(fd.fd, SO_RCVTIMEO, kConnectDeadline);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return unreachable("no TLS: " + tls_why());
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_owner(context, &SSL_CTX_free);
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  auto const bad_file = [](std::string const& flag, std::string const& file) {
    return Error{Code::invalid, "usage", flag + "=" + file + " cannot be used: " + tls_why()};
  };
  if (SSL_CTX_load_verify_locations(context, endpoint.ca_file.c_str(), nullptr) != 1)
    return bad_file("--ca", endpoint.ca_file);
  if (SSL_CTX_use_certificate_chain_file(context, endpoint.certificate_file.c_str()) != 1)
    return bad_file("--cert", endpoint.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, endpoint.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad_file("--key", endpoint.key_file);
  if (SSL_CTX_check_private_key(context) != 1) return bad_file("--key", endpoint.key_file);
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context), &SSL_free);
  if (!ssl || SSL_set_fd(ssl.get(), fd.fd) != 1 || SSL_set1_host(ssl.get(), kDaemonName) != 1)
    return unreachable("no TLS: " + tls_why());
  errno = 0;
  if (SSL_connect(ssl.get()) != 1) {
    long const verdict = SSL_get_verify_result(ssl.get());
    std::string const detail =
        verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : tls_why();
    return unreachable("no TLS connection with " + endpoint.host + ": " + detail);
  }
  return std::unique_ptr<Stream>(std::make_unique<TlsStream>(
      std::exchange(fd.fd, -1), context_owner.release(), ssl.release()));
}

// ---- HTTP

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct Head {
  int status = 0;
  std::optional<std::size_t> length;
  bool is_chunked = false;
};

Result<Head> parse_head(std::string_view text) {
  Head out;
  if (!text.starts_with("HTTP/1.") || text.size() < 12)
    return garbled("the daemon does not speak HTTP/1.1");
  auto const [end, code] = std::from_chars(text.data() + 9, text.data() + 12, out.status);
  if (code != std::errc() || end != text.data() + 12 || out.status < 100)
    return garbled("the daemon's status line is no HTTP");
  std::size_t at = text.find("\r\n");
  while (at != std::string_view::npos && at + 2 < text.size()) {
    std::size_t const next = text.find("\r\n", at + 2);
    std::string_view const line =
        text.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    at = next;
    std::size_t const colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string name;
    for (char const c : line.substr(0, colon)) name += lower(c);
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    if (name == "content-length") {
      std::size_t length = 0;
      auto const [stop, error] = std::from_chars(value.data(), value.data() + value.size(), length);
      if (error != std::errc() || stop != value.data() + value.size())
        return garbled("the daemon's Content-Length is no number");
      out.length = length;
    }
    if (name == "transfer-encoding") out.is_chunked = true;
  }
  return out;
}

class Reader {
 public:
  explicit Reader(Stream& stream) : stream_(stream) {}

  // More bytes behind those there; false at the end.
  Result<bool> fill() {
    std::array<char, 64 * 1024> chunk{};
    std::size_t const n = TRY(stream_.read(chunk.data(), chunk.size()));
    buffer_.append(chunk.data(), n);
    return n > 0;
  }
  Result<std::string> until(std::string_view mark, std::size_t bytes_max) {
    for (;;) {
      if (std::size_t const at = buffer_.find(mark); at != std::string::npos)
        return take(at + mark.size());
      if (buffer_.size() > bytes_max)
        return garbled("the daemon's answer has a line or head without end");
      if (!TRY(fill())) return unreachable("the daemon closed the connection before it answered");
    }
  }
  Result<std::string> exactly(std::size_t size) {
    if (size > kAnswerBytesMax)
      return garbled("the daemon's answer is larger than " + std::to_string(kAnswerBytesMax) +
                     " bytes");
    while (buffer_.size() < size) {
      if (!TRY(fill()))
        return unreachable("the daemon closed the connection in the middle of its answer");
    }
    return take(size);
  }
  Result<std::string> to_end() {
    while (TRY(fill())) {
      if (buffer_.size() > kAnswerBytesMax)
        return garbled("the daemon's answer is larger than " + std::to_string(kAnswerBytesMax) +
                       " bytes");
    }
    return take(buffer_.size());
  }

 private:
  std::string take(std::size_t size) {
    std::string out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }

  Stream& stream_;
  std::string buffer_;
};

Result<std::string> read_chunks(Reader& reader) {
  std::string out;
  for (;;) {
    std::string const line = TRY(reader.until("\r\n", kHeadBytesMax));
    std::size_t size = 0;
    auto const [end, code] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (code != std::errc() || size > kAnswerBytesMax - out.size())
      return garbled("the daemon's chunks have no proper size");
    if (size == 0) return out;  // the connection ends here, so trailers may stay unread
    out += TRY(reader.exactly(size));
    TRY(reader.exactly(2));
  }
}

Result<Head> read_head(Reader& reader) {
  return parse_head(TRY(reader.until("\r\n\r\n", kHeadBytesMax)));
}

Result<Response> read_response(Reader& reader, std::optional<Head> first) {
  Head head = first ? *first : TRY(read_head(reader));
  while (head.status < 200) head = TRY(read_head(reader));
  Response out{.status = head.status, .body = {}};
  if (head.status == 204 || head.status == 304) return out;
  if (head.is_chunked)
    out.body = TRY(read_chunks(reader));
  else if (head.length)
    out.body = TRY(reader.exactly(*head.length));
  else
    out.body = TRY(reader.to_end());
  return out;
}

std::string request_head(Endpoint const& endpoint, Request const& request) {
  std::string head =
      request.method + " " + request.target +
      " HTTP/1.1\r\nHost: " + (endpoint.host.empty() ? "berthd" : endpoint.host) +
      "\r\nUser-Agent: berthctl\r\nAccept: application/json\r\nConnection: close\r\n";
  if (request.file >= 0) {
    head += "Content-Type: application/octet-stream\r\nExpect: 100-continue\r\nContent-Length: " +
            std::to_string(request.file_bytes) + "\r\n";
  } else if (!request.body.empty()) {
    head +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) +
        "\r\n";
  } else if (request.method != "GET") {
    head += "Content-Length: 0\r\n";
  }
  return head + "\r\n";
}

// The reason when the file cannot be read; otherwise true when all was sent, false when the daemon
// stopped listening (then it has said why).
Result<bool> send_file(Stream& stream, Request const& request) {
  std::string chunk(256 * 1024, '\0');
  std::int64_t sent = 0;
  while (sent < request.file_bytes) {
    auto const wanted =
        std::min<std::int64_t>(request.file_bytes - sent, static_cast<std::int64_t>(chunk.size()));
    ssize_t const n = ::read(request.file, chunk.data(), static_cast<std::size_t>(wanted));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Code::invalid, "file", "the file cannot be read: " + why()};
    if (n == 0) return Error{Code::invalid, "file", "the file became shorter while it was sent"};
    if (!stream.write(std::string_view(chunk.data(), static_cast<std::size_t>(n)))) return false;
    sent += n;
    if (request.on_progress) request.on_progress(sent);
  }
  return true;
}

}  // namespace

Result<Endpoint> parse_url(std::string const& url) {
  Error const wrong{Code::invalid, "usage", "--url wants https://HOST:PORT, found '" + url + "'"};
  std::string_view rest = url;
  if (!rest.starts_with("https://")) return wrong;
  rest.remove_prefix(8);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::size_t const colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong;
  std::string_view host = rest.substr(0, colon);
  std::string_view const port = rest.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong;
  Endpoint out;
  auto const [end, code] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (code != std::errc() || end != port.data() + port.size() || out.port == 0 ||
      host.find('/') != std::string_view::npos)
    return wrong;
  out.host = host;
  return out;
}

Result<Response> exchange(Endpoint const& endpoint, Request const& request) {
  std::unique_ptr<Stream> const stream =
      TRY(endpoint.host.empty() ? connect_socket(endpoint.socket) : connect_tls(endpoint));
  stream->set_read_deadline(request.answer_deadline);
  TRY(stream->write(request_head(endpoint, request) + request.body));
  Reader reader(*stream);
  if (request.file < 0) return read_response(reader, std::nullopt);
  // A refusal comes before the body is sent; a daemon that says nothing gets the body anyway.
  if (stream->is_readable_within(kContinueDeadline)) {
    Head const early = TRY(read_head(reader));
    if (early.status >= 200) return read_response(reader, early);
  }
  TRY(send_file(*stream, request));
  return read_response(reader, std::nullopt);
}

}  // namespace berth::ctl
