#pragma once
// Netstrings ("5:hello,") on a stream: how the tests' Python halves hand bytes to their C++ halves.

#include <cstdlib>
#include <istream>
#include <optional>
#include <string>

namespace berth::test {

// The next string, or absent at the end of the stream. A malformed stream ends the program: it is
// our own test talking.
inline std::optional<std::string> read_netstring(std::istream& in) {
  std::size_t size = 0;
  if (!(in >> size)) return {};
  std::string out(size, '\0');
  if (in.get() != ':' || !in.read(out.data(), static_cast<std::streamsize>(size)) ||
      in.get() != ',') {
    std::abort();
  }
  return out;
}

// As above, where the stream may not end yet.
inline std::string next_netstring(std::istream& in) {
  std::optional<std::string> out = read_netstring(in);
  if (!out) std::abort();
  return *std::move(out);
}

}  // namespace berth::test
