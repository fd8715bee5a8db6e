#include "daemon/http/parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "berth/base/ensure.h"

namespace berth::http {
namespace {

namespace beast = boost::beast::http;
using ErrorCode = boost::beast::error_code;

bool is_word(std::string_view text, std::string_view lower_case_word) {
  return std::ranges::equal(text, lower_case_word, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

// Beast's events, written down. Only heads are given to it; what follows a head is ours.
class Events final : public beast::basic_parser<true> {
 public:
  explicit Events(std::size_t headers_max) : headers_max_(headers_max) {}

  Request request;
  int version = 0;  // 10 or 11
  bool has_too_many_headers = false;

 private:
  void on_request_impl(beast::verb /*known*/, boost::beast::string_view method,
                       boost::beast::string_view target, int http_version,
                       ErrorCode& /*error*/) override {
    version = http_version;
    request.method = std::string(method);
    request.target = std::string(target);
  }

  void on_response_impl(int /*status*/, boost::beast::string_view /*reason*/, int /*version*/,
                        ErrorCode& /*error*/) override {}

  void on_field_impl(beast::field /*known*/, boost::beast::string_view name,
                     boost::beast::string_view value, ErrorCode& error) override {
    if (request.headers.size() == headers_max_) {
      has_too_many_headers = true;
      error = beast::error::header_limit;
      return;
    }
    request.headers.push_back(Header{.name = std::string(name), .value = std::string(value)});
  }

  void on_header_impl(ErrorCode& /*error*/) override {}

  void on_body_init_impl(boost::optional<std::uint64_t> const& /*length*/,
                         ErrorCode& /*error*/) override {}

  std::size_t on_body_impl(boost::beast::string_view bytes, ErrorCode& /*error*/) override {
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t /*size*/, boost::beast::string_view /*extensions*/,
                            ErrorCode& /*error*/) override {}

  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, boost::beast::string_view bytes,
                                 ErrorCode& /*error*/) override {
    return bytes.size();
  }

  void on_finish_impl(ErrorCode& /*error*/) override {}

  std::size_t headers_max_;
};

Refusal refusal_for(ErrorCode const& error, bool has_too_many_headers) {
  if (has_too_many_headers) return {.status = 431, .text = "too many headers"};
  if (error == beast::error::bad_version) {
    return {.status = 505, .text = "wanted HTTP/1.1, found another version"};
  }
  return {.status = 400, .text = "malformed request: " + error.message()};
}

// What Beast lets pass and we do not: each is a known way to make two readers of one byte stream
// see different requests.
std::optional<Refusal> framing_refusal(Request const& head, bool is_http11) {
  auto const hosts = head.header_values("Host").size();
  if (hosts > 1 || (hosts == 0 && is_http11)) {
    return Refusal{.status = 400,
                   .text = "wanted exactly one Host header, found " + std::to_string(hosts)};
  }
  auto const lengths = head.header_values("Content-Length");
  if (lengths.size() > 1 || (!lengths.empty() && lengths.front().find(',') != std::string::npos)) {
    return Refusal{.status = 400, .text = "wanted at most one Content-Length"};
  }
  auto const encodings = head.header_values("Transfer-Encoding");
  if (!encodings.empty()) {
    if (!is_http11) return Refusal{.status = 400, .text = "HTTP/1.0 has no Transfer-Encoding"};
    if (encodings.size() > 1 || !is_word(encodings.front(), "chunked")) {
      return Refusal{.status = 501, .text = "the only Transfer-Encoding read here is chunked"};
    }
  }
  for (auto const expected : head.header_values("Expect")) {
    if (!is_word(expected, "100-continue")) {
      return Refusal{.status = 417, .text = "the only Expect met here is 100-continue"};
    }
  }
  return std::nullopt;
}

}  // namespace

struct RequestParser::Impl {
  explicit Impl(Limits l) : limits(l), events(l.headers_max) {
    // Our own count below covers request line and headers together, in whole heads; Beast's counts
    // anew on each call, so it is set out of the way.
    events.header_limit(std::numeric_limits<std::uint32_t>::max());
    events.body_limit(boost::none);
    events.eager(false);
  }

  // Trailers count as headers do: those the head has not used are left for them.
  [[nodiscard]] ChunkReader::Limits chunk_limits(std::uint64_t bytes_max) const {
    return {.body_bytes_max = bytes_max,
            .trailers_max = limits.headers_max - events.request.headers.size(),
            .trailer_bytes_max = limits.header_bytes_max};
  }

  Limits limits;
  Events events;
  std::size_t scanned = 0;  // bytes already searched for the end of the head
  std::string body;
  std::uint64_t length_left = 0;      // of a body with a Content-Length
  std::optional<ChunkReader> chunks;  // of a body without
};

RequestParser::RequestParser(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

RequestParser::Step RequestParser::read_head(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  auto const too_long = [] {
    return Step{.refusal = Refusal{.status = 431, .text = "the headers are too long"}};
  };
  std::size_t skipped = 0;
  while (bytes.substr(skipped).starts_with("\r\n")) skipped += 2;
  std::size_t const end = bytes.find(kEnd, std::max(skipped, impl_->scanned));
  if (end == std::string_view::npos) {
    if (bytes.size() >= impl_->limits.header_bytes_max) return too_long();
    impl_->scanned = bytes.size() < kEnd.size() ? 0 : bytes.size() - (kEnd.size() - 1);
    return {};
  }
  std::size_t const length = end + kEnd.size();
  if (length > impl_->limits.header_bytes_max) return too_long();
  ErrorCode error;
  impl_->events.put(boost::asio::const_buffer(bytes.data() + skipped, length - skipped), error);
  if (error) return Step{.refusal = refusal_for(error, impl_->events.has_too_many_headers)};
  ENSURE(impl_->events.is_header_done());
  if (auto refusal = framing_refusal(impl_->events.request, is_http11())) {
    return Step{.refusal = std::move(refusal)};
  }
  impl_->length_left = content_length().value_or(0);
  if (impl_->events.chunked()) impl_->chunks.emplace(impl_->chunk_limits(0));
  return Step{.consumed = length};
}

bool RequestParser::is_head_done() const {
  return impl_->events.is_header_done();
}

Request& RequestParser::head() {
  return impl_->events.request;
}

bool RequestParser::is_http11() const {
  return impl_->events.version == 11;
}

bool RequestParser::keeps_alive() const {
  return impl_->events.keep_alive();
}

bool RequestParser::expects_continue() const {
  return is_http11() && impl_->events.request.header("Expect").has_value();
}

std::optional<std::uint64_t> RequestParser::content_length() const {
  auto const length = impl_->events.content_length();
  if (!length.has_value()) return std::nullopt;
  return *length;
}

std::optional<Refusal> RequestParser::limit_body(std::uint64_t bytes_max) {
  if (impl_->chunks) {
    impl_->chunks.emplace(impl_->chunk_limits(bytes_max));
  } else if (impl_->length_left > bytes_max) {
    return Refusal{.status = 413,
                   .text = "the body is too long: at most " + std::to_string(bytes_max) +
                           " bytes are read here"};
  }
  return std::nullopt;
}

RequestParser::Step RequestParser::read_body(std::string_view bytes) {
  if (impl_->chunks) return impl_->chunks->read(bytes, impl_->body);
  auto const piece =
      static_cast<std::size_t>(std::min<std::uint64_t>(impl_->length_left, bytes.size()));
  impl_->body += bytes.substr(0, piece);
  impl_->length_left -= piece;
  return Step{.consumed = piece};
}

std::string& RequestParser::body() {
  return impl_->body;
}

bool RequestParser::is_done() const {
  if (!is_head_done()) return false;
  return impl_->chunks ? impl_->chunks->is_done() : impl_->length_left == 0;
}

}  // namespace berth::http
