#pragma once
// Bytes to one request: Boost.Beast's parser for the head, with our limits and the stricter
// readings that keep a proxy and us from disagreeing about where a request ends; the body by its
// length or by ChunkReader. Knows no socket and no clock, so it is fuzzed as it is.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/chunks.h"
#include "daemon/http/message.h"

namespace berth::http {

class RequestParser {
 public:
  struct Limits {
    std::size_t header_bytes_max = 0;
    std::size_t headers_max = 0;
  };

  // How many of the given bytes are done with; the caller offers the rest again, with more behind
  // them. read_head consumes nothing until the head is whole; read_body leaves only what follows
  // the request. After a refusal the parser is dead.
  using Step = ChunkReader::Step;

  explicit RequestParser(Limits limits);
  RequestParser(RequestParser const&) = delete;
  RequestParser& operator=(RequestParser const&) = delete;
  ~RequestParser();

  // Until the head is whole. Empty lines before a request are skipped, as RFC 9112 section 2.2
  // asks.
  [[nodiscard]] Step read_head(std::string_view bytes);
  [[nodiscard]] bool is_head_done() const;

  // From here on only after the head is done.
  [[nodiscard]] Request& head();
  [[nodiscard]] bool is_http11() const;
  [[nodiscard]] bool keeps_alive() const;
  [[nodiscard]] bool expects_continue() const;
  // Absent: no body, or a chunked one.
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;

  // Refuses with 413 what is longer than this; once, before read_body.
  [[nodiscard]] std::optional<Refusal> limit_body(std::uint64_t bytes_max);
  // Appends decoded bytes to body().
  [[nodiscard]] Step read_body(std::string_view bytes);
  // The caller takes out what it has used.
  [[nodiscard]] std::string& body();
  // The request is complete; what follows is the next one.
  [[nodiscard]] bool is_done() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::http
