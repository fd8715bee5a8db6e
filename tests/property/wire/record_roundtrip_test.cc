// What is encoded is decoded to the same, for every noun and any contents; and no damage to the
// bytes is read as something that would not have been written.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "common/wire/record.h"
#include "tests/support/records.h"

namespace berth {
namespace {

RC_GTEST_PROP(RecordRoundtrip, EveryNounComesBackAsItWas, (std::uint64_t seed)) {
  SeededEntropy entropy(seed);
  std::vector<core::Change> const changes = test::one_of_each(entropy);
  RC_ASSERT(changes.size() == std::size(wire::kRecordKinds));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    core::Change const& change = changes[i];
    RC_ASSERT(wire::key(change).kind == wire::kRecordKinds[i]);
    Result<void> const formed = wire::well_formed(change);
    if (!formed) RC_FAIL(formed.error().message);
    Result<core::Change> const decoded = wire::decode(wire::key(change), wire::encode(change));
    if (!decoded) RC_FAIL(decoded.error().message);
    RC_ASSERT(*decoded == change);
  }
}

RC_GTEST_PROP(RecordRoundtrip, TheSameRecordGivesTheSameBytes, (std::uint64_t seed)) {
  SeededEntropy first(seed);
  SeededEntropy second(seed);
  std::vector<core::Change> const a = test::one_of_each(first);
  std::vector<core::Change> const b = test::one_of_each(second);
  for (std::size_t i = 0; i < a.size(); ++i) RC_ASSERT(wire::encode(a[i]) == wire::encode(b[i]));
}

RC_GTEST_PROP(RecordRoundtrip, WhatIsReadFromDamagedBytesCouldHaveBeenWritten,
              (std::uint64_t seed, std::uint64_t where, std::uint8_t flip)) {
  SeededEntropy entropy(seed);
  for (core::Change const& change : test::one_of_each(entropy)) {
    std::string bytes = wire::encode(change);
    char& byte = bytes[where % bytes.size()];
    byte = static_cast<char>(byte ^ static_cast<char>(flip));
    Result<core::Change> const decoded = wire::decode(wire::key(change), bytes);
    if (decoded) {
      RC_ASSERT(wire::well_formed(*decoded).has_value());
      RC_ASSERT(wire::key(*decoded) == wire::key(change));
    } else {
      RC_ASSERT(decoded.error().code == Code::corrupt);
    }
  }
}

RC_GTEST_PROP(RecordRoundtrip, CutBytesAreNeverReadAsTheWholeRecord,
              (std::uint64_t seed, std::uint64_t where)) {
  SeededEntropy entropy(seed);
  for (core::Change const& change : test::one_of_each(entropy)) {
    std::string const bytes = wire::encode(change);
    std::string const cut = bytes.substr(0, where % bytes.size());
    Result<core::Change> const decoded = wire::decode(wire::key(change), cut);
    if (decoded) RC_ASSERT(*decoded != change);
  }
}

}  // namespace
}  // namespace berth
