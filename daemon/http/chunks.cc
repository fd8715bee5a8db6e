#include "daemon/http/chunks.h"

#include <algorithm>

namespace berth::http {
namespace {

constexpr std::size_t kSizeDigitsMax = 16;

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

bool is_token(char c) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={}";
  return c > ' ' && c < 0x7f && kSeparators.find(c) == std::string_view::npos;
}

bool is_text(char c) {
  auto const byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= ' ' && byte != 0x7f);
}

Refusal malformed() {
  return {.status = 400, .text = "malformed request: bad chunk"};
}

Refusal trailers_too_long() {
  return {.status = 431, .text = "the trailers are too long"};
}

}  // namespace

ChunkReader::Step ChunkReader::read(std::string_view bytes, std::string& body) {
  std::size_t at = 0;
  while (at < bytes.size() && !is_done()) {
    if (state_ == State::data) {
      auto const piece =
          static_cast<std::size_t>(std::min<std::uint64_t>(size_, bytes.size() - at));
      body += bytes.substr(at, piece);
      at += piece;
      size_ -= piece;
      if (size_ == 0) state_ = State::data_cr;
      continue;
    }
    if (auto refusal = take(bytes[at++])) return {.consumed = at, .refusal = std::move(refusal)};
  }
  return {.consumed = at};
}

std::optional<Refusal> ChunkReader::take(char c) {
  switch (state_) {
    case State::size:
    case State::extension: return take_in_size(c);
    case State::size_lf: return c == '\n' ? start_chunk() : malformed();
    case State::data_cr: return expect(c == '\r', State::data_lf);
    case State::data_lf: return expect(c == '\n', State::size);
    case State::line:
    case State::name:
    case State::value: return take_in_trailers(c);
    case State::value_lf: return expect(c == '\n', State::line);
    case State::last_lf: return expect(c == '\n', State::done);
    case State::data:
    case State::done: break;
  }
  return malformed();
}

std::optional<Refusal> ChunkReader::expect(bool is_as_wanted, State next) {
  if (!is_as_wanted) return malformed();
  state_ = next;
  return std::nullopt;
}

std::optional<Refusal> ChunkReader::take_in_size(char c) {
  if (c == '\r') return expect(size_digits_ > 0, State::size_lf);
  if (state_ == State::extension) {
    return expect(is_text(c) && ++extension_bytes_ <= kExtensionBytesMax, State::extension);
  }
  if (c == ';') return expect(size_digits_ > 0, State::extension);
  auto const digit = hex_value(c);
  if (!digit || ++size_digits_ > kSizeDigitsMax) return malformed();
  size_ = size_ * 16 + *digit;
  return std::nullopt;
}

std::optional<Refusal> ChunkReader::start_chunk() {
  size_digits_ = 0;
  extension_bytes_ = 0;
  state_ = size_ == 0 ? State::line : State::data;
  if (size_ > limits_.body_bytes_max) return Refusal{.status = 413, .text = "the body is too long"};
  limits_.body_bytes_max -= size_;
  return std::nullopt;
}

std::optional<Refusal> ChunkReader::take_in_trailers(char c) {
  if (++trailer_bytes_ > limits_.trailer_bytes_max) return trailers_too_long();
  if (state_ == State::name) {
    return expect(c == ':' || is_token(c), c == ':' ? State::value : State::name);
  }
  if (state_ == State::value) {
    return expect(c == '\r' || is_text(c), c == '\r' ? State::value_lf : State::value);
  }
  if (c == '\r') return expect(true, State::last_lf);
  if (++trailers_ > limits_.trailers_max) return trailers_too_long();
  return expect(is_token(c), State::name);
}

}  // namespace berth::http
