#pragma once
// The sum beside each stored record. Against accidents, not against people: whoever can write the
// file can write the sum. SQLite's own check sees broken trees, not a flipped bit in a value.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace berth::store {

// Of schema 1: FNV-1a, a byte at a time. For stores that are still to be brought to schema 2.
[[nodiscard]] inline std::int64_t checksum_1(std::int64_t kind, std::string_view id,
                                             std::string_view payload) {
  std::uint64_t sum = 0xcbf29ce484222325;
  auto const add = [&](std::string_view bytes) {
    for (char const c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  // The id's length keeps id and payload apart.
  add(std::to_string(kind) + ":" + std::to_string(id.size()) + ":");
  add(id);
  add(payload);
  return static_cast<std::int64_t>(sum);
}

// Eight bytes at a time. Each step is a bijection of the word it takes, so that damage within one
// word is always seen; damage over several is missed once in 2^64.
[[nodiscard]] inline std::int64_t checksum_2(std::int64_t kind, std::string_view id,
                                             std::string_view payload) {
  std::uint64_t sum = 0x9e3779b97f4a7c15;
  auto const take = [&](std::uint64_t word) {
    sum = (sum ^ word) * 0xff51afd7ed558ccd;
    sum ^= sum >> 32;
  };
  auto const add = [&](std::string_view bytes) {
    take(bytes.size());
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), 8);
      take(word);
    }
    std::uint64_t last = 0;
    std::memcpy(&last, bytes.data(), bytes.size());
    take(last);
  };
  take(static_cast<std::uint64_t>(kind));
  add(id);
  add(payload);
  return static_cast<std::int64_t>(sum);
}

}  // namespace berth::store
