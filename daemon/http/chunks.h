#pragma once
// The chunked transfer coding (RFC 9112 section 7.1), read strictly and byte by byte, so that what
// it says never depends on how the bytes arrived. Our own, because Beast 1.81 lets a quoted chunk
// extension run over the end of its line when enough bytes have arrived, and then sees another body
// than it would have seen a moment earlier: found by tests/fuzz/http_request_fuzz.cc.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::http {

// Why a request is not served: the status and the sentence the client gets.
struct Refusal {
  unsigned status = 400;
  std::string text;

  bool operator==(Refusal const&) const = default;
};

class ChunkReader {
 public:
  struct Limits {
    std::uint64_t body_bytes_max = 0;
    std::size_t trailers_max = 0;
    std::size_t trailer_bytes_max = 0;
  };
  // Extensions mean nothing to us; unbounded they would be a body outside the body's limit.
  static constexpr std::size_t kExtensionBytesMax = 256;

  explicit ChunkReader(Limits limits) : limits_(limits) {}

  struct Step {
    std::size_t consumed = 0;  // all of it, unless the body ended before
    std::optional<Refusal> refusal;
  };
  // Appends what it decodes to `body`. Trailers are checked and dropped, so that none can pass for
  // a header that somebody relied on.
  [[nodiscard]] Step read(std::string_view bytes, std::string& body);
  [[nodiscard]] bool is_done() const { return state_ == State::done; }

 private:
  //   size ──';'──► extension
  //     └────CR────────┴──────► size_lf ──size > 0──► data ─► data_cr ─► data_lf ─► size
  //                                └─────size 0──► line ──CR──► last_lf ─► done
  //                                                 └─token─► name ─':'─► value ─CR─► value_lf ─►
  //                                                 line
  enum class State {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    line,
    name,
    value,
    value_lf,
    last_lf,
    done
  };

  [[nodiscard]] std::optional<Refusal> take(char c);
  [[nodiscard]] std::optional<Refusal> take_in_size(char c);
  [[nodiscard]] std::optional<Refusal> take_in_trailers(char c);
  [[nodiscard]] std::optional<Refusal> start_chunk();
  [[nodiscard]] std::optional<Refusal> expect(bool is_as_wanted, State next);

  Limits limits_;
  State state_ = State::size;
  std::uint64_t size_ = 0;  // of the chunk being read, then what is left of it
  std::size_t size_digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailers_ = 0;
  std::size_t trailer_bytes_ = 0;
};

}  // namespace berth::http
